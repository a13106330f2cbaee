"""The precomputed map: the patterns of a grid of positions, so that playing needs no decoder.

On disk a number takes one byte: a map of 16 bars has 7.5 million of them, and travels in the wheel.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from safetensors.numpy import save

from livevae.errors import UsageError, WorkError
from livevae.files import read_bytes, write_atomically
from livevae.latent.space import Array, Space
from livevae.parameters import POSITION
from livevae.pattern.pattern import (
    CHANNELS,
    MAX_BARS,
    MAX_GRID_SIZE,
    N_VOICES,
    OFFSET,
    STEPS_PER_BAR,
    Pattern,
    validated,
)

GRID_FILE: Final = "grid.safetensors"
GRID_FORMAT: Final = "livevae-grid-2"
DEFAULT_SIZE: Final = 33
MAX_GRID_BYTES: Final = 128 * 1024 * 1024
DECODED_AT_ONCE: Final = 256
MEND: Final = "run livevae grid on the model"
SHA256: Final = re.compile("[0-9a-f]{64}")

UNITS: Final = np.array([255, 255, 254], np.float32)
"""Bytes for one of probability, velocity and offset: a byte is the number times this, and ..."""
ZEROS: Final = np.array([0, 0, 127], np.float32)
"""... this, the byte of zero. An offset of half a step late is 254; 255 is none."""
MAX_OFFSET_BYTE: Final = 254


@dataclass(frozen=True)
class Grid:
    """Patterns over the map: ``patterns`` float32[rows, columns, steps, 9, 3].

    Row r is y = r / (rows - 1), column c is x = c / (columns - 1), all other controls at 0.
    ``weights_hash`` is the sha256 of the ``model.safetensors`` that decoded them.
    """

    patterns: npt.NDArray[np.float32]
    weights_hash: str


def positions(size: int) -> Array:
    """Return the positions [size * size, 16] of a square grid, row after row."""
    along = np.linspace(0.0, 1.0, size, dtype=np.float32)
    y, x = np.meshgrid(along, along, indexing="ij")
    points = np.zeros((size * size, len(POSITION)), np.float32)
    points[:, 0], points[:, 1] = x.ravel(), y.ravel()
    return points


def build_grid(
    space: Space,
    decode: Callable[[Array], Pattern],
    weights_hash: str,
    size: int = DEFAULT_SIZE,
) -> Grid:
    """Decode a square grid over the map; ``decode`` maps z [n, z_dim] to [n, steps, 9, 3].

    Raises:
        UsageError: the size is outside 2..129.
        WorkError: what ``decode`` makes is no pattern.
    """
    if not 2 <= size <= MAX_GRID_SIZE:
        raise UsageError(f"a grid has 2 to {MAX_GRID_SIZE} points a side, not {size}")
    zs = space.zs(positions(size))
    parts = (
        decode(zs[first : first + DECODED_AT_ONCE]) for first in range(0, len(zs), DECODED_AT_ONCE)
    )
    try:
        patterns = np.stack([validated(pattern) for part in parts for pattern in part])
    except ValueError as error:
        raise WorkError(f"the model does not decode to patterns: {error}") from None
    return Grid(patterns.reshape(size, size, *patterns.shape[1:]), weights_hash)


def save_grid(grid: Grid, folder: Path) -> None:
    """Write ``grid.safetensors`` into a model folder.

    Raises:
        WorkError: the file cannot be written.
    """
    rows, columns = grid.patterns.shape[:2]
    metadata = {
        "format": GRID_FORMAT,
        "rows": str(rows),
        "columns": str(columns),
        "weights_sha256": grid.weights_hash,
    }
    data = save({"patterns": quantised(grid.patterns)}, metadata)
    write_atomically(folder / GRID_FILE, data)


def load_grid(folder: Path) -> Grid:
    """Read the grid of a model folder.

    Raises:
        UsageError: the file is missing, broken or not a grid of patterns in their ranges.
    """
    path = folder / GRID_FILE
    shape = (None, None, None, N_VOICES, CHANNELS)
    tensors, metadata = read_bytes(path, {"patterns": shape}, MAX_GRID_BYTES, MEND)
    if metadata.get("format") != GRID_FORMAT:
        raise UsageError(f"{path} is not of the format {GRID_FORMAT}; {MEND}")
    cells = tensors["patterns"]
    rows, columns, steps = cells.shape[:3]
    weights_hash = metadata.get("weights_sha256", "")
    if (
        (metadata.get("rows"), metadata.get("columns")) != (str(rows), str(columns))
        or not all(2 <= size <= MAX_GRID_SIZE for size in (rows, columns))
        or not 0 < steps <= MAX_BARS * STEPS_PER_BAR
        or steps % STEPS_PER_BAR
        or not SHA256.fullmatch(weights_hash)
    ):
        raise UsageError(f"{path} is not a grid of patterns; {MEND}")
    if cells[..., OFFSET].max() > MAX_OFFSET_BYTE:
        raise UsageError(f"{path} holds values out of range; {MEND}")
    return Grid(dequantised(cells), weights_hash)


def quantised(patterns: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """Return patterns [..., steps, 9, 3], in their ranges, at one byte a number.

    A probability of one half and more stays at one half and more, one below stays below: every
    cell that sounds still does, and no other. An offset of zero is exact.
    """
    cells: npt.NDArray[np.uint8] = np.floor(patterns * UNITS + ZEROS + 0.5).astype(np.uint8)
    return cells


def dequantised(cells: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Return the patterns [..., steps, 9, 3] of bytes; the way back from ``quantised``."""
    # Rows as long as a pattern: numpy is many times slower over a last axis of three.
    numbers = math.prod(cells.shape[-3:])
    zeros, units = (np.tile(each, numbers // CHANNELS) for each in (ZEROS, UNITS))
    patterns = cells.reshape(-1, numbers).astype(np.float32)
    patterns -= zeros
    patterns /= units
    return patterns.reshape(cells.shape)
