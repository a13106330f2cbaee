"""Follows 24 PPQN MIDI clock and publishes Timelines.

Tempo and phase come from a second-order delay-locked loop. Its gains are those of a line fitted
by least squares to all ticks since lock (the expanding-memory polynomial filter, Brookner,
"Tracking and Kalman Filtering Made Easy", 1998), held once ``MEMORY_TICKS`` are in: wide on lock,
then narrow.

The song position counts ticks as the MIDI 1.0 text says: the first F8 after Start or Continue
*is* the position, Start is Song Position 0 and Continue, and clock while stopped only keeps the
tempo.
"""

from __future__ import annotations

import math
from typing import Final

from livevae.clock.timeline import NS_PER_MS, Timeline, Transport

TICKS_PER_BEAT: Final = 24
TICKS_PER_SIXTEENTH: Final = 6

CLOCK, START, CONTINUE, STOP, SONG_POSITION = 0xF8, 0xFA, 0xFB, 0xFC, 0xF2

MEMORY_TICKS: Final = 96
"""Ticks the loop remembers once locked: one bar, so that a ramp is followed within it."""
LOCK_TICKS: Final = 24
MIN_TICK_NS: Final = 5 * NS_PER_MS
MAX_TICK_NS: Final = 200 * NS_PER_MS
"""Ticks further apart than 12.5 BPM, or closer than 500 BPM, are no tempo."""
WHOLE_WITHIN: Final = 0.15
"""Ticks; on a new tempo, gaps further from whole ticks are jitter or another tempo."""
STOOD_STILL: Final = 0.3
"""Ticks; the same on a tempo that is known, where more may be jitter."""
RESUME_WITHIN_NS: Final = 2_000 * NS_PER_MS
"""A source that comes back without a word is taken up again within this time, as after a bad
cable; later it may be a stopped sequencer's clock."""
LONG_GAP_NS: Final = 250 * NS_PER_MS
LONG_GAP_TICKS: Final = 4


