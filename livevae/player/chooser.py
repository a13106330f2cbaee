"""What to ask the decoder for, and what to play of what the bank then holds."""

from __future__ import annotations

from typing import Final

from livevae.clock.timeline import NS_PER_MS
from livevae.decoder.bank import Bank, Position
from livevae.pattern.pattern import STEPS_PER_BAR, empty
from livevae.player.bar import Choice

SETTLE_NS: Final = 20 * NS_PER_MS
"""So long before something else can be played the hand is read for it, to leave the decoder time.
What a moving hand is at later is for the next change."""


class Chooser:
    """Asks for the exact pattern where the hand is; takes that, or the nearest there is.

    State: the position asked for last (``_wanted``) and for which change of the song
    (``_change``), what was chosen for it (``_choice``), whether
    that is exact, so that nothing better can come (``_settled``), else what the bank then held
    (``_news``).
    """

    def __init__(self, bank: Bank) -> None:
        """Have asked for nothing."""
        self._bank = bank
        self._wanted: Position | None = None
        self._change = 0.0
        self._choice = Choice(empty(bank.shape.steps // STEPS_PER_BAR), "held")
        self._settled = False
        self._news: object = None

    def want(self, position: Position, change: float = 0.0, left_ns: int = SETTLE_NS) -> None:
        """Ask for the pattern at ``position``, unless that is what was asked for last.

        Args:
            position: where the hand is.
            change: the step of the song from which on it can be heard.
            left_ns: until that has to be decided. Short of ``SETTLE_NS`` only the first call for
                a change asks.
        """
        if change == self._change and left_ns < SETTLE_NS:
            return
        self._change = change
        if position is not self._wanted:
            self._wanted = position
            self._settled = False
            self._news = None
            self._bank.want(position)

    def choose(self) -> Choice:
        """Return what to play: exact, else the grid's nearest, else as before."""
        news = self._bank.news
        if not self._settled and news != self._news and self._wanted is not None:
            self._news = news
            self._choice = self._best(self._wanted)
            self._settled = self._choice.source == "exact"
        return self._choice

    def _best(self, position: Position) -> Choice:
        exact = self._bank.exact(position)
        if exact is not None:
            return Choice(exact, "exact")
        nearest = self._bank.nearest(position)
        if nearest is not None:
            return Choice(nearest, "grid")
        return Choice(self._choice.pattern, "held")
