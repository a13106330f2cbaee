"""Messages that wait for their time, handed out to the thread that sends them, on time."""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections.abc import Callable
from typing import Final

from livevae.midi.ports import SYSTEM
from livevae.midi.realtime import sleep_until

NAP_NS: Final = 1_000_000
"""The last of a wait is slept to an absolute time, deaf to the player, who sends well ahead: what
it sends too late to be ahead may wait so much longer."""
SPIN_NS: Final = 150_000
"""The very last is spun away: to wake up and to get hold of Python takes so long."""


class Outbox:
    """A queue by time; ``next_due`` is for one thread, everything else for any."""

    def __init__(
        self,
        clock: Callable[[], int] = time.perf_counter_ns,
        sleep: Callable[[int], None] = sleep_until,
    ) -> None:
        """Be empty; ``clock`` tells the present and ``sleep`` waits for a time of it."""
        self._clock = clock
        self._sleep = sleep
        self._changed = threading.Condition()
        self._heap: list[tuple[int, int, bytes]] = []
        self._order = itertools.count()

    def __len__(self) -> int:
        return len(self._heap)

    def send(self, time_ns: int, message: bytes) -> None:
        """Queue ``message``; those of one time stay in the order of the calls."""
        queued = (time_ns, next(self._order), message)
        with self._changed:
            heapq.heappush(self._heap, queued)
            if self._heap[0] is queued:
                self._changed.notify()

    def cancel(self, after_ns: int) -> None:
        """Drop what is queued for later than ``after_ns``, system messages excepted."""
        with self._changed:
            self._heap = [q for q in self._heap if q[0] <= after_ns or q[2][0] >= SYSTEM]
            heapq.heapify(self._heap)

    def wake(self) -> None:
        """Let ``next_due`` return."""
        with self._changed:
            self._changed.notify()

    def next_due(self) -> tuple[int, bytes] | None:
        """Wait for the first message to be due; return how late it is, in nanoseconds, and it.

        Returns None, to be called again, if the queue has changed or the message is still far off.
        """
        with self._changed:
            ahead_ns = self._ahead_ns()
            if ahead_ns is None or ahead_ns > NAP_NS:
                self._changed.wait(None if ahead_ns is None else (ahead_ns - NAP_NS) / 1e9)
                return None
            due_ns = self._heap[0][0]
        if ahead_ns > 0:
            self._sleep(due_ns - SPIN_NS)
            while self._clock() < due_ns:
                pass
        with self._changed:
            ahead_ns = self._ahead_ns()
            if ahead_ns is None or ahead_ns > 0:
                return None
            return -ahead_ns, heapq.heappop(self._heap)[2]

    def _ahead_ns(self) -> int | None:
        """Return how far off the first message is; None where there is none."""
        return self._heap[0][0] - self._clock() if self._heap else None
