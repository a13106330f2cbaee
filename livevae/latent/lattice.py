"""Where the patterns of a map lie: rows and columns of positions over any two controls."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from livevae.parameters import PARAMETERS, POSITION

Positions = npt.NDArray[np.float32]
"""Values of the controls of ``parameters.POSITION``, [16] or [n, 16]."""
Numbers = npt.NDArray[np.intp]
"""Numbers of cells, row after row."""

REST: Final[Positions] = np.array([PARAMETERS[name].default for name in POSITION], np.float32)
"""Where the controls stand that nobody has turned."""
CONTEXT_BYTES: Final = 8


@dataclass(frozen=True)
class Lattice:
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
        """Return a number, of 64 bits, for the fourteen controls at a position [16]."""
        rest = position + np.float32(0)  # of the two zeros that there are it makes one
        rest[[self.x, self.y]] = 0
        digest = hashlib.blake2b(rest.tobytes(), digest_size=CONTEXT_BYTES).digest()
        return int.from_bytes(digest, "little")


def _along(control: int, count: int) -> npt.NDArray[np.float64]:
    parameter = PARAMETERS[POSITION[control]]
    # As from_unit reckons it, so that a knob can stand on a cell to the last bit.
    return parameter.low + (parameter.high - parameter.low) * (np.arange(count) / (count - 1))


def _place(position: Positions, control: int, count: int) -> float:
    parameter = PARAMETERS[POSITION[control]]
    unit = (float(position[control]) - parameter.low) / (parameter.high - parameter.low)
    return unit * (count - 1)
