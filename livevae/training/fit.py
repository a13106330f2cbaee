"""A playable space fitted to what a model makes of its training set."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from livevae.latent.space import N_AXES, N_CORNERS, Array, Space
from livevae.model.vae import Vae
from livevae.pattern.pattern import (
    BEATS_PER_BAR,
    ONSET,
    STEPS_PER_BAR,
    VOICES,
    Pattern,
)
from livevae.training.dataset import Split
from livevae.training.evaluate import decoded, encoded, scores_of_each

KNOB_SPREADS: Final = 2.0
"""A full knob turn moves this many standard deviations along its axis."""

WELL_RECONSTRUCTED: Final = 0.85
STEADY: Final = 0.75
TIMEKEEPERS: Final = ("closed_hat", "open_hat", "ride")
TYPICAL_SHARE: Final = 0.25


@dataclass(frozen=True)
class Family:
    """What a corner scene should be: its styles, and what is played in it."""

    name: str
    styles: tuple[str, ...]
    dense: bool | None = None
    ride: bool | None = None


FAMILIES: Final = (
    Family("sparse rock", ("rock", "pop", "blues"), dense=False, ride=False),
    Family("dense funk", ("funk", "neworleans"), dense=True, ride=False),
    Family("ride beat", ("jazz", "latin", "afrobeat", "afrocuban"), ride=True),
    Family("hiphop or dance", ("hiphop", "dance", "soul", "reggae"), ride=False),
)
"""The corners at (x, y) = (0, 0), (1, 0), (0, 1), (1, 1)."""


def fit_space(vae: Vae, split: Split) -> Space:
    """Fit the space of a model to its training set.

    The axes are the first principal directions of the posterior means, each as long as two
    standard deviations. The corners are windows of the training set: for each family of styles
    in turn, those that the model reconstructs well, that are steady (bars alike, each with a kick
    on its first beat and four or more hits of hat or ride) and typical (the quarter nearest to
    the family's mean), and of these the one farthest from the corners already chosen (the first:
    the most typical). Where a collection names no such style, all that are steady and well
    reconstructed stand in.
    """
    bars = vae.config.bars
    windows = split.windows(bars)
    mu, sigma = encoded(vae, windows)
    mean = mu.mean(axis=0)
    _, stretch, directions = np.linalg.svd(mu - mean, full_matrices=False)
    axes = np.zeros((N_AXES, mu.shape[1]), np.float32)
    found = min(N_AXES, len(directions))
    deviations = stretch[:found, None] / np.sqrt(max(1, len(mu) - 1))
    axes[:found] = KNOB_SPREADS * deviations * directions[:found]
    spread = np.sqrt(mu.var(axis=0) + np.square(sigma).mean(axis=0))
    chosen = _corners(vae, split, windows, mu)
    return Space(
        corners=mu[[window for window, _ in chosen]],
        corner_names=tuple(name for _, name in chosen),
        axes=axes,
        mean=mean,
        spread=spread.astype(np.float32),
    )


def _corners(vae: Vae, split: Split, windows: Pattern, mu: Array) -> list[tuple[int, str]]:
    starts = split.window_starts(vae.config.bars)
    of_windows = split.recordings_of(starts)
    styles = np.array([recording.style.split("/")[0].split("-")[0] for recording in of_windows])
    density = windows[..., ONSET].mean(axis=(1, 2))
    rides = windows[:, :, VOICES.index("ride"), ONSET].mean(axis=1)
    hats = windows[:, :, VOICES.index("closed_hat"), ONSET].mean(axis=1)
    faithful = scores_of_each(decoded(vae, mu), windows) >= WELL_RECONSTRUCTED
    good = _steady(windows)
    good = good & faithful if (good & faithful).any() else good

    chosen: list[tuple[int, str]] = []
    for family in FAMILIES[:N_CORNERS]:
        members = good & np.isin(styles, family.styles)
        if family.ride is not None:
            members &= (rides > hats) == family.ride
        if family.dense is not None and members.any():
            members &= (density >= np.median(density[members])) == family.dense
        fits = members.any()
        window = _farthest(mu, _typical(mu, members) if fits else good, chosen)
        recording = of_windows[window]
        label = recording.style or recording.name.rsplit("/", 1)[-1]
        what = f"{family.name}: " if fits else ""
        bar = int(starts[window]) - recording.first_bar + 1
        chosen.append((window, f"{what}{label}, {recording.bpm:.0f} bpm, bar {bar}"[:200]))
    return chosen


def _steady(windows: Pattern) -> npt.NDArray[np.bool_]:
    """Say of each window whether its bars are alike, start on the kick and keep time."""
    n = len(windows)
    hits = windows[..., ONSET].reshape(n, -1, STEPS_PER_BAR, len(VOICES)) >= 0.5
    on_one = hits[:, :, 0, VOICES.index("kick")].all(axis=1)
    timekeepers = [VOICES.index(voice) for voice in TIMEKEEPERS]
    kept_time = (hits[..., timekeepers].sum(axis=(2, 3)) >= BEATS_PER_BAR).all(axis=1)
    common = (hits[:, 1:] & hits[:, :-1]).sum(axis=(2, 3))
    both = hits[:, 1:].sum(axis=(2, 3)) + hits[:, :-1].sum(axis=(2, 3))
    alike = (2 * common >= STEADY * both).all(axis=1)
    steady: npt.NDArray[np.bool_] = on_one & kept_time & alike
    return steady if steady.any() else np.ones(n, bool)


def _typical(mu: Array, members: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Keep of the members the quarter nearest to their mean."""
    windows = np.flatnonzero(members)
    from_mean = np.linalg.norm(mu[windows] - mu[windows].mean(axis=0), axis=1)
    nearest = np.argsort(from_mean, kind="stable")[: math.ceil(TYPICAL_SHARE * len(windows))]
    kept = np.zeros_like(members)
    kept[windows[nearest]] = True
    return kept


def _farthest(mu: Array, members: npt.NDArray[np.bool_], chosen: list[tuple[int, str]]) -> int:
    """Return the member farthest from the corners so far; the first is nearest to the mean."""
    windows = np.flatnonzero(members)
    if not chosen:
        return int(windows[np.linalg.norm(mu[windows] - mu[windows].mean(axis=0), axis=1).argmin()])
    corners = mu[[window for window, _ in chosen]]
    distances = np.linalg.norm(mu[windows][:, None] - corners[None], axis=2).min(axis=1)
    return int(windows[distances.argmax()])
