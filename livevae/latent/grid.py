"""The precomputed map: the patterns of a grid of positions, so that playing needs no decoder.

A number takes one byte: a map of 16 bars has 7.5 million of them, travels in the wheel, and is in
the bank as soon as LiveVAE starts.
"""

from __future__ import annotations

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
from livevae.latent.lattice import REST, Lattice
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
from livevae.pattern.quantised import MAX_OFFSET_BYTE, Bytes, dequantised, quantised

GRID_FILE: Final = "grid.safetensors"
GRID_FORMAT: Final = "livevae-grid-2"
DEFAULT_SIZE: Final = 33
DEFAULT_AXES: Final = ("x", "y")
MAX_GRID_BYTES: Final = 128 * 1024 * 1024
DECODED_AT_ONCE: Final = 256
MEND: Final = "run livevae grid on the model"
SHA256: Final = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True)
class Grid:
    """Patterns over two controls: ``cells`` uint8[rows, columns, steps, 9, 3], quantised.

    Column c is the control ``axes[0]`` and row r ``axes[1]``, each over its whole range; all other
    controls are where nobody has turned them. ``weights_hash`` is the sha256 of the
    ``model.safetensors`` that decoded them.
    """

    cells: Bytes
    weights_hash: str
    axes: tuple[str, str] = DEFAULT_AXES

    @property
    def patterns(self) -> npt.NDArray[np.float32]:
        """All patterns, float32[rows, columns, steps, 9, 3]."""
        return dequantised(self.cells)


def build_grid(
    space: Space,
    decode: Callable[[Array], Pattern],
    weights_hash: str,
    size: int = DEFAULT_SIZE,
    axes: tuple[str, str] = DEFAULT_AXES,
) -> Grid:
    """Decode a square grid over two controls; ``decode`` maps z [n, z_dim] to [n, steps, 9, 3].

    Raises:
        UsageError: the size is outside 2..129, or the axes are not two controls of a position.
        WorkError: what ``decode`` makes is no pattern.
    """
    if not 2 <= size <= MAX_GRID_SIZE:
        raise UsageError(f"a grid has 2 to {MAX_GRID_SIZE} points a side, not {size}")
    if not _two_controls(axes):
        raise UsageError(
            f"a grid lies over two different controls of: {', '.join(POSITION)}; "
            f"not over {' and '.join(axes)}"
        )
    lattice = Lattice(size, size, *map(POSITION.index, axes))
    zs = space.zs(lattice.positions(np.arange(lattice.count), REST))
    parts = (
        decode(zs[first : first + DECODED_AT_ONCE]) for first in range(0, len(zs), DECODED_AT_ONCE)
    )
    try:
        cells = np.stack([quantised(validated(pattern)) for part in parts for pattern in part])
    except ValueError as error:
        raise WorkError(f"the model does not decode to patterns: {error}") from None
    return Grid(cells.reshape(size, size, *cells.shape[1:]), weights_hash, axes)


def _two_controls(axes: tuple[str, str]) -> bool:
    return axes[0] != axes[1] and set(axes) <= set(POSITION)


def save_grid(grid: Grid, folder: Path) -> None:
    """Write ``grid.safetensors`` into a model folder.

    Raises:
        WorkError: the file cannot be written.
    """
    rows, columns = grid.cells.shape[:2]
    metadata = {
        "format": GRID_FORMAT,
        "rows": str(rows),
        "columns": str(columns),
        "x": grid.axes[0],
        "y": grid.axes[1],
        "weights_sha256": grid.weights_hash,
    }
    data = save({"patterns": np.ascontiguousarray(grid.cells)}, metadata)
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
    # A grid that does not name its controls is over x and y.
    axes = (metadata.get("x", DEFAULT_AXES[0]), metadata.get("y", DEFAULT_AXES[1]))
    if (
        (metadata.get("rows"), metadata.get("columns")) != (str(rows), str(columns))
        or not all(2 <= size <= MAX_GRID_SIZE for size in (rows, columns))
        or not 0 < steps <= MAX_BARS * STEPS_PER_BAR
        or steps % STEPS_PER_BAR
        or not SHA256.fullmatch(weights_hash)
        or not _two_controls(axes)
    ):
        raise UsageError(f"{path} is not a grid of patterns; {MEND}")
    if cells[..., OFFSET].max() > MAX_OFFSET_BYTE:
        raise UsageError(f"{path} holds values out of range; {MEND}")
    return Grid(cells, weights_hash, axes)
