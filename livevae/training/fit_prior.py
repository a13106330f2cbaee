"""A prior fitted to what a model makes of its training set, as dense as that is."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from livevae.latent.prior import Prior
from livevae.model.vae import Vae
from livevae.pattern.pattern import ONSET, Pattern
from livevae.pattern.touch import Touch
from livevae.training.dataset import Split
from livevae.training.evaluate import Array, decoded, encoded, played

MOST_WINDOWS: Final = 20_000
"""Of a large corpus so many windows are fitted, drawn by the seed."""
CORRECTIONS: Final = 6
SAMPLES: Final = 1024
LEAST_VARIANCE: Final = 1e-9


def fit_prior(vae: Vae, split: Split, held_out: Pattern, seed: int) -> Prior:
    """Fit the mixture that ``Prior.sample`` draws from to the beats of a training set.

    Between two beats a decoder is less sure of its hits than at either, so fewer of them reach
    one half, and samples come out too sparse. All centres are therefore moved along the direction
    in which training windows grow denser, until samples are as dense as those windows.

    The touch is fitted to windows held out, [n, bars * 16, 9, 3]: of a beat that it knows by
    heart, a model knows the touch as well.

    Raises:
        ValueError: the split has no window of the model's bars.
    """
    bars = vae.config.bars
    rng = np.random.default_rng(seed)
    starts = split.window_starts(bars)
    windows = split.take(np.sort(rng.permutation(starts)[:MOST_WINDOWS]), bars)
    mu, sigma = encoded(vae, windows)
    prior = Prior.fit(mu, sigma, seed)
    density = windows[..., ONSET].mean(axis=(1, 2))
    denser = _direction(mu, density)
    for _ in range(CORRECTIONS):
        samples = decoded(vae, prior.sample(SAMPLES, 1.0, np.random.default_rng(seed)))
        missing = density.mean() - played(samples).mean()
        prior = replace(prior, means=(prior.means + missing * denser).astype(np.float32))
    mu, sigma = encoded(vae, held_out)
    drawn = (mu + sigma * rng.standard_normal(mu.shape)).astype(np.float32)
    return replace(prior, touch=Touch.fit(held_out, decoded(vae, drawn)))


def _direction(mu: Array, density: Array) -> Array:
    """Return how far mu [n, z_dim] moves, on average, for each 1 of density [n]: [z_dim]."""
    about_mean = density - density.mean()
    direction: Array = about_mean @ mu / max(about_mean @ about_mean, LEAST_VARIANCE)
    return direction
