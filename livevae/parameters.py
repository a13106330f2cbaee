"""The registry of controls: every knob, switch and trigger, in one table.

The MIDI map, the control socket, ``--set``, ``livevae.toml`` and the printed reference are all
derived from ``PARAMETERS``; nothing else lists parameters.
"""

from __future__ import annotations

import difflib
import enum
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

import msgspec

from livevae.errors import UsageError
from livevae.pattern.descriptors import ATTRIBUTES
from livevae.pattern.pattern import VOICES


class Kind(enum.StrEnum):
    """How a control behaves under the hand."""

    CONTINUOUS = "continuous"
    TOGGLE = "toggle"
    TRIGGER = "trigger"
    CHOICE = "choice"
    NAME = "name"
    """Names something that has to be loaded: nothing for a knob, and no number for the player."""


Value = float | bool | str
"""A control's value as people see it; inside the player every value is a float."""


_SWITCHES: Final[Mapping[Value, float]] = MappingProxyType(
    {True: 1.0, False: 0.0, "on": 1.0, "off": 0.0, "true": 1.0, "false": 0.0}
)
"""How a toggle or trigger is written; 1 and 0 are True and False."""


class Parameter(msgspec.Struct, frozen=True):
    """One control. ``low`` and ``high`` bound its float value; a choice's float is its index.

    A name has no float: the supervisor takes it, and the player never sees it.
    """

    name: str
    kind: Kind
    low: float
    high: float
    default: float
    unit: str
    help: str
    choices: tuple[str, ...] = ()

    def from_unit(self, unit: float) -> float:
        """Return the float value for a knob turned to ``unit`` in 0..1."""
        if self.kind is Kind.CONTINUOUS:
            return self.low + (self.high - self.low) * unit
        if self.kind is Kind.CHOICE:
            return float(min(int(unit * len(self.choices)), len(self.choices) - 1))
        return float(unit >= 0.5)

    def to_float(self, value: object) -> float:
        """Return ``value`` as this control's float.

        Raises:
            UsageError: the value is not one of this control's; the sentence says what is.
        """
        if self.kind is Kind.NAME:
            raise UsageError(
                f"{self.name} is a name: write it at the top of livevae.toml, or say "
                f"`livevae set {self.name} NAME` while playing"
            )
        if self.kind is Kind.CHOICE:
            if value in self.choices:
                return float(self.choices.index(str(value)))
        elif self.kind is Kind.CONTINUOUS:
            number = float("nan")
            if isinstance(value, (int, float)) and not isinstance(value, bool):
                number = float(value)
            if self.low <= number <= self.high:
                return number
        elif isinstance(value, (str, float, int)) and value in _SWITCHES:
            return _SWITCHES[value]
        raise UsageError(f"{self.name} is {value!r}, but {self._allowed()}")

    def to_value(self, number: float) -> Value:
        """Return the value people see for this control's float."""
        if self.kind is Kind.CHOICE:
            return self.choices[int(number)]
        return number if self.kind is Kind.CONTINUOUS else bool(number)

    def parse(self, text: str) -> float:
        """Return the float for a value typed by a person.

        Raises:
            UsageError: the text is no value of this control.
        """
        try:
            value: Value = float(text)
        except ValueError:
            value = text.lower()
        return self.to_float(value)

    def _allowed(self) -> str:
        if self.kind is Kind.CHOICE:
            return f"must be one of: {', '.join(self.choices)}"
        if self.kind is Kind.CONTINUOUS:
            unit = f" {self.unit}" if self.unit else ""
            return f"must be a number from {self.low:g} to {self.high:g}{unit}"
        return "must be on or off"


AXES: Final = tuple(f"axis.{number}" for number in range(1, 9))
ATTRIBUTE_KNOBS: Final = tuple(f"attribute.{attribute}" for attribute in ATTRIBUTES)
POSITION: Final = ("x", "y", *AXES, *ATTRIBUTE_KNOBS)
"""The controls that make up a position in latent space, in the order of the position vector."""

_QUANTIZE: Final = {"step": 1, "beat": 4, "bar": 16, "2 bars": 32, "4 bars": 64, "8 bars": 128}
QUANTA: Final = tuple(_QUANTIZE.values())
"""Steps for each of the choices of ``change.quantize``."""

