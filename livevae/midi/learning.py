"""What a hand has moved: from the messages of one knob, wheel or pad to the binding that hears it.

Endless encoders send how far they were turned instead of where they stand, in one of three ways.
None says which; their bytes do, once the knob was turned both ways (what is common among
controllers is described in the manuals of Ableton Live and Cubase; MIDI itself defines nothing).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import Final, Literal

import msgspec

from livevae.midi.binding import LSB_ABOVE, Binding, Move
from livevae.midi.ports import CONTROL_CHANGE, NOTE_ON, PITCH_BEND, PRESSURE, PROGRAM_CHANGE

_FIRST_UNLEARNABLE: Final = 120
"""From here on control changes are orders to the whole channel: silence, reset, modes."""
_SELECTING: Final = (98, 99)
"""The control changes that select an NRPN."""
_TELLING: Final = 8
"""So many messages of a knob tell an absolute from an endless one."""
_REPEATS: Final = 4
"""A knob that sends positions never sends one twice in a row; one in so many is no accident."""
_SLOW: Final = 32
"""No encoder turned by hand says more clicks than this at once."""

_RIGHT: Final = range(1, _SLOW)
_LEFT: Final[dict[Literal["twos_complement", "sign_magnitude"], range]] = {
    "twos_complement": range(129 - _SLOW, 128),
    "sign_magnitude": range(65, 64 + _SLOW),
}
_OFFSET_RIGHT, _OFFSET_LEFT = range(65, 64 + _SLOW), range(65 - _SLOW, 64)

_Identity = tuple[str, int, int, int]
"""Source, kind of message, channel from 0, and number."""


def recognised(moves: Sequence[Move]) -> Binding | None:
    """Return the binding for what was moved, on its own channel; None if that needs more moves.

    A button that was pressed and let go has the mode ``toggle``, which is meant for switches.
    """
    heard = [(_identity(move), move[1]) for move in moves if _learnable(move[1])]
    if not heard:
        return None
    if any(m[0] & 0xF0 == CONTROL_CHANGE and m[1] in _SELECTING for _, m in heard):
        return _nrpn(heard)
    counts = Counter(identity for identity, _ in heard)
    # A pad that is held goes on sending its pressure.
    notes = (identity for identity, _ in heard if identity[1] == NOTE_ON)
    identity = next(notes, counts.most_common(1)[0][0])
    source, kind, channel, number = identity
    if kind == CONTROL_CHANGE:
        high_half = number % LSB_ABOVE
        other = high_half if number != high_half else high_half + LSB_ABOVE
        halves = counts[source, kind, channel, other]
        if number < 2 * LSB_ABOVE and halves > 1 and 2 * halves >= counts[identity]:
            return Binding(cc14=high_half, channel=channel + 1)
        values = [message[2] for whose, message in heard if whose == identity]
        return _control_change(Binding(number, channel + 1), values)
    return {
        NOTE_ON: Binding(note=number, channel=channel + 1),
        PROGRAM_CHANGE: Binding(program=number, channel=channel + 1),
        PRESSURE: Binding(pressure=True, channel=channel + 1),
        PITCH_BEND: Binding(pitch_bend=True, channel=channel + 1),
    }[kind]


def _learnable(message: bytes) -> bool:
    kind = message[0] & 0xF0
    if kind == CONTROL_CHANGE:
        return message[1] < _FIRST_UNLEARNABLE
    return kind in (PROGRAM_CHANGE, PRESSURE, PITCH_BEND) or (kind == NOTE_ON and message[2] > 0)


def _identity(move: Move) -> _Identity:
    source, message = move
    kind = message[0] & 0xF0
    number = 0 if kind in (PRESSURE, PITCH_BEND) else message[1]
    return source, kind, message[0] & 0x0F, number


def _nrpn(heard: Sequence[tuple[_Identity, bytes]]) -> Binding | None:
    """Return the NRPN that was selected and given data last."""
    selected: dict[tuple[str, int], dict[int, int]] = {}
    for (source, kind, channel, number), message in reversed(heard):
        if kind != CONTROL_CHANGE:
            continue
        seen = selected.setdefault((source, channel), {})
        if number in (6, 38, 98, 99):
            seen.setdefault(number, message[2])
        if {98, 99} <= seen.keys() and seen.keys() & {6, 38}:
            chosen = seen[99] << 7 | seen[98]
            return None if chosen == 0x3FFF else Binding(nrpn=chosen, channel=channel + 1)
    return None


def _control_change(binding: Binding, values: Sequence[int]) -> Binding | None:
    """Return ``binding`` with its encoding, or None while the values fit several."""
    found = set(values)
    if found <= {0, 127} and not (found == {127} and len(values) >= _TELLING):
        # A button; one that lets go by itself would move a switch only while it is held.
        return msgspec.structs.replace(binding, mode="toggle" if len(found) == 2 else None)
    if len(values) < _TELLING:
        return None
    for encoding, left in _LEFT.items():
        if _both(found, _RIGHT, left):
            return msgspec.structs.replace(binding, relative=encoding)
    repeats = sum(before == after for before, after in pairwise(values))
    if repeats * _REPEATS < len(values) - 1:
        return binding
    if _both(found, _OFFSET_RIGHT, _OFFSET_LEFT):
        return msgspec.structs.replace(binding, relative="binary_offset")
    one_way = (_RIGHT, *_LEFT.values(), _OFFSET_RIGHT, _OFFSET_LEFT)
    return None if any(found <= set(way) for way in one_way) else binding


def _both(found: set[int], right: range, left: range) -> bool:
    """Return whether an encoder whose ways these are was turned both ways, and nothing else."""
    return (
        all(v in right or v in left for v in found)
        and any(v in right for v in found)
        and any(v in left for v in found)
    )
