"""Reads what was sent: the notes, and what may never happen to one."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

NOTE_OFF, NOTE_ON, SYSTEM = 0x80, 0x90, 0xF0


@dataclass(frozen=True, order=True)
class Note:
    """A note that was heard."""

    on_ns: int
    pitch: int
    velocity: int
    off_ns: int


def notes(events: Iterable[tuple[int, bytes]]) -> list[Note]:
    """Return the notes among ``events``, checked.

    Every note-on has a note-off of its own, later than itself and before the next note-on of its
    pitch. More note-offs than that do no harm.
    """
    sounding: dict[int, tuple[int, int]] = {}
    heard = []
    for time_ns, message in events:
        if message[0] >= SYSTEM:
            continue
        kind, pitch = message[0] & 0xF0, message[1]
        if kind == NOTE_ON:
            assert message[2] > 0
            assert pitch not in sounding, f"{pitch} is struck twice before it ends, at {time_ns}"
            sounding[pitch] = (time_ns, message[2])
        elif kind == NOTE_OFF and pitch in sounding:
            on_ns, velocity = sounding.pop(pitch)
            assert time_ns > on_ns, f"{pitch} ends as it begins, at {time_ns}"
            heard.append(Note(on_ns, pitch, velocity, time_ns))
    assert not sounding, f"{sounding} hangs"
    return sorted(heard)


def by_pitch(heard: Iterable[Note]) -> dict[int, list[int]]:
    """Return when each pitch was struck."""
    struck = defaultdict(list)
    for note in heard:
        struck[note.pitch].append(note.on_ns)
    return dict(struck)
