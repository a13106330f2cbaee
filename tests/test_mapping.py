"""The map of livevae.toml: every form of it, and the sentence for what is wrong."""

import tomllib

import pytest

from livevae.errors import UsageError
from livevae.mapping import DEFAULT_MAP, read_map, ready_map, ready_maps
from livevae.midi.binding import Binding


def read(text: str) -> dict[str, tuple[Binding, ...]]:
    """Return the map that these lines of [map] give."""
    return read_map(tomllib.loads(text))


@pytest.mark.parametrize(
    ("text", "binding"),
    [
        ("{ cc = 20 }", Binding(20)),
        ("{ cc14 = 1, channel = 2 }", Binding(cc14=1, channel=2)),
        ("{ nrpn = 300, port = 'nano' }", Binding(nrpn=300, port="nano")),
        ("{ pitch_bend = true }", Binding(pitch_bend=True)),
        ("{ pressure = true }", Binding(pressure=True)),
        ("{ note = 36, mode = 'momentary' }", Binding(note=36, mode="momentary")),
        ("{ program = 0, high = 0.5 }", Binding(program=0, high=0.5)),
        ("{ cc = 1, relative = 'binary_offset' }", Binding(1, relative="binary_offset")),
        (
            "{ cc = 1, low = 1, high = 0, curve = 's', takeover = 'pickup' }",
            Binding(1, low=1.0, high=0.0, curve="s", takeover="pickup"),
        ),
    ],
)
def test_every_message_can_be_bound(text: str, binding: Binding) -> None:
    """With channel, port, range, curve and takeover."""
    assert read(f"density = {text}")["density"] == (binding,)


def test_a_list_binds_several_messages_to_one_control() -> None:
    """Several controllers at once."""
    assert read("density = [{ cc = 1 }, { note = 36 }]")["density"] == (
        Binding(1),
        Binding(note=36),
    )


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("x = []", None),
        ("x = { note = 1, cc = 2 }", r"map\.x names several messages \(cc, note\); write a list"),
        ("x = { channel = 1 }", r"map\.x names no message; write x = { cc = 22 }"),
        ("x = { pitch_bend = false }", r"map\.x names no message"),
        ("x = [3]", r"map\.x names no message"),
        ("x = { cc = 120 }", r"map\.x\.cc is 120, but must be a whole number from 0 to 119"),
        ("x = { cc14 = 32 }", r"map\.x\.cc14 is 32, but must be a whole number from 0 to 31"),
        ("x = { nrpn = 16383 }", r"map\.x\.nrpn is 16383, but must be .* 0 to 16382"),
        ("x = { note = 1, relative = 'x' }", r"map\.x\.relative is 'x', but must be one of: bin"),
        ("x = { note = 1, relative = 'binary_offset' }", r"only a control change .* relative"),
        ("x = { pressure = true, mode = 'toggle' }", r"only a note or a control change .* mode"),
        ("x = { cc = 1, high = 2 }", r"map\.x\.high: x is 2, but must be a number from 0 to 1"),
        ("clock = { cc = 1, low = 'sun' }", r"map\.clock\.low: clock is 'sun', but must be one"),
        ("x = { cc = 1, takeover = 'grab' }", r"must be one of: jump, pickup, scale"),
        ("x = { cc = 1 }\ny = { cc = 1 }", r"map\.y: cc 1 moves x already"),
        ("x = [{ cc = 1 }, { cc = 1 }]", r"map\.x: cc 1 moves x already"),
        ("x = { cc14 = 1 }\ny = { cc = 33 }", r"map\.y: cc 33 moves x already"),
        (
            "x = { note = 1, channel = 2, port = 'A' }\ny = { note = 1, channel = 2, port = 'a' }",
            r"map\.y: note 1 on channel 2 from a moves x already",
        ),
        ("x = { pitch_bend = true }\ny = { pitch_bend = true }", r"pitch bend moves x already"),
        (
            "use = 'nanokontrol'",
            r"there is no ready map 'nanokontrol'; did you mean nanokontrol2\?",
        ),
        ("use = 'piano'", r"there is no ready map 'piano'; there are: .*nanokontrol2"),
        ("use = 3", r"there is no ready map 3"),
    ],
)
def test_what_is_wrong_with_a_map_is_said_in_one_sentence(text: str, sentence: str | None) -> None:
    """With the control and the key; an empty list binds nothing and is right."""
    if sentence is None:
        assert read(text)["x"] == ()
        return
    with pytest.raises(UsageError, match=sentence) as caught:
        read(text)
    assert "\n" not in str(caught.value)


def test_one_message_may_move_two_controls_by_channel_or_port() -> None:
    """The narrower goes first."""
    found = read("x = { cc = 1 }\ny = { cc = 1, channel = 2 }\ndensity = { cc = 1, port = 'A' }")
    assert set(found) == {"x", "y", "density"}


def test_the_default_of_a_control_is_left_out_when_half_its_message_is_taken() -> None:
    """A 14-bit control change is two."""
    assert read("density = { cc14 = 20 }") == {
        "y": DEFAULT_MAP["y"],
        "density": (Binding(cc14=20),),
    }


@pytest.mark.parametrize("name", ready_maps())
def test_a_ready_map_is_right_and_takes_the_place_of_the_defaults(name: str) -> None:
    """All of it, and nothing else."""
    assert read(f"use = '{name}'") == ready_map(name)
    assert len(ready_map(name)) >= 16


def test_what_the_file_says_goes_before_the_ready_map() -> None:
    """Controls bound otherwise, and messages bound to others."""
    found = read("use = 'nanokontrol2'\nx = { cc = 100 }\nbpm = { cc = 17 }")
    assert found["x"] == (Binding(100),)
    assert found["bpm"] == (Binding(17),)
    assert "y" not in found
    assert found["density"] == (Binding(18),)
