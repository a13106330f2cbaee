"""A style as its TOML file says it: grooves and fills in step strings, feel and variation.

``styles/house.toml`` is the one to read first: its comments explain every key.
"""

from __future__ import annotations

import functools
import re
import reprlib
from pathlib import Path
from typing import Annotated, Final

import msgspec
import numpy as np
import numpy.typing as npt

from livevae.errors import UsageError
from livevae.pattern.pattern import STEPS_PER_BAR, VOICES

FOLDER: Final = Path(__file__).parent / "styles"
MAX_FILE_BYTES: Final = 1 << 18

SYMBOLS: Final = ".Xog?123456789"
"""Rest, accent, hit, ghost, a ghost in half the bars, a hit in 1..9 of ten bars."""
REST, ACCENT, HIT, GHOST = range(4)
LINE_BARS: Final = (1, 2, 4)

Chance = Annotated[float, msgspec.Meta(ge=0, le=1)]
Swing = Annotated[float, msgspec.Meta(ge=50, le=75)]
Bpm = Annotated[float, msgspec.Meta(ge=20, le=300)]
Lines = str | Annotated[tuple[str, ...], msgspec.Meta(max_length=64)]


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the voices play together, each one line or one of several: a groove or a fill."""

    weight: Annotated[float, msgspec.Meta(gt=0, le=1000)] = 1.0
    kick: Lines = ()
    snare: Lines = ()
    closed_hat: Lines = ()
    open_hat: Lines = ()
    low_tom: Lines = ()
    mid_tom: Lines = ()
    high_tom: Lines = ()
    crash: Lines = ()
    ride: Lines = ()

    def lines(self, voice: str) -> tuple[str, ...]:
        """Return the alternative lines of a voice; none if the part leaves it alone."""
        lines: Lines = getattr(self, voice)
        return (lines,) if isinstance(lines, str) else lines


class Touch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a voice is played: ``late`` in 16ths (negative is early), ``level`` times velocity.

    ``chance`` is that of the voice to take part in a phrase.
    """

    late: Annotated[float, msgspec.Meta(ge=-0.5, le=0.5)] = 0.0
    level: Annotated[float, msgspec.Meta(gt=0, le=1)] = 1.0
    chance: Chance = 1.0


