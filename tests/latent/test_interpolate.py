"""The way from one point to another is the arc, and the beat changes evenly along it."""

import numpy as np
import pytest

from livevae.errors import UsageError
from livevae.latent.interpolate import arc, heard_distance, paced
from livevae.latent.space import Array
from livevae.pattern.pattern import ONSET, Pattern

A = np.array([1.0, 0.0], np.float32)
B = np.array([0.0, 1.0], np.float32)


def turn(z: Array) -> Array:
    """Return how far z [n, 2] is on the arc from A to B, 0..1."""
    along: Array = np.arctan2(z[:, 1], z[:, 0]) / (np.pi / 2)
    return along


def sudden(z: Array) -> Pattern:
    """A beat that turns over within a tenth of the arc: 64 steps get a kick, one by one."""
    patterns = np.zeros((len(z), 64, 9, 3), np.float32)
    got = np.clip((turn(z) - 0.7) / 0.1, 0, 1)[:, None] * 64
    patterns[:, :, 0, ONSET] = np.arange(64) < got
    return patterns


def still(z: Array) -> Pattern:
    """A beat that does not change at all."""
    return np.zeros((len(z), 16, 9, 3), np.float32)


def test_the_ends_are_exactly_the_two_points() -> None:
    a, b = (np.random.default_rng(seed).normal(size=7).astype(np.float32) for seed in (0, 1))
    for points in (arc(a, b, 5), paced(a, b, 5, lambda z: sudden(z[:, :2]))):
        assert points.shape == (6, 7)
        assert points.dtype == np.float32
        assert np.array_equal(points[0], a)
        assert np.array_equal(points[-1], b)


def test_the_arc_is_evenly_spaced() -> None:
    assert turn(arc(A, B, 4)) == pytest.approx([0, 0.25, 0.5, 0.75, 1], abs=1e-6)


def test_every_step_of_a_paced_path_changes_equally_much() -> None:
    """On the plain arc of eight steps all 64 hits come in one or two of them."""
    plain, even = (
        np.diff(heard_distance(sudden(p))) for p in (arc(A, B, 8), paced(A, B, 8, sudden))
    )
    assert plain.max() >= 64
    assert even.max() < 2 * even.mean()
    assert (even > 0).all()


def test_a_paced_path_never_turns_back() -> None:
    assert (np.diff(turn(paced(A, B, 16, sudden))) >= 0).all()


def test_probabilities_pace_the_path_where_no_hit_changes() -> None:
    """A probability that grows with the square of the way: its quarter is reached half way."""

    def growing(z: Array) -> Pattern:
        patterns = still(z)
        patterns[:, 0, 0, ONSET] = 0.4 * turn(z) ** 2
        return patterns

    assert turn(paced(A, B, 4, growing))[1] == pytest.approx(0.5, abs=0.01)


def test_a_beat_that_stays_the_same_still_arrives() -> None:
    points = paced(A, B, 3, still)
    assert np.array_equal(points[0], A)
    assert np.array_equal(points[-1], B)


def test_two_equal_points_stay_where_they_are() -> None:
    assert paced(A, A, 3, sudden) == pytest.approx(np.tile(A, (4, 1)))


@pytest.mark.parametrize("steps", [0, -1, 2000])
def test_impossible_steps_are_one_sentence(steps: int) -> None:
    with pytest.raises(UsageError, match="1 to 1024 steps"):
        paced(A, B, steps, sudden)
