"""The map in shared memory: the patterns over two controls, each with the position it is of.

Every cell has one writer at a time: the supervisor fills in the saved grid before there is a
decoder, from then on the decoder alone writes. Beside the cells lies a tag for each: which context
it is of. A tag only helps to find cells; what a reader may believe is in the cell.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt

from livevae.decoder.cell import Cell
from livevae.latent.lattice import REST, Lattice, Numbers, Positions
from livevae.parameters import POSITION
from livevae.pattern.pattern import CHANNELS, N_VOICES, Pattern
from livevae.pattern.quantised import Bytes, dequantised

Tags = npt.NDArray[np.uint64]

EMPTY: Final = 0
OUTDATED: Final = 1
"""Tags of a cell that nobody may read, and of one that other weights decoded."""
REACH: Final = 4
"""Rows and columns around the hand in which a cell of its context is nearer than any other."""
POSITION_BYTES: Final = 4 * len(POSITION)


def record_bytes(steps: int) -> int:
    """Return the bytes of a position and its pattern of ``steps`` steps."""
    return POSITION_BYTES + 4 * steps * N_VOICES * CHANNELS


class LatentMap:
    """Rows and columns of cells: a position, then its pattern, as float32 or as saved bytes."""

    def __init__(self, memory: memoryview, lattice: Lattice, steps: int) -> None:
        """Lie over ``memory``, which has ``footprint`` bytes; patterns are of ``steps`` steps."""
        self._lattice = lattice
        self._pattern_shape = (steps, N_VOICES, CHANNELS)
        tags = 8 * lattice.count
        self._tags: Tags = np.frombuffer(memory[:tags], np.uint64).reshape(lattice.rows, -1)
        self._memory = memory[tags:]
        self._exact_bytes = record_bytes(steps)

    @staticmethod
    def footprint(lattice: Lattice, steps: int) -> int:
        """Return the bytes that a map takes."""
        return lattice.count * (8 + Cell.footprint(record_bytes(steps)))

    def _cell(self, number: int) -> Cell:
        size = Cell.footprint(self._exact_bytes)
        return Cell(self._memory[number * size : (number + 1) * size])

    # The player's side

    def exact(self, position: Positions) -> Pattern | None:
        """Return the pattern of the cell that lies at exactly ``position``, if it is decoded.

        That of a saved grid does not count: its bytes are a little off.
        """
        row, col = self._lattice.place(position)
        number = round(row) * self._lattice.cols + round(col)
        record = self._cell(number).read(position.tobytes())
        if record is None or len(record) != self._exact_bytes:
            return None
        return self._pattern(record)

    def nearest(self, position: Positions) -> Pattern | None:
        """Return the nearest pattern: of the same context, if there is one within reach, else any.

        Reading goes on to the next nearest where one is just being written.
        """
        for number in self._candidates(position):
            record = self._cell(number).read()
            if record is not None:
                return self._pattern(record)
        return None

    def _candidates(self, position: Positions) -> Iterator[int]:
        row, col = self._lattice.place(position)
        top, left = max(round(row) - REACH, 0), max(round(col) - REACH, 0)
        within = self._tags[top : round(row) + REACH + 1, left : round(col) + REACH + 1]
        for chosen in (within == self._lattice.context(position), within != EMPTY):
            yield from self._outward(chosen, (row, col), (top, left))
        yield from self._outward(self._tags != EMPTY, (row, col))

    # The decoder's side

    def stale(self, position: Positions, count: int) -> tuple[Numbers, Positions]:
        """Return up to ``count`` cells that are not of the context of ``position``, nearest first.

        Returns:
            their numbers, and the positions [n, 16] to decode for them.
        """
        others = self._tags != self._lattice.context(position)
        numbers = self._outward(others, self._lattice.place(position))[:count]
        return numbers, self._lattice.positions(numbers, position)

    def write(
        self, numbers: Numbers, positions: Positions, patterns: npt.NDArray[np.float32]
    ) -> None:
        """Put the patterns decoded for ``stale`` cells, all of one context, into them."""
        tag = self._lattice.context(positions[0])
        for number, position, pattern in zip(numbers, positions, patterns, strict=True):
            self._write(number, position, pattern.tobytes(), tag)

    def write_saved(self, cells: Bytes, *, outdated: bool) -> None:
        """Fill the map with a saved grid, bytes [cells, steps, 9, 3], all other controls at rest.

        Args:
            cells: the patterns, row after row.
            outdated: whether other weights than the decoder's made them.
        """
        tag = OUTDATED if outdated else self._lattice.context(REST)
        positions = self._lattice.positions(np.arange(self._lattice.count), REST)
        for number, (position, cell) in enumerate(zip(positions, cells, strict=True)):
            self._write(number, position, cell.tobytes(), tag)

    def _write(self, number: int, position: Positions, pattern: bytes, tag: int) -> None:
        tags = self._tags.reshape(-1)
        tags[number] = EMPTY
        self._cell(number).write(position.tobytes() + pattern)
        tags[number] = tag

    def _outward(
        self,
        chosen: npt.NDArray[np.bool_],
        place: tuple[float, float],
        corner: tuple[int, int] = (0, 0),
    ) -> Numbers:
        """Return the numbers of the chosen cells, the nearest to ``place`` first.

        ``chosen`` [rows, cols] is the map, or the part of it that begins at ``corner``.
        """
        rows, cols = np.nonzero(chosen)
        rows, cols = rows + corner[0], cols + corner[1]
        order = np.argsort((rows - place[0]) ** 2 + (cols - place[1]) ** 2, kind="stable")
        numbers: Numbers = (rows * self._lattice.cols + cols)[order]
        return numbers

    def _pattern(self, record: bytes) -> Pattern:
        if len(record) == self._exact_bytes:
            exact = np.frombuffer(record, np.float32, offset=POSITION_BYTES)
            return exact.reshape(self._pattern_shape)
        saved = np.frombuffer(record, np.uint8, offset=POSITION_BYTES)
        return dequantised(saved.reshape(self._pattern_shape))