_EVERY: Final = {"never": 0, "2 bars": 2, "4 bars": 4, "8 bars": 8, "16 bars": 16}
FILL_EVERY: Final = tuple(_EVERY.values())
"""Bars for each of the choices of ``fill.every``; 0 is none."""
_LENGTH: Final = {"beat": 4, "half bar": 8, "bar": 16}
FILL_LENGTH: Final = tuple(_LENGTH.values())
"""Steps for each of the choices of ``fill.length``."""

_ATTRIBUTE_HELP: Final = (
    "A beat of fewer or more notes, as the model would play it.",
    "A beat that lies on the pulse, or against it.",
    "A beat played softly or hard.",
    "A beat played ahead of time or behind it.",
    "A beat with closed or open hats.",
    "A beat without or with toms and crashes.",
)
"""One line for each of ``ATTRIBUTES``."""


def _continuous(
    name: str, low: float, high: float, default: float, unit: str, text: str
) -> Parameter:
    return Parameter(name, Kind.CONTINUOUS, low, high, default, unit, text)


def _choice(name: str, choices: tuple[str, ...], default: str, text: str) -> Parameter:
    number = choices.index(default)
    return Parameter(name, Kind.CHOICE, 0, len(choices) - 1, number, "", text, choices)


def _form() -> Iterator[Parameter]:
    text = "Keep the position as it is, wherever the knobs are turned."
    yield Parameter("freeze", Kind.TOGGLE, 0, 1, 0, "", text)
    text = "Play the pattern at half or double time."
    yield _choice("time", ("half", "normal", "double"), "normal", text)
    text = "Move the pattern later by so many steps, or earlier."
    yield _continuous("rotate", -8, 8, 0, "steps", text)
    yield Parameter("break", Kind.TOGGLE, 0, 1, 0, "", "Silence all voices.")
    text = "Play a fill from here to the bar line, and a crash on the one."
    yield Parameter("fill.now", Kind.TRIGGER, 0, 1, 0, "", text)
    text = "Play a fill for as long as this is on, to the next bar line, and a crash on the one."
    yield Parameter("fill.hold", Kind.TOGGLE, 0, 1, 0, "", text)
    text = "Play a fill by itself at the end of every so many bars."
    yield _choice("fill.every", tuple(_EVERY), "never", text)
    text = "How long a fill is that comes by itself."
    yield _choice("fill.length", tuple(_LENGTH), "half bar", text)


