"""Points around a beat's own."""

import numpy as np
import pytest

from livevae.latent.space import Array
from livevae.latent.variation import variations
from tests.latent.test_space import space

SPACE = space(64)
Z = np.random.default_rng(1).normal(size=64).astype(np.float32)
Z *= 8 / np.linalg.norm(Z)


def around(amount: float, temperature: float = 1.0, count: int = 400, seed: int = 0) -> Array:
    """Return variations of Z."""
    return variations(SPACE, Z, amount, temperature, count, np.random.default_rng(seed))


def test_no_amount_is_the_beat_itself() -> None:
    """In float32."""
    points = around(0, count=3)
    assert points.dtype == np.float32
    np.testing.assert_allclose(points, np.tile(Z, (3, 1)), atol=1e-6)


def test_the_full_amount_is_the_aggregated_posterior() -> None:
    """Its mean and spread, whatever the beat was; the temperature scales the spread."""
    for temperature in (1.0, 0.5):
        points = around(1, temperature, count=4000)
        np.testing.assert_allclose(points.mean(axis=0), SPACE.mean, atol=0.1)
        np.testing.assert_allclose(points.std(axis=0), temperature * SPACE.spread, rtol=0.1)


@pytest.mark.parametrize("amount", [0.2, 0.5, 0.8])
def test_on_the_way_points_stay_as_far_out_as_beats_are(amount: float) -> None:
    """The noise does not push them out of the shell in which the posterior lies."""
    assert np.linalg.norm(around(amount), axis=1).mean() == pytest.approx(8, rel=0.05)


def test_more_is_further_away() -> None:
    """On average, for one and the same noise."""
    distances = [np.linalg.norm(around(a) - Z, axis=1).mean() for a in (0, 0.25, 0.5, 0.75, 1)]
    assert distances == sorted(distances)
    assert distances[1] > 0


def test_equal_seeds_give_equal_points() -> None:
    """And others do not."""
    np.testing.assert_array_equal(around(0.5, seed=3), around(0.5, seed=3))
    assert not np.array_equal(around(0.5, seed=3), around(0.5, seed=4))
