"""Undo and redo: the beats that the hands have left, and how to go back to them."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Final

from livevae.parameters import BEAT

DEPTH: Final = 64
REST_BEATS: Final = 0.5
"""A hand that has moved nothing for so long has come to rest: what it did is one step."""

Values = Mapping[str, float]


class History:
    """Values of the controls of ``parameters.BEAT``, each time the hands came to rest.

    State: the values at the last rest (``_present``), those before it and those undone, the
    latest last (``_past``, ``_undone``), and when a control moved last, if one has since then.
    """

    def __init__(self, values: Values) -> None:
        """Begin with ``values``: further back nobody can go."""
        self._present = _beat(values)
        self._past: deque[Values] = deque(maxlen=DEPTH)
        self._undone: list[Values] = []
        self._moved_ns: int | None = None

    def moved(self, now_ns: int) -> None:
        """Note that a hand has moved a control."""
        self._moved_ns = now_ns

    def look(self, values: Values, now_ns: int, beat_ns: float) -> None:
        """See whether the hands have come to rest, ``beat_ns`` being the length of a beat."""
        if self._moved_ns is not None and now_ns - self._moved_ns >= REST_BEATS * beat_ns:
            self.rest(values)

    def rest(self, values: Values) -> None:
        """Make what was moved since the last rest one step; what was undone is then forgotten."""
        self._moved_ns = None
        beat = _beat(values)
        if beat != self._present:
            self._past.append(self._present)
            self._present = beat
            self._undone.clear()

    def undo(self, values: Values) -> Values:
        """Return the values before the last step; those there are, when there is none."""
        self.rest(values)
        if self._past:
            self._undone.append(self._present)
            self._present = self._past.pop()
        return self._present

    def redo(self, values: Values) -> Values:
        """Return the values before the last undo; those there are, when there is none."""
        self.rest(values)
        if self._undone:
            self._past.append(self._present)
            self._present = self._undone.pop()
        return self._present


def _beat(values: Values) -> Values:
    return {name: values[name] for name in BEAT}
