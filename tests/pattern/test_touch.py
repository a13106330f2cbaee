"""Touch strays around what was there, by as much as asked for, and touches no onset."""

import numpy as np
import pytest

from livevae.pattern.pattern import OFFSET, ONSET, VELOCITY, Pattern
from livevae.pattern.touch import touched


@pytest.fixture
def patterns() -> Pattern:
    made = np.full((20, 64, 9, 3), 0.5, np.float32)
    made[..., OFFSET] = 0
    return made


def test_onsets_stay(patterns: Pattern) -> None:
    strayed = touched(patterns, 0.1, 0.1, np.random.default_rng(0))
    np.testing.assert_array_equal(strayed[..., ONSET], patterns[..., ONSET])


@pytest.mark.parametrize(("channel", "spreads"), [(VELOCITY, (0.04, 0)), (OFFSET, (0, 0.04))])
def test_each_strays_by_its_spread_in_the_mean_and_not_to_one_side(
    patterns: Pattern, channel: int, spreads: tuple[float, float]
) -> None:
    strayed = touched(patterns, *spreads, np.random.default_rng(0)) - patterns
    assert np.abs(strayed[..., channel]).mean() == pytest.approx(0.04, rel=0.05)
    assert abs(strayed[..., channel].mean()) < 0.002
    assert np.count_nonzero(strayed) == np.count_nonzero(strayed[..., channel])


def test_all_values_stay_in_their_ranges(patterns: Pattern) -> None:
    strayed = touched(patterns, 3.0, 3.0, np.random.default_rng(0))
    assert strayed[..., VELOCITY].min() == pytest.approx(1 / 127)
    assert strayed[..., VELOCITY].max() == 1
    assert np.abs(strayed[..., OFFSET]).max() == 0.5


def test_the_pattern_given_is_not_changed(patterns: Pattern) -> None:
    before = patterns.copy()
    touched(patterns, 0.1, 0.1, np.random.default_rng(0))
    np.testing.assert_array_equal(patterns, before)
