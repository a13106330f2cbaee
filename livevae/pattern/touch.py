"""A drummer's touch: how velocity and timing stray from what a model expects of a hit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from livevae.pattern.pattern import MAX_OFFSET, OFFSET, ONSET, SOFTEST, VELOCITY, Pattern

Array = npt.NDArray[np.float32]

TOUCHED: Final = (VELOCITY, OFFSET)
ENOUGH_HITS: Final = 8
ENOUGH_PATTERNS: Final = 8
"""Fewer hits or patterns say nothing of how far they stray."""
LEAST: Final = 0.01
"""Added to spreads and varieties, whose logarithms are taken."""


@dataclass(frozen=True)
class Touch:
    """How far the hits of a pattern stray, in velocity and in timing.

    ``law`` [2, 3] holds slope, level and scatter for velocity and for offset (in 16ths). The
    hits of one pattern stray as Laplace noise does, by one spread in the mean: log(spread) is
    ``level`` + ``slope`` * log(variety), give or take a standard deviation of ``scatter``. The
    variety is the standard deviation over the hits as the model decodes them: what is played
    tightly strays little, and of two drummers one is always the looser.
    """

    law: Array

    @classmethod
    def none(cls) -> Touch:
        """Return the touch of a machine."""
        return cls(np.array([[0, np.log(LEAST), 0]] * len(TOUCHED), np.float32))

    @classmethod
    def fit(cls, played: Pattern, decoded: Pattern) -> Touch:
        """Fit the law to patterns [n, steps, 9, 3] as played, and as a model decodes them.

        Only hits that both have are compared. With fewer than ``ENOUGH_PATTERNS`` there is nothing
        to fit, and hits do not stray.
        """
        shared = (played[..., ONSET] > 0) & (decoded[..., ONSET] >= 0.5)
        told = shared.sum(axis=(1, 2)) >= ENOUGH_HITS
        if told.sum() < ENOUGH_PATTERNS:
            return cls.none()
        laws = []
        for channel in TOUCHED:
            strayed = np.abs(played - decoded)[told, ..., channel]
            spread = np.log(_mean(strayed, shared[told]) + LEAST)
            variety = np.log(_variety(decoded[told, ..., channel], shared[told]) + LEAST)
            slope = np.cov(variety, spread)[0, 1] / max(np.var(variety, ddof=1), LEAST)
            level = spread.mean() - slope * variety.mean()
            laws.append((slope, level, (spread - level - slope * variety).std()))
        return cls(np.array(laws, np.float32))

    def drawn(self, patterns: Pattern, temperature: float, rng: np.random.Generator) -> Pattern:
        """Return patterns [n, steps, 9, 3] with velocities and offsets drawn around theirs.

        A model decodes the median of each, the same for every hit that is alike, and people do
        not play so. ``temperature`` scales how far they stray; they stay within their ranges.
        """
        hits = patterns[..., ONSET] >= 0.5
        strayed = patterns.copy()
        for channel, (slope, level, scatter) in zip(TOUCHED, self.law, strict=True):
            variety = np.log(_variety(patterns[..., channel], hits) + LEAST)
            tightness = rng.standard_normal(len(patterns))
            spread = np.exp(level + slope * variety + scatter * tightness) - LEAST
            noise = rng.laplace(size=hits.shape)
            strayed[..., channel] += temperature * np.maximum(spread, 0)[:, None, None] * noise
        strayed[..., VELOCITY] = np.clip(strayed[..., VELOCITY], SOFTEST, 1)
        strayed[..., OFFSET] = np.clip(strayed[..., OFFSET], -MAX_OFFSET, MAX_OFFSET)
        return strayed


def _variety(values: Array, hits: npt.NDArray[np.bool_]) -> Array:
    """Return the standard deviation of values [n, steps, 9] over each pattern's hits, [n]."""
    variety: Array = np.sqrt(_mean(np.square(values - _mean(values, hits)[:, None, None]), hits))
    return variety


def _mean(values: Array, hits: npt.NDArray[np.bool_]) -> Array:
    """Return the mean of values [n, steps, 9] over each pattern's hits, [n]; 0 without any."""
    mean: Array = (values * hits).sum(axis=(1, 2)) / np.maximum(1, hits.sum(axis=(1, 2)))
    return mean