class Touches(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The touch of each voice."""

    kick: Touch = Touch()
    snare: Touch = Touch()
    closed_hat: Touch = Touch()
    open_hat: Touch = Touch()
    low_tom: Touch = Touch()
    mid_tom: Touch = Touch()
    high_tom: Touch = Touch()
    crash: Touch = Touch()
    ride: Touch = Touch()

    def in_order(self) -> tuple[Touch, ...]:
        """Return the nine touches in the order of ``VOICES``."""
        return tuple(getattr(self, voice) for voice in VOICES)


class Velocity(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Velocities (0..1) of the three kinds of hit, and the spread around them (sd)."""

    accent: Chance = 0.92
    hit: Chance = 0.74
    ghost: Chance = 0.34
    spread: Annotated[float, msgspec.Meta(ge=0, le=0.3)] = 0.04


class Variation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How bars of a phrase of eight differ, as chances.

    ``change``: an uncertain hit of the phrase is drawn again for a bar. ``alternate``: a voice
    plays another of its lines in bar four. ``thin``: a hit that is no accent is left out.
    ``ornament``: a step beside a hit gets a ghost (kick, open hat and crash get none). ``fill``:
    bar eight is a fill. ``drop``: if it is not, the kick rests there. ``open``: the hat opens at
    the end of bars four and eight. ``crash``: a crash opens the phrase.
    """

    change: Chance = 0.3
    alternate: Chance = 0.3
    thin: Chance = 0.04
    ornament: Chance = 0.03
    fill: Chance = 0.5
    drop: Chance = 0.0
    open: Chance = 0.2
    crash: Chance = 0.3


class Style(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One style, whole. ``swing`` is MPC percent, from..to, as ``bpm``; ``jitter`` 16ths (sd)."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=40)]
    description: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    bpm: tuple[Bpm, Bpm]
    groove: Annotated[tuple[Part, ...], msgspec.Meta(min_length=1, max_length=64)]
    swing: tuple[Swing, Swing] = (50.0, 50.0)
    jitter: Annotated[float, msgspec.Meta(ge=0, le=0.2)] = 0.015
    velocity: Velocity = Velocity()
    voice: Touches = Touches()
    fill: Annotated[tuple[Part, ...], msgspec.Meta(max_length=64)] = ()
    variation: Variation = Variation()


def style_names() -> tuple[str, ...]:
    """Return the names of the styles that come with LiveVAE, in alphabetical order."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))


def load_style(name: str | Path) -> Style:
    """Read a style that comes with LiveVAE, by its name, or any style file, by its path.

    Raises:
        UsageError: there is no such style, or its file is wrong; the sentence names file and key.
    """
    if isinstance(name, str) and name in style_names():
        path = FOLDER / f"{name}.toml"
    else:
        path = Path(name)
        if path.suffix != ".toml":
            raise UsageError(
                f"there is no style {str(name)!r}; give the path of a .toml file or one of: "
                f"{', '.join(style_names())}"
            )
    style = _decoded(path)
    for pair in ("bpm", "swing"):
        low, high = getattr(style, pair)
        if low > high:
            raise UsageError(f"{path}: {pair}: write the lower number first, not {low:g}, {high:g}")
    for kind, parts in (("groove", style.groove), ("fill", style.fill)):
        for number, part in enumerate(parts, 1):
            for voice in VOICES:
                for line in part.lines(voice):
                    _check_line(line, kind, f"{path}: {kind} {number}: {voice}")
    return style


def _decoded(path: Path) -> Style:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}") from None
    if len(content) > MAX_FILE_BYTES:
        raise UsageError(f"{path} is larger than {MAX_FILE_BYTES >> 10} KiB, so it is no style")
    try:
        return msgspec.toml.decode(content, type=Style)
    except msgspec.ValidationError as error:
        what, _, where = str(error).partition(" - at ")
        raise UsageError(f"{path}: {_key(where)}{what}") from None
    except (msgspec.DecodeError, ValueError) as error:
        raise UsageError(f"{path} is not valid TOML: {error}") from None
    except RecursionError:
        raise UsageError(f"{path} is not valid TOML: it is nested too deeply") from None


def _key(where: str) -> str:
    """Return msgspec's ``$.groove[0].kick`` as a musician counts: ``groove 1: kick: ``."""
    key = re.sub(r"\[(\d+)\]", lambda index: f" {int(index[1]) + 1}", where.strip("`"))
    key = key.replace("$.", "").replace("$", "").replace(".", ": ")
    return f"{key}: " if key else ""


def _check_line(line: str, kind: str, where: str) -> None:
    wrong = sorted(set(line) - set(SYMBOLS + " |"))
    if wrong:
        raise UsageError(f"{where}: {wrong[0]!r} means nothing; the symbols are {SYMBOLS}")
    allowed = LINE_BARS if kind == "groove" else (1,)
    steps = len(_stripped(line))
    if steps not in [bars * STEPS_PER_BAR for bars in allowed]:
        raise UsageError(
            f"{where}: {reprlib.repr(line)} has {steps} steps; a {kind} has lines of "
            f"{' or '.join(str(bars * STEPS_PER_BAR) for bars in allowed)}"
        )


def _stripped(line: str) -> str:
    return line.replace(" ", "").replace("|", "")


@functools.lru_cache(maxsize=4096)
def symbols_of(line: str) -> npt.NDArray[np.int8]:
    """Return a checked line as indices into ``SYMBOLS``: int8[bars, 16], read only."""
    symbols = np.array([SYMBOLS.index(symbol) for symbol in _stripped(line)], np.int8)
    symbols.flags.writeable = False
    return symbols.reshape(-1, STEPS_PER_BAR)
