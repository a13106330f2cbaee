"""Files written in one step."""

from pathlib import Path

import pytest

from livevae.errors import WorkError
from livevae.latent.files import make_folder, write_atomically


def test_a_file_is_replaced_and_nothing_else_is_left(tmp_path: Path) -> None:
    """The partial one has taken its name."""
    for data in (b"old", b"new"):
        write_atomically(tmp_path / "file", data)
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"new"]


def test_writing_makes_no_folder(tmp_path: Path) -> None:
    """A mistyped path is one sentence, not a new tree."""
    with pytest.raises(WorkError, match="file cannot be written: No such file or directory"):
        write_atomically(tmp_path / "no" / "where" / "file", b"data")
    assert not list(tmp_path.iterdir())


def test_a_folder_is_made_with_those_above_it_or_refused_in_a_sentence(tmp_path: Path) -> None:
    """It may be there already; a file may not."""
    for _ in range(2):
        make_folder(tmp_path / "a" / "b")
    (tmp_path / "file").touch()
    for path in (tmp_path / "file", tmp_path / "file" / "c"):
        with pytest.raises(WorkError, match=f"{path} cannot be made"):
            make_folder(path)
