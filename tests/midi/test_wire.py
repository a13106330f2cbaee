"""Whole messages out of what a wire has left of them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livevae.midi.wire import heard


def messages(*packet: int) -> list[list[int]]:
    """Return what is heard in a packet."""
    return [list(message) for message in heard(bytes(packet))]


@pytest.mark.parametrize(
    "message",
    [
        [0xF8],
        [0xFA],
        [0xFF],
        [0xF2, 8, 1],
        [0x80, 60, 64],
        [0x9F, 60, 100],
        [0xB0, 20, 127],
        [0xC3, 5],
        [0xD9, 80],
        [0xEF, 0, 64],
    ],
)
def test_a_whole_message_passes_as_it_is(message: list[int]) -> None:
    """Real time, song position, and whatever of a channel a control can be bound to."""
    assert messages(*message) == [message]


@pytest.mark.parametrize(
    "packet",
    [[], [60, 100], [0xB0], [0xB0, 20], [0xF2], [0xF2, 8], [0xB0, 20, 0xA0, 60, 1], [0xC0], [0xF7]],
)
def test_a_message_cut_short_is_no_message(packet: list[int]) -> None:
    """Nor is what has lost its status byte; a byte lost on the wire must not move the song."""
    assert messages(*packet) == []


def test_pressure_of_keys_and_system_exclusive_are_not_listened_to() -> None:
    """A flood of them costs next to nothing."""
    assert messages(0xA0, 60, 100) == []
    assert messages(0xF0, *[0x55] * 100_000, 0xF7) == []


@pytest.mark.parametrize("around", [[0xF2, 8, 1], [0x90, 60, 5], [0xB3, 20, 64]])
@pytest.mark.parametrize("place", [1, 2])
def test_a_real_time_byte_inside_a_message_is_heard_before_it(
    around: list[int], place: int
) -> None:
    """The MIDI 1.0 text allows it anywhere."""
    assert messages(*around[:place], 0xF8, *around[place:]) == [[0xF8], around]


def test_real_time_bytes_inside_key_pressure_and_system_exclusive_are_heard() -> None:
    """In their order."""
    assert messages(0xA0, 0xF8, 60, 0xFC, 100) == [[0xF8], [0xFC]]
    assert messages(0xF0, 1, 0xFA, 2, 0xF8, 0xF7) == [[0xFA], [0xF8]]
    assert messages(0xF0, 1, 0xFA, 2, 0xF8) == [[0xFA], [0xF8]]


def test_running_status_is_heard_of_messages_of_a_channel() -> None:
    """Which a song position has not, and which it ends."""
    assert messages(0xC0, 1, 0xF8, 2) == [[0xF8], [0xC0, 1], [0xC0, 2]]
    assert messages(0x90, 60, 1, 60, 0) == [[0x90, 60, 1], [0x90, 60, 0]]
    assert messages(0xB0, 20, 1, 20, 0xF8, 2, 21) == [[0xF8], [0xB0, 20, 1], [0xB0, 20, 2]]
    assert messages(0xF2, 1, 0, 2, 0) == [[0xF2, 1, 0]]


def test_several_messages_in_one_packet_are_heard_in_their_order() -> None:
    """As some drivers bundle what came in one USB frame."""
    packet = [0xFC, 0xF2, 16, 0, 0xFB, 0xF8, 0x90, 60, 1, 0xB0, 1, 2]
    assert messages(*packet) == [[0xFC], [0xF2, 16, 0], [0xFB], [0xF8], [0x90, 60, 1], [0xB0, 1, 2]]


@settings(derandomize=True)
@given(st.binary(max_size=60))
def test_whatever_comes_every_real_time_byte_is_heard_once_and_all_else_is_whole(
    packet: bytes,
) -> None:
    """The player need not look twice at what it is given."""
    found = list(heard(packet))
    assert [m[0] for m in found if m[0] >= 0xF8] == [byte for byte in packet if byte >= 0xF8]
    for message in found:
        assert message[0] >= 0xF8 or message[0] == 0xF2 or message[0] & 0xF0 not in (0xA0, 0xF0)
        assert len(message) == (1 if message[0] >= 0xF8 else 2 if 0xC0 <= message[0] < 0xE0 else 3)
        assert max(message[1:], default=0) < 0x80
