"""From control changes to controls."""

import pytest

from livevae.config import Binding
from livevae.player.controls import ControlMap

BINDINGS = {
    "x": Binding(20),
    "density": Binding(22, channel=3),
    "humanize": Binding(22),
    "kick.mute": Binding(23),
    "clock": Binding(24),
    "axis.1": Binding(25),
}


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
    assert ControlMap(BINDINGS).target(bytes(message)) == expected


@pytest.mark.parametrize("message", [(0xB0, 21, 5), (0x90, 20, 5), (0xE0, 20, 5), (0xB0, 20)])
def test_other_messages_move_nothing(message: tuple[int, ...]) -> None:
    """Unbound controllers, notes, pitch bend, broken ones."""
    assert ControlMap(BINDINGS).target(bytes(message)) is None
