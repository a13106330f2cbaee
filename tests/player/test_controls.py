"""From messages to controls."""

import time
from collections import deque

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livevae.midi.binding import Binding, Move
from livevae.parameters import PARAMETERS
from livevae.player.controls import MOVES_KEPT, ControlMap
from tests.player.stage import Stage, beat

DEFAULTS = {parameter.name: parameter.default for parameter in PARAMETERS.values()}
KNOBS = {
    "x": Binding(20),
    "density": Binding(22, channel=3),
    "humanize": Binding(22),
    "kick.mute": Binding(23),
    "clock": Binding(24),
    "axis.1": Binding(25),
}


class Desk:
    """A map and the values that it moves."""

    def __init__(self, **bindings: Binding) -> None:
        named = {name.replace("__", "."): (binding,) for name, binding in bindings.items()}
        self.map = ControlMap(named)
        self.values = dict(DEFAULTS)

    def hear(self, *message: int, source: str = "LiveVAE") -> float | None:
        """Take a message; return the new value of what it moves."""
        moved = self.map.target(bytes(message), source, self.values)
        if moved is not None:
            self.values.update([moved])
        return None if moved is None else round(moved[1], 4)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ((0xB0, 20, 0), ("x", 0.0)),
        ((0xBF, 20, 127), ("x", 1.0)),
        ((0xB2, 22, 127), ("density", 1.0)),
        ((0xB0, 22, 127), ("humanize", 200.0)),
        ((0xB0, 23, 63), ("kick.mute", 0.0)),
        ((0xB0, 23, 64), ("kick.mute", 1.0)),
        ((0xB0, 24, 0), ("clock", 0.0)),
        ((0xB0, 24, 127), ("clock", 2.0)),
        ((0xB0, 25, 0), ("axis.1", -1.0)),
        ((0xB0, 25, 127), ("axis.1", 1.0)),
    ],
)
def test_a_control_change_moves_its_control_over_its_whole_range(
    message: tuple[int, ...], expected: tuple[str, float]
) -> None:
    """Its own channel first, then any."""
    bindings = {name: (binding,) for name, binding in KNOBS.items()}
    assert ControlMap(bindings).target(bytes(message), "", DEFAULTS) == expected


@pytest.mark.parametrize(
    "message",
    [(0xB0, 21, 5), (0x90, 20, 5), (0x80, 20, 5), (0xE0, 20, 5), (0xC0, 20), (0xD0, 20)],
)
def test_other_messages_move_nothing(message: tuple[int, ...]) -> None:
    """Unbound controllers, notes, programs, pitch bend, pressure of the same number."""
    assert Desk(x=Binding(20)).hear(*message) is None


def test_14_bits_are_whole_with_their_low_half() -> None:
    """Until one was heard the high half is all there is, and still reaches both ends."""
    desk = Desk(x=Binding(cc14=1))
    assert [desk.hear(0xB0, 1, value) for value in (0, 127)] == [0, 1]
    assert desk.hear(0xB0, 33, 127) == 1
    assert desk.hear(0xB0, 1, 64) is None
    assert desk.hear(0xB0, 33, 0) == round(8192 / 16383, 4)
    assert desk.hear(0xB0, 33, 127) == round(8319 / 16383, 4)


def test_an_nrpn_is_selected_and_then_given_data() -> None:
    """Another number, an RPN or another channel in between is not it."""
    desk = Desk(x=Binding(nrpn=300, channel=1))
    select = [(0xB0, 99, 300 >> 7), (0xB0, 98, 300 & 127)]
    assert [desk.hear(*message) for message in select] == [None, None]
    assert desk.hear(0xB0, 6, 127) == 1
    assert desk.hear(0xB0, 38, 0) == round((127 << 7) / 16383, 4)
    assert desk.hear(0xB1, 6, 0) is None
    assert desk.hear(0xB0, 98, 301 & 127) is None
    assert desk.hear(0xB0, 6, 0) is None
    assert [desk.hear(*message) for message in select] == [None, None]
    assert desk.hear(0xB0, 101, 0) is None
    assert desk.hear(0xB0, 6, 0) is None


def test_two_controllers_select_their_nrpns_apart() -> None:
    """On the same channel, by the ports they come from."""
    desk = Desk(x=Binding(nrpn=1))
    desk.hear(0xB0, 99, 0, source="A")
    desk.hear(0xB0, 98, 1, source="A")
    assert desk.hear(0xB0, 6, 127, source="B") is None
    assert desk.hear(0xB0, 6, 127, source="A") == 1


