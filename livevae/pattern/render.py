"""From probabilities to hits: density, level, humanize, swing, accent and chaos, purely.

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
CHAOS_LOGITS: Final = 3.0
"""How far chaos at its full moves a cell's probability, in logits (sd): what is as good as certain
stays, what is only likely comes and goes."""
_SUREST: Final = 1e-4
"""A cell no surer than this, or surer by no more than this, is still moved by chaos."""
ACCENT_OF_STEP: Final = np.array(
    [1.0, -0.6, 0.0, -0.6, 0.7, -0.6, 0.0, -0.6, 0.9, -0.6, 0.0, -0.6, 0.7, -0.6, 0.0, -0.6]
)
"""The metre: what accent adds at each step of a bar, in units of ``ACCENT_VELOCITY``."""
ACCENT_VELOCITY: Final = 0.3
MAX_SHIFT_STEPS: Final = 1.0
"""No hit strays further than this from its step: the next bar is fetched that early."""

_STRAIGHT: Final = 50.0


class Feel(msgspec.Struct, frozen=True):
    """How the player wants the pattern played: what acts at once, on hits still to come.

    ``density`` (0..1) and ``level`` (0..2, a factor on velocity) are in voice order. ``humanize``
    (0..2) scales both ``timing`` and ``dynamics`` (0..2 each); ``swing`` is 50..75, ``accent`` and
    ``chaos`` are 0..1.
    """

    density: tuple[float, ...] = (0.5,) * N_VOICES
    level: tuple[float, ...] = (1.0,) * N_VOICES
    humanize: float = 1.0
    timing: float = 1.0
    dynamics: float = 1.0
    swing: float = _STRAIGHT
    accent: float = 0.0
    chaos: float = 0.0


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
        feel: how it is played.
        bar: number of the bar in the song, from 0.
        seed: the same seed gives the same small variations.
    """
    first = bar * STEPS_PER_BAR % pattern.shape[0]
    cells = pattern[first : first + STEPS_PER_BAR]
    timing, dynamics, luck = _variation(bar, seed)
    likely = _stirred(cells[:, :, ONSET], CHAOS_LOGITS * feel.chaos * luck)
    limits = np.array([threshold(density) for density in feel.density], np.float32)
    level = np.array(feel.level)
    limits[level == 0] = 1.0
    steps, voices = np.nonzero(likely > limits)
    if len(steps) == 0:
        return []
    offsets = cells[steps, voices, OFFSET] + TIMING_SPREAD_STEPS * timing[steps, voices]
    human = np.clip(feel.humanize * feel.timing * offsets, -MAX_SHIFT_STEPS, MAX_SHIFT_STEPS)
    at = steps + human + (steps % 2) * (feel.swing / _STRAIGHT - 1)
    usual = _usual_velocity(cells)[voices]
    played = cells[steps, voices, VELOCITY] + VELOCITY_SPREAD * dynamics[steps, voices]
    force = usual + feel.humanize * feel.dynamics * (played - usual)
    force = level[voices] * (force + ACCENT_VELOCITY * feel.accent * ACCENT_OF_STEP[steps])
    velocity = np.clip(np.rint(127 * force), 1, 127).astype(np.int64)
    columns = zip(at.tolist(), steps.tolist(), voices.tolist(), velocity.tolist(), strict=True)
    return sorted(Hit(*column) for column in columns)


def _variation(bar: int, seed: int) -> npt.NDArray[np.float64]:
    """Return what this bar adds to timing, velocity and chance, in standard deviations.

    ``[3, 16, 9]``, drawn for every cell, so that a hit keeps its place when density adds others
    around it, and cut at two deviations, so that none strays far.
    """
    generator = np.random.Generator(np.random.Philox(key=[seed, bar]))
    return np.clip(generator.standard_normal((3, STEPS_PER_BAR, N_VOICES)), -2, 2)


def _stirred(
    likely: npt.NDArray[np.float32], logits: npt.NDArray[np.float64]
) -> npt.NDArray[np.float32]:
    """Return probabilities moved by so many logits; where those are 0, to the last bit as before.

    A cell that is 0 or 1 stays.
    """
    if not logits.any():
        return likely
    inner = np.clip(likely, _SUREST, 1 - _SUREST)
    stirred = 1 / (1 + (1 / inner - 1) * np.exp(-logits))
    return np.where((likely > 0) & (likely < 1), stirred, likely).astype(np.float32)


def _usual_velocity(cells: Pattern) -> npt.NDArray[np.float32]:
    """Return each voice's velocity averaged over its likely hits, ``[9]``: its even dynamics."""
    weight = cells[:, :, ONSET] + np.float32(1e-6)
    mean: npt.NDArray[np.float32] = (weight * cells[:, :, VELOCITY]).sum(0) / weight.sum(0)
    return mean
