"""What is heard in a pattern, as numbers: how dense, syncopated, loud, late, open and filled."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from livevae.pattern.pattern import (
    OFFSET,
    ONSET,
    STEPS_PER_BAR,
    VELOCITY,
    VOICES,
    Pattern,
)

ATTRIBUTES: Final = ("density", "syncopation", "energy", "laid_back", "hat_openness", "fill")
"""The descriptors in the order of the vectors below."""

_BACKBEAT: Final = [VOICES.index(voice) for voice in ("kick", "snare")]
_FILL: Final = [VOICES.index(voice) for voice in ("low_tom", "mid_tom", "high_tom", "crash")]
_OPEN, _CLOSED = VOICES.index("open_hat"), VOICES.index("closed_hat")
_FEW: Final = 1e-3
"""Added to counts of hits, so that a silent pattern has descriptors of 0."""


def _metrical_weights() -> npt.NDArray[np.int64]:
    """Return each step's weight: 0 for the bar line, -1 for the half bar, ... -4 for odd 16ths."""
    levels = STEPS_PER_BAR >> np.arange(4)
    weights: npt.NDArray[np.int64] = -(np.arange(STEPS_PER_BAR)[:, None] % levels != 0).sum(axis=1)
    return weights


_WEIGHTS: Final = _metrical_weights()
_TO_STRONGER: Final = np.array([0, 1, 2, 1, 4, 1, 2, 1, 8, 1, 2, 1, 4, 1, 2, 1])
"""Steps from each step of a bar to the next metrically stronger one; none is above the first."""
_GAINS: Final = _WEIGHTS[(np.arange(STEPS_PER_BAR) + _TO_STRONGER) % STEPS_PER_BAR] - _WEIGHTS
"""How much stronger that step is."""


def measure(patterns: Any) -> tuple[Any, ...]:
    """Return the six descriptors, [n] each, of patterns [n, steps, 9, 3] (numpy or torch).

    Onsets may be hits (0 or 1) or probabilities, which count in proportion, so that in torch
    the descriptors have gradients.

    - density: the share of all cells that are hit, 0..1;
    - syncopation: over the hits of kick and snare as one line, by how much the next stronger
      step is stronger where it is a rest, 0..4 (Longuet-Higgins and Lee 1984);
    - energy: the mean velocity, 0..1;
    - laid_back: the mean timing offset in 16ths, positive is late;
    - hat_openness: open hats as a share of all hats;
    - fill: toms and crashes as a share of all hits.
    """
    hits = patterns[..., ONSET]
    count = hits.sum((1, 2)) + _FEW
    kick, snare = (hits[:, :, voice] for voice in _BACKBEAT)
    backbeat = 1 - (1 - kick) * (1 - snare)
    steps = np.arange(hits.shape[1])
    rests = 1 - backbeat[:, (steps + _TO_STRONGER[steps % STEPS_PER_BAR]) % len(steps)]
    syncopated = sum(
        gain * (backbeat * rests)[:, step::STEPS_PER_BAR].sum(1)
        for step, gain in enumerate(_GAINS.tolist())
    )
    opened, closed = hits[:, :, _OPEN].sum(1), hits[:, :, _CLOSED].sum(1)
    return (
        count / (hits.shape[1] * hits.shape[2]),
        syncopated / (backbeat.sum(1) + _FEW),
        (hits * patterns[..., VELOCITY]).sum((1, 2)) / count,
        (hits * patterns[..., OFFSET]).sum((1, 2)) / count,
        opened / (opened + closed + _FEW),
        hits[:, :, _FILL].sum((1, 2)) / count,
    )


def descriptors(patterns: Pattern) -> npt.NDArray[np.float32]:
    """Return the descriptors [n, 6] of what is played of patterns [n, steps, 9, 3].

    Hits are the onsets of probability 0.5 and more.
    """
    played = patterns.copy()
    played[..., ONSET] = patterns[..., ONSET] >= 0.5
    return np.stack(measure(played), axis=-1).astype(np.float32)
