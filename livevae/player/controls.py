"""From MIDI messages to control values: the map that livevae.toml writes down, at play."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from livevae.midi.binding import LSB_ABOVE, Binding, Move
from livevae.midi.ports import (
    CONTROL_CHANGE,
    NOTE_OFF,
    NOTE_ON,
    PITCH_BEND,
    PRESSURE,
    PROGRAM_CHANGE,
)
from livevae.parameters import PARAMETERS, Kind, Parameter
from livevae.player.travel import Takeover, Travel

NRPN_MSB, NRPN_LSB, RPN_MSB, RPN_LSB = 99, 98, 101, 100
DATA_MSB, DATA_LSB = 6, 6 + LSB_ABOVE
_OF_PARAMETERS: Final = frozenset((NRPN_MSB, NRPN_LSB, RPN_MSB, RPN_LSB, DATA_MSB, DATA_LSB))
_NRPN, _NRPN_FINE = 0x100, 0x110
"""Stand for the status of data given to an NRPN, its high and its low half."""
_NONE: Final = 0x3FFF
"""The number that selects no NRPN."""
_CENTRE: Final = 8192
MOVES_KEPT: Final = 64
"""So many messages tell any knob and its encoding, and fit into the player's status."""

_Hear = Callable[[bytes, float], float | None]
"""Takes a message and the control's value; returns its new one, or None for as it is."""


def clicks(encoding: str, byte: int) -> int:
    """Return by how much an endless encoder says that it was turned; right is positive."""
    if encoding == "binary_offset":
        return byte - 64
    if encoding == "sign_magnitude":
        return 64 - byte if byte > 64 else byte
    return byte - 128 if byte > 64 else byte


class _Knob:
    """One binding at work: what it remembers between messages."""

    def __init__(self, parameter: Parameter, binding: Binding) -> None:
        self.name = parameter.name
        self.port = binding.port.lower()
        self.binding = binding
        self._travel = Travel.of(binding, parameter)
        # What has no middle has nothing to be taken over gradually.
        gradual = parameter.kind is Kind.CONTINUOUS
        self._takeover = Takeover(binding.takeover if gradual else "jump")
        self._mode = binding.mode or ("value" if binding.note is None else _PAD[parameter.kind])
        self._high_half = 0
        self._fine = False

    def seven(self, message: bytes, value: float) -> float | None:
        """Take a 7-bit value: the last byte of the message."""
        if self._mode != "value":
            return self._strike(message[-1] >= 64, value)
        if self.binding.relative:
            return self._travel.turned(value, clicks(self.binding.relative, message[2]))
        return self._takeover.take(message[-1] / 127, self._travel, value)

    def coarse(self, message: bytes, value: float) -> float | None:
        """Take the high half of 14 bits, which is all there is until a low half was heard."""
        self._high_half = message[2]
        if self._fine:
            return None
        return self._takeover.take(message[2] / 127, self._travel, value)

    def fine(self, message: bytes, value: float) -> float | None:
        """Take the low half of 14 bits, which makes the value whole."""
        self._fine = True
        whole = self._high_half << 7 | message[2]
        return self._takeover.take(whole / 0x3FFF, self._travel, value)

    def bend(self, message: bytes, value: float) -> float | None:
        """Take a pitch bend, whose centre is exactly half way."""
        away = (message[2] << 7 | message[1]) - _CENTRE
        unit = 0.5 + away / (2 * _CENTRE if away < 0 else 2 * (_CENTRE - 1))
        return self._takeover.take(unit, self._travel, value)

    def note(self, message: bytes, value: float) -> float | None:
        """Take a note, whose value is how hard it was struck."""
        if self._mode != "value":
            return self._strike(message[2] > 0, value)
        return self._takeover.take(message[2] / 127, self._travel, value) if message[2] else None

    def note_off(self, _message: bytes, value: float) -> float | None:
        """Let go of a note."""
        return None if self._mode == "value" else self._strike(False, value)

    def program(self, _message: bytes, _value: float) -> float | None:
        """Take a program change: it stands for one value."""
        return self._travel.high

    def _strike(self, down: bool, value: float) -> float | None:
        if not down:
            return self._travel.low if self._mode == "momentary" else None
        if self._mode == "toggle" and value == self._travel.high:
            return self._travel.low
        return self._travel.high


