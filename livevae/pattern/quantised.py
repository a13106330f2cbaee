"""Patterns at one byte a number: a quarter of the size, and every cell that sounds still does."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import numpy.typing as npt

from livevae.pattern.pattern import CHANNELS

Bytes = npt.NDArray[np.uint8]
"""Patterns as bytes, [..., steps, 9, 3]."""

UNITS: Final = np.array([255, 255, 254], np.float32)
"""Bytes for one of probability, velocity and offset: a byte is the number times this, and ..."""
ZEROS: Final = np.array([0, 0, 127], np.float32)
"""... this, the byte of zero. An offset of half a step late is 254; 255 is none."""
MAX_OFFSET_BYTE: Final = 254


def quantised(patterns: npt.NDArray[np.float32]) -> Bytes:
    """Return patterns [..., steps, 9, 3], in their ranges, at one byte a number.

    A probability of one half and more stays at one half and more, one below stays below: every
    cell that sounds still does, and no other. An offset of zero is exact.
    """
    cells: Bytes = np.floor(patterns * UNITS + ZEROS + 0.5).astype(np.uint8)
    return cells


def dequantised(cells: Bytes) -> npt.NDArray[np.float32]:
    """Return the patterns [..., steps, 9, 3] of bytes; the way back from ``quantised``."""
    # Rows as long as a pattern: numpy is many times slower over a last axis of three.
    numbers = math.prod(cells.shape[-3:])
    zeros, units = (np.tile(each, numbers // CHANNELS) for each in (ZEROS, UNITS))
    patterns = cells.reshape(-1, numbers).astype(np.float32)
    patterns -= zeros
    patterns /= units
    return patterns.reshape(cells.shape)
