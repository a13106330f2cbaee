"""Timeline: a frozen, pure map between nanoseconds and musical position in beats."""

from __future__ import annotations

from typing import Final

import msgspec

NS_PER_MINUTE: Final = 60_000_000_000
NS_PER_MS: Final = 1_000_000
NEVER_NS: Final = 1 << 62


class Timeline(msgspec.Struct, frozen=True):
    """A straight line through ``(origin_ns, origin_beats)`` with a slope of ``beat_ns`` a beat.

    Times are integer nanoseconds of the port's clock; positions are beats (quarter notes) from
    the start of the song. The map is a bijection up to the rounding of one nanosecond.
    """

    origin_ns: int
    origin_beats: float
    beat_ns: float

    @classmethod
    def at_tempo(cls, bpm: float, origin_ns: int, origin_beats: float = 0.0) -> Timeline:
        """Return the Timeline of a steady tempo through one known point."""
        return cls(origin_ns, origin_beats, NS_PER_MINUTE / bpm)

    @property
    def bpm(self) -> float:
        """The tempo in beats a minute."""
        return NS_PER_MINUTE / self.beat_ns

    def beats_at(self, time_ns: int) -> float:
        """Return the position at ``time_ns``."""
        return self.origin_beats + (time_ns - self.origin_ns) / self.beat_ns

    def time_at(self, beats: float) -> int:
        """Return the time at which ``beats`` is reached."""
        return self.origin_ns + round((beats - self.origin_beats) * self.beat_ns)

    def delayed(self, delay_ns: int) -> Timeline:
        """Return the same line, reached ``delay_ns`` later (earlier when negative)."""
        return Timeline(self.origin_ns + delay_ns, self.origin_beats, self.beat_ns)


class Transport(msgspec.Struct, frozen=True):
    """What a clock source publishes.

    ``jumps`` grows whenever the position is not a continuation of the one before (start, stop,
    seek); ``start_beats`` is where playing went on after the last jump. Tempo changes are no
    jumps: they only bend the line.
    """

    timeline: Timeline
    playing: bool = False
    locked: bool = False
    jumps: int = 0
    start_beats: float = 0.0
