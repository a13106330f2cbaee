"""Where the patterns of a map lie: rows and columns of positions over any two controls."""

from __future__ import annotations

import zlib
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from livevae.parameters import PARAMETERS, POSITION

Positions = npt.NDArray[np.float32]
"""Values of the controls of ``parameters.POSITION``, [16] or [n, 16]."""
Numbers = npt.NDArray[np.intp]
"""Numbers of cells, row after row."""

REST: Final[Positions] = np.array([PARAMETERS[name].default for name in POSITION], np.float32)
"""Where the controls stand that nobody has turned."""
_NAMED: Final = 1 << 32


class Lattice(msgspec.Struct, frozen=True):
    """A map's cells: column c is one control's value, row r another's, each over its whole range.

    ``x`` and ``y`` are the places of the two in ``POSITION``. The other fourteen controls are the
    cell's context: a map is of the beats that the hand can reach with these two alone.
    """

    rows: int
    cols: int
    x: int = 0
    y: int = 1

    @property
    def count(self) -> int:
        """How many cells there are."""
        return self.rows * self.cols

    def positions(self, numbers: Numbers, context: Positions) -> Positions:
        """Return the positions [n, 16] of cells by number, row after row, in a context [16]."""
        points = np.tile(context, (len(numbers), 1))
        points[:, self.x] = _along(self.x, self.cols)[numbers % self.cols]
        points[:, self.y] = _along(self.y, self.rows)[numbers // self.cols]
        return points

    def place(self, position: Positions) -> tuple[float, float]:
        """Return row and column of a position [16]; in between two cells it is a fraction."""
        return _place(position, self.y, self.rows), _place(position, self.x, self.cols)

    def context(self, position: Positions) -> int:
        """Return a number from 2**32 to 2**33 for the fourteen controls at a position [16].

        A turn of any one of them changes it; that two turns do not has a chance of one in 2**32.
        """
        rest = position + np.float32(0)  # of the two zeros that there are it makes one
        rest[[self.x, self.y]] = 0
        # A CRC tells apart what differs in no more than 32 bits in a row: one float.
        return _NAMED | zlib.crc32(rest.tobytes())


def _along(control: int, count: int) -> npt.NDArray[np.float64]:
    parameter = PARAMETERS[POSITION[control]]
    # As from_unit reckons it, so that a knob can stand on a cell to the last bit.
    return parameter.low + (parameter.high - parameter.low) * (np.arange(count) / (count - 1))


def _place(position: Positions, control: int, count: int) -> float:
    parameter = PARAMETERS[POSITION[control]]
    unit = (float(position[control]) - parameter.low) / (parameter.high - parameter.low)
    return unit * (count - 1)