def test_data_of_no_nrpn_is_a_control_change_like_others() -> None:
    """Controllers have knobs on CC 6 too."""
    desk = Desk(x=Binding(nrpn=1), y=Binding(6))
    assert desk.hear(0xB0, 6, 127) == 1
    assert desk.values["y"] == 1


def test_pitch_bend_and_pressure_move_a_control() -> None:
    """The centre of the wheel is the exact middle of the control."""
    desk = Desk(axis__1=Binding(pitch_bend=True), x=Binding(pressure=True, channel=2))
    assert [desk.hear(0xE0, *bend) for bend in ((0, 0), (0, 64), (127, 127))] == [-1, 0, 1]
    assert [desk.hear(0xD1, 127), desk.hear(0xD0, 0)] == [1, None]


@pytest.mark.parametrize(
    ("name", "binding", "values"),
    [
        ("kick.mute", Binding(note=36), [1, None, 0, None]),
        ("kick.mute", Binding(note=36, mode="momentary"), [1, 0, 1, 0]),
        ("kick.mute", Binding(note=36, mode="trigger"), [1, None, 1, None]),
        ("panic", Binding(note=36), [1, None, 1, None]),
        ("x", Binding(note=36, low=0.25, high=0.75), [0.75, 0.25, 0.75, 0.25]),
        ("x", Binding(note=36, high=0.75, mode="toggle"), [0.75, None, 0, None]),
        ("x", Binding(note=36, mode="value"), [round(100 / 127, 4), None] * 2),
        ("change.quantize", Binding(note=36, high="beat"), [1, None, 1, None]),
    ],
)
def test_a_pad_triggers_toggles_or_holds(
    name: str, binding: Binding, values: list[float | None]
) -> None:
    """Struck and released twice; a note-off and a strike of velocity 0 are the same."""
    desk = Desk(**{name.replace(".", "__"): binding})
    for released in ((0x80, 36, 64), (0x90, 36, 0)):
        desk.values = dict(DEFAULTS)
        struck = (0x90, 36, 100)
        assert [desk.hear(*message) for message in (struck, released) * 2] == values


def test_a_button_that_sends_control_changes_is_a_pad_if_it_says_so() -> None:
    """127 down, 0 up."""
    desk = Desk(kick__mute=Binding(48, mode="toggle"))
    assert [desk.hear(0xB0, 48, value) for value in (127, 0, 127, 0)] == [1, None, 0, None]


def test_a_program_change_sets_one_value() -> None:
    """``high``; other programs leave it."""
    desk = Desk(x=Binding(program=5, high=0.25))
    assert [desk.hear(0xC0, 4), desk.hear(0xC9, 5)] == [None, 0.25]


@pytest.mark.parametrize(
    ("encoding", "right", "left"),
    [
        ("twos_complement", [1, 3], [127, 125]),
        ("binary_offset", [65, 67], [63, 61]),
        ("sign_magnitude", [1, 3], [65, 67]),
    ],
)
def test_an_endless_encoder_turns_from_where_the_control_stands(
    encoding: str, right: list[int], left: list[int]
) -> None:
    """Right by one and by three, and back again."""
    desk = Desk(x=Binding(20, relative=encoding))
    found = [desk.hear(0xB0, 20, byte) for byte in (*right, *left)]
    assert found == [round(0.5 + clicks / 127, 4) for clicks in (1, 4, 3, 0)]


def test_of_two_controllers_each_moves_its_own_control_by_the_port_it_is_on() -> None:
    """Part of the port's name is enough; what comes from elsewhere moves what names no port."""
    desk = Desk(density=Binding(20), x=Binding(20, port="nano"), y=Binding(20, port="Twister"))
    for source in ("nanoKONTROL2:0", "Midi Fighter TWISTER", "Keys"):
        desk.hear(0xB0, 20, 127, source=source)
    assert [desk.values[name] for name in ("x", "y", "density")] == [1, 1, 1]
    desk.hear(0xB0, 20, 0, source="nanoKONTROL2:0")
    assert [desk.values[name] for name in ("x", "y", "density")] == [0, 1, 1]


