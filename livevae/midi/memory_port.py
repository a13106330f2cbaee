"""The memory port: the same player code with no clock but the caller's, for offline rendering."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from livevae.midi.ports import SYSTEM, Connections, Received


class MemoryPort:
    """A MIDI port whose time is set by hand and whose output is a list."""

    def __init__(self, lead_ns: int = 10_000_000, clock_source: str = "") -> None:
        """Stand at time 0 with nothing received and nothing sent."""
        self.name = "memory"
        self.lead_ns = lead_ns
        self.clock_source = clock_source
        self.time_ns = 0
        self.incoming: deque[Received] = deque()
        self._outgoing: list[tuple[int, int, bytes]] = []

    def now_ns(self) -> int:
        """Return the time that ``advance`` has set."""
        return self.time_ns

    def advance(self, time_ns: int) -> None:
        """Move time on to ``time_ns``."""
        self.time_ns = time_ns

    def feed(self, time_ns: int, message: bytes, source: str = "memory") -> None:
        """Let ``message`` come in at ``time_ns`` from ``source``."""
        self.incoming.append((time_ns, message, source))

    def receive(self) -> Received | None:
        """Return the next message that has come in by now."""
        if self.incoming and self.incoming[0][0] <= self.time_ns:
            return self.incoming.popleft()
        return None

    def send(self, time_ns: int, message: bytes) -> None:
        """Note the message at its time, or now if that has passed."""
        self._outgoing.append((max(time_ns, self.time_ns), time_ns, message))

    def cancel(self, after_ns: int) -> None:
        """Forget what lies after ``after_ns``, system messages excepted."""
        self._outgoing = [
            event for event in self._outgoing if event[0] <= after_ns or event[2][0] >= SYSTEM
        ]

    def sent(self) -> list[tuple[int, bytes]]:
        """Return everything sent so far in the order of its time; what was late, in its order."""
        ordered = sorted(self._outgoing, key=lambda event: event[:2])
        return [(sent_ns, message) for sent_ns, _, message in ordered]

    def wait(self, until_ns: int) -> None:
        """Let no time pass: it is the caller's."""

    def wake(self) -> None:
        """Nobody waits."""

    def lateness_ns(self) -> Sequence[int]:
        """Return nothing: no message is ever late."""
        return ()

    def connections(self) -> Connections:
        """Return no connections."""
        return Connections()

    def programs(self, source: str) -> tuple[str, ...]:
        """Return the source itself."""
        return (source,)

    def fault(self) -> str:
        """Return no fault."""
        return ""

    def close(self) -> None:
        """Keep what was sent."""
