"""Scripts: a performance written down as changes of controls at places of the song."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec

from livevae.errors import UsageError
from livevae.parameters import find
from livevae.pattern.pattern import BEATS_PER_BAR
from livevae.player.memory import Change

MAX_SCRIPT_BYTES: Final = 1 << 20
MAX_BARS: Final = 4096
OF_THE_RENDERER: Final = (
    "clock",
    "play",
    "clock_out",
    "sync_delay",
    "latency.notes",
    "latency.clock",
)
"""A file has LiveVAE's own clock, which runs, and no latency to make up for."""
_PLACE: Final = re.compile(r"(\d{1,6})\.(\d{1,6}(?:\.\d{1,9})?)")


class Move(msgspec.Struct, frozen=True):
    """Changes that a hand makes at once, ``beats`` after the beginning of the song."""

    beats: float
    changes: tuple[Change, ...]


class Script(msgspec.Struct, frozen=True):
    """A performance of so many bars; its moves in the order of their places."""

    bars: int
    moves: tuple[Move, ...]


class _Written(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    at: str
    set: dict[str, Any]


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    bars: Annotated[int, msgspec.Meta(ge=1, le=MAX_BARS)]
    move: tuple[_Written, ...] = ()


def load_script(path: Path) -> Script:
    """Read a script.

    Raises:
        UsageError: the file cannot be read or is no script; the sentence says what is wrong.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_SCRIPT_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}") from None
    if len(content) > MAX_SCRIPT_BYTES:
        raise UsageError(f"{path} is larger than a script can be")
    try:
        written = msgspec.toml.decode(content, type=_File)
        moves = [_move(move, written.bars) for move in written.move]
    except (msgspec.MsgspecError, ValueError, RecursionError, UsageError) as error:
        raise UsageError(f"{path} is no script: {str(error).splitlines()[0]}") from None
    return Script(written.bars, tuple(sorted(moves, key=lambda move: move.beats)))


def _move(written: _Written, bars: int) -> Move:
    place = _PLACE.fullmatch(written.at)
    bar, beat = (int(place[1]), float(place[2])) if place else (0, 0.0)
    if not (1 <= bar <= bars and 1 <= math.floor(beat) <= BEATS_PER_BAR):
        raise UsageError(
            f"at is {written.at!r}, but must be a bar from 1 to {bars} and a beat from 1 to "
            f'{BEATS_PER_BAR}, like "5.1" or, half a beat later, "5.1.5"'
        )
    changes = tuple(_change(name, value) for name, value in written.set.items())
    return Move((bar - 1) * BEATS_PER_BAR + beat - 1, changes)


def _change(name: str, value: object) -> Change:
    if isinstance(value, Mapping):
        raise UsageError(f'{name} is no control; put a name with a dot in quotes, like "kick.mute"')
    if name in OF_THE_RENDERER:
        raise UsageError(f"no script can set {name}, which is of no effect in a file")
    return name, find(name).to_float(value)
