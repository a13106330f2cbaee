"""From one position to another over some bars of the song."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from livevae.pattern.pattern import STEPS_PER_BAR


class Morph(msgspec.Struct, frozen=True):
    """A way from the values of some controls to others, begun on a step of the song.

    It is a function of the song's position, so it follows loops, seeks and tempo. ``begins`` is
    the step where nothing has moved yet; ``bars`` later all is at its goal.
    """

    start: Mapping[str, float]
    goal: Mapping[str, float]
    begins: float
    bars: float

    def at(self, step: float) -> dict[str, float]:
        """Return the values of the goal's controls for what is heard from ``step`` on.

        To be asked for the step of the next change, so that each boundary of ``change.quantize``
        has one position; a control that has no start is at its goal.
        """
        way = self._way(step)
        return {
            name: goal + (1 - way) * (self.start.get(name, goal) - goal)
            for name, goal in self.goal.items()
        }

    def done(self, step: float) -> bool:
        """Return whether the goal is reached on ``step``."""
        return self._way(step) >= 1

    def _way(self, step: float) -> float:
        if self.bars <= 0:
            return 1.0
        return min(max((step - self.begins) / (self.bars * STEPS_PER_BAR), 0.0), 1.0)
