"""What to ask the decoder for, and what to play of what the bank then holds."""

from __future__ import annotations

import math
from typing import Final

from livevae.clock.timeline import NS_PER_MS
from livevae.decoder.bank import Bank, Position
from livevae.decoder.hand import filled
from livevae.pattern.pattern import STEPS_PER_BAR, Pattern, empty
from livevae.player.bar import Choice

SETTLE_NS: Final = 36 * NS_PER_MS
"""So long before something else can be played the hand is read for it, to leave the decoder time.
What a moving hand is at later is for the next change."""


class Chooser:
    """Asks for the exact pattern where the hand is; takes that, or the nearest there is.

    State: the bank and the position asked for last (``_bank``, ``_wanted``) and for which change of
    the song (``_change``), what was chosen for it (``_choice``), whether that is exact, so that
    nothing better can come (``_settled``), else what the bank then held (``_news``); the fill of
    that position, and what the bank held when it was looked for (``_fill``, ``_fill_news``); what
    the bank before had for the bar in which it was left (``_last``), and the step where that ends
    (``_until``).
    """

    def __init__(self, steps: int) -> None:
        """Have asked for nothing; until then choose ``steps`` of silence."""
        self._bank: Bank | None = None
        self._wanted: Position | None = None
        self._change = 0.0
        self._choice = Choice(empty(steps // STEPS_PER_BAR), "held")
        self._settled = False
        self._news: object = None
        self._fill: Pattern | None = None
        self._fill_news: object = None
        self._last = self._choice
        self._until = 0.0

    def want(
        self, bank: Bank, position: Position, change: float = 0.0, left_ns: int = SETTLE_NS
    ) -> None:
        """Ask for the pattern at ``position``, unless that is what was asked for last.

        Args:
            bank: whom to ask; what is of another plays on until the next bar line.
            position: where the hand is.
            change: the step of the song from which on it can be heard.
            left_ns: until that has to be decided. Short of ``SETTLE_NS`` only the first call for
                a change asks.
        """
        if bank is self._bank and change == self._change and left_ns < SETTLE_NS:
            return
        if bank is not self._bank and change >= self._until:
            self._last, self._until = (
                self._choice,
                math.ceil(change / STEPS_PER_BAR) * STEPS_PER_BAR,
            )
        elif change < self._change:
            self._until = 0.0  # the song has jumped
        self._change = change
        if bank is not self._bank or position is not self._wanted:
            self._bank = bank
            self._wanted = position
            self._settled = False
            self._news = None
            self._fill = None
            self._fill_news = None
            bank.want(position)

    def choose(self, step: int) -> Choice:
        """Return what to play from ``step`` of the song: exact, else nearest, else as before."""
        if step < self._until:
            return self._last
        if not self._settled and self._bank is not None and self._bank.news != self._news:
            self._news = self._bank.news
            self._choice = self._best(self._bank)
            self._settled = self._choice.source == "exact"
        return self._choice

    def fill(self) -> Pattern | None:
        """Return the fill that belongs to the position asked for last, if it is decoded."""
        if self._fill is None and self._bank is not None and self._bank.news != self._fill_news:
            assert self._wanted is not None  # noqa: S101 - a bank is there, so it was asked
            self._fill_news = self._bank.news
            self._fill = self._bank.exact(filled(self._wanted))
        return self._fill

    def _best(self, bank: Bank) -> Choice:
        assert self._wanted is not None  # noqa: S101 - a bank is there, so it was asked
        exact = bank.exact(self._wanted)
        if exact is not None:
            return Choice(exact, "exact")
        nearest = bank.nearest(self._wanted)
        if nearest is not None:
            return Choice(nearest, "grid")
        return Choice(self._choice.pattern, "held")
