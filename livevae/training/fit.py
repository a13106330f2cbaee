"""A playable space fitted to what a model makes of its training set."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from livevae.latent.presets import Scene
from livevae.latent.space import MAX_NAME, N_AXES, N_CORNERS, Array, Space
from livevae.model.vae import Vae
from livevae.pattern.pattern import ONSET
from livevae.training.attributes import fit_attributes
from livevae.training.dataset import Split
from livevae.training.evaluate import decoded, encoded
from livevae.training.scenes import far_apart, points_of, typical_beats

FITTED_WINDOWS: Final = 8192
RANGE: Final = (5.0, 50.0, 95.0)
"""A full knob turn goes from the middle to these percentiles of the posterior, left and right."""


def fit_space(vae: Vae, split: Split, scenes: Sequence[Scene] | None = None) -> Space:
    """Fit the space of a model to its training set, or to 8,192 windows of a larger one.

    The axes are the first principal directions of the posterior means. The corners are four of
    ``scenes`` that sound far apart, or of the most typical beats of the split's own styles.
    """
    bars = vae.config.bars
    rng = np.random.default_rng(0)
    starts = rng.permutation(split.window_starts(bars))[:FITTED_WINDOWS]
    mu, sigma = encoded(vae, split.take(starts, bars))
    mean = mu.mean(axis=0)
    _, _, directions = np.linalg.svd(mu - mean, full_matrices=False)
    points = mu + sigma * rng.standard_normal(mu.shape, np.float32)
    axes = np.zeros((2, N_AXES, mu.shape[1]), np.float32)
    found = min(N_AXES, len(directions))
    axes[:, :found] = _ranges(points, directions[:found])
    named = _candidates(vae, split) if scenes is None else [(s.name, s.z) for s in scenes]
    candidates = np.array([z for _, z in named], np.float32)
    heard = (decoded(vae, candidates)[..., ONSET] >= 0.5).reshape(len(candidates), -1)
    corners = far_apart(heard.astype(np.float32), N_CORNERS)
    return Space(
        corners=candidates[corners],
        corner_names=tuple(named[corner][0] for corner in corners),
        axes=axes,
        attributes=fit_attributes(vae, split),
        mean=mean,
        spread=np.sqrt(mu.var(axis=0) + np.square(sigma).mean(axis=0)).astype(np.float32),
    )


def _candidates(vae: Vae, split: Split) -> list[tuple[str, Sequence[float]]]:
    """Return beats of the split that may be corners, by name: where each lies in z."""
    beats = typical_beats(split, vae.config.bars)
    names = [f"{beat.name}, {beat.source}"[:MAX_NAME] for beat in beats]
    return list(zip(names, points_of(vae, beats).tolist(), strict=True))


def _ranges(points: Array, directions: Array) -> Array:
    """Return how far points [n, z_dim] reach along directions [m, z_dim], both ways: [2, m, z]."""
    lowest, middle, highest = np.percentile(points @ directions.T, RANGE, axis=0)
    reach = np.stack([lowest - middle, highest - middle])[..., None]
    ranges: Array = (reach * directions).astype(np.float32)
    return ranges