class MidiClockFollower:
    """A clock source driven by the real-time messages of one MIDI clock.

    State: the loop (``_tick_ns``, ``_next_ns``, ``_fitted``), the song position of the next tick
    (``_next_tick``), and what the last message asked for (``_armed``).
    """

    def __init__(self, now_ns: int = 0, bpm: float = 120.0) -> None:
        """Wait for clock; ``bpm`` is assumed until two ticks have told the tempo."""
        self.transport = Transport(Timeline.at_tempo(bpm, now_ns))
        self._tick_ns = self.transport.timeline.beat_ns / TICKS_PER_BEAT
        self._next_ns = float(now_ns)
        self._next_tick = 0
        self._last_ns: int | None = None
        self._fitted = 0
        self._acquiring = True
        self._error_ns = 0.0
        self._strays = 0
        self._gap_ns = 0
        self._overdue = 0
        self._armed = False
        self._lost = False
        self._lost_ns = now_ns

    @property
    def alive(self) -> bool:
        """Whether clock is coming in."""
        return self._last_ns is not None

    def receive(self, time_ns: int, message: bytes) -> None:
        """Take one MIDI message that came in at ``time_ns``; others than clock are ignored."""
        status = message[0]
        if status == CLOCK:
            self._tick(time_ns)
        elif status == START:
            self._next_tick = 0
            self._arm()
        elif status == CONTINUE and not self.transport.playing:
            self._arm()
        elif status == STOP:
            self._armed = False
            self._lost = False
            self._publish(playing=False, jump=self.transport.playing)
        elif status == SONG_POSITION and len(message) == 3:
            self._next_tick = (message[1] | message[2] << 7) * TICKS_PER_SIXTEENTH
            if self.transport.playing:
                self._arm()

    def _arm(self) -> None:
        """Let the next tick begin to play; what would have sounded there otherwise shall not."""
        self._armed = True
        if self.transport.playing:
            self._publish(playing=False, jump=True)

    def poll(self, now_ns: int) -> None:
        """Notice a source that has gone silent: a long gap stops playing."""
        if self._last_ns is None:
            return
        if now_ns - self._last_ns > max(LONG_GAP_NS, LONG_GAP_TICKS * self._tick_ns):
            self._lost = self.transport.playing
            self._lost_ns = self._last_ns
            self._last_ns = None
            self._fitted = 0
            self._publish(playing=False, jump=self.transport.playing)

    def _tick(self, time_ns: int) -> None:
        if self._armed and abs(time_ns - self._next_ns) > self._gate_ns():
            # Many sources begin a new phase with Start: this tick is the reference, not the old.
            self._fitted = 0
        lost_ticks = self._fit(time_ns)
        playing = self.transport.playing
        if self._armed:
            self._armed = self._lost = False
            self._publish(playing=True, jump=True)
        elif self._lost and time_ns - self._lost_ns < RESUME_WITHIN_NS:
            # The source came back without a word: go on where it would be by now.
            self._lost = False
            self._next_tick = round(self.transport.timeline.beats_at(time_ns) * TICKS_PER_BEAT)
            self._publish(playing=True, jump=True)
        elif playing:
            self._next_tick += lost_ticks
            self._publish(playing=True, jump=False)
        else:
            self._publish(playing=False, jump=False)
            return
        self._next_tick += 1

    def _publish(self, *, playing: bool, jump: bool) -> None:
        """Publish the line through the tick just fitted, whose position is ``_next_tick``."""
        old = self.transport
        beats = self._next_tick / TICKS_PER_BEAT
        if playing or not old.playing:
            origin_ns = round(self._next_ns - self._tick_ns)
            timeline = Timeline(origin_ns, beats, self._tick_ns * TICKS_PER_BEAT)
        else:
            timeline = old.timeline
        self.transport = Transport(
            timeline,
            playing,
            self._fitted >= LOCK_TICKS,
            old.jumps + jump,
            beats if jump else old.start_beats,
        )

    def _fit(self, time_ns: int) -> int:
        """Run the loop on one tick; return how many were lost before it, -1 if it is no tick."""
        last_ns, self._last_ns = self._last_ns, time_ns
        if last_ns is None or self._fitted == 0:
            self._acquiring = True
            self._restart(time_ns, fitted=1)
            return 0
        interval_ns = time_ns - last_ns
        error_ns = time_ns - self._next_ns
        too_soon = interval_ns < min(MIN_TICK_NS, self._tick_ns / 4)
        if too_soon and (self._overdue or error_ns < -self._tick_ns / 2):
            return self._bunched(last_ns)
        if self._fitted == 1:
            if MIN_TICK_NS <= interval_ns <= MAX_TICK_NS:
                self._tick_ns = float(interval_ns)
            self._restart(time_ns, fitted=2)
            return 0
        if abs(error_ns) > self._gate_ns():
            self._strays += 1
            if self._strays > 1 and not self._may_be_lost_again(interval_ns):
                return self._snap(time_ns, interval_ns, error_ns, self._gap_ns)
            # One stray tick says nothing yet: ride on, and judge by the next.
            if self._strays == 1:
                self._gap_ns = interval_ns
                self._overdue = max(round(error_ns / self._tick_ns), 0)
            self._next_ns += self._tick_ns
            return 0
        self._strays = 0
        self._overdue = 0
        self._error_ns += (abs(error_ns) - self._error_ns) / 32
        n = self._fitted = min(self._fitted + 1, MEMORY_TICKS)
        self._acquiring = self._acquiring and n < LOCK_TICKS
        self._next_ns += self._tick_ns + error_ns * 2 * (2 * n - 1) / (n * (n + 1))
        self._tick_ns += error_ns * 6 / (n * (n + 1))
        self._next_ns += error_ns * 6 / (n * (n + 1))
        return 0

    def _bunched(self, last_ns: int) -> int:
        """Take a tick that comes too soon after the one at ``last_ns`` for any tempo."""
        if self._overdue:
            # Held up with the tick before it, and delivered in one burst.
            self._overdue -= 1
            self._next_ns += self._tick_ns
            return 0
        # JACK hands a stale buffer over once more when the program upstream misses its cycle.
        self._last_ns = last_ns
        return -1

    def _may_be_lost_again(self, interval_ns: int) -> bool:
        """Whether a second gap, of whole ticks too, is more likely than half the tempo."""
        ticks = interval_ns / self._tick_ns
        return self._strays == 2 and self._fitted >= LOCK_TICKS and ticks > 1.5 and _whole(ticks)

    def _gate_ns(self) -> float:
        """How far a tick may stray before it is taken for a drop-out or a tempo jump.

        Six times the mean error that this clock shows, at least 1 ms; never more than half a
        tick, beyond which a tick would be mistaken for its neighbour. Less than half of the very
        first interval, which must not be taken for the tempo when it is twice too long.
        """
        if self._acquiring and self._fitted == 2:
            return 0.4 * self._tick_ns
        settled = self._error_ns if self._fitted >= LOCK_TICKS else self._tick_ns
        return min(max(6 * settled, 1.0 * NS_PER_MS), self._tick_ns / 2)

    def _snap(self, time_ns: int, interval_ns: int, error_ns: float, gap_ns: int) -> int:
        """Two strays in a row: after a gap ticks were lost; else the tempo or the phase jumped."""
        tick_ns = self._tick_ns
        gap = gap_ns > 1.5 * tick_ns and tick_ns / 2 < interval_ns < (gap_ns + tick_ns) / 2
        if gap and self._fitted >= LOCK_TICKS:
            late_ticks = (error_ns - (interval_ns - tick_ns) / 2) / tick_ns
            self._restart(time_ns, fitted=LOCK_TICKS)
            # Lost ticks leave a gap of whole ticks; a source that stood still for a while does not.
            part = abs(late_ticks - round(late_ticks))
            return max(math.floor(late_ticks) if part > STOOD_STILL else round(late_ticks), 0)
        lost = round(error_ns / tick_ns)
        if self._acquiring and lost > 0 and _whole(error_ns / tick_ns, interval_ns / tick_ns):
            self._restart(time_ns, fitted=self._fitted)
            return lost
        # Where only one interval was known, it may itself have been the gap.
        first_gap = tick_ns / interval_ns
        only_known = self._acquiring and self._fitted == 2
        lost = round(first_gap) - 1 if only_known and _whole(first_gap, tick_ns / gap_ns) else 0
        if MIN_TICK_NS <= interval_ns <= MAX_TICK_NS:
            self._tick_ns = float(interval_ns)
        self._restart(time_ns, fitted=2)
        return lost

    def _restart(self, time_ns: int, fitted: int) -> None:
        self._next_ns = time_ns + self._tick_ns
        self._fitted = fitted
        self._strays = 0
        self._overdue = 0


def _whole(*ratios: float) -> bool:
    """Return whether all are whole numbers of ticks, as they are when ticks are lost."""
    return all(abs(ratio - round(ratio)) < WHOLE_WITHIN for ratio in ratios)