_PAD: Final = {
    Kind.CONTINUOUS: "momentary",
    Kind.TOGGLE: "toggle",
    Kind.TRIGGER: "trigger",
    Kind.CHOICE: "trigger",
}
"""What a note does to a control unless its binding says it."""


class ControlMap:
    """Which control each message moves, and what the messages before it have to do with that.

    Of bindings to one message the narrower goes first: its port, then its channel.
    """

    def __init__(
        self, bindings: Mapping[str, Sequence[Binding]], moves: deque[Move] | None = None
    ) -> None:
        """Index ``bindings``, control name -> messages, by what comes in.

        Args:
            bindings: what moves each control.
            moves: where to write down every message, for `livevae learn`.
        """
        self.moves = moves
        self._heard: dict[int, list[tuple[_Knob, _Hear]]] = {}
        self._nrpn: dict[tuple[str, int], int] = {}
        self._has_nrpn = False
        for knob in _narrowest_first(bindings):
            self._has_nrpn |= knob.binding.nrpn is not None
            channel = knob.binding.channel
            channels = range(16) if channel is None else (channel - 1,)
            for status, number, hear in _entries(knob):
                for on in channels:
                    self._heard.setdefault(_key(status | on, number), []).append((knob, hear))

    def target(
        self, message: bytes, source: str, values: Mapping[str, float]
    ) -> tuple[str, float] | None:
        """Return the control that ``message`` moves and its new float, or None.

        Args:
            message: a whole message of a channel.
            source: the source it came by.
            values: the floats of all controls as they are.
        """
        if self.moves is not None:
            self.moves.append((source, message))
        status = message[0]
        kind = status & 0xF0
        key = _key(status, 0 if kind in (PRESSURE, PITCH_BEND) else message[1])
        if self._has_nrpn and kind == CONTROL_CHANGE and message[1] in _OF_PARAMETERS:
            key = self._parameter(message, source) or key
        for knob, hear in self._heard.get(key, ()):
            if not knob.port or knob.port in source.lower():
                number = hear(message, values[knob.name])
                return None if number is None else (knob.name, number)
        return None

    def _parameter(self, message: bytes, source: str) -> int | None:
        """Note which NRPN is selected; return the key of one that is given data."""
        channel, number, value = message[0] & 0x0F, message[1], message[2]
        place = source, channel
        selected = self._nrpn.get(place, _NONE)
        if number == NRPN_MSB:
            self._nrpn[place] = value << 7 | selected & 0x7F
        elif number == NRPN_LSB:
            self._nrpn[place] = selected & ~0x7F | value
        elif number in (RPN_MSB, RPN_LSB):
            self._nrpn[place] = _NONE
        elif selected != _NONE:
            return _key((_NRPN if number == DATA_MSB else _NRPN_FINE) | channel, selected)
        return None


def _key(status: int, number: int) -> int:
    return status << 14 | number


def _narrowest_first(bindings: Mapping[str, Sequence[Binding]]) -> list[_Knob]:
    knobs = [
        _Knob(PARAMETERS[name], each) for name, several in bindings.items() for each in several
    ]
    return sorted(knobs, key=lambda knob: (not knob.port, knob.binding.channel is None))


def _entries(knob: _Knob) -> Iterator[tuple[int, int, _Hear]]:
    """Yield what a binding listens to: status, number, and what takes it."""
    binding = knob.binding
    if binding.cc is not None:
        yield CONTROL_CHANGE, binding.cc, knob.seven
    elif binding.cc14 is not None:
        yield CONTROL_CHANGE, binding.cc14, knob.coarse
        yield CONTROL_CHANGE, binding.cc14 + LSB_ABOVE, knob.fine
    elif binding.nrpn is not None:
        yield _NRPN, binding.nrpn, knob.coarse
        yield _NRPN_FINE, binding.nrpn, knob.fine
    elif binding.note is not None:
        yield NOTE_ON, binding.note, knob.note
        yield NOTE_OFF, binding.note, knob.note_off
    elif binding.program is not None:
        yield PROGRAM_CHANGE, binding.program, knob.program
    elif binding.pressure:
        yield PRESSURE, 0, knob.seven
    else:
        yield PITCH_BEND, 0, knob.bend
