"""What copying the training set would score: the floors that a model has to be above."""

from __future__ import annotations

import math
from typing import Final

import msgspec
import numpy as np

from livevae.pattern.pattern import ONSET, STEPS_PER_BAR, Pattern
from livevae.training.dataset import Split
from livevae.training.evaluate import onset_scores

MEAN_THRESHOLDS: Final = np.arange(0.05, 0.96, 0.01)
COMPARED_AT_ONCE: Final = 256
KNOWN: Final = 32_768
"""Of more windows than this a seeded draw is copied from: all are held in memory."""


class Floor(msgspec.Struct, frozen=True):
    """What copying from the training set scores, and the bits that naming the copy takes."""

    f1: float
    bits: float


def floors(training: Split, windows: Pattern, bars: int) -> dict[str, Floor]:
    """Return the floors of windows [n, bars * 16, 9, 3], by what is copied for each of them.

    It is copied from the windows of the training set, or from 32,768 of a larger one.
    """
    known, known_bars = (training.take(training.some_starts(n, KNOWN), n) for n in (bars, 1))
    single_bars = windows.reshape(-1, STEPS_PER_BAR, *windows.shape[2:])
    return {
        "thresholded training mean": Floor(_mean_floor(known, windows), 0.0),
        "nearest training window": _nearest_floor(known, windows, 1),
        "nearest training bar, bar by bar": _nearest_floor(known_bars, single_bars, bars),
    }


def _mean_floor(known: Pattern, windows: Pattern) -> float:
    """Score one pattern for all: the mean of ``known`` at the threshold that suits it best."""
    mean = known[..., ONSET].mean(axis=0)
    cells = known[..., ONSET].sum(axis=0)

    def f1_on_known(threshold: float) -> float:
        played = mean >= threshold
        both = cells[played].sum()
        return float(2 * both / max(1.0, played.sum() * len(known) + cells.sum()))

    best = max(MEAN_THRESHOLDS, key=f1_on_known)
    constant = np.broadcast_to((mean >= best)[..., None], windows.shape)
    return onset_scores(constant, windows).f1


def _nearest_floor(known: Pattern, wanted: Pattern, copies: int) -> Floor:
    """Score the copy of ``known`` [k, steps, 9, 3] with the best onset F1 for each wanted one.

    It takes log2(k) bits to name a copy, and each window needs ``copies`` of them.
    """
    have = known[..., ONSET].reshape(len(known), -1)
    want = wanted[..., ONSET].reshape(len(wanted), -1)
    sizes = have.sum(axis=1)
    nearest = np.empty(len(want), np.int64)
    for first in range(0, len(want), COMPARED_AT_ONCE):
        rows = want[first : first + COMPARED_AT_ONCE]
        f1 = 2 * rows @ have.T / np.maximum(1.0, sizes + rows.sum(axis=1, keepdims=True))
        nearest[first : first + COMPARED_AT_ONCE] = f1.argmax(axis=1)
    f1 = onset_scores(known[nearest], wanted).f1
    return Floor(f1, copies * math.log2(len(known)))
