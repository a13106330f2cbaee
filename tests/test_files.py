"""Files written in one step."""

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from livevae.errors import UsageError, WorkError
from livevae.files import make_folder, read_bytes, read_tensors, write_atomically


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


def test_a_name_that_no_file_can_have_is_one_sentence(tmp_path: Path) -> None:
    """Nor can the file that is written first be removed."""
    with pytest.raises(WorkError, match="cannot be written: File name too long"):
        write_atomically(tmp_path / ("a" * 300), b"data")


def test_a_folder_is_made_with_those_above_it_or_refused_in_a_sentence(tmp_path: Path) -> None:
    """It may be there already; a file may not."""
    for _ in range(2):
        make_folder(tmp_path / "a" / "b")
    (tmp_path / "file").touch()
    for path in (tmp_path / "file", tmp_path / "file" / "c"):
        with pytest.raises(WorkError, match=f"{path} cannot be made"):
            make_folder(path)


def test_bytes_are_read_as_bytes_and_numbers_as_numbers(tmp_path: Path) -> None:
    """Neither is taken for the other."""
    whole, halves = tmp_path / "bytes", tmp_path / "halves"
    save_file({"x": np.arange(3, dtype=np.uint8)}, whole)
    save_file({"x": np.arange(3, dtype=np.float16)}, halves)
    tensors, _ = read_bytes(whole, {"x": (3,)}, 1000, "mend it")
    assert tensors["x"].dtype == np.uint8
    assert tensors["x"].tolist() == [0, 1, 2]
    floats, _ = read_tensors(halves, {"x": (None,)}, 1000, "mend it")
    assert floats["x"].dtype == np.float32
    assert floats["x"].tolist() == [0, 1, 2]

    with pytest.raises(UsageError, match=r"holds x as F16\[3\], which cannot be; mend it"):
        read_bytes(halves, {"x": (3,)}, 1000, "mend it")
    with pytest.raises(UsageError, match=r"holds x as U8\[3\], which cannot be; mend it"):
        read_tensors(whole, {"x": (3,)}, 1000, "mend it")
