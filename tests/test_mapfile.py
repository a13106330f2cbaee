"""A binding written into livevae.toml, byte for byte."""

from pathlib import Path

import pytest

from livevae.config import Config, load
from livevae.errors import UsageError
from livevae.mapfile import bound
from livevae.midi.binding import Binding

KNOB = Binding(22, channel=1)
LINE = "{cc = 22, channel = 1}"


def read(text: str, folder: Path) -> Config:
    """Return what a file with this text gives."""
    path = folder / "livevae.toml"
    path.write_text(text)
    return load(path)


@pytest.mark.parametrize(
    ("before", "name", "after"),
    [
        ("", "x", f"[map]\nx = {LINE}\n"),
        ("seed = 1 # mine\n", "x", f"seed = 1 # mine\n\n[map]\nx = {LINE}\n"),
        ("[map]\nx = { cc = 20 } # left\n", "x", f"[map]\nx = {LINE} # left\n"),
        (
            "[map] # knobs\n# first\nx = { cc = 20 }\n\n[controls]\nx = 0.1 # low\n",
            "kick.mute",
            f"[map] # knobs\n# first\nx = {{ cc = 20 }}\nkick.mute = {LINE}\n\n"
            "[controls]\nx = 0.1 # low\n",
        ),
        (
            "[map]\nkick.mute = { cc = 1 }\nkick.density = { cc = 2 } # k\n",
            "kick.density",
            f"[map]\nkick.mute = {{ cc = 1 }}\nkick.density = {LINE} # k\n",
        ),
        ("[map]\n'kick.mute' = { cc = 1 }\n", "kick.mute", f"[map]\n'kick.mute' = {LINE}\n"),
        ("[map]\nx = [{ cc = 1 }, { note = 2 }]\n", "x", f"[map]\nx = {LINE}\n"),
    ],
)
def test_only_the_line_of_the_control_changes(
    before: str, name: str, after: str, tmp_path: Path
) -> None:
    """Comments, order and quotes stay; what is not there goes to the end of the map."""
    text, lost = bound(before, name, KNOB)
    assert (text, lost) == (after, [])
    assert read(text, tmp_path).map[name] == (KNOB,)


def test_the_shipped_file_keeps_every_comment(tmp_path: Path) -> None:
    """All its lines but the one of the control."""
    shipped = (Path(__file__).parent.parent / "livevae.toml").read_text()
    text, _ = bound(shipped, "y", KNOB)
    changed = set(text.splitlines()) ^ set(shipped.splitlines())
    assert changed == {"y = { cc = 21 }", f"y = {LINE}"}
    assert read(text, tmp_path).map == Config().map | {"y": (KNOB,)}


def test_the_message_is_taken_from_what_it_moved_before() -> None:
    """Of a list only that entry; another channel is another message."""
    text, lost = bound(f"[map]\nx = {LINE}\ny = [{{ cc = 3 }}, {LINE}]\n", "density", KNOB)
    assert lost == ["x", "y"]
    assert text == f"[map]\ny = {{ cc = 3 }}\ndensity = {LINE}\n"
    assert bound("[map]\nx = { cc = 22, channel = 2 }\n", "density", KNOB)[1] == []
    assert bound("[map]\nx = { cc = 22 }\n", "density", KNOB)[1] == []


def test_a_binding_can_be_added_to_those_there_are(tmp_path: Path) -> None:
    """Several controllers on one control; the same message only once."""
    text, _ = bound("[map]\nx = { cc = 20 } # a\n", "x", KNOB, add=True)
    assert text == f"[map]\nx = [{{cc = 20}}, {LINE}] # a\n"
    assert read(text, tmp_path).map["x"] == (Binding(20), KNOB)
    again, _ = bound(text, "x", KNOB, add=True)
    assert read(again, tmp_path).map["x"] == (Binding(20), KNOB)
    assert again == text


@pytest.mark.parametrize("before", ["[map.kick.mute]\ncc = 1\n", "map.kick.mute.cc = 1\n"])
def test_a_binding_written_as_a_table_is_replaced(before: str, tmp_path: Path) -> None:
    """Whichever way TOML allows."""
    text, _ = bound(before, "kick.mute", KNOB)
    assert read(text, tmp_path).map["kick.mute"] == (KNOB,)


@pytest.mark.parametrize("before", ["[map", "map = 3\n", "[map]\nfoo = { cc = 1 }\n"])
def test_a_file_that_is_wrong_is_refused_and_not_mended(before: str) -> None:
    """In a sentence."""
    with pytest.raises(UsageError):
        bound(before, "x", KNOB)
