"""The performance state: the value of every control, and what follows from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np

from livevae.decoder.bank import Position
from livevae.parameters import PARAMETERS, POSITION, Kind
from livevae.pattern.arrange import Parts
from livevae.pattern.pattern import VOICES
from livevae.pattern.render import Feel

_FEEL: Final = {
    *("density", "humanize", "timing", "dynamics", "swing", "accent", "chaos"),
    *(f"{voice}.{what}" for voice in VOICES for what in ("density", "level")),
}
_PARTS: Final = {
    *("break", "time", "rotate"),
    *(f"{voice}.{what}" for voice in VOICES for what in ("mute", "solo", "lock")),
}
_FACTOR_OF_TIME: Final = {"half": 0.5, "normal": 1.0, "double": 2.0}


class Performance:
    """Control values as floats.

    ``position``, ``feel`` and ``parts`` are new objects when they change; the position does not
    while ``freeze`` is on.
    """

    def __init__(self, values: Mapping[str, float]) -> None:
        """Start from the defaults of the registry, changed by ``values``."""
        defaults = {p.name: p.default for p in PARAMETERS.values() if p.kind is not Kind.NAME}
        self.values = defaults | dict(values)
        self.position: Position = self._position()
        self.feel: Feel = self._feel()
        self.parts: Parts = self._parts()

    def set(self, name: str, number: float) -> bool:
        """Give a control a value; return whether that changed anything."""
        if self.values[name] == number:
            return False
        self.values[name] = number
        if name in POSITION or name == "freeze":
            if not self.values["freeze"]:
                self.position = self._position()
        elif name in _FEEL:
            self.feel = self._feel()
        elif name in _PARTS:
            self.parts = self._parts()
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
            level=tuple(values[f"{voice}.level"] / 100 for voice in VOICES),
            humanize=values["humanize"] / 100,
            timing=values["timing"] / 100,
            dynamics=values["dynamics"] / 100,
            swing=values["swing"],
            accent=values["accent"] / 100,
            chaos=values["chaos"] / 100,
        )

    def _parts(self) -> Parts:
        values = self.values
        soloists = any(values[f"{voice}.solo"] for voice in VOICES)
        return Parts(
            silent=tuple(
                bool(
                    values["break"]
                    or values[f"{voice}.mute"]
                    or (soloists and not values[f"{voice}.solo"])
                )
                for voice in VOICES
            ),
            locked=tuple(bool(values[f"{voice}.lock"]) for voice in VOICES),
            time=_FACTOR_OF_TIME[self.choice("time")],
            rotate=round(values["rotate"]),
        )
