"""What the live ports share: what came in, who waits for it, how late things went out."""

from __future__ import annotations

import contextlib
import threading
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Sequence
from typing import Final

from livevae.midi.ports import Received

_LATENESS_KEPT: Final = 1024


class LivePort(ABC):
    """A port whose input comes from another thread, which only appends to a deque."""

    def __init__(self) -> None:
        """Have nothing received, nothing sent, nothing wrong."""
        self._incoming: deque[Received] = deque()
        self._asleep = threading.Lock()
        self._asleep.acquire()  # held while nothing has happened; half the cost of an Event
        self._lateness: deque[int] = deque(maxlen=_LATENESS_KEPT)
        self._fault = ""

    @abstractmethod
    def now_ns(self) -> int:
        """Return the present in this port's clock."""

    def receive(self) -> Received | None:
        """Return the next message that came in, or None."""
        return self._incoming.popleft() if self._incoming else None

    def wait(self, until_ns: int) -> None:
        """Sleep until ``until_ns`` or the next input."""
        self._asleep.acquire(timeout=max(until_ns - self.now_ns(), 0) / 1e9)

    def wake(self) -> None:
        """End ``wait``, or the next one."""
        with contextlib.suppress(RuntimeError):  # it has been ended already
            self._asleep.release()

    def lateness_ns(self) -> Sequence[int]:
        """Return by how much the latest messages went out after their time."""
        return tuple(self._lateness)

    def fault(self) -> str:
        """Return why the port can no longer be used, or the empty string."""
        return self._fault
