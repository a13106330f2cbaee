"""Touch strays as those strayed that it was fitted to, and touches no onset."""

import numpy as np
import pytest

from livevae.pattern.pattern import OFFSET, ONSET, SOFTEST, VELOCITY, Pattern
from livevae.pattern.touch import LEAST, Touch

N = 400


def steady(velocity: float, offset: float) -> Touch:
    """Return a touch of one spread in each, whatever the pattern."""
    return Touch(
        np.array([[0, np.log(spread + LEAST), 0] for spread in (velocity, offset)], np.float32)
    )


def varied(n: int = N) -> Pattern:
    """Return patterns with all cells hit, each played less evenly than the one before."""
    chance = np.random.default_rng(0)
    made = np.ones((n, 16, 9, 3), np.float32)
    evenness = np.linspace(0.01, 0.08, n)[:, None, None]
    made[..., VELOCITY] = 0.5 + evenness * chance.standard_normal((n, 16, 9))
    made[..., OFFSET] = evenness * chance.standard_normal((n, 16, 9))
    return made


def test_onsets_stay() -> None:
    strayed = steady(0.1, 0.1).drawn(varied(), 1.0, np.random.default_rng(0))
    np.testing.assert_array_equal(strayed[..., ONSET], varied()[..., ONSET])


@pytest.mark.parametrize(("channel", "spreads"), [(VELOCITY, (0.04, 0)), (OFFSET, (0, 0.04))])
def test_each_strays_by_its_spread_in_the_mean_and_not_to_one_side(
    channel: int, spreads: tuple[float, float]
) -> None:
    patterns = np.full((N, 16, 9, 3), (1, 0.5, 0), np.float32)
    strayed = steady(*spreads).drawn(patterns, 1.0, np.random.default_rng(0)) - patterns
    assert np.abs(strayed[..., channel]).mean() == pytest.approx(0.04, rel=0.05)
    assert abs(strayed[..., channel].mean()) < 0.002
    other = VELOCITY + OFFSET - channel
    assert np.abs(strayed[..., other]).max() < 1e-6


def test_temperature_scales_how_far_hits_stray() -> None:
    patterns = varied()
    cold, mild, hot = (
        np.abs(steady(0.02, 0.02).drawn(patterns, t, np.random.default_rng(0)) - patterns).mean()
        for t in (0.0, 1.0, 2.0)
    )
    assert cold == pytest.approx(0, abs=1e-5)
    assert hot == pytest.approx(2 * mild, rel=0.02)


def test_a_fitted_touch_strays_as_the_players_did() -> None:
    """Who plays unevenly strays farther, and of two equally even ones one is the looser."""
    decoded = varied()
    real = Touch(np.array([[0.5, -2.0, 0.4], [0.8, -1.0, 0.1]], np.float32))
    played = real.drawn(decoded, 1.0, np.random.default_rng(1))

    fitted = Touch.fit(played, decoded)

    np.testing.assert_allclose(fitted.law, real.law, atol=0.1)


def test_only_hits_that_both_have_are_fitted_to() -> None:
    decoded = varied()
    played = steady(0.02, 0.02).drawn(decoded, 1.0, np.random.default_rng(1))
    played[:, 8:] = 0
    decoded[:, :2, :, ONSET] = 0.4

    strayed = Touch.fit(played, decoded).drawn(varied(), 1.0, np.random.default_rng(2)) - varied()

    assert np.abs(strayed[..., VELOCITY]).mean() == pytest.approx(0.02, rel=0.1)


def test_too_few_hits_or_patterns_make_no_touch() -> None:
    silent = np.zeros((N, 16, 9, 3), np.float32)
    for played, decoded in ((varied(4), varied(4)), (silent, silent), (varied(), silent)):
        np.testing.assert_array_equal(Touch.fit(played, decoded).law, Touch.none().law)


def test_no_touch_leaves_a_pattern_as_it_is() -> None:
    strayed = Touch.none().drawn(varied(), 1.0, np.random.default_rng(0))
    np.testing.assert_allclose(strayed, varied(), atol=1e-6)


def test_all_values_stay_in_their_ranges() -> None:
    strayed = steady(3.0, 3.0).drawn(varied(), 1.0, np.random.default_rng(0))
    assert strayed[..., VELOCITY].min() == pytest.approx(SOFTEST)
    assert strayed[..., VELOCITY].max() == 1
    assert np.abs(strayed[..., OFFSET]).max() == 0.5


def test_the_pattern_given_is_not_changed() -> None:
    patterns = varied()
    steady(0.1, 0.1).drawn(patterns, 1.0, np.random.default_rng(0))
    np.testing.assert_array_equal(patterns, varied())
