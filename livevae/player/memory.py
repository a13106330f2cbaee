"""What has been and shall be again: undo, redo, and the way to a scene."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from livevae.parameters import POSITION
from livevae.player.history import History
from livevae.player.morph import Morph
from livevae.player.performance import Performance

Change = tuple[str, float]
"""A control and its new float."""
Scenes = tuple[tuple[Change, ...], ...]
"""What each scene with a number sets, the first being number 1."""


class Memory:
    """Remembers the performance, and moves it to where somebody wants it back.

    State: the steps of undo (``_history``), and the way the position is on (``_morph``), which is
    one such step from end to end.
    """

    def __init__(self, performance: Performance) -> None:
        """Remember ``performance`` as it is."""
        self._performance = performance
        self._history = History(performance.values)
        self._morph: Morph | None = None

    def moved(self, name: str, now_ns: int) -> None:
        """Note that a hand has moved a control: a position on its way is then the hand's."""
        self._history.moved(now_ns)
        if self._morph is not None and name in self._morph.goal:
            self._morph = None

    def look(self, now_ns: int, beat_ns: float) -> None:
        """See whether the hands have come to rest, ``beat_ns`` being the length of a beat."""
        if self._morph is None:
            self._history.look(self._performance.values, now_ns, beat_ns)

    def undo(self) -> None:
        """Go back to the beat before the last change."""
        self._morph = None
        self._set(self._history.undo(self._performance.values))

    def redo(self) -> None:
        """Take the last undo back."""
        self._morph = None
        self._set(self._history.redo(self._performance.values))

    def begin_step(self) -> None:
        """Let what the hands have done so far be a step of its own."""
        self._morph = None
        self._history.rest(self._performance.values)

    def end_step(self, changes: Sequence[Change], begins: float, bars: float) -> None:
        """Make what has changed since ``begin_step`` one step, with the way to a position.

        Args:
            changes: what else is to change.
            begins: the step of the song from which on.
            bars: how long it takes; 0 is at once.
        """
        goal = {name: number for name, number in changes if name in POSITION}
        start = {name: self._performance.values[name] for name in goal}
        self._morph = Morph(start, goal, begins, bars)
        self.go_on(begins)

    def go_on(self, step: float) -> None:
        """Move the position to where it is to be for what is heard from ``step`` on."""
        if self._morph is not None:
            self._set(self._morph.at(step))
            if self._morph.done(step):
                self.arrive()

    def arrive(self) -> None:
        """Be at the goal at once: the song has jumped."""
        if self._morph is not None:
            self._set(self._morph.goal)
            self._morph = None
            self._history.rest(self._performance.values)

    def _set(self, values: Mapping[str, float]) -> None:
        for name, number in values.items():
            self._performance.set(name, number)
