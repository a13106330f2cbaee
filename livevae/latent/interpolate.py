"""From one point of the latent space to another, at the pace of what is heard."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt

from livevae.errors import UsageError
from livevae.latent.space import Array, slerp
from livevae.pattern.pattern import ONSET, Pattern

FINE_STEPS: Final = 128
"""Into how many steps the arc is cut to hear where it changes."""
MAX_STEPS: Final = 1024


def arc(a: Array, b: Array, steps: int) -> Array:
    """Return points [steps + 1, z_dim] from ``a`` to ``b`` [z_dim], evenly spaced on their arc."""
    along = np.linspace(0.0, 1.0, steps + 1, dtype=np.float32)[:, None]
    points = slerp(np.tile(a, (steps + 1, 1)), np.tile(b, (steps + 1, 1)), along)
    points[0], points[-1] = a, b
    return points


def paced(a: Array, b: Array, steps: int, decode: Callable[[Array], Pattern]) -> Array:
    """Return points [steps + 1, z_dim] from ``a`` to ``b`` that change the beat evenly.

    The path is the arc between them, as in `slerp`, but along it the beat stands still for a while
    and then turns over at once. So the arc is decoded finely (``decode`` maps z [n, z_dim] to
    patterns [n, steps, 9, 3]), and the points are those between which equally much changes: the
    hits that come and go, and the probabilities of all cells, which go on moving where no hit does.

    Raises:
        UsageError: the steps are outside 1..1024.
    """
    if not 1 <= steps <= MAX_STEPS:
        raise UsageError(f"an interpolation has 1 to {MAX_STEPS} steps, not {steps}")
    fine = arc(a, b, max(FINE_STEPS, 2 * steps))
    return fine[evenly_heard(decode(fine), steps)]


def evenly_heard(path: Pattern, steps: int) -> npt.NDArray[np.int64]:
    """Return which patterns of a path [n, steps, 9, 3] are heard as even steps: [steps + 1].

    The first and the last are among them.
    """
    heard = heard_distance(path)
    between = np.searchsorted(heard, np.linspace(0.0, heard[-1], steps + 1)[1:-1])
    return np.concatenate([[0], between, [len(path) - 1]]).astype(np.int64)


def heard_distance(path: Pattern) -> npt.NDArray[np.float64]:
    """Return how much has changed up to each pattern of a path [n, steps, 9, 3]: [n], from 0."""
    onsets = path[..., ONSET].reshape(len(path), -1).astype(np.float64)
    hits = onsets >= 0.5
    changes = np.abs(np.diff(onsets, axis=0)).sum(axis=1) + (hits[1:] != hits[:-1]).sum(axis=1)
    return np.concatenate([[0.0], np.cumsum(changes)])
