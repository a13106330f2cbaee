"""What the dimensions of a latent space are used for: none of them, or all."""

from __future__ import annotations

from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from livevae.model.vae import NATS_PER_BIT, Vae
from livevae.pattern.pattern import OFFSET, VELOCITY, Pattern
from livevae.training.evaluate import Array, decoded, encoded, played

ACTIVE_VARIANCE: Final = 0.01
MOST: Final = 0.5
STARTS: Final = 16
"""Windows from which each unit is moved."""
VELOCITY_TOLERANCE: Final = 1 / 127
OFFSET_TOLERANCE: Final = 0.008
"""In 16ths: a millisecond at 120 bpm."""


class LatentUse(msgspec.Struct, frozen=True):
    """How the units (dimensions) of z are used over a set of windows.

    A unit is active if the variance of its posterior mean over the windows is above 0.01 (Burda et
    al. 2016). ``bits_by_unit`` is each unit's mean KL from the prior. ``heard`` is the share of
    active units whose move by one standard deviation of the aggregated posterior changes the decode
    of any of ``starts`` windows, ``heard_in_most`` of at least half of them. A change is a hit that
    comes or goes, or moves in velocity by more than 1 of 127 or in time by more than 0.008 of a
    16th.
    """

    units: int
    active: int
    bits_by_unit: list[float]
    heard: float
    heard_in_most: float
    starts: int


def latent_use(vae: Vae, windows: Pattern, seed: int) -> LatentUse:
    """Measure the units of a model on windows [n, steps, 9, 3]; the starts are drawn by seed."""
    mu, sigma = encoded(vae, windows)
    active = np.flatnonzero(mu.var(axis=0) > ACTIVE_VARIANCE)
    spread = np.sqrt(mu.var(axis=0) + np.square(sigma).mean(axis=0))
    nats = 0.5 * (np.square(mu) + np.square(sigma) - 1 - 2 * np.log(sigma)).mean(axis=0)
    starts = mu[np.random.default_rng(seed).permutation(len(mu))[:STARTS]]
    before = decoded(vae, starts)
    shares = [_changed(vae, starts, before, unit, spread[unit]) for unit in active.tolist()]
    heard = np.array(shares or [0.0])
    return LatentUse(
        units=mu.shape[1],
        active=len(active),
        bits_by_unit=[round(float(bits), 4) for bits in nats / NATS_PER_BIT],
        heard=float((heard > 0).mean()),
        heard_in_most=float((heard >= MOST).mean()),
        starts=len(starts),
    )


def _changed(vae: Vae, starts: Array, before: Pattern, unit: int, distance: float) -> float:
    """Return the share of starts [n, z_dim] whose decode changes if one unit of them is moved."""
    moved = starts.copy()
    moved[:, unit] += distance
    return float(differing(before, decoded(vae, moved)).mean())


def differing(before: Pattern, after: Pattern) -> npt.NDArray[np.bool_]:
    """Return which of two sets of patterns [n, steps, 9, 3] differ in what is heard, bool[n]."""
    hits = played(before)
    change = np.abs(after - before)
    moved = (change[..., VELOCITY] > VELOCITY_TOLERANCE) | (change[..., OFFSET] > OFFSET_TOLERANCE)
    different: npt.NDArray[np.bool_] = ((hits != played(after)) | (hits & moved)).any(axis=(1, 2))
    return different
