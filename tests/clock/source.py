"""A scripted sender of MIDI clock, and the truth about where its song is."""

from collections.abc import Iterator

import numpy as np

from livevae.clock.follower import CLOCK, CONTINUE, START, STOP, MidiClockFollower
from livevae.clock.timeline import NS_PER_MINUTE, NS_PER_MS
from tests.clock.checker import TimelineChecker

TICKS_PER_BEAT = 24


class Source:
    """Plays a DAW to a follower: ticks at true times, received with jitter, polled in between."""

    def __init__(self, bpm: float = 120.0, jitter_ms: float = 0.0, seed: int = 0) -> None:
        """Stand at 1 s on the port's clock; the first tick will fall there."""
        self.follower = MidiClockFollower()
        self.checker: TimelineChecker | None = None
        self.next_ns = 1e9
        self.bpm = bpm
        self.ticks_played = 0
        self.rolling = False
        self.received_ns = 0
        self._jitter_ms = jitter_ms
        self._rng = np.random.default_rng(seed)

    @property
    def tick_ns(self) -> float:
        """The true time from one tick to the next."""
        return NS_PER_MINUTE / self.bpm / TICKS_PER_BEAT

    @property
    def now_ns(self) -> int:
        """When the latest tick was truly sent."""
        return round(self.next_ns - self.tick_ns)

    @property
    def beats(self) -> float:
        """The true position of the latest tick."""
        return (self.ticks_played - 1) / TICKS_PER_BEAT

    @property
    def error_ms(self) -> float:
        """How much the follower's position is late against the truth, at the latest tick."""
        timeline = self.follower.transport.timeline
        return (timeline.time_at(self.beats) - self.now_ns) / NS_PER_MS

    def send(self, *message: int) -> None:
        """Send a message that is no tick, just before the next tick."""
        if message[0] in (START, CONTINUE):
            self.rolling = True
        if message[0] == START:
            self.ticks_played = 0
        if message[0] == STOP:
            self.rolling = False
        self.follower.receive(round(self.next_ns) - NS_PER_MS, bytes(message))

    def ticks(self, count: int, lost: bool = False) -> Iterator[int]:
        """Send ticks and yield the time of each; lost ones are sent but never received."""
        for _ in range(count):
            sent_ns = self.next_ns
            jitter = self._rng.normal(0, self._jitter_ms * NS_PER_MS) if self._jitter_ms else 0.0
            if not lost:
                self.received_ns = max(round(sent_ns + jitter), self.received_ns)
                self.follower.receive(self.received_ns, bytes((CLOCK,)))
            self.ticks_played += self.rolling
            self.next_ns += self.tick_ns
            yield round(sent_ns)
            for now_ns in np.linspace(sent_ns, self.next_ns, 4, endpoint=False).round():
                self.follower.poll(int(now_ns))
                if self.checker is not None:
                    self.checker.look(self.follower.transport, int(now_ns))

    def run(self, count: int, lost: bool = False) -> None:
        """Send ``count`` ticks."""
        for _ in self.ticks(count, lost):
            pass

    def silence(self, seconds: float) -> None:
        """Send nothing at all; the song goes on inside the source if it was rolling."""
        until_ns = self.next_ns + seconds * 1e9
        while self.next_ns < until_ns:
            self.run(1, lost=True)
