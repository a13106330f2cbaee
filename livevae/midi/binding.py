"""What of MIDI moves a control, and how: one line of the map in livevae.toml."""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec

Channel = Annotated[int, msgspec.Meta(ge=1, le=16)]
Cc = Annotated[int, msgspec.Meta(ge=0, le=119)]
_Cc14 = Annotated[int, msgspec.Meta(ge=0, le=31)]
_Nrpn = Annotated[int, msgspec.Meta(ge=0, le=16382)]
_Seven = Annotated[int, msgspec.Meta(ge=0, le=127)]
_Yes = Annotated[bool, msgspec.Meta(description="true")]
_Limit = Annotated[float | bool | str | None, msgspec.Meta(description="a value of the control")]

Message = tuple[str, int]
"""A kind of message and its number: what one binding at most may listen to."""

Move = tuple[str, bytes]
"""The source that a message came by, and the message."""

LSB_ABOVE: Final = 32
"""The low half of the 14-bit control change n is n + 32, as the MIDI 1.0 text has it."""


class Binding(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A message that moves a control. Of the keys that name a message it has exactly one.

    Without ``channel`` or ``port`` any will do; ``port`` is part of the name of the port it comes
    from. Programs count from 0, as they are sent. ``low`` and ``high`` are values of the control:
    what the ends of a knob, or a pad released and struck, stand for. A knob whose position is not
    the control's takes it over with a jump, or not before it passes it (``pickup``), or moves it in
    proportion to the way left, so that both reach the end together (``scale``).
    """

    cc: Cc | None = None
    channel: Channel | None = None
    cc14: _Cc14 | None = None
    nrpn: _Nrpn | None = None
    pitch_bend: _Yes = False
    pressure: _Yes = False
    note: _Seven | None = None
    program: _Seven | None = None
    port: Annotated[str, msgspec.Meta(description="part of a port's name")] = ""
    low: _Limit = None
    high: _Limit = None
    curve: Literal["linear", "exp", "log", "s"] = "linear"
    mode: Literal["value", "trigger", "toggle", "momentary"] | None = None
    relative: Literal["twos_complement", "binary_offset", "sign_magnitude"] | None = None
    takeover: Literal["jump", "pickup", "scale"] = "jump"

    def kinds(self) -> list[str]:
        """Return the keys that name a message: one, if the binding is right."""
        numbered = ("cc", "cc14", "nrpn", "note", "program")
        return [
            *(kind for kind in numbered if getattr(self, kind) is not None),
            *(kind for kind in ("pitch_bend", "pressure") if getattr(self, kind)),
        ]

    def messages(self) -> tuple[Message, ...]:
        """Return the messages it listens to; a 14-bit control change is two of 7 bits."""
        (kind,) = self.kinds()
        number = int(getattr(self, kind))
        if kind == "cc14":
            return ("cc", number), ("cc", number + LSB_ABOVE)
        return ((kind, 0 if kind in ("pitch_bend", "pressure") else number),)

    def where(self) -> tuple[int | None, str]:
        """Return what tells equal messages of two bindings apart: channel and port."""
        return self.channel, self.port.lower()


def describe(message: Message, where: tuple[int | None, str] = (None, "")) -> str:
    """Return a message in words: ``cc 22 on channel 3 from nanoKONTROL``."""
    kind, number = message
    words = kind.replace("_", " ") if kind in ("pitch_bend", "pressure") else f"{kind} {number}"
    channel, port = where
    on = f" on channel {channel}" if channel else ""
    return f"{words}{on}" + (f" from {port}" if port else "")
