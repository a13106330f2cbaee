"""One bar of the song: what it plays, of which a part may still change."""

from __future__ import annotations

import math
from typing import Final, Literal

import msgspec

from livevae.pattern.pattern import STEPS_PER_BAR, Pattern, empty
from livevae.pattern.render import Feel, Hit, render

Source = Literal["exact", "grid", "held", "missed"]
SOURCES: Final[tuple[Source, ...]] = ("exact", "grid", "held", "missed")
"""Where what a bar plays came from, the best first."""


class Choice(msgspec.Struct, frozen=True, eq=False):
    """A pattern to play, and where it came from; ``feel`` if it is to be played as it was."""

    pattern: Pattern
    source: Source
    feel: Feel | None = None


class Bar:
    """A bar being played or about to be. The choice for its steps before ``decided`` stands.

    ``ahead`` are the hits not yet taken, in the order in which they sound.
    """

    def __init__(self, number: int, choice: Choice, feel: Feel, seed: int) -> None:
        """Render bar ``number`` of the song from ``choice``."""
        self.number = number
        self.start = number * STEPS_PER_BAR
        self.decided = 0
        self.counted: Source | None = None
        self.hits: list[Hit] = []
        self.ahead: list[Hit] = []
        self.played: set[tuple[int, int]] = set()
        self._cells = empty(1)
        self._seed = seed
        self.update(choice, feel)

    def decide(self, reached: float) -> bool:
        """Let what was chosen stand up to the step ``reached``; return whether that is news."""
        if not self.decided <= reached or self.decided >= STEPS_PER_BAR:
            return False
        self.decided = min(math.floor(reached) + 1, STEPS_PER_BAR)
        return True

    def update(self, choice: Choice, feel: Feel) -> None:
        """Play ``choice`` from the first step not decided, and all that is ahead with ``feel``.

        ``owed`` are the cells whose hits lay ahead before: they must not be lost by moving back.
        """
        self.owed = {(hit.step, hit.voice) for hit in self.ahead}
        self.choice = choice
        self.feel = feel
        first = (self.start + self.decided) % len(choice.pattern)
        rest = STEPS_PER_BAR - self.decided
        self._cells[self.decided :] = choice.pattern[first : first + rest]
        self.hits = render(self._cells, choice.feel or feel, self.number, self._seed)
        self.ahead = [hit for hit in self.hits if (hit.step, hit.voice) not in self.played]

    def again(self) -> Choice:
        """Return what plays this bar once more: its rows, with its feel."""
        feel = self.choice.feel or self.feel
        return Choice(self._cells.copy(), self.choice.source, feel)
