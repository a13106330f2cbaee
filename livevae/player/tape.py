"""The tape: what has been sent, and where the bar lines lay, in memory shared with the supervisor.

A ring of records with one writer, who never waits. What was sent ahead and cancelled again is not
erased: that it was cancelled is written behind it.
"""

from __future__ import annotations

import contextlib
import enum
import math
import mmap
import os
import struct
from pathlib import Path
from typing import Final

import msgspec

from livevae.clock.timeline import Timeline
from livevae.errors import WorkError
from livevae.midi.ports import MidiPort
from livevae.pattern.pattern import BEATS_PER_BAR

BARS: Final = 128
MAX_BAR_RECORDS: Final = 512
"""Nine voices on all 16 steps have 288 messages."""
_RECORD: Final = struct.Struct("<qdiB3s")
_HEADER_BYTES: Final = 64


class Kind(enum.IntEnum):
    """What a record tells."""

    MESSAGE = 0
    CANCEL = 1
    """What was to be sent after this time was not."""
    JUMP = 2
    """The song stops, starts, or goes on elsewhere."""
    LINE = 3
    """A bar begins."""


class Record(msgspec.Struct, frozen=True):
    """One entry: a MIDI ``message``, or a ``bar`` of the song and the length of its beats."""

    time_ns: int
    beat_ns: float
    bar: int
    kind: int
    message: bytes


class Tape:
    """The latest records, as many as there is room for; the player writes, the supervisor reads."""

    def __init__(self, memory: memoryview) -> None:
        """Lie over ``memory``; use ``create``, ``open`` or ``in_memory``."""
        self._count = memory[:8].cast("Q")
        self._records = memory[_HEADER_BYTES:]
        self._room = len(self._records) // _RECORD.size
        self._bar: int | None = None
        self._line_ns = self._line_beats = 0
        self._timeline: Timeline | None = None

    @classmethod
    def in_memory(cls, bars: int = BARS) -> Tape:
        """Return an empty tape of this process alone, with room for at least ``bars`` bars."""
        return cls(memoryview(bytearray(_total_bytes(bars))))

    @classmethod
    def create(cls, path: Path) -> Tape:
        """Make the file ``path``, readable by its owner only: an empty tape.

        Raises:
            WorkError: it cannot be made.
        """
        try:
            with path.open("xb") as file:
                path.chmod(0o600)
                file.write(bytes(_total_bytes(BARS)))
        except OSError as error:
            with contextlib.suppress(OSError):
                path.unlink()
            raise WorkError(f"{path} cannot be made: {error.strerror}") from error
        return cls.open(path)

    @classmethod
    def open(cls, path: Path) -> Tape:
        """Map a tape that another process has created.

        Raises:
            WorkError: the file is no tape.
        """
        try:
            with path.open("rb+") as file:
                if os.fstat(file.fileno()).st_size != _total_bytes(BARS):
                    raise WorkError(f"{path} is no tape of this version")
                return cls(memoryview(mmap.mmap(file.fileno(), 0)))
        except OSError as error:
            raise WorkError(f"the tape {path} cannot be opened: {error.strerror}") from error

    # The player's side

    def rewind(self) -> None:
        """Forget everything: another player's times are of another clock."""
        self._count[0] = 0

    def message(self, time_ns: int, message: bytes) -> None:
        """Note a message of three bytes that is to be sent at ``time_ns``."""
        self._write(time_ns, 0.0, 0, Kind.MESSAGE, message)

    def cancel(self, after_ns: int) -> None:
        """Note that what was to be sent after ``after_ns`` will not be."""
        self._write(after_ns, 0.0, 0, Kind.CANCEL, b"")

    def jump(self, now_ns: int) -> None:
        """Note that what follows is no continuation, and how long beats were in the bar left."""
        self._bar = None
        beats = self._timeline.beats_at(now_ns) - self._line_beats if self._timeline else 0.0
        beat_ns = (now_ns - self._line_ns) / beats if beats > 0 else 0.0
        self._write(now_ns, beat_ns, 0, Kind.JUMP, b"")
        self._timeline = None

    def reach(self, timeline: Timeline, until_ns: int) -> None:
        """Note the bar lines that lie before ``until_ns``, each once."""
        self._timeline = timeline
        bar = math.floor(timeline.beats_at(until_ns) / BEATS_PER_BAR)
        if bar == self._bar:
            return
        for number in range(bar if self._bar is None else self._bar + 1, bar + 1):
            self._bar, self._line_beats = number, number * BEATS_PER_BAR
            self._line_ns = timeline.time_at(self._line_beats)
            self._write(self._line_ns, timeline.beat_ns, number, Kind.LINE, b"")

    def _write(self, time_ns: int, beat_ns: float, bar: int, kind: Kind, message: bytes) -> None:
        count = self._count[0]
        at = count % self._room * _RECORD.size
        _RECORD.pack_into(self._records, at, time_ns, beat_ns, bar, kind, message)
        self._count[0] = count + 1

    # The supervisor's side

    def read(self) -> list[Record]:
        """Return what the tape holds, in the order in which it was written."""
        count = self._count[0]
        copied = bytes(self._records)
        # Those after ``count`` have meanwhile been written over the oldest, the last of them
        # perhaps not wholly.
        first = max(0, self._count[0] + 1 - self._room)
        return [
            Record(*_RECORD.unpack_from(copied, number % self._room * _RECORD.size))
            for number in range(first, count)
        ]


def _total_bytes(bars: int) -> int:
    return _HEADER_BYTES + bars * MAX_BAR_RECORDS * _RECORD.size


class Taped:
    """A port as the notes see it: all that they send is on tape."""

    def __init__(self, port: MidiPort, tape: Tape) -> None:
        """Send to ``port``."""
        self._port = port
        self._tape = tape

    def now_ns(self) -> int:
        """Return the present in the port's clock."""
        return self._port.now_ns()

    def send(self, time_ns: int, message: bytes) -> None:
        """Send a message at ``time_ns``, or at once if that has passed."""
        self._port.send(time_ns, message)
        self._tape.message(max(time_ns, self._port.now_ns()), message)

    def cancel(self, after_ns: int) -> None:
        """Forget the messages whose time lies after ``after_ns``."""
        self._port.cancel(after_ns)
        self._tape.cancel(after_ns)
