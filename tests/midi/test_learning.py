"""From the messages of a hand to a binding."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livevae.midi.binding import Binding
from livevae.midi.learning import recognised


def learned(*messages: tuple[int, ...], source: str = "A") -> Binding | None:
    """Return what these messages are learned as."""
    return recognised([(source, bytes(message)) for message in messages])


def turned(*values: int) -> Binding | None:
    """Return what a knob with these values is learned as."""
    return learned(*((0xB2, 20, value) for value in values))


@pytest.mark.parametrize(
    ("messages", "binding"),
    [
        ([(0x99, 36, 100), (0x89, 36, 0)], Binding(note=36, channel=10)),
        ([(0x99, 36, 100), (0x99, 36, 0)], Binding(note=36, channel=10)),
        ([(0x99, 36, 9), *[(0xD9, n) for n in range(9)]], Binding(note=36, channel=10)),
        ([(0xC0, 3)], Binding(program=3, channel=1)),
        ([(0xD1, 5), (0xD1, 9)], Binding(pressure=True, channel=2)),
        ([(0xE0, 0, 64), (0xE0, 5, 70)], Binding(pitch_bend=True, channel=1)),
        ([(0xB0, 48, 127), (0xB0, 48, 0)], Binding(48, channel=1, mode="toggle")),
        ([(0xB0, 48, 127)], Binding(48, channel=1)),
        ([(0xB0, 99, 2), (0xB0, 98, 44), (0xB0, 6, 5)], Binding(nrpn=300, channel=1)),
        ([(0xB0, 98, 44), (0xB0, 99, 2), (0xB0, 38, 5)] * 9, Binding(nrpn=300, channel=1)),
        ([m for n in range(9) for m in ((0xB0, 1, n), (0xB0, 33, n))], Binding(cc14=1, channel=1)),
        ([m for n in range(9) for m in ((0xB0, 33, n), (0xB0, 1, 0))], Binding(cc14=1, channel=1)),
    ],
)
def test_what_was_moved_is_told_by_its_messages(
    messages: list[tuple[int, ...]], binding: Binding
) -> None:
    """Pads, programs, pressure, wheels, buttons, NRPN and 14 bits."""
    assert learned(*messages) == binding


@pytest.mark.parametrize("number", range(120, 128))
def test_orders_to_the_whole_channel_are_never_learned(number: int) -> None:
    """CC 120 to 127, however often they come."""
    assert learned(*[(0xB0, number, 0)] * 50) is None
    assert learned(*[(0xB0, number, 0)] * 50, (0x90, 36, 1)) == Binding(note=36, channel=1)


@pytest.mark.parametrize(
    ("values", "encoding"),
    [
        ([1, 1, 1, 1, 127, 127, 127, 127], "twos_complement"),
        ([1, 2, 5, 3, 1, 127, 125, 122, 126], "twos_complement"),
        ([65, 65, 66, 65, 63, 63, 62, 63], "binary_offset"),
        ([1, 1, 2, 1, 65, 65, 66, 65], "sign_magnitude"),
    ],
)
def test_the_three_encodings_are_told_by_turning_both_ways(
    values: list[int], encoding: str
) -> None:
    """Slowly, or so fast that each message says several clicks."""
    assert turned(*values) == Binding(20, channel=3, relative=encoding)


@pytest.mark.parametrize(
    "values", [[5], [1] * 20, [127] * 20, [65] * 20, [63] * 20, [1, 2, 1, 1, 2, 2, 1, 1], [60] * 7]
)
def test_of_one_way_or_of_too_little_nothing_is_concluded(values: list[int]) -> None:
    """Each of these fits several encodings."""
    assert turned(*values) is None


@settings(derandomize=True, max_examples=300)
@given(st.integers(0, 127), st.lists(st.integers(-8, 8).filter(bool), min_size=16, max_size=60))
def test_a_knob_that_sends_positions_is_never_taken_for_an_endless_one(
    start: int, steps: list[int]
) -> None:
    """However it is turned: it never sends the same position twice in a row."""
    values = [start]
    for step in steps:
        value = min(max(values[-1] + step, 0), 127)
        if value != values[-1]:
            values.append(value)
    found = turned(*values, *([] if len(values) >= 8 else range(40, 60)))
    assert found == Binding(20, channel=3)


def test_a_position_that_comes_twice_now_and_then_makes_no_encoder() -> None:
    """A worn knob about its middle: an encoder repeats itself far more often."""
    assert turned(60, 61, 61, 62, 63, 65, 66, 67, 68, 69) == Binding(20, channel=3)


def test_nothing_is_learned_from_nothing() -> None:
    """Nor from an NRPN that was only selected, or from its null."""
    assert learned() is None
    assert learned((0x80, 36, 0), (0xA0, 36, 5)) is None
    assert learned((0xB0, 99, 127), (0xB0, 98, 127), (0xB0, 6, 0)) is None
