"""What a performer makes of a pattern before it is played: voices kept, silenced, moved in time.

All pure: a pattern in, another out. What these functions do is heard on a boundary of
``change.quantize``; what acts at once is in ``render``.
"""

from __future__ import annotations

from typing import Final

import msgspec
import numpy as np

from livevae.pattern.pattern import N_VOICES, OFFSET, ONSET, VELOCITY, VOICES, Pattern

NOBODY: Final = (False,) * N_VOICES
ENDING: Final = (VOICES.index("kick"), VOICES.index("crash"))
"""What ends a fill, on the one."""
ENDING_VELOCITY: Final = 0.95


class Parts(msgspec.Struct, frozen=True):
    """Who plays what: ``silent`` and ``locked`` are in voice order.

    ``time`` is 0.5 for half time, 2.0 for double; ``rotate`` moves the pattern later by so many
    steps, or earlier.
    """

    silent: tuple[bool, ...] = NOBODY
    locked: tuple[bool, ...] = NOBODY
    time: float = 1.0
    rotate: int = 0


def with_voices(pattern: Pattern, other: Pattern, voices: tuple[bool, ...]) -> Pattern:
    """Return ``pattern`` with these voices as they are in ``other``, of whatever length."""
    if not any(voices):
        return pattern
    mixed = pattern.copy()
    steps = np.arange(len(pattern)) % len(other)
    mixed[:, voices] = other[steps][:, voices]
    return mixed


def moved(pattern: Pattern, parts: Parts) -> Pattern:
    """Return ``pattern`` rotated, and at half or double time; offsets stay as long as they are."""
    if parts.rotate:
        pattern = np.roll(pattern, parts.rotate, axis=0)
    if parts.time < 1:
        slow = np.zeros((2 * len(pattern), *pattern.shape[1:]), np.float32)
        slow[::2] = pattern
        return slow
    if parts.time > 1:
        return _doubled(pattern)
    return pattern


def _doubled(pattern: Pattern) -> Pattern:
    """Return ``pattern`` twice in its time: of each two steps the likelier hit, in its place."""
    first, second = pattern[::2], pattern[1::2].copy()
    second[..., OFFSET] += 0.5
    later = (second[..., ONSET] > first[..., ONSET])[..., None]
    return np.tile(np.where(later, second, first), (2, 1, 1))


def ended(pattern: Pattern, step: int) -> Pattern:
    """Return ``pattern`` with a crash and a kick, certain and loud, on ``step`` of the song."""
    accented = pattern.copy()
    cells = accented[step % len(pattern)]
    for voice in ENDING:
        cells[voice, [ONSET, VELOCITY, OFFSET]] = 1.0, ENDING_VELOCITY, 0.0
    return accented


def silenced(pattern: Pattern, voices: tuple[bool, ...]) -> Pattern:
    """Return ``pattern`` without these voices."""
    if not any(voices):
        return pattern
    quiet = pattern.copy()
    quiet[:, voices, ONSET] = 0.0
    return quiet
