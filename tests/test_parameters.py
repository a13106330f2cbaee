"""The registry of controls."""

import numpy as np
import pytest

from livevae.errors import UsageError
from livevae.parameters import PARAMETERS, POSITION, Kind, Parameter, find
from livevae.pattern.descriptors import ATTRIBUTES
from livevae.pattern.pattern import VOICES

ALL = tuple(parameter for parameter in PARAMETERS.values() if parameter.kind is not Kind.NAME)
"""All that a hand can turn."""


@pytest.mark.parametrize("parameter", ALL, ids=lambda parameter: parameter.name)
def test_every_control_has_a_default_within_its_range_and_a_line_of_help(
    parameter: Parameter,
) -> None:
    """The registry is what everything else is derived from."""
    assert parameter.low < parameter.high
    assert parameter.low <= parameter.default <= parameter.high
    assert parameter.help.endswith(".")
    assert (parameter.kind is Kind.CHOICE) == bool(parameter.choices)
    if parameter.choices:
        assert parameter.high == len(parameter.choices) - 1


@pytest.mark.parametrize("parameter", ALL, ids=lambda parameter: parameter.name)
def test_a_knob_covers_the_whole_range_and_stays_within_it(parameter: Parameter) -> None:
    """0 is the lowest value, 127 the highest, and it never turns back."""
    turned = [parameter.from_unit(value / 127) for value in range(128)]
    assert turned[0] == parameter.low
    assert turned[-1] == parameter.high
    assert turned == sorted(turned)


@pytest.mark.parametrize("parameter", ALL, ids=lambda parameter: parameter.name)
def test_values_people_see_go_round_to_the_same_float(parameter: Parameter) -> None:
    """Through to_value, to_float and the text of it."""
    for unit in np.linspace(0, 1, 9):
        number = parameter.from_unit(float(unit))
        value = parameter.to_value(number)
        assert parameter.to_float(value) == number
        assert parameter.parse(str(value)) == number


@pytest.mark.parametrize("text", ["on", "ON", "true", "True", "1", "1.0"])
def test_a_switch_is_turned_on_by_any_of_its_words(text: str) -> None:
    """And off by theirs."""
    opposite = {"o": "off", "t": "FALSE", "1": "0"}[text[0].lower()]
    assert find("kick.mute").parse(text) == 1
    assert find("kick.mute").parse(opposite) == 0


@pytest.mark.parametrize(
    ("name", "text", "allowed"),
    [
        ("x", "1.01", "from 0 to 1"),
        ("x", "-0.01", "from 0 to 1"),
        ("x", "nan", "from 0 to 1"),
        ("x", "inf", "from 0 to 1"),
        ("x", "on", "from 0 to 1"),
        ("x", "", "from 0 to 1"),
        ("x", "½", "from 0 to 1"),
        ("bpm", "301", "from 20 to 300 BPM"),
        ("axis.3", "2", "from -1 to 1"),
        ("kick.mute", "2", "on or off"),
        ("kick.mute", "0.5", "on or off"),
        ("kick.mute", "yes", "on or off"),
        ("kick.mute", "nan", "on or off"),
        ("panic", "now", "on or off"),
        ("clock", "1", "one of: midi, internal"),
        ("clock", "", "one of: midi, internal"),
    ],
)
def test_a_wrong_value_is_refused_with_its_control_and_what_would_be_right(
    name: str, text: str, allowed: str
) -> None:
    """In one sentence."""
    with pytest.raises(UsageError) as caught:
        find(name).parse(text)
    assert str(caught.value).startswith(f"{name} is ")
    assert allowed in str(caught.value)


@pytest.mark.parametrize("value", [None, [], {}, [1], True, "0.5"])
def test_a_number_is_not_taken_from_another_type(value: object) -> None:
    """TOML knows its types."""
    with pytest.raises(UsageError):
        find("x").to_float(value)


@pytest.mark.parametrize("value", [None, [], {}, [1], 2, "perhaps"])
def test_a_switch_is_not_taken_from_another_type(value: object) -> None:
    """Nor from another number."""
    with pytest.raises(UsageError, match="on or off"):
        find("kick.mute").to_float(value)


@pytest.mark.parametrize("value", ["groove-4bar", 0.0, None])
def test_a_name_is_no_value_of_the_players_and_the_sentence_says_where_it_belongs(
    value: object,
) -> None:
    """The one there is names the model."""
    (name,) = (parameter for parameter in PARAMETERS.values() if parameter.kind is Kind.NAME)
    assert name.help.endswith(".")
    with pytest.raises(UsageError, match=r"top of livevae\.toml.*`livevae set model NAME`"):
        name.to_float(value)


def test_an_unknown_control_is_refused_with_the_closest_ones() -> None:
    """Or with the command that lists them."""
    with pytest.raises(UsageError, match=r"'densty'.*did you mean density"):
        find("densty")
    with pytest.raises(UsageError, match="livevae get"):
        find("qqqq")


def test_the_position_is_x_y_axes_and_attributes_all_of_them_registered() -> None:
    """And every voice has a density and a mute."""
    axes = [f"axis.{number}" for number in range(1, 9)]
    attributes = [f"attribute.{attribute}" for attribute in ATTRIBUTES]
    assert ("x", "y", *axes, *attributes) == POSITION
    assert list(PARAMETERS)[: len(POSITION)] == list(POSITION)
    for name in attributes:
        assert (PARAMETERS[name].low, PARAMETERS[name].default, PARAMETERS[name].high) == (-1, 0, 1)
    assert set(POSITION) <= set(PARAMETERS)
    assert {f"{voice}.{what}" for voice in VOICES for what in ("density", "mute")} <= set(
        PARAMETERS
    )
