"""The performance state: the value of every control, and what follows from it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from livevae.decoder.bank import Position
from livevae.parameters import PARAMETERS, POSITION, Kind
from livevae.pattern.pattern import VOICES
from livevae.pattern.render import Feel

_PARTS = ("density", "mute")
_FEEL = {"density", "humanize", "swing", *(f"{v}.{part}" for v in VOICES for part in _PARTS)}


class Performance:
    """Control values as floats. ``position`` and ``feel`` are new objects when they change."""

    def __init__(self, values: Mapping[str, float]) -> None:
        """Start from the defaults of the registry, changed by ``values``."""
        defaults = {p.name: p.default for p in PARAMETERS.values() if p.kind is not Kind.NAME}
        self.values = defaults | dict(values)
        self.position: Position = self._position()
        self.feel: Feel = self._feel()

    def set(self, name: str, number: float) -> bool:
        """Give a control a value; return whether that changed anything."""
        if self.values[name] == number:
            return False
        self.values[name] = number
        if name in POSITION:
            self.position = self._position()
        elif name in _FEEL:
            self.feel = self._feel()
        return True

    def choice(self, name: str) -> str:
        """Return the value of a choice by name."""
        return str(PARAMETERS[name].to_value(self.values[name]))

    def _position(self) -> Position:
        return np.array([self.values[name] for name in POSITION], np.float32)

    def _feel(self) -> Feel:
        values = self.values
        # A voice's density bends the global one, which stays in charge at both of its ends.
        overall = values["density"]
        room = min(overall, 1 - overall)
        return Feel(
            density=tuple(
                overall + 2 * room * (values[f"{voice}.density"] - 0.5) for voice in VOICES
            ),
            mute=tuple(bool(values[f"{voice}.mute"]) for voice in VOICES),
            humanize=values["humanize"] / 100,
            swing=values["swing"],
        )
