"""LiveVAE's own clock: a steady tempo that can be changed without a jump in position."""

from __future__ import annotations

from livevae.clock.timeline import Timeline, Transport


class InternalClock:
    """A clock source that runs at the tempo it is told."""

    def __init__(self, bpm: float, now_ns: int) -> None:
        """Stand still at beat 0, ready to run at ``bpm``."""
        self.transport = Transport(Timeline.at_tempo(bpm, now_ns), locked=True)

    def start(self, now_ns: int) -> None:
        """Play from beat 0, which falls on ``now_ns``."""
        timeline = Timeline.at_tempo(self.transport.timeline.bpm, now_ns)
        jumps = self.transport.jumps + 1
        self.transport = Transport(timeline, playing=True, locked=True, jumps=jumps)

    def stop(self) -> None:
        """Stop playing."""
        timeline, jumps = self.transport.timeline, self.transport.jumps + 1
        self.transport = Transport(timeline, playing=False, locked=True, jumps=jumps)

    def set_tempo(self, bpm: float, now_ns: int) -> None:
        """Go on from the present position at ``bpm``."""
        old = self.transport
        timeline = Timeline.at_tempo(bpm, now_ns, old.timeline.beats_at(now_ns))
        self.transport = Transport(timeline, old.playing, True, old.jumps, old.start_beats)