def test_several_bindings_move_one_control() -> None:
    """A knob and a pad."""
    both = ControlMap({"kick.mute": (Binding(20), Binding(note=36))})
    assert both.target(bytes((0xB0, 20, 127)), "", DEFAULTS) == ("kick.mute", 1.0)
    assert both.target(bytes((0x90, 36, 1)), "", DEFAULTS) == ("kick.mute", 1.0)


def test_what_comes_in_is_written_down_only_for_who_learns() -> None:
    """The last of it."""
    moves: deque[Move] = deque(maxlen=MOVES_KEPT)
    learning = ControlMap({}, moves)
    for value in range(100):
        learning.target(bytes((0xB0, 20, value)), "A", DEFAULTS)
    assert list(moves) == [("A", bytes((0xB0, 20, value))) for value in range(36, 100)]
    assert ControlMap({}).moves is None


def test_a_message_is_taken_in_a_few_microseconds() -> None:
    """Bound or not: the limit is ten times what it takes on an idle machine."""
    desk = Desk(x=Binding(20, curve="s", takeover="scale"), y=Binding(nrpn=4))
    messages = [bytes((0xB0, 20, n)) for n in range(128)] + [
        bytes((0x90, n, 1)) for n in range(128)
    ]
    took_s = []
    for _ in range(20):
        begun = time.thread_time()
        for message in messages:
            desk.map.target(message, "LiveVAE", desk.values)
        took_s.append((time.thread_time() - begun) / len(messages))
    assert min(took_s) < 20e-6


def test_a_knob_moves_the_players_control_and_a_note_of_number_123_is_no_silence() -> None:
    """Bindings of every kind reach the player by its port."""
    stage = Stage(
        beat({"kick": [0]}),
        bindings={"x": Binding(pitch_bend=True), "kick.mute": Binding(note=123), "y": Binding(20)},
    )
    stage.hear(0xE0, 127, 127)
    sent = len(stage.port.sent())
    stage.hear(0x90, 123, 1, 123, 0)
    stage.control(20, 0)
    values = stage.player.status().values
    assert (values["x"], values["kick.mute"], values["y"]) == (1, 1, 0)
    assert len(stage.port.sent()) == sent


EVERY_KIND = {
    "x": Binding(20, curve="exp", takeover="pickup", low=0.9, high=0.1),
    "y": Binding(cc14=1, curve="s", takeover="scale"),
    "axis.1": Binding(nrpn=300, curve="log", takeover="scale"),
    "axis.2": Binding(pitch_bend=True, takeover="pickup"),
    "density": Binding(pressure=True, channel=1, takeover="scale"),
    "humanize": Binding(21, relative="twos_complement", curve="exp"),
    "swing": Binding(22, relative="sign_magnitude", low=75, high=50),
    "change.quantize": Binding(23, relative="binary_offset", low="8 bars", high="beat"),
    "kick.mute": Binding(note=36),
    "bpm": Binding(note=37, mode="value", low=90, high=130, takeover="scale"),
    "clock": Binding(program=1, high="internal"),
}
_TELLING = [1, 6, 20, 21, 22, 23, 33, 36, 37, 38, 98, 99]


@settings(derandomize=True, max_examples=200, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([0x80, 0x90, 0xB0, 0xC0, 0xD0, 0xE0, 0xB1]),
            st.sampled_from(_TELLING) | st.integers(0, 127),
            st.sampled_from([2, 44, 64]) | st.integers(0, 127),
        ),
        max_size=80,
    )
)
def test_whatever_a_hand_does_every_value_stays_within_its_binding(
    messages: list[tuple[int, int, int]],
) -> None:
    """Of every kind, in any order, with every curve and takeover."""
    desk = Desk()
    desk.map = ControlMap({name: (binding,) for name, binding in EVERY_KIND.items()})
    for status, number, value in messages:
        size = 1 if 0xC0 <= status < 0xE0 else 2
        desk.hear(status, *(number, value)[:size])
    for name, binding in EVERY_KIND.items():
        parameter, number = PARAMETERS[name], desk.values[name]
        assert parameter.low <= number <= parameter.high
        assert number == DEFAULTS[name] or parameter.to_float(parameter.to_value(number)) == number
        if binding.low is not None and number != DEFAULTS[name]:
            assert binding.high is not None
            ends = sorted((parameter.to_float(binding.low), parameter.to_float(binding.high)))
            assert ends[0] - 1e-9 <= number <= ends[1] + 1e-9
