"""Whose clock counts, where several programs send one."""

from __future__ import annotations

from typing import Final

from livevae.clock.follower import CLOCK, RESUME_WITHIN_NS

SILENT_NS: Final = RESUME_WITHIN_NS
"""A source that has sent no clock for so long may be replaced: the follower has let go of it."""


class ClockSources:
    """Chooses the source to follow: the configured one, else the first that sends clock.

    A configured source that is absent is waited for: on stage, drums that stop with their clock
    are a smaller surprise than drums that go on in another machine's song. Without one, the source
    that is followed stays so until its clock has been silent for ``SILENT_NS``; as long as none
    sends clock, the transport of all counts.
    """

    def __init__(self, configured: str = "") -> None:
        """Follow ``configured`` alone, or, with the empty string, the first that sends clock."""
        self.followed = configured
        self._configured = bool(configured)
        self._clock_ns: dict[str, int] = {}

    def counts(self, time_ns: int, status: int, source: str) -> bool:
        """Return whether to follow a clock or transport message that came in at ``time_ns``."""
        free = not self._configured and not self._sends(self.followed, time_ns)
        if status == CLOCK:
            self._clock_ns[source] = time_ns
            if free:
                self.followed = source
        return free or source == self.followed

    def others(self, now_ns: int) -> list[str]:
        """Return the sources that send clock at ``now_ns`` and are not followed."""
        return [
            source
            for source in self._clock_ns
            if source != self.followed and self._sends(source, now_ns)
        ]

    def _sends(self, source: str, now_ns: int) -> bool:
        last_ns = self._clock_ns.get(source)
        return last_ns is not None and now_ns - last_ns <= SILENT_NS
