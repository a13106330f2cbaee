"""From the tape to a take: the last bars that were heard, one after the other."""

from __future__ import annotations

import bisect
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from livevae.errors import WorkError
from livevae.midi.ports import NOTE_OFF, NOTE_ON
from livevae.midi.recording import Take
from livevae.pattern.pattern import BEATS_PER_BAR
from livevae.player.tape import Kind, Record

EARLY_BEATS: Final = 1 / 16
"""A note-on so little before a bar line, a quarter of a 16th, is that bar's downbeat played early;
the swung last 16th of the bar before comes earlier."""
COUNTS_FROM: Final = 0.5
"""The part of a bar that must have been played for it to count."""

Event = tuple[int, bytes]


class Heard(msgspec.Struct):
    """A bar that was played from ``begin_ns`` to ``end_ns``, its line being at ``line_ns``.

    ``end_ns`` is None while it plays. ``whole`` says that the next bar line was reached.
    """

    begin_ns: int
    line_ns: int
    length_ns: float
    end_ns: int | None = None
    whole: bool = False

    @property
    def counts(self) -> bool:
        """Whether enough of it has been played."""
        if self.end_ns is None:
            return False
        return self.end_ns - self.begin_ns >= COUNTS_FROM * self.length_ns

    def beats(self, time_ns: int) -> float:
        """Return how many beats from the bar line ``time_ns`` is."""
        return (time_ns - self.line_ns) / self.length_ns * BEATS_PER_BAR


def cut(records: Sequence[Record], last: int) -> Take:
    """Return the ``last`` bars on tape, or as many as there are.

    The bar that still plays does not count, nor one of which less than half was played. A note
    that is sounding where a bar that is left out begins, or at the end, ends there.

    Raises:
        WorkError: no bar has been played.
    """
    bars = _bars(records)
    chosen = [number for number, bar in enumerate(bars) if bar.counts][-last:]
    if not chosen:
        raise WorkError("no bar has been played yet; capture one when it has")
    events = tuple(_events(bars, chosen, _sent(records)))
    return Take(tuple(round(bars[number].length_ns) for number in chosen), events)


def _sent(records: Sequence[Record]) -> list[Event]:
    """Return what was sent after all, in the order of time."""
    sent: list[Event] = []
    for record in records:
        if record.kind == Kind.MESSAGE:
            sent.append((record.time_ns, record.message))
        elif record.kind == Kind.CANCEL:
            sent = [event for event in sent if event[0] <= record.time_ns]
    return sorted(sent, key=lambda event: event[0])


def _bars(records: Sequence[Record]) -> list[Heard]:
    """Return the bars on tape in the order in which they were heard."""
    bars: list[Heard] = []
    jumped_ns: int | None = None
    for record in records:
        playing = bars[-1] if bars and bars[-1].end_ns is None else None
        if record.kind == Kind.JUMP:
            jumped_ns = record.time_ns
            if playing is None:
                continue
            if playing.begin_ns >= record.time_ns:
                bars.pop()  # foreseen, but never begun
            else:
                playing.end_ns = record.time_ns
                if record.beat_ns:
                    playing.length_ns = record.beat_ns * BEATS_PER_BAR
        elif record.kind == Kind.LINE:
            begin_ns = record.time_ns
            if playing is not None:
                playing.end_ns, playing.whole = record.time_ns, True
                playing.length_ns = record.time_ns - playing.line_ns
            elif jumped_ns is not None:
                begin_ns = max(begin_ns, jumped_ns)
            bars.append(Heard(begin_ns, record.time_ns, record.beat_ns * BEATS_PER_BAR))
    return bars


def _events(
    bars: Sequence[Heard], chosen: Sequence[int], sent: Sequence[Event]
) -> Iterator[tuple[float, bytes]]:
    """Yield what was sent in the chosen bars, in beats from the first of their lines."""
    begins = [bar.begin_ns for bar in bars]
    taken = set(chosen)
    sounding: set[tuple[int, int]] = set()
    for time_ns, message in sent:
        number = bisect.bisect_right(begins, time_ns) - 1
        beats = bars[number].beats(time_ns) if number >= 0 else 0.0
        kind, note = message[0] & 0xF0, (message[0] & 0x0F, message[1])
        early = number >= 0 and bars[number].whole and beats > BEATS_PER_BAR - EARLY_BEATS
        if kind == NOTE_ON and early and (number in taken) != (number + 1 in taken):
            # A downbeat played early goes with its bar, at whose line the take begins or ends.
            number, beats = number + 1, 0.0
        at = float(BEATS_PER_BAR * bisect.bisect_left(chosen, number))
        if number in taken:
            at += min(max(beats, 0.0), BEATS_PER_BAR)
        if kind == NOTE_OFF:
            if note in sounding:
                sounding.remove(note)
                yield at, message
        elif number in taken:
            if kind == NOTE_ON:
                sounding.add(note)
            yield at, message
    for channel, pitch in sorted(sounding):
        yield float(len(chosen) * BEATS_PER_BAR), bytes((NOTE_OFF | channel, pitch, 0))
