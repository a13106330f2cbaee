"""From probabilities to hits: density, mute, humanize and swing, as a pure function.

What a voice plays in a bar depends on the pattern, the feel, the bar's number and the seed, on
nothing else; so the same performance always gives the same bytes.
"""

from __future__ import annotations

from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from livevae.pattern.pattern import N_VOICES, OFFSET, ONSET, STEPS_PER_BAR, VELOCITY, Pattern

DENSITY_LOGITS: Final = 8.0
"""Turning density through its range moves the threshold over this many logits, around p = 0.5."""
TIMING_SPREAD_STEPS: Final = 0.02
VELOCITY_SPREAD: Final = 0.03
"""What differs from one bar to the next at humanize 100%: 2.5 ms at 120 BPM, 4 of 127 (sd)."""
MAX_SHIFT_STEPS: Final = 1.0
"""No hit strays further than this from its step: the next bar is fetched that early."""

_STRAIGHT: Final = 50.0


class Feel(msgspec.Struct, frozen=True):
    """How the player wants the pattern played. ``density`` and ``mute`` are in voice order."""

    density: tuple[float, ...] = (0.5,) * N_VOICES
    mute: tuple[bool, ...] = (False,) * N_VOICES
    humanize: float = 1.0
    swing: float = _STRAIGHT


class Hit(msgspec.Struct, frozen=True, order=True):
    """One drum hit: ``at`` is in 16th steps from the bar line, and may lie before it."""

    at: float
    step: int
    voice: int
    velocity: int


def threshold(density: float) -> float:
    """Return the probability above which a cell sounds: 0.5 at density 0.5, never at 0."""
    if density <= 0:
        return 1.0
    return float(1 / (1 + np.exp(DENSITY_LOGITS * (density - 0.5))))


def render(pattern: Pattern, feel: Feel, bar: int, seed: int) -> list[Hit]:
    """Return the hits of one bar, in the order in which they sound.

    Args:
        pattern: ``float32[steps, 9, 3]``; bar ``bar`` of the song plays its bar ``bar mod bars``.
        feel: density, mute, humanize (0..2) and swing (50..75).
        bar: number of the bar in the song, from 0.
        seed: the same seed gives the same small variations.
    """
    first = bar * STEPS_PER_BAR % pattern.shape[0]
    cells = pattern[first : first + STEPS_PER_BAR]
    limits = np.array([threshold(density) for density in feel.density], np.float32)
    limits[np.array(feel.mute)] = 1.0
    steps, voices = np.nonzero(cells[:, :, ONSET] > limits)
    if len(steps) == 0:
        return []
    timing, dynamics = _variation(bar, seed)
    offsets = cells[steps, voices, OFFSET] + TIMING_SPREAD_STEPS * timing[steps, voices]
    human = np.clip(feel.humanize * offsets, -MAX_SHIFT_STEPS, MAX_SHIFT_STEPS)
    at = steps + human + (steps % 2) * (feel.swing / _STRAIGHT - 1)
    usual = _usual_velocity(cells)[voices]
    played = cells[steps, voices, VELOCITY] + VELOCITY_SPREAD * dynamics[steps, voices]
    velocity = np.rint(127 * (usual + feel.humanize * (played - usual)))
    velocity = np.clip(velocity, 1, 127).astype(np.int64)
    columns = zip(at.tolist(), steps.tolist(), voices.tolist(), velocity.tolist(), strict=True)
    return sorted(Hit(*column) for column in columns)


def _variation(bar: int, seed: int) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return what this bar adds to timing and velocity, in standard deviations, ``[16, 9]`` each.

    Drawn for every cell, so that a hit keeps its place when density adds others around it, and
    cut at two deviations, so that none strays far.
    """
    generator = np.random.Generator(np.random.Philox(key=[seed, bar]))
    both = np.clip(generator.standard_normal((2, STEPS_PER_BAR, N_VOICES)), -2, 2)
    return both[0], both[1]


def _usual_velocity(cells: Pattern) -> npt.NDArray[np.float32]:
    """Return each voice's velocity averaged over its likely hits, ``[9]``: its even dynamics."""
    weight = cells[:, :, ONSET] + np.float32(1e-6)
    mean: npt.NDArray[np.float32] = (weight * cells[:, :, VELOCITY]).sum(0) / weight.sum(0)
    return mean
