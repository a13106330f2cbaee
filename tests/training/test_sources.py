"""Folders and zips of MIDI files, opened as hostile."""

import zipfile
from pathlib import Path

import pytest

from livevae.errors import UsageError
from livevae.midi.smf import MAX_FILE_BYTES
from livevae.training.prepare import prepare
from livevae.training.reading import Unusable
from livevae.training.sources import Source, sources_in
from tests.training.beats import collection, groove, zipped


def refusal(source: Source) -> str:
    """Return why a file cannot be had."""
    with pytest.raises(Unusable) as caught:
        source.read()
    return caught.value.reason


@pytest.mark.parametrize("packed", [False, True])
def test_midi_files_are_found_at_any_depth_by_their_suffix(tmp_path: Path, packed: bool) -> None:
    """In the order of their names, whatever else is there."""
    source = tmp_path / "src"
    for name in ("b/deep/er/2.MIDI", "a.mid", "b/1.Mid", "b/readme.txt", "mid"):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_bytes(name.encode())
    found = sources_in(zipped(source, tmp_path / "src.zip") if packed else source)

    assert [file.name for file in found] == ["a.mid", "b/1.Mid", "b/deep/er/2.MIDI"]
    assert [file.read() for file in found] == [file.name.encode() for file in found]
    assert {file.split for file in found} == {None}


@pytest.mark.parametrize("packed", [False, True])
def test_groove_midi_is_known_by_its_table(tmp_path: Path, packed: bool) -> None:
    """Its files carry split, style and kind; one that the table does not list carries none."""
    source = groove(tmp_path / "src")
    (source / "groove" / "stray.mid").write_bytes(b"")
    found = sources_in(zipped(source, tmp_path / "src.zip") if packed else source)
    by_name = {file.name.rsplit("/")[-1]: file for file in found}

    assert (by_name["9_beat.mid"].split, by_name["9_beat.mid"].style) == ("test", "rock/half9")
    assert by_name["fill.mid"].fill
    assert not by_name["9_beat.mid"].fill
    assert by_name["stray.mid"].split is None


@pytest.mark.parametrize(
    "table", [b"a,b\n1,2\n", b"\xff\xfe\x00", b"split,midi_filename\ntrain,none.mid\nx,beat0.mid\n"]
)
def test_any_other_table_is_no_table(tmp_path: Path, table: bytes) -> None:
    """Other columns, no text, files that are not there, splits of other names."""
    source = collection(tmp_path / "src", files=2)
    (source / "info.csv").write_bytes(table)

    assert [file.split for file in sources_in(source)] == [None, None]


def test_a_zip_entry_with_a_path_leading_outside_writes_nothing_there(tmp_path: Path) -> None:
    """Entries are read in memory and their paths lead nowhere, those in a table too."""
    source = collection(tmp_path / "deep" / "src", files=1)
    archive = tmp_path / "deep" / "evil.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.write(source / "beat0.mid", "../../escaped.mid")
        file.writestr("../../info.csv", "split,midi_filename\ntrain,../../etc/passwd\n")
    prepare([archive], tmp_path / "deep" / "out")

    assert not list(tmp_path.glob("escaped*"))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["deep"]


def test_a_table_in_a_folder_cannot_name_files_outside_it(tmp_path: Path) -> None:
    """Only what is found in the folder is read."""
    source = collection(tmp_path / "src", files=1)
    (tmp_path / "secret.mid").write_bytes(b"secret")
    (source / "info.csv").write_text("split,midi_filename\ntrain,../secret.mid\n")

    assert [file.name for file in sources_in(source)] == ["beat0.mid"]


def test_a_zip_bomb_is_left_out_unread(tmp_path: Path) -> None:
    """By the size that its entry claims, or by what it unpacks to."""
    honest, liar = tmp_path / "honest.zip", tmp_path / "liar.zip"
    with zipfile.ZipFile(honest, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("bomb.mid", bytes(4 * MAX_FILE_BYTES))
    size = (4 * MAX_FILE_BYTES).to_bytes(4, "little")
    liar.write_bytes(honest.read_bytes().replace(size, (1000).to_bytes(4, "little")))

    assert refusal(sources_in(honest)[0]) == "too large"
    assert refusal(sources_in(liar)[0]) == "unreadable"


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_what_cannot_be_unpacked_in_parts_is_not_unpacked(tmp_path: Path, method: int) -> None:
    """zipfile unpacks such an entry whole before it looks at its size."""
    with zipfile.ZipFile(tmp_path / "a.zip", "w", method) as file:
        file.writestr("a.mid", b"MThd")

    assert refusal(sources_in(tmp_path / "a.zip")[0]) == "unreadable"


def test_an_entry_that_is_damaged_is_left_out(tmp_path: Path) -> None:
    """Its bytes do not unpack, or not to what they should."""
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("a.mid", bytes(range(256)) * 20)
    data = bytearray((tmp_path / "a.zip").read_bytes())
    data[60:90] = bytes(30)
    (tmp_path / "a.zip").write_bytes(data)

    assert refusal(sources_in(tmp_path / "a.zip")[0]) == "unreadable"


def test_a_file_that_vanishes_is_left_out(tmp_path: Path) -> None:
    """Between being found and being read."""
    source = collection(tmp_path / "src", files=1)
    found = sources_in(source)
    (source / "beat0.mid").unlink()

    assert refusal(found[0]) == "unreadable"


def test_sources_that_cannot_be_used_are_one_sentence(tmp_path: Path) -> None:
    """Missing, no folder or zip, a broken zip, nothing inside."""
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
