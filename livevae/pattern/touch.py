"""A drummer's touch: how velocity and timing stray from what a model expects of a hit."""

from __future__ import annotations

from typing import Final

import numpy as np

from livevae.pattern.pattern import MAX_OFFSET, OFFSET, VELOCITY, Pattern

SOFTEST: Final = 1 / 127


def touched(
    patterns: Pattern, velocity_spread: float, offset_spread: float, rng: np.random.Generator
) -> Pattern:
    """Return patterns [..., 9, 3] with velocities and offsets drawn around those they have.

    A model decodes the median of each, the same for every hit that is alike, and people do not
    play so. Both stray as Laplace noise does, by ``velocity_spread`` and ``offset_spread`` (in
    16ths) in the mean, within their ranges.
    """
    noise = rng.laplace(size=(2, *patterns.shape[:-1]))
    strayed = patterns.copy()
    velocity = patterns[..., VELOCITY] + velocity_spread * noise[0]
    offset = patterns[..., OFFSET] + offset_spread * noise[1]
    strayed[..., VELOCITY] = np.clip(velocity, SOFTEST, 1)
    strayed[..., OFFSET] = np.clip(offset, -MAX_OFFSET, MAX_OFFSET)
    return strayed
