"""From the way of a knob to the value of a control, and back: ranges, curves and takeover."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

import msgspec

from livevae.midi.binding import Binding
from livevae.parameters import Kind, Parameter

_BEND: Final = 32.0
"""How much steeper ``exp`` is at its end than at its beginning: half way it has come 15% far."""
_STEP: Final = 1 / 127
"""A knob that is no further off than this stands where the control stands."""


def _exp(unit: float) -> float:
    return float((_BEND**unit - 1) / (_BEND - 1))


def _log(unit: float) -> float:
    return math.log(1 + unit * (_BEND - 1), _BEND)


def _s(unit: float) -> float:
    return unit * unit * (3 - 2 * unit)


def _s_back(level: float) -> float:
    return 0.5 - math.sin(math.asin(1 - 2 * level) / 3)


def _linear(unit: float) -> float:
    return unit


_CURVES: Final[dict[str, tuple[Callable[[float], float], Callable[[float], float]]]] = {
    "linear": (_linear, _linear),
    "exp": (_exp, _log),
    "log": (_log, _exp),
    "s": (_s, _s_back),
}
"""Each curve over 0..1, and the way back."""


class Travel(msgspec.Struct, frozen=True):
    """The range of a control that a binding spans: ``low`` at the start of the way, 0..1.

    ``low`` and ``high`` are floats of the control, and ``low`` may be the higher one.
    """

    kind: Kind
    low: float
    high: float
    curve: str

    @classmethod
    def of(cls, binding: Binding, parameter: Parameter) -> Travel:
        """Return what ``binding`` spans of its control."""
        low = parameter.low if binding.low is None else parameter.to_float(binding.low)
        high = parameter.high if binding.high is None else parameter.to_float(binding.high)
        return cls(parameter.kind, low, high, binding.curve)

    def value(self, unit: float) -> float:
        """Return the control's float where the knob has come ``unit`` far."""
        if self.kind is Kind.CONTINUOUS:
            return self.low + (self.high - self.low) * _CURVES[self.curve][0](unit)
        if self.kind is Kind.CHOICE:
            steps = round(abs(self.high - self.low))
            taken = min(int(unit * (steps + 1)), steps)
            return self.low + math.copysign(taken, self.high - self.low)
        return self.high if unit >= 0.5 else self.low

    def unit(self, value: float) -> float:
        """Return how far the knob would have come for this value; one out of range is at an end."""
        if self.low == self.high:
            return 0.0
        level = min(max((value - self.low) / (self.high - self.low), 0.0), 1.0)
        return _CURVES[self.curve][1](level) if self.kind is Kind.CONTINUOUS else level

    def turned(self, value: float, clicks: int) -> float:
        """Return the value after an endless encoder has been turned by ``clicks`` from ``value``.

        A click is a 127th of the way, or one choice.
        """
        if self.kind is Kind.CONTINUOUS:
            return self.value(min(max(self.unit(value) + clicks * _STEP, 0.0), 1.0))
        if self.kind is Kind.CHOICE:
            turned = value + math.copysign(1, self.high - self.low) * clicks
            return min(max(turned, min(self.low, self.high)), max(self.low, self.high))
        return self.high if clicks > 0 else self.low


class Takeover:
    """How a knob takes over a control that stands elsewhere: ``jump``, ``pickup`` or ``scale``.

    It knows where the knob was last, and what value it gave once it was picked up; a control with
    another value has been moved by somebody else since.
    """

    def __init__(self, mode: str) -> None:
        """Know neither the knob nor the control yet."""
        self._mode = mode
        self._last: float | None = None
        self._gave: float | None = None

    def take(self, unit: float, travel: Travel, value: float) -> float | None:
        """Return the control's new float for a knob turned to ``unit``, or None: leave it."""
        last, self._last = self._last, unit
        held = self._mode == "pickup" and value == self._gave
        moved = unit if held else self._move(last, unit, travel.unit(value))
        if moved is None:
            return None
        self._gave = travel.value(moved)
        return self._gave

    def _move(self, last: float | None, unit: float, there: float) -> float | None:
        """Return how far the control shall have come; it has come as far as ``there``."""
        if self._mode == "jump" or abs(unit - there) <= _STEP:
            return unit
        if last is None or (self._mode == "pickup" and not (last - there) * (unit - there) < 0):
            return None
        if self._mode == "pickup":
            return unit
        if unit > last:
            return there + (1 - there) * (unit - last) / (1 - last)
        return there * unit / last if last else there
