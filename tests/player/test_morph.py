"""From one position to another over some bars."""

import pytest

from livevae.player.morph import Morph

HALF_WAY = Morph({"x": 0.0, "y": 1.0}, {"x": 1.0, "y": 0.5, "axis.1": 0.3}, begins=32, bars=4)


@pytest.mark.parametrize(
    ("step", "x", "y"), [(0, 0, 1), (32, 0, 1), (48, 0.25, 0.875), (64, 0.5, 0.75), (96, 1, 0.5)]
)
def test_a_morph_is_as_far_as_the_song_is(step: float, x: float, y: float) -> None:
    """Also where the song has gone back before it; what has no start is at its goal."""
    assert HALF_WAY.at(step) == pytest.approx({"x": x, "y": y, "axis.1": 0.3})


def test_it_is_done_exactly_at_its_goal() -> None:
    """To the last bit, whatever the values."""
    morph = Morph({"x": 0.1}, {"x": 0.7}, begins=0, bars=3)
    assert not morph.done(47)
    assert morph.done(48)
    assert morph.at(48) == morph.at(1000) == {"x": 0.7}


def test_over_no_bars_it_is_at_once_where_it_goes() -> None:
    """A recall without a morph."""
    assert Morph({"x": 0.1}, {"x": 0.7}, begins=10, bars=0).at(10) == {"x": 0.7}
