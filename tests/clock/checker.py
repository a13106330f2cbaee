"""Watches what a clock source publishes, as a player does: what may never happen to a Timeline."""

import math

from livevae.clock.timeline import Transport

STEPS_PER_BEAT = 4


class TimelineChecker:
    """Looks at a transport as time passes.

    While it plays, the position never steps back or ahead by more than ``slack_beats`` from what
    the tempo explains, it never stalls, and every 16th step falls due exactly once.
    """

    def __init__(self, slack_beats: float = 1 / 48) -> None:
        """Allow corrections of phase of up to half a clock tick."""
        self.slack_beats = slack_beats
        self.steps: list[int] = []
        self._last: tuple[int, float] | None = None
        self._jumps: int | None = None
        self._cursor: float | None = None

    def look(self, transport: Transport, now_ns: int) -> None:
        """Check the transport as it stands at ``now_ns``."""
        position = transport.timeline.beats_at(now_ns)
        jumped = self._jumps is not None and transport.jumps != self._jumps
        self._jumps = transport.jumps
        if jumped or not transport.playing:
            self._last = None
            self._cursor = transport.start_beats * STEPS_PER_BEAT
            self.steps.clear()
        if not transport.playing:
            return
        if self._cursor is None:
            self._cursor = position * STEPS_PER_BEAT  # it was playing when we came
        if self._last is not None:
            last_ns, last_position = self._last
            elapsed = (now_ns - last_ns) / transport.timeline.beat_ns
            surprise = position - last_position - elapsed
            assert abs(surprise) <= self.slack_beats, f"jumped by {surprise} beats at {now_ns}"
        self._last = (now_ns, position)
        self._pass_steps(position * STEPS_PER_BEAT)

    def _pass_steps(self, horizon: float) -> None:
        due = range(math.ceil(self._cursor), math.ceil(horizon))
        assert not self.steps or not due or due[0] == self.steps[-1] + 1, "a step lost or twice"
        assert len(due) <= 2, f"a burst of {len(due)} steps"
        self.steps += due
        self._cursor = max(self._cursor, horizon)
