"""Variations of a beat: points of the latent space around its own."""

from __future__ import annotations

import numpy as np

from livevae.latent.space import Array, Space


def variations(
    space: Space, z: Array, amount: float, temperature: float, count: int, rng: np.random.Generator
) -> Array:
    """Return points [count, z_dim] around ``z`` [z_dim], ``amount`` (0..1) of the way to chance.

    At 0 they are ``z``; at 1 they are drawn from the aggregated posterior, its spread times
    ``temperature``, and know nothing of ``z``. On the way the step away from ``z`` is taken back
    towards the mean by as much as the noise adds, so that the points stay where real beats are
    (the proposal of preconditioned Crank-Nicolson sampling, Cotter et al. 2013).
    """
    noise = rng.standard_normal((count, space.z_dim)) * space.spread * temperature
    kept = np.sqrt(1 - amount**2) * (z - space.mean)
    points: Array = (space.mean + kept + amount * noise).astype(np.float32)
    return points
