"""MIDI clock and transport for other gear, from the Timeline that the player itself follows.

Ticks are indexed by position, as notes are: tick 24 of the song falls on beat 1 of whatever
Timeline there is by then, so a tempo change neither loses nor doubles one.
"""

from __future__ import annotations

import math
from typing import Final

from livevae.clock.follower import (
    CLOCK,
    CONTINUE,
    SONG_POSITION,
    START,
    STOP,
    TICKS_PER_BEAT,
    TICKS_PER_SIXTEENTH,
)
from livevae.clock.timeline import NEVER_NS, NS_PER_MS, Timeline
from livevae.midi.ports import MidiPort

SONG_POSITIONS: Final = 1 << 14
"""Sixteenths that a Song Position Pointer can tell apart: 1024 bars, then it wraps on the bar."""
NOTICE_NS: Final = NS_PER_MS
"""From Start or Continue to the first tick, at least: the receiver has to get ready for it."""
STALL_BEATS: Final = 1.0
"""Ticks held up for longer are not made up for: the gear is sent to where the song is by now."""


def next_tick_ns(timeline: Timeline, time_ns: int) -> int:
    """Return when the first tick at or after ``time_ns`` falls due."""
    return timeline.time_at(math.ceil(timeline.beats_at(time_ns) * TICKS_PER_BEAT) / TICKS_PER_BEAT)


class ClockOut:
    """Sends clock, Start, Stop, Continue and Song Position as the MIDI 1.0 text has them.

    State: the number in the song of the next tick (``_next_tick``), when the latest falls due
    (``_last_ns``), and whether the gear plays (``_rolling``) since when (``_rolled_ns``).
    """

    def __init__(self, port: MidiPort) -> None:
        """Have told nobody anything."""
        self._port = port
        self._next_tick = 0
        self._last_ns = -NEVER_NS
        self._rolling = False
        self._rolled_ns = -NEVER_NS
        self._from_beats = 0.0
        self._astray = True

    def due_ns(self, timeline: Timeline) -> int:
        """Return when the next tick falls due."""
        return timeline.time_at(self._next_tick / TICKS_PER_BEAT)

    def jump(self, beats: float, now_ns: int) -> None:
        """Stop the gear; if the song plays, it goes on from ``beats``."""
        self.stop(now_ns)
        self._from_beats = beats

    def stop(self, now_ns: int) -> None:
        """Stop the gear, after a Start that may still be on its way."""
        self._astray = True
        if self._rolling:
            self._rolling = False
            self._port.send(max(now_ns, self._rolled_ns), bytes((STOP,)))

    def advance(self, timeline: Timeline, now_ns: int, until_ns: int, *, playing: bool) -> None:
        """Send every tick due before ``until_ns``; the gear plays if the song is ``playing``.

        Gear that does not play keeps its tempo by the ticks. It begins to play on a sixteenth,
        the finest that a Song Position Pointer can say.
        """
        if timeline.beats_at(now_ns) - self._next_tick / TICKS_PER_BEAT > STALL_BEATS:
            self.stop(now_ns)
        if self._astray:
            self._find_next(timeline, now_ns)
        horizon = timeline.beats_at(until_ns)
        while (beats := self._next_tick / TICKS_PER_BEAT) < horizon:
            tick_ns = timeline.time_at(beats)
            on_sixteenth = self._next_tick % TICKS_PER_SIXTEENTH == 0
            if playing and not self._rolling and on_sixteenth and beats >= self._from_beats:
                self._roll(self._next_tick // TICKS_PER_SIXTEENTH, tick_ns, now_ns)
            self._port.send(tick_ns, bytes((CLOCK,)))
            self._last_ns = tick_ns
            self._next_tick += 1

    def _find_next(self, timeline: Timeline, now_ns: int) -> None:
        """Go on with the first tick after all that are on their way, at most half a tick late."""
        half_tick_ns = round(timeline.beat_ns / TICKS_PER_BEAT / 2)
        free_ns = max(self._last_ns + NOTICE_NS, now_ns - half_tick_ns)
        self._next_tick = math.ceil(timeline.beats_at(free_ns) * TICKS_PER_BEAT)
        self._astray = False

    def _roll(self, sixteenth: int, tick_ns: int, now_ns: int) -> None:
        """Let the gear play from a sixteenth of the song, whose tick falls on ``tick_ns``."""
        # A tick that is still on its way must not be taken for the first.
        self._rolled_ns = max(tick_ns - NOTICE_NS, self._last_ns)
        position = sixteenth % SONG_POSITIONS
        if position:
            pointer = bytes((SONG_POSITION, position & 0x7F, position >> 7))
            self._port.send(min(now_ns, self._rolled_ns), pointer)
        self._port.send(self._rolled_ns, bytes((CONTINUE if position else START,)))
        self._rolling = True
