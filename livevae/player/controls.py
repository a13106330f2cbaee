"""From MIDI control changes to control values: the map that livevae.toml writes down."""

from __future__ import annotations

from collections.abc import Mapping

from livevae.config import Binding
from livevae.midi.ports import CONTROL_CHANGE
from livevae.parameters import PARAMETERS, Parameter


class ControlMap:
    """Which control each control change moves."""

    def __init__(self, bindings: Mapping[str, Binding]) -> None:
        """Index ``bindings``, control name -> message, by what comes in."""
        self._targets: dict[tuple[int, int | None], Parameter] = {
            (binding.cc, binding.channel): PARAMETERS[name] for name, binding in bindings.items()
        }

    def target(self, message: bytes) -> tuple[str, float] | None:
        """Return the control that ``message`` moves and its new float, or None."""
        if len(message) != 3 or message[0] & 0xF0 != CONTROL_CHANGE:
            return None
        channel, cc = (message[0] & 0x0F) + 1, message[1]
        parameter = self._targets.get((cc, channel)) or self._targets.get((cc, None))
        if parameter is None:
            return None
        return parameter.name, parameter.from_unit(message[2] / 127)
