"""Files, without torch: written in one step, tensors opened as hostile."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open

from livevae.errors import UsageError, WorkError


def make_folder(path: Path) -> None:
    """Make a folder for the files of a command, if it is not there.

    Raises:
        WorkError: it cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WorkError(f"{path} cannot be made: {error.strerror or error}") from None


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file so that its name always holds either the old bytes or the new ones.

    Its folder must be there: a mistyped path makes none.

    Raises:
        WorkError: the file cannot be written.
    """
    partial = path.with_name(f".{path.name}.partial")
    try:
        with partial.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            partial.unlink()  # the disk may be full of it
        raise WorkError(f"{path} cannot be written: {error.strerror or error}") from None


def read_tensors(
    path: Path, shapes: Mapping[str, tuple[int | None, ...]], max_bytes: int, mend: str
) -> tuple[dict[str, npt.NDArray[np.float32]], dict[str, str]]:
    """Read floating-point tensors as float32, and the file's metadata.

    ``shapes`` names every tensor the file must hold, no more and no fewer; None is any length.
    ``mend`` is what the user is told to do about a file that is not right.

    Raises:
        UsageError: the file is missing, too large, broken, holds other tensors or other shapes,
            or a number in it is not finite.
    """
    stored, metadata = _read(path, shapes, ("F16", "F32"), max_bytes, mend)
    tensors = {name: tensor.astype(np.float32) for name, tensor in stored.items()}
    if not all(np.isfinite(tensor).all() for tensor in tensors.values()):
        raise UsageError(f"{path} holds numbers that are not finite; {mend}")
    return tensors, metadata


def read_bytes(
    path: Path, shapes: Mapping[str, tuple[int | None, ...]], max_bytes: int, mend: str
) -> tuple[dict[str, npt.NDArray[np.uint8]], dict[str, str]]:
    """Read tensors of bytes, and the file's metadata; otherwise as ``read_tensors``.

    Raises:
        UsageError: the file is missing, too large, broken, or holds other tensors, types or shapes.
    """
    return _read(path, shapes, ("U8",), max_bytes, mend)


def _read(
    path: Path,
    shapes: Mapping[str, tuple[int | None, ...]],
    types: tuple[str, ...],
    max_bytes: int,
    mend: str,
) -> tuple[dict[str, npt.NDArray[Any]], dict[str, str]]:
    try:
        if path.stat().st_size > max_bytes:
            raise UsageError(f"{path} is larger than it can be; {mend}")
        with safe_open(path, "np") as file:
            metadata = dict(file.metadata() or {})
            if set(file.keys()) != set(shapes):
                raise UsageError(f"{path} is not what its name says; {mend}")
            for name, shape in shapes.items():
                part = file.get_slice(name)
                if part.get_dtype() not in types or not _fits(part.get_shape(), shape):
                    raise UsageError(
                        f"{path} holds {name} as {part.get_dtype()}{list(part.get_shape())}, "
                        f"which cannot be; {mend}"
                    )
            return {name: file.get_tensor(name) for name in shapes}, metadata
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}") from None
    except (SafetensorError, ValueError, TypeError) as error:
        raise UsageError(f"{path} is broken ({error}); {mend}") from None


def _fits(shape: list[int], wanted: tuple[int | None, ...]) -> bool:
    return len(shape) == len(wanted) and all(
        want in (None, length) for length, want in zip(shape, wanted, strict=True)
    )
