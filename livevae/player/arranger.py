"""Between what the model gives and what is scheduled: which plan plays at each step of the song.

A plan is a choice of pattern and what the performer makes of it. A new one begins on a boundary of
``change.quantize`` and stands until the next; a fill begins on any step.
"""

from __future__ import annotations

from collections import deque
from typing import Final

import msgspec

from livevae.parameters import FILL_EVERY, FILL_LENGTH, QUANTA
from livevae.pattern.arrange import Parts, ended, moved, silenced, with_voices
from livevae.pattern.pattern import STEPS_PER_BAR, Pattern
from livevae.player.bar import Choice
from livevae.player.chooser import Chooser
from livevae.player.fills import Fills
from livevae.player.performance import Performance

_PLANS_KEPT: Final = 4
_CHOICES_KEPT: Final = 4
"""Those of the bar that plays and of the next are asked for in turn, pass after pass."""


class Plan(msgspec.Struct, frozen=True, eq=False):
    """A choice and its arrangement; ``plain`` is the choice's pattern with locked voices kept.

    ``before`` is the pattern from which they were kept.
    """

    choice: Choice
    parts: Parts
    plain: Pattern
    before: Pattern | None


class Arranger:
    """Says what plays at each step; the same object while nothing changes.

    State: what the performer wants from the next boundary on (``_parts``, ``_quantum``), when
    there are fills (``_fills``) and what the present one plays (``_filling``), the plans by the
    step on which they begin (``_plans``) and the one that stood before a jump (``_left``), and the
    choices made of them last (``_made``).
    """

    def __init__(self, chooser: Chooser) -> None:
        """Arrange what ``chooser`` gives for a step."""
        self.again: Choice | None = None
        """A bar to be played over and over, from the next boundary on, as it was."""
        self._chooser = chooser
        self._parts = Parts()
        self._quantum = STEPS_PER_BAR
        self._fills = Fills()
        self._filling: Pattern | None = None
        self._plans: dict[int, Plan] = {}
        self._left: Plan | None = None
        self._made: deque[tuple[Plan, Pattern | None, int | None, Choice]] = deque(
            maxlen=_CHOICES_KEPT
        )

    def direct(self, performance: Performance, step: int) -> int:
        """Take up what the performer wants; ``step`` is the first that can still be changed.

        Returns:
            the steps of ``change.quantize``.
        """
        values = performance.values
        self._parts = performance.parts
        self._quantum = QUANTA[int(values["change.quantize"])]
        self._fills.held = bool(values["fill.hold"])
        self._fills.every = FILL_EVERY[int(values["fill.every"])]
        self._fills.length = FILL_LENGTH[int(values["fill.length"])]
        self._fills.begin(step)
        if not self._fills.fills(step):
            self._filling = None
        return self._quantum

    def press_fill(self) -> None:
        """Begin a fill on the next step."""
        self._fills.press()

    def jump(self, step: float) -> None:
        """Go on from ``step`` of the song, where whatever is wanted is heard at once."""
        self._fills.jump(step)
        if self._plans:
            self._left = self._plans[max(self._plans)]
        self._plans.clear()

    def at(self, step: int) -> Choice:
        """Return what plays from ``step`` of the song on."""
        plan = self._plan(step)
        fill = self._fill() if self._fills.fills(step) else None
        ending = step if self._fills.ends(step) else None
        for made_of, made_with, made_for, choice in self._made:
            if made_of is plan and made_with is fill and made_for == ending:
                return choice
        choice = _arranged(plan, fill, ending)
        self._made.append((plan, fill, ending, choice))
        return choice

    def _fill(self) -> Pattern | None:
        """Return the fill where the hand is; in one that has begun, the last there was."""
        fill = self._chooser.fill()
        if fill is not None:
            self._filling = fill
        return self._filling

    def _plan(self, step: int) -> Plan:
        """Return the plan for ``step``: on a boundary, and where playing begins, a new one."""
        begun = [begins for begins in self._plans if begins <= step]
        if begun and step % self._quantum:
            return self._plans[max(begun)]
        earlier = [begins for begins in begun if begins < step]
        before = self._plans[max(earlier)] if earlier else self._left
        plan = self._planned(
            self.again or self._chooser.choose(step), before, self._plans.get(step)
        )
        self._plans[step] = plan
        if len(self._plans) > _PLANS_KEPT:
            del self._plans[min(self._plans)]
        return plan

    def _planned(self, choice: Choice, before: Plan | None, last: Plan | None) -> Plan:
        """Return ``before`` or ``last`` if nothing is other than there, else a new plan."""
        parts = self._parts
        if before is not None and (before.choice, before.parts) == (choice, parts):
            return before
        kept = before.plain if before is not None and any(parts.locked) else None
        same = last is not None and (last.choice, last.parts) == (choice, parts)
        if last is not None and same and last.before is kept:
            return last
        plain = choice.pattern if kept is None else with_voices(choice.pattern, kept, parts.locked)
        return Plan(choice, parts, plain, kept)


def _arranged(plan: Plan, fill: Pattern | None, ending: int | None) -> Choice:
    """Return what sounds of a plan, with a fill in its place, or with the end of one on a step."""
    if plan.choice.feel is not None:
        return plan.choice  # played again as it was
    plain = plan.plain
    if fill is not None:
        plain = with_voices(fill, plan.plain, plan.parts.locked)
    pattern = moved(plain, plan.parts)
    if ending is not None:
        pattern = ended(pattern, ending)
    pattern = silenced(pattern, plan.parts.silent)
    if pattern is plan.choice.pattern:
        return plan.choice
    return Choice(pattern, plan.choice.source)
