"""The one data type that passes everywhere: a drum pattern of probabilities.

A pattern is ``float32[steps, 9, 3]`` with ``steps = bars * 16``. The last axis holds, for each
step and voice, the onset probability (0..1), the velocity (0..1) and the timing offset in 16th
steps (-0.5..+0.5, positive is late).
"""

from __future__ import annotations

from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

Pattern: TypeAlias = npt.NDArray[np.float32]

VOICES: Final = (
    "kick",
    "snare",
    "closed_hat",
    "open_hat",
    "low_tom",
    "mid_tom",
    "high_tom",
    "crash",
    "ride",
)
N_VOICES: Final = len(VOICES)
CHANNELS: Final = 3
ONSET, VELOCITY, OFFSET = range(CHANNELS)

STEPS_PER_BEAT: Final = 4
BEATS_PER_BAR: Final = 4
STEPS_PER_BAR: Final = STEPS_PER_BEAT * BEATS_PER_BAR
MAX_BARS: Final = 16
MAX_OFFSET: Final = 0.5
SOFTEST: Final = 1 / 127
"""The velocity of the softest hit that MIDI has."""
THRESHOLD: Final = 0.5
"""An onset of this probability or more is a hit, if nobody turns a density."""
DOUBTFUL: Final = 1e-3
"""So near to the threshold the rounding of two computers may decide."""
MAX_GRID_SIZE: Final = 129
"""A precomputed map has 2 to this many patterns a side."""


def empty(bars: int) -> Pattern:
    """Return a silent pattern of ``bars`` bars."""
    return np.zeros((bars * STEPS_PER_BAR, N_VOICES, CHANNELS), np.float32)


def bars_of(pattern: Pattern) -> int:
    """Return the number of bars in a pattern."""
    return len(pattern) // STEPS_PER_BAR


def validated(pattern: npt.ArrayLike) -> Pattern:
    """Return ``pattern`` as float32 in its declared ranges.

    Raises:
        ValueError: the shape is not ``[bars * 16, 9, 3]`` or a value is not finite.
    """
    array = np.asarray(pattern, np.float32)
    if array.ndim != 3 or array.shape[1:] != (N_VOICES, CHANNELS):
        raise ValueError(f"a pattern has shape [steps, {N_VOICES}, {CHANNELS}], not {array.shape}")
    if not 0 < array.shape[0] <= MAX_BARS * STEPS_PER_BAR or array.shape[0] % STEPS_PER_BAR:
        raise ValueError(
            f"a pattern has 1 to {MAX_BARS} bars of 16 steps, not {array.shape[0]} steps"
        )
    if not np.isfinite(array).all():
        raise ValueError("a pattern holds finite numbers only")
    lowest = np.array([0.0, 0.0, -MAX_OFFSET], np.float32)
    highest = np.array([1.0, 1.0, MAX_OFFSET], np.float32)
    return np.clip(array, lowest, highest)


def same_onsets(patterns: Pattern, reference: Pattern) -> bool:
    """Return whether two decodes [..., 9, 3] have the same hits, doubtful ones left aside."""
    ours, theirs = patterns[..., ONSET], reference[..., ONSET]
    differ = (ours >= THRESHOLD) != (theirs >= THRESHOLD)
    return not (differ & (np.abs(theirs - THRESHOLD) > DOUBTFUL)).any()
