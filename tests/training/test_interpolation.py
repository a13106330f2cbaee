"""The figures of paths, and the pairs that they lie between."""

import numpy as np
import pytest

from livevae.training import interpolation as subject
from livevae.training.dataset import Recording, Split, pack
from tests.model.test_vae import small
from tests.training.beats import beat


def split(recordings: int) -> Split:
    """Return recordings of six bars each."""
    bars = np.concatenate([beat(seed).reshape(6, 16, 9, 3) for seed in range(recordings)])
    return Split(tuple(Recording(f"{i}.mid", 6 * i, 6) for i in range(recordings)), pack(bars))


def test_even_steps_away_never_fall_and_are_all_mean() -> None:
    path = np.tri(5, 4, -1).astype(bool)[None]
    figures = subject.path_figures(path)
    assert (figures.not_falling, figures.largest_step) == (1, 1)


def test_a_step_back_falls_and_a_leap_is_large() -> None:
    """Steps of 3, 1 back, 0, 0 cells: one of four falls, and 3 is three times the mean."""
    path = np.zeros((1, 5, 4), bool)
    path[0, 1, :3] = True
    path[0, 2:, :2] = True
    figures = subject.path_figures(path)
    assert (figures.not_falling, figures.largest_step) == (0.75, 3)


def test_paths_that_do_not_move_have_no_largest_step() -> None:
    """They do not weigh in the median either."""
    still = np.zeros((1, 5, 4), bool)
    even = np.tri(5, 4, -1).astype(bool)[None]
    assert subject.path_figures(still).largest_step == 1
    assert subject.path_figures(np.concatenate([still, even])).largest_step == 1


def test_pairs_are_of_different_recordings_and_settled_by_the_seed() -> None:
    pairs = subject.pairs_of_windows(split(3), 2, 50, seed=1)
    assert pairs.shape == (50, 2)
    assert (pairs[:, 0] // 6 != pairs[:, 1] // 6).all()
    assert (pairs % 6 <= 4).all()
    assert np.array_equal(pairs, subject.pairs_of_windows(split(3), 2, 50, seed=1))


def test_one_recording_has_no_pairs() -> None:
    assert subject.interpolation(small(), split(1), 4, seed=0) is None


def test_a_cross_fade_goes_straight() -> None:
    faded = subject.cross_fade(np.zeros((2, 9, 3), np.float32), np.ones((2, 9, 3), np.float32), 4)
    assert faded[:, 0, 0, 0] == pytest.approx([0, 0.25, 0.5, 0.75, 1])
