"""How evenly a beat turns into another: the arc, the paced arc, and a cross-fade beside them."""

from __future__ import annotations

from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from livevae.latent.interpolate import FINE_STEPS, arc, evenly_heard
from livevae.model.vae import Vae
from livevae.pattern.pattern import Pattern
from livevae.training.dataset import Split
from livevae.training.evaluate import Array, decoded, encoded, played

Hits = npt.NDArray[np.bool_]

STEPS: Final = 16


class PathFigures(msgspec.Struct, frozen=True):
    """What is heard along paths of 16 steps, by Hamming distances between their hits.

    ``not_falling`` is the share of steps in which the distance to the start does not fall;
    ``largest_step`` is a path's largest step over its mean step, the median over the paths.
    """

    not_falling: float
    largest_step: float


class Interpolation(msgspec.Struct, frozen=True):
    """Paths between the posterior means of pairs of windows of different recordings.

    ``slerp`` is the arc at even angles, as the map's knobs go; ``paced`` is the same arc at the
    steps that `livevae interpolate` writes, chosen by the hits that change between them; and
    ``cross_fade`` goes straight from the one decoded pattern's probabilities to the other's.
    """

    pairs: int
    slerp: PathFigures
    paced: PathFigures
    cross_fade: PathFigures


def interpolation(vae: Vae, split: Split, pairs: int, seed: int) -> Interpolation | None:
    """Measure paths between pairs of windows of a split; None if it has one recording only."""
    bars = vae.config.bars
    chosen = pairs_of_windows(split, bars, pairs, seed)
    if not len(chosen):
        return None
    starts, place = np.unique(chosen, return_inverse=True)
    mu, _ = encoded(vae, split.take(starts, bars))
    ends = mu[place.reshape(chosen.shape)]
    paths = [_paths(vae, a, b) for a, b in ends]
    slerp, paced, cross_fade = (path_figures(np.stack(kind)) for kind in zip(*paths, strict=True))
    return Interpolation(len(chosen), slerp, paced, cross_fade)


def pairs_of_windows(split: Split, bars: int, pairs: int, seed: int) -> npt.NDArray[np.int64]:
    """Draw the first bars [pairs, 2] of windows of two recordings each; none if there is one."""
    starts = split.window_starts(bars)
    first_bars = np.array([recording.first_bar for recording in split.recordings])
    of = np.searchsorted(first_bars, starts, side="right")
    if len(np.unique(of)) < 2:
        return np.empty((0, 2), np.int64)
    rng = np.random.default_rng(seed)
    chosen = np.empty((0, 2), np.int64)
    while len(chosen) < pairs:
        drawn = rng.integers(len(starts), size=(pairs, 2))
        chosen = np.concatenate([chosen, drawn[of[drawn[:, 0]] != of[drawn[:, 1]]]])
    return starts[chosen[:pairs]]


def path_figures(hits: Hits) -> PathFigures:
    """Measure paths bool[n, points, ...]; those that change nothing have no largest step."""
    flat = hits.reshape(*hits.shape[:2], -1)
    from_start = (flat != flat[:, :1]).sum(axis=2)
    steps = (flat[:, 1:] != flat[:, :-1]).sum(axis=2)
    moving = steps.any(axis=1)
    ratios = steps[moving].max(axis=1) / steps[moving].mean(axis=1)
    return PathFigures(
        not_falling=float((np.diff(from_start, axis=1) >= 0).mean()),
        largest_step=float(np.median(ratios)) if moving.any() else 1.0,
    )


def _paths(vae: Vae, a: Array, b: Array) -> tuple[Hits, Hits, Hits]:
    """Return the hits [17, steps, 9] along the arc, the paced arc and the cross-fade."""
    fine = decoded(vae, arc(a, b, FINE_STEPS))
    hits = played(fine)
    faded = played(cross_fade(fine[0], fine[-1], STEPS))
    return hits[:: FINE_STEPS // STEPS], hits[evenly_heard(fine, STEPS)], faded


def cross_fade(first: Pattern, last: Pattern, steps: int) -> Pattern:
    """Return patterns [steps + 1, ...] that go straight from ``first`` to ``last``."""
    along = np.linspace(0, 1, steps + 1, dtype=np.float32).reshape(-1, *[1] * first.ndim)
    faded: Pattern = first + (last - first) * along
    return faded
