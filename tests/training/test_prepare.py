"""Collections of MIDI files become training data."""

import json
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest

from livevae.errors import UsageError, WorkError
from livevae.midi.smf import MAX_FILE_BYTES
from livevae.training.dataset import load_split
from livevae.training.prepare import Source, prepare
from tests.training.beats import beat, collection, groove, zipped


def test_groove_midi_is_split_by_its_own_table(tmp_path: Path) -> None:
    """Each file goes where info.csv says, with style and kind."""
    manifest = prepare([groove(tmp_path / "src")], tmp_path / "out")

    assert {split: len(files) for split, files in manifest.splits.items()} == {
        "train": 7,
        "validation": 2,
        "test": 2,
    }
    assert manifest.splits["train"][0].style == "rock/half0"
    assert manifest.groove_midi
    assert [r.fill for r in manifest.splits["train"]].count(True) == 1


def test_a_zip_and_its_folder_prepare_the_same(tmp_path: Path) -> None:
    """Where the files come from does not matter."""
    source = groove(tmp_path / "src")
    from_folder = prepare([source], tmp_path / "a")
    from_zip = prepare([zipped(source, tmp_path / "src.zip")], tmp_path / "b")

    assert from_folder.splits == from_zip.splits
    for split in ("train", "validation", "test"):
        np.testing.assert_array_equal(
            load_split(tmp_path / "a", split).cells, load_split(tmp_path / "b", split).cells
        )


def test_what_was_played_is_what_is_prepared(tmp_path: Path) -> None:
    """The bars of a recording are those of its file."""
    prepare([groove(tmp_path / "src")], tmp_path / "out")
    split = load_split(tmp_path / "out", "train")
    recording = next(r for r in split.recordings if r.style == "rock/half3")
    bars = split.take(np.array([recording.first_bar]), recording.bars)[0]

    np.testing.assert_allclose(bars, beat(3), atol=0.01)


def test_other_collections_are_split_by_file_always_the_same(tmp_path: Path) -> None:
    """A tenth each is held out, whatever the files are called."""
    source = collection(tmp_path / "src")
    first = prepare([source], tmp_path / "a")
    for index, path in enumerate(sorted(source.iterdir())):
        path.rename(source / f"renamed{index}.mid")
    second = prepare([source], tmp_path / "b")

    assert not first.groove_midi
    sizes = {split: len(files) for split, files in first.splits.items()}
    assert sizes == {"train": 10, "validation": 1, "test": 1}
    for split in sizes:
        assert {round(r.bpm) for r in first.splits[split]} == {
            round(r.bpm) for r in second.splits[split]
        }


def test_copies_of_a_file_never_straddle_two_splits(tmp_path: Path) -> None:
    """The same bytes go to the same split."""
    source = collection(tmp_path / "src")
    for path in sorted(source.iterdir()):
        shutil.copy(path, source / f"copy_of_{path.name}")
    manifest = prepare([source], tmp_path / "out")

    where = {r.name: split for split, files in manifest.splits.items() for r in files}
    assert all(where[name] == where[f"copy_of_{name}"] for name in where if name[0] == "b")


def test_bad_files_are_left_out_with_their_reason_and_stop_nothing(tmp_path: Path) -> None:
    """Broken, empty, huge: each is named in the manifest."""
    source = collection(tmp_path / "src")
    (source / "broken.mid").write_bytes(b"MThd broken")
    (source / "text.mid").write_text("not midi")
    (source / "huge.mid").write_bytes(b"MThd" + bytes(MAX_FILE_BYTES))
    (source / "readme.txt").write_text("no midi at all")
    manifest = prepare([source], tmp_path / "out")

    assert {left.name for left in manifest.left_out} == {"broken.mid", "text.mid", "huge.mid"}
    assert all(left.reason for left in manifest.left_out)
    assert sum(len(files) for files in manifest.splits.values()) == 12
    assert json.loads((tmp_path / "out" / "manifest.json").read_text())["left_out"]


def test_a_zip_entry_with_a_path_leading_outside_writes_nothing_there(tmp_path: Path) -> None:
    """Entries are read in memory and their paths lead nowhere."""
    source = collection(tmp_path / "deep" / "src")
    archive = tmp_path / "deep" / "evil.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.write(source / "beat0.mid", "../../escaped.mid")
        file.writestr("../../info.csv", "split,midi_filename\ntrain,../../etc/passwd\n")
    prepare([archive], tmp_path / "deep" / "out")

    assert not list(tmp_path.glob("escaped*"))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["deep"]


def test_a_zip_bomb_is_left_out_unread(tmp_path: Path) -> None:
    """An entry that unpacks to more than a MIDI file can be is refused by its size."""
    source = collection(tmp_path / "src")
    archive = zipped(source, tmp_path / "bomb.zip")
    with zipfile.ZipFile(archive, "a", zipfile.ZIP_DEFLATED) as file:
        file.writestr("bomb.mid", bytes(100 * 1024 * 1024))
    manifest = prepare([archive], tmp_path / "out")

    assert [left.name for left in manifest.left_out] == ["bomb.mid"]


def test_sources_that_cannot_be_used_are_one_sentence(tmp_path: Path) -> None:
    """Missing, no folder or zip, a broken zip, nothing usable inside."""
    (tmp_path / "file.txt").write_text("text")
    (tmp_path / "empty").mkdir()
    (tmp_path / "cut.zip").write_bytes(b"PK\5\6" + bytes([255] * 18))
    for name, sentence in (
        ("missing", "not there"),
        ("file.txt", "neither"),
        ("cut.zip", "zip"),
        ("empty", "no usable"),
    ):
        with pytest.raises(UsageError, match=sentence):
            prepare([tmp_path / name], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_output_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    """OUT is a file, say; and that before any file is read."""
    (tmp_path / "out").write_text("taken")
    shown: list[Source] = []

    def track(files: list[Source]) -> list[Source]:
        shown.extend(files)
        return files

    with pytest.raises(WorkError, match="cannot be made"):
        prepare([collection(tmp_path / "src")], tmp_path / "out", track)
    assert not shown
