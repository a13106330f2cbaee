"""Where a hand that moves will want to be next."""

import numpy as np
import pytest

from livevae.decoder.hand import AHEAD, ahead, filled
from livevae.latent.lattice import REST
from livevae.parameters import PARAMETERS, POSITION

X, AXIS, FILL = 0, POSITION.index("axis.1"), POSITION.index("attribute.fill")


def turned(**knobs: int) -> np.ndarray:
    """Return the position with knobs at these values of a control change."""
    position = REST.copy()
    for name, value in knobs.items():
        control = name.replace("_", ".")
        position[POSITION.index(control)] = PARAMETERS[control].from_unit(value / 127)
    return position


def test_a_knob_in_motion_is_foreseen_to_the_last_bit() -> None:
    """At the values that control changes have."""
    for value in range(2, 125):
        expected = [turned(axis_1=value + number) for number in (1, 2, 3)]
        found = ahead(turned(axis_1=value - 1), turned(axis_1=value), 1)
        np.testing.assert_array_equal(found, expected)


def test_several_knobs_go_on_each_at_its_own_speed() -> None:
    """And the others stay."""
    found = ahead(turned(x=60, axis_1=60), turned(x=62, axis_1=57), 1)
    np.testing.assert_array_equal(found[0], turned(x=64, axis_1=54))
    np.testing.assert_array_equal(found[2], turned(x=68, axis_1=48))


def test_wishes_that_nobody_saw_count_into_the_speed() -> None:
    """A decoder that saw every third foresees every one."""
    found = ahead(turned(x=60), turned(x=63), 3)
    np.testing.assert_array_equal(found[0], turned(x=64))


def test_a_slow_hand_is_foreseen_where_it_will_be_and_never_where_it_is() -> None:
    """Half a value for each wish: the same position is not foreseen twice."""
    found = ahead(turned(x=60), turned(x=61), 2)
    assert [position.tobytes() for position in found].count(turned(x=61).tobytes()) == 0
    assert len({position.tobytes() for position in found}) == len(found)


def test_the_fill_of_a_position_has_that_knob_at_its_end_and_no_other_moved() -> None:
    """And leaves the position alone."""
    position = turned(x=60, axis_1=30)
    np.testing.assert_array_equal(filled(position), turned(x=60, axis_1=30, attribute_fill=127))
    np.testing.assert_array_equal(position, turned(x=60, axis_1=30))


def test_nothing_is_foreseen_beyond_the_end_of_a_knob() -> None:
    """Nor of a hand that rests there."""
    found = ahead(turned(attribute_fill=120), turned(attribute_fill=125), 1)
    np.testing.assert_array_equal(found, [turned(attribute_fill=127)])
    assert len(ahead(turned(attribute_fill=122), turned(attribute_fill=127), 1)) == 0
    assert len(ahead(turned(x=5), turned(x=5), 1)) == 0


def test_what_no_knob_can_set_goes_on_as_it_does() -> None:
    """A control set to numbers in between is not rounded to a knob's."""
    before, now = REST.copy(), REST.copy()
    before[X], now[X] = 0.3, 0.305
    found = ahead(before, now, 1)
    assert len(found) == AHEAD
    assert found[:, X] == pytest.approx([0.31, 0.315, 0.32], abs=1e-6)
