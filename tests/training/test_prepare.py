"""Collections of MIDI files become training data."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from livevae.errors import UsageError, WorkError
from livevae.midi.smf import MAX_FILE_BYTES, write_pattern
from livevae.training.dataset import SPLITS, load_split
from livevae.training.prepare import counted, prepare
from tests.training.beats import GM, beat, collection, groove, zipped
from tests.training.test_readers import refuse_processes


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
    """By what is played, whatever the files are called and wherever they come from."""
    source = collection(tmp_path / "src")
    first = prepare([source], tmp_path / "a")
    for index, path in enumerate(sorted(source.iterdir())):
        path.rename(source / f"renamed{index}.mid")
    second = prepare([zipped(source, tmp_path / "src.zip")], tmp_path / "b")

    assert not first.groove_midi
    for split in SPLITS:
        assert {round(r.bpm) for r in first.splits[split]} == {
            round(r.bpm) for r in second.splits[split]
        }


def test_a_file_stays_in_its_split_when_others_are_added(tmp_path: Path) -> None:
    """About a tenth each is held out, and what was held out stays so."""
    source = collection(tmp_path / "src", files=150, bars=1)
    first = prepare([source], tmp_path / "a")
    for path in collection(tmp_path / "more", files=200, bars=1).iterdir():
        path.replace(source / path.name)
    second = prepare([source], tmp_path / "b")

    after = {r.name: split for split, files in second.splits.items() for r in files}
    before = {r.name: split for split, files in first.splits.items() for r in files}
    assert before.items() <= after.items()
    assert len(after) > len(before)
    for split in ("validation", "test"):
        assert 0.03 < len(second.splits[split]) / len(after) < 0.2


@pytest.mark.parametrize("files", [3, 5, 8])
def test_a_small_collection_has_something_in_every_split(tmp_path: Path, files: int) -> None:
    """Three files are enough to train, to validate and to test."""
    manifest = prepare([collection(tmp_path / "src", files)], tmp_path / "out")

    assert all(manifest.splits[split] for split in SPLITS)
    assert sum(map(len, manifest.splits.values())) == files


def test_of_two_files_with_the_same_cells_one_is_kept(tmp_path: Path) -> None:
    """Whatever their names, tempos and bytes; the other is left out by the name of its twin."""
    source = collection(tmp_path / "src")
    for seed in range(3):
        write_pattern(source / f"copy_of_{seed}.mid", beat(seed), 77, GM)
    manifest = prepare([source], tmp_path / "out")

    assert [(left.name, left.reason, left.twin) for left in manifest.left_out] == [
        (f"copy_of_{seed}.mid", "duplicate", f"beat{seed}.mid") for seed in range(3)
    ]
    assert sum(map(len, manifest.splits.values())) == 12


def test_nothing_held_out_is_also_trained_on(tmp_path: Path) -> None:
    """Of copies, test keeps its own before validation and train, and a table before no table."""
    source = groove(tmp_path / "src")
    write_pattern(source / "groove" / "drummer1" / "0_beat.mid", beat(9), 100, GM)  # train as test
    write_pattern(source / "groove" / "drummer1" / "1_beat.mid", beat(7), 100, GM)  # as validation
    other = tmp_path / "other"
    other.mkdir()
    write_pattern(other / "copy.mid", beat(2), 100, GM)
    manifest = prepare([other, source], tmp_path / "out")

    sizes = {split: len(files) for split, files in manifest.splits.items()}
    assert sizes == {"train": 5, "validation": 2, "test": 2}
    assert {left.name.rsplit("/")[-1] for left in manifest.left_out} == {
        "0_beat.mid",
        "1_beat.mid",
        "copy.mid",
    }
    assert manifest.groove_midi


def test_bad_files_are_left_out_with_their_reason_and_stop_nothing(tmp_path: Path) -> None:
    """Broken, empty, huge: each is named in the manifest."""
    source = collection(tmp_path / "src")
    (source / "broken.mid").write_bytes(b"MThd broken")
    (source / "text.mid").write_text("not midi")
    (source / "empty.mid").write_bytes(b"")
    (source / "huge.mid").write_bytes(b"MThd" + bytes(MAX_FILE_BYTES))
    (source / "readme.txt").write_text("no midi at all")
    manifest = prepare([source], tmp_path / "out")

    assert {left.name: left.reason for left in manifest.left_out} == {
        "broken.mid": "broken",
        "text.mid": "broken",
        "empty.mid": "empty",
        "huge.mid": "too large",
    }
    assert counted(manifest.left_out) == " (2 broken, 1 empty, 1 too large)"
    assert sum(len(files) for files in manifest.splits.values()) == 12
    assert len(json.loads((tmp_path / "out" / "manifest.json").read_text())["left_out"]) == 4


def test_whoever_watches_sees_every_file_go_by(tmp_path: Path) -> None:
    """Those left out too."""
    source = collection(tmp_path / "src")
    (source / "broken.mid").write_bytes(b"MThd broken")
    seen: list[tuple[int, int]] = []
    prepare([source], tmp_path / "out", lambda done, n: seen.append((done, n)))

    assert seen == [(done, 13) for done in range(1, 14)]


@pytest.fixture
def earlier(tmp_path: Path) -> dict[str, bytes]:
    """Return the files of an ``out`` that was prepared before."""
    out = tmp_path / "out"
    prepare([collection(tmp_path / "earlier", files=4)], out)
    return {path.name: path.read_bytes() for path in out.iterdir()}


def run(code: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a program until it and all that it started have ended."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_a_full_disk_is_one_sentence_and_keeps_what_was_there(
    tmp_path: Path, earlier: dict[str, bytes]
) -> None:
    """The real command, where no file may grow beyond a few kilobytes."""
    code = """if __name__ == "__main__":
        import resource
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
        from livevae.cli import main
        main()"""
    source = collection(tmp_path / "src")
    result = run(code, "prepare", source, tmp_path / "out")

    assert (result.returncode, result.stdout) == (1, "")
    assert "out cannot be written: File too large" in result.stderr
    assert "Traceback" not in result.stderr
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == earlier


def test_a_killed_run_leaves_what_was_there_and_nothing_in_the_way_of_the_next(
    tmp_path: Path, earlier: dict[str, bytes]
) -> None:
    """Its readers end with it, and its remains are gone after the next run."""
    code = """if __name__ == "__main__":
        import os, pathlib, signal, sys
        from livevae.training.prepare import prepare
        source, out = map(pathlib.Path, sys.argv[1:])
        prepare([source], out, lambda done, _: done == 5 and os.kill(os.getpid(), signal.SIGKILL))
        """
    source, out = collection(tmp_path / "src"), tmp_path / "out"
    assert run(code, source, out).returncode == -signal.SIGKILL

    assert earlier.items() <= {p.name: p.read_bytes() for p in out.iterdir() if p.is_file()}.items()
    assert sum(len(load_split(out, split).recordings) for split in SPLITS) == 4
    prepare([source], out)
    assert sum(len(load_split(out, split).recordings) for split in SPLITS) == 12
    assert {path.name for path in out.iterdir()} == set(earlier)


def test_readers_that_cannot_be_started_are_no_fault_of_the_output(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The sentence is about them, and nothing is left."""
    refuse_processes(monkeypatch, after=0)
    with pytest.raises(WorkError, match="process to read files in cannot be started"):
        prepare([collection(tmp_path / "src")], tmp_path / "out")

    assert not (tmp_path / "out").exists()


def test_files_of_others_in_the_output_folder_are_left_alone(tmp_path: Path) -> None:
    """Only what prepare writes is replaced."""
    out = tmp_path / "out"
    out.mkdir()
    (out / "notes.txt").write_text("mine")
    prepare([collection(tmp_path / "src")], out)

    assert (out / "notes.txt").read_text() == "mine"


def test_sources_without_a_usable_file_leave_nothing_behind(tmp_path: Path) -> None:
    """Neither a folder nor a change to what was prepared before."""
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "bad.mid").write_text("bad")
    with pytest.raises(UsageError, match=r"no usable .* \(1 broken\)"):
        prepare([tmp_path / "bad"], tmp_path / "deep" / "out")

    assert not (tmp_path / "deep" / "out").exists()


def test_an_output_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    """OUT is a file, say; and that before any file is read."""
    (tmp_path / "out").write_text("taken")
    shown: list[int] = []

    with pytest.raises(WorkError, match="cannot be made"):
        prepare(
            [collection(tmp_path / "src")], tmp_path / "out", lambda done, _: shown.append(done)
        )
    assert not shown
