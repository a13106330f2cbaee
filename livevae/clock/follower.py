"""Follows 24 PPQN MIDI clock and publishes Timelines.

``TickLoop`` finds tempo and phase; the song position counts its ticks as the MIDI 1.0 text says:
the first F8 after Start or Continue *is* the position, Start is Song Position 0 and Continue, and
clock while stopped only keeps the tempo.
"""

from __future__ import annotations

from typing import Final

from livevae.clock.loop import TickLoop
from livevae.clock.timeline import NS_PER_MS, Timeline, Transport

TICKS_PER_BEAT: Final = 24
TICKS_PER_SIXTEENTH: Final = 6

CLOCK, START, CONTINUE, STOP, SONG_POSITION = 0xF8, 0xFA, 0xFB, 0xFC, 0xF2

RESUME_WITHIN_NS: Final = 2_000 * NS_PER_MS
"""A source that comes back without a word is taken up again within this time, as after a bad
cable; later it may be a stopped sequencer's clock."""
LONG_GAP_NS: Final = 250 * NS_PER_MS
LONG_GAP_TICKS: Final = 4


class MidiClockFollower:
    """A clock source driven by the real-time messages of one MIDI clock.

    State: the loop, the song position of the next tick (``_next_tick``), and what the last message
    asked for (``_armed``).
    """

    def __init__(self, now_ns: int = 0, bpm: float = 120.0) -> None:
        """Wait for clock; ``bpm`` is assumed until two ticks have told the tempo."""
        self.transport = Transport(Timeline.at_tempo(bpm, now_ns))
        self._loop = TickLoop(self.transport.timeline.beat_ns / TICKS_PER_BEAT)
        self._next_tick = 0
        self._last_ns: int | None = None
        self._armed = False
        self._lost = False
        self._lost_ns = now_ns

    @property
    def alive(self) -> bool:
        """Whether clock is coming in."""
        return self._last_ns is not None

    def receive(self, time_ns: int, message: bytes) -> None:
        """Take one whole message that came in at ``time_ns``; others than clock are ignored."""
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
        elif status == SONG_POSITION:
            self._seek((message[1] | message[2] << 7) * TICKS_PER_SIXTEENTH)

    def _seek(self, tick: int) -> None:
        """Let the next tick be ``tick``; a source may as well say where it is already."""
        if tick != self._next_tick:
            self._next_tick = tick
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
        if now_ns - self._last_ns > max(LONG_GAP_NS, LONG_GAP_TICKS * self._loop.tick_ns):
            self._lost = self.transport.playing
            self._lost_ns = self._last_ns
            self._last_ns = None
            self._loop.lose()
            self._publish(playing=False, jump=self.transport.playing)

    def _tick(self, time_ns: int) -> None:
        self._last_ns = time_ns
        if self._armed:
            # Many sources begin a new phase with Start: this tick is the reference, not the old.
            self._loop.begin(time_ns)
        ticks = self._loop.hear(time_ns)
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
            self._next_tick += ticks - 1
            self._publish(playing=True, jump=False)
        else:
            self._publish(playing=False, jump=False)
            return
        self._next_tick += 1

    def _publish(self, *, playing: bool, jump: bool) -> None:
        """Publish the line through the tick just heard, whose position is ``_next_tick``."""
        old = self.transport
        beats = self._next_tick / TICKS_PER_BEAT
        if playing or not old.playing:
            loop = self._loop
            timeline = Timeline(round(loop.at_ns), beats, loop.tick_ns * TICKS_PER_BEAT)
        else:
            timeline = old.timeline
        start_beats = beats if jump else old.start_beats
        self.transport = Transport(
            timeline, playing, self._loop.locked, old.jumps + jump, start_beats
        )
