"""A shift in time that may change while the music plays."""

from __future__ import annotations

from typing import Final

GLIDE: Final = 0.05
"""How fast a delay moves: by at most 50 ms in a second. What is played meanwhile is stretched or
squeezed by a twentieth, as if a hand slowed the record; a jump would be heard as a wrong step."""


class Delay:
    """A delay that glides to where it is told, so that no note is doubled, lost or bunched."""

    def __init__(self, ns: int, now_ns: int) -> None:
        """Begin with ``ns`` nanoseconds, positive is later."""
        self.ns = ns
        self._moved_ns = now_ns

    def move(self, target_ns: int, now_ns: int, *, sounding: bool) -> int:
        """Go towards ``target_ns``, at once if nothing is ``sounding``; return the delay now."""
        reach_ns = (
            round((now_ns - self._moved_ns) * GLIDE) if sounding else abs(target_ns - self.ns)
        )
        self._moved_ns = now_ns
        self.ns += min(max(target_ns - self.ns, -reach_ns), reach_ns)
        return self.ns