def _table() -> Iterator[Parameter]:
    yield _continuous("x", 0, 1, 0.5, "", "Position on the latent map, left to right.")
    yield _continuous("y", 0, 1, 0.5, "", "Position on the latent map, bottom to top.")
    for number, name in enumerate(AXES, 1):
        text = f"Move along principal direction {number} of the latent space."
        yield _continuous(name, -1, 1, 0, "", text)
    for name, text in zip(ATTRIBUTE_KNOBS, _ATTRIBUTE_HELP, strict=True):
        yield _continuous(name, -1, 1, 0, "", text)

    yield _continuous("density", 0, 1, 0.5, "", "How many hits: more adds the likeliest first.")
    yield _continuous("humanize", 0, 200, 100, "%", "Human timing and dynamics; 0 is the grid.")
    text = "How much of the human timing, of what humanize gives."
    yield _continuous("timing", 0, 200, 100, "%", text)
    text = "How much of the human dynamics, of what humanize gives."
    yield _continuous("dynamics", 0, 200, 100, "%", text)
    yield _continuous("swing", 50, 75, 50, "%", "Delay of every second 16th; 66.7 is triplets.")
    yield _continuous("accent", 0, 100, 0, "%", "Beats louder, what lies between them softer.")
    yield _continuous("chaos", 0, 100, 0, "%", "Small variations, new in each bar.")
    for voice in VOICES:
        text = f"Loudness of the {voice.replace('_', ' ')}; 0 leaves it out."
        yield _continuous(f"{voice}.level", 0, 200, 100, "%", text)
        text = f"Density of the {voice.replace('_', ' ')}, relative to the global density."
        yield _continuous(f"{voice}.density", 0, 1, 0.5, "", text)
        switches = {
            "mute": f"Silence the {voice.replace('_', ' ')}.",
            "solo": f"Silence all voices but the {voice.replace('_', ' ')}, and others so chosen.",
            "lock": f"Keep the {voice.replace('_', ' ')} as it is while the rest changes.",
        }
        for what, text in switches.items():
            yield Parameter(f"{voice}.{what}", Kind.TOGGLE, 0, 1, 0, "", text)

    yield from _form()
    yield Parameter(
        "change.quantize",
        Kind.CHOICE,
        0,
        len(_QUANTIZE) - 1,
        tuple(_QUANTIZE).index("bar"),
        "",
        "Where a new position, a mute, a lock are heard: at the next step, beat, bar, ...",
        choices=tuple(_QUANTIZE),
    )
    yield Parameter(
        "clock",
        Kind.CHOICE,
        0,
        2,
        0,
        "",
        "Whose time to follow: MIDI clock from outside, LiveVAE's own, or Ableton Link.",
        choices=("midi", "internal", "link"),
    )
    text = "Tempo of the internal clock, or of the Link session."
    yield _continuous("bpm", 20, 300, 120, "BPM", text)
    text = "Run or stop the internal clock, or the Link session."
    yield Parameter("play", Kind.TOGGLE, 0, 1, 1, "", text)
    text = "Send MIDI clock and transport to other gear, whosever time is followed."
    yield Parameter("clock_out", Kind.TOGGLE, 0, 1, 0, "", text)
    text = "Shift everything in time: positive is later."
    yield _continuous("sync_delay", -100, 100, 0, "ms", text)
    text = "How late the instrument sounds; its notes are sent so much earlier."
    yield _continuous("latency.notes", -100, 100, 0, "ms", text)
    text = "How late the gear on LiveVAE's clock sounds; its clock is sent so much earlier."
    yield _continuous("latency.clock", -100, 100, 0, "ms", text)
    text = "The model that plays; another is loaded meanwhile and heard from a bar line on."
    yield Parameter("model", Kind.NAME, 0, 0, 0, "", text)
    yield Parameter("panic", Kind.TRIGGER, 0, 1, 0, "", "Silence every note at once.")

    text = "Recall a scene by its place in the list of livevae.toml; program change n is n + 1."
    yield _continuous("scene", 1, 128, 1, "", text)
    yield Parameter(
        "undo", Kind.TRIGGER, 0, 1, 0, "", "Go back to the beat before the last change."
    )
    text = "How long it takes to the position of a scene that is recalled; 0 is at once."
    yield _continuous("morph", 0, 32, 0, "bars", text)
    text = "Play the last whole bar that was heard over and over, as it was, as long as this is on."
    yield Parameter("again", Kind.TOGGLE, 0, 1, 0, "", text)
    yield Parameter("redo", Kind.TRIGGER, 0, 1, 0, "", "Take the last undo back.")


PARAMETERS: Final[Mapping[str, Parameter]] = MappingProxyType(
    {parameter.name: parameter for parameter in _table()}
)

_RIG: Final = frozenset(
    {
        "scene",
        "again",
        "morph",
        "freeze",
        "break",
        "fill.hold",
        "change.quantize",
        "clock",
        "bpm",
        "play",
        "clock_out",
        "sync_delay",
        "latency.notes",
        "latency.clock",
    }
)
"""Controls of the room, the gear and the way of working: no part of a beat."""

BEAT: Final = tuple(
    parameter.name
    for parameter in PARAMETERS.values()
    if parameter.kind not in (Kind.TRIGGER, Kind.NAME) and parameter.name not in _RIG
)
"""The controls whose values make up what is heard: what undo goes back to, and a scene holds."""


def find(name: str) -> Parameter:
    """Return the control called ``name``.

    Raises:
        UsageError: there is none; the sentence names the closest.
    """
    if name in PARAMETERS:
        return PARAMETERS[name]
    close = difflib.get_close_matches(name, PARAMETERS, n=3)
    hint = f"did you mean {' or '.join(close)}?" if close else "`livevae get` lists them all."
    raise UsageError(f"there is no control {name!r}; {hint}")
