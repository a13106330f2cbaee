"""A training that can be stopped at any moment: its whole state in one file, replaced in one step.

Never pickle: tensors and a JSON text in a safetensors file, opened as hostile.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated, Final

import msgspec
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from livevae.errors import UsageError
from livevae.files import write_atomically
from livevae.training.config import Preset
from livevae.training.dataset import MANIFEST_FILE, cells_file

CHECKPOINT_FILE: Final = "training.safetensors"
MAX_CHECKPOINT_BYTES: Final = 32 * 1024**3
METADATA_KEY: Final = "training"
MEND: Final = "remove its folder and train again"


class Origin(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a training is made from; equal origins give the same training.

    ``data`` is the sha256 of the prepared data, ``start`` that of the weights it started from,
    or nothing.
    """

    preset: Preset
    seed: int
    data: str
    start: str


class Reached(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How far a training is: steps done, seconds trained, the best validation so far."""

    step: Annotated[int, msgspec.Meta(ge=0)] = 0
    seconds: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    validated_at: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    best_f1: float = -1.0


class Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a checkpoint says about itself."""

    origin: Origin
    reached: Reached


def data_hash(data: Path) -> str:
    """Return the sha256 of the prepared data that a training uses, in hexadecimal.

    Raises:
        UsageError: a file of it cannot be read.
    """
    whole = hashlib.sha256()
    for name in (MANIFEST_FILE, cells_file("train"), cells_file("validation")):
        try:
            with (data / name).open("rb") as file:
                whole.update(hashlib.file_digest(file, "sha256").digest())
        except OSError as error:
            raise UsageError(f"{data / name} cannot be read: {error.strerror or error}") from None
    return whole.hexdigest()


def save_checkpoint(folder: Path, header: Header, tensors: dict[str, Tensor]) -> None:
    """Write the checkpoint of a training into its folder.

    Raises:
        WorkError: it cannot be written; the one before it is untouched.
    """
    metadata = {METADATA_KEY: msgspec.json.encode(header).decode()}
    on_cpu = {name: tensor.detach().contiguous().cpu() for name, tensor in tensors.items()}
    write_atomically(folder / CHECKPOINT_FILE, save(on_cpu, metadata))


def read_header(folder: Path) -> Header | None:
    """Return what the checkpoint in a folder says about itself; None if there is none.

    Raises:
        UsageError: it is broken.
    """
    path = folder / CHECKPOINT_FILE
    if not path.exists():
        return None
    try:
        if path.stat().st_size > MAX_CHECKPOINT_BYTES:
            raise UsageError(f"{path} is larger than a checkpoint can be; {MEND}")
        with safe_open(path, "pt") as file:
            text = (file.metadata() or {}).get(METADATA_KEY, "")
        return msgspec.json.decode(text, type=Header)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}") from None
    except (SafetensorError, msgspec.MsgspecError, ValueError) as error:
        raise UsageError(f"{path} is broken ({error}); {MEND}") from None


def read_tensors(folder: Path, expected: dict[str, Tensor]) -> dict[str, Tensor]:
    """Read the tensors of a checkpoint, which have the names and shapes of those expected.

    Raises:
        UsageError: it is broken or holds others.
    """
    path = folder / CHECKPOINT_FILE
    try:
        with safe_open(path, "pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}") from None
    except (SafetensorError, ValueError) as error:
        raise UsageError(f"{path} is broken ({error}); {MEND}") from None
    shapes = {name: (tensor.shape, tensor.dtype) for name, tensor in tensors.items()}
    if shapes != {name: (tensor.shape, tensor.dtype) for name, tensor in expected.items()}:
        raise UsageError(f"{path} is not of this training; {MEND}")
    if not all(torch.isfinite(tensor).all() for tensor in tensors.values()):
        raise UsageError(f"{path} holds numbers that are not finite; {MEND}")
    return tensors
