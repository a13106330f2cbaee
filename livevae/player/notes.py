"""The notes that sound: every note-on is owed a note-off, whatever happens meanwhile."""

from __future__ import annotations

from typing import Final, Protocol

import msgspec

from livevae.clock.timeline import NS_PER_MS
from livevae.midi.ports import (
    ALL_NOTES_OFF,
    ALL_SOUND_OFF,
    CONTROL_CHANGE,
    NOTE_OFF,
    NOTE_ON,
)

REST_NS: Final = NS_PER_MS
"""Silence between two notes of one pitch, so that no receiver merges them."""


class Output(Protocol):
    """What notes need of a port; see ``ports.MidiPort``."""

    def now_ns(self) -> int:
        """Return the present."""
        ...

    def send(self, time_ns: int, message: bytes) -> None:
        """Send a message at ``time_ns``."""
        ...

    def cancel(self, after_ns: int) -> None:
        """Forget what is to be sent after ``after_ns``."""
        ...


class Note(msgspec.Struct):
    """The latest note of one pitch; ``released`` once its note-off is with the port."""

    began_ns: int
    end_ns: int
    released: bool = False


class NoteBook:
    """The latest note of every pitch, and when it ends: what a note-off is owed to.

    A note stays in the book after its note-off is with the port, which may yet be told to cancel
    it, or to send another note-on first.
    """

    def __init__(self, port: Output, channel: int) -> None:
        """Write notes to ``port`` on ``channel`` (1..16)."""
        self._port = port
        self._channel = channel - 1
        self._notes: dict[int, Note] = {}

    def play(self, on_ns: int, note: int, velocity: int, length_ns: int) -> None:
        """Sound ``note``; one that is still on ends first, one that has just begun goes on."""
        last = self._notes.get(note)
        if last is not None and last.released:
            on_ns = max(on_ns, last.end_ns)
        elif last is not None:
            if on_ns - last.began_ns < 2 * REST_NS:
                return
            self._port.send(min(last.end_ns, on_ns - REST_NS), bytes((self._off, note, 0)))
        self._port.send(on_ns, bytes((NOTE_ON | self._channel, note, velocity)))
        began_ns = max(on_ns, self._port.now_ns())  # what is late is sent now
        self._notes[note] = Note(began_ns, began_ns + length_ns)

    def choke(self, on_ns: int, note: int) -> None:
        """End ``note`` at ``on_ns``, if it has begun by then and still rings."""
        last = self._notes.get(note)
        if last is not None and not last.released and on_ns - last.began_ns >= REST_NS:
            last.end_ns = min(last.end_ns, on_ns)

    def ends_ns(self) -> list[int]:
        """Return when each of the notes ends whose note-off is still to be sent."""
        return [last.end_ns for last in self._notes.values() if not last.released]

    def release(self, until_ns: int) -> None:
        """End the notes whose time is up before ``until_ns``."""
        for note, last in self._notes.items():
            if last.end_ns < until_ns and not last.released:
                self._port.send(last.end_ns, bytes((self._off, note, 0)))
                last.released = True

    def silence(self, now_ns: int) -> None:
        """Unsend what has not sounded and end every note, one that is just being sent included."""
        self._port.cancel(now_ns)
        for note, last in self._notes.items():
            if not last.released or last.end_ns > now_ns:
                last.end_ns = max(now_ns, min(last.began_ns, now_ns) + REST_NS)
                last.released = True
                self._port.send(last.end_ns, bytes((self._off, note, 0)))

    def panic(self, now_ns: int) -> None:
        """Silence, and tell the receiver to forget notes that LiveVAE knows nothing of."""
        self.silence(now_ns)
        for controller in (ALL_SOUND_OFF, ALL_NOTES_OFF):
            self._port.send(now_ns, bytes((CONTROL_CHANGE | self._channel, controller, 0)))
        for note in range(128):
            last = self._notes.get(note)
            # A note that has just ended is ended twice: a message can be lost on its way.
            off_ns = max(now_ns, last.end_ns) if last else now_ns
            self._port.send(off_ns, bytes((self._off, note, 0)))

    @property
    def _off(self) -> int:
        return NOTE_OFF | self._channel
