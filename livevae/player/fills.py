"""When there is a fill: pressed, held, or at the end of every so many bars."""

from __future__ import annotations

from livevae.pattern.pattern import STEPS_PER_BAR


class Fills:
    """Says on which steps of the song there is a fill, and on which ones a fill ends.

    A fill goes on to a bar line, and ends in a crash on it. State: what the performer wants
    (``held``, ``every`` bars or 0, ``length`` in steps, ``_pressed``), and the steps of the fill
    that was begun by hand last (``_from``, ``_until``); ``_start`` is where playing began.
    """

    def __init__(self) -> None:
        """Have none."""
        self.held = False
        self.every = 0
        self.length = STEPS_PER_BAR
        self._pressed = False
        self._start = 0.0
        self._from = self._until = 0

    def press(self) -> None:
        """Begin a fill on the next step."""
        self._pressed = True

    def jump(self, step: float) -> None:
        """Go on from ``step`` of the song, with no fill behind it; forget what was pressed."""
        self._pressed = False
        self._start = step
        self._from = self._until = 0

    def begin(self, step: int) -> None:
        """Begin on ``step``, the first that can still change, what was pressed or is held."""
        if self._pressed or self.held:
            if step > self._until:
                self._from = step
            self._until = _next_line(step)
        self._pressed = False

    def fills(self, step: int) -> bool:
        """Return whether there is a fill on ``step``."""
        by_hand = self._from <= step < self._until or (self.held and step >= self._until > 0)
        return by_hand or self._by_itself(step)

    def ends(self, step: int) -> bool:
        """Return whether ``step`` is the one on which a fill ends."""
        heard = step - 1 >= self._start and self.fills(step - 1)
        return step % STEPS_PER_BAR == 0 and heard and not self.fills(step)

    def _by_itself(self, step: int) -> bool:
        bar, place = divmod(step, STEPS_PER_BAR)
        last = self.every > 0 and bar % self.every == self.every - 1
        return last and place >= STEPS_PER_BAR - self.length


def _next_line(step: int) -> int:
    return (step // STEPS_PER_BAR + 1) * STEPS_PER_BAR
