"""Ranges, curves and takeover."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livevae.midi.binding import Binding
from livevae.parameters import PARAMETERS
from livevae.player.travel import Takeover, Travel


def travel(name: str, **binding: object) -> Travel:
    """Return what a binding of a control spans."""
    return Travel.of(Binding(20, **binding), PARAMETERS[name])


@pytest.mark.parametrize(
    ("curve", "quarters"),
    [
        ("linear", [0, 0.25, 0.5, 0.75, 1]),
        ("exp", [0, 0.0445, 0.1502, 0.4017, 1]),
        ("log", [0, 0.6259, 0.8089, 0.9200, 1]),
        ("s", [0, 0.15625, 0.5, 0.84375, 1]),
    ],
)
def test_a_curve_begins_and_ends_with_the_range(curve: str, quarters: list[float]) -> None:
    """And bends in between: exp is slow at first, log at last, s at both ends."""
    found = [travel("x", curve=curve).value(quarter / 4) for quarter in range(5)]
    assert found == pytest.approx(quarters, abs=1e-4)


@settings(derandomize=True)
@given(
    st.sampled_from(["linear", "exp", "log", "s"]),
    st.floats(0, 1),
    st.tuples(st.floats(0, 200), st.floats(0, 200)).filter(lambda r: abs(r[0] - r[1]) > 1),
)
def test_the_way_back_leads_to_where_one_came_from(
    curve: str, unit: float, limits: tuple[float, float]
) -> None:
    """For every curve and every range, turned round or not."""
    spans = travel("humanize", curve=curve, low=limits[0], high=limits[1])
    value = spans.value(unit)
    assert min(limits) - 1e-9 <= value <= max(limits) + 1e-9
    assert spans.unit(value) == pytest.approx(unit, abs=1e-3)


def test_low_and_high_are_values_of_the_control_and_may_be_turned_round() -> None:
    """Numbers with their unit, words of a choice, switches."""
    assert travel("bpm", low=90, high=130).value(0.5) == 110
    assert travel("bpm", low=130, high=90).value(0.25) == 120
    choices = travel("change.quantize", low="step", high="bar")
    assert [choices.value(unit) for unit in (0, 0.34, 0.99, 1)] == [0, 1, 2, 2]
    choices = travel("change.quantize", low="bar", high="step")
    assert [choices.value(unit) for unit in (0, 0.34, 1)] == [2, 1, 0]
    assert [travel("kick.mute", low=True, high=False).value(u) for u in (0, 1)] == [1, 0]


def test_an_endless_encoder_moves_by_its_clicks_and_stops_at_the_ends() -> None:
    """A click is a 127th of the range, one choice, or on and off."""
    assert travel("x").turned(0.5, 2) == pytest.approx(0.5 + 2 / 127)
    assert travel("axis.1").turned(0.99, 5) == 1
    assert travel("x", low=0.2, high=0.6).turned(0.9, -1) == pytest.approx(0.6 - 0.4 / 127)
    assert travel("change.quantize").turned(2.0, 1) == 3
    assert travel("change.quantize").turned(0.0, -3) == 0
    assert travel("change.quantize", low="bar", high="step").turned(2.0, 1) == 1
    assert travel("kick.mute").turned(0.0, 3) == 1
    assert travel("kick.mute").turned(1.0, -1) == 0


class Scripted:
    """A knob turned by hand, on a control that others move too."""

    def __init__(self, mode: str, value: float) -> None:
        self.takeover, self.value = Takeover(mode), value

    def turn(self, *units: float) -> list[float]:
        """Turn the knob and return the control's values."""
        values = []
        for unit in units:
            moved = self.takeover.take(unit, travel("x"), self.value)
            self.value = self.value if moved is None else moved
            values.append(round(self.value, 4))
        return values


def test_jump_goes_to_the_knob_at_once() -> None:
    """The default."""
    assert Scripted("jump", 0.5).turn(0.1, 0.9) == [0.1, 0.9]


def test_pickup_waits_until_the_knob_has_passed_the_control() -> None:
    """From either side; or stands where it stands. Then it holds on."""
    assert Scripted("pickup", 0.5).turn(0.1, 0.4, 0.6, 0.7, 0.2) == [0.5, 0.5, 0.6, 0.7, 0.2]
    assert Scripted("pickup", 0.5).turn(0.9, 0.3, 0.4) == [0.5, 0.3, 0.4]
    assert Scripted("pickup", 0.5).turn(0.503, 0.6) == [0.503, 0.6]


def test_pickup_lets_go_when_somebody_else_has_moved_the_control() -> None:
    """A scene, say: the knob has to pass it again."""
    hand = Scripted("pickup", 0.5)
    hand.turn(0.4, 0.6)
    hand.value = 0.2
    assert hand.turn(0.7, 0.5, 0.1, 0.15) == [0.2, 0.2, 0.1, 0.15]


def test_scale_moves_the_control_in_proportion_to_the_way_left() -> None:
    """The first message only says where the knob is; at the ends both are together."""
    assert Scripted("scale", 0.5).turn(0.0, 0.25, 0.5, 1.0, 0.4) == [0.5, 0.625, 0.75, 1.0, 0.4]
    assert Scripted("scale", 0.5).turn(0.8, 0.4, 0.0) == [0.5, 0.25, 0.0]
    assert Scripted("scale", 0.0).turn(1.0, 0.5, 0.0) == [0.0, 0.0, 0.0]


@settings(derandomize=True)
@given(
    st.sampled_from(["jump", "pickup", "scale"]),
    st.floats(0, 1),
    st.lists(st.integers(0, 127), max_size=30),
)
def test_no_takeover_ever_leaves_the_range(mode: str, value: float, bytes_: list[int]) -> None:
    """Wherever knob and control stand."""
    assert all(0 <= found <= 1 for found in Scripted(mode, value).turn(*(b / 127 for b in bytes_)))
