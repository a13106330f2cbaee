"""How far the recorded notes lie from where a script wants them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from livevae.bench.scripts import CLOCK, RATE, Event, Script

MS_PER_FRAME: Final = 1000 / RATE
Cell = tuple[int, int]
"""Index of a step in a script's grid, and a note."""


class Meant(msgspec.Struct, frozen=True):
    """The notes of a script that must sound, and those that may."""

    must: frozenset[Cell]
    may: frozenset[Cell]


class Timing(msgspec.Struct, frozen=True):
    """Errors of the onsets of one case, in ms; positive is late.

    ``mean_ms`` and ``sd_ms`` are of the errors, the others of their sizes. ``notes`` were judged;
    ``missed`` were meant and never came, ``extra`` came and were not meant, or came twice.
    ``figures`` belong to the case. A figure of no note is not a number (``null`` in JSON).
    """

    mean_ms: float
    sd_ms: float
    p50_ms: float
    p99_ms: float
    p999_ms: float
    max_ms: float
    notes: int
    missed: int = 0
    extra: int = 0
    figures: dict[str, float] = {}

    @classmethod
    def of(
        cls,
        errors_ms: Sequence[float] | npt.NDArray[np.float64],
        missed: int = 0,
        extra: int = 0,
        figures: dict[str, float] | None = None,
    ) -> Timing:
        """Sum up signed errors."""
        errors = np.asarray(errors_ms, np.float64)
        if not len(errors):
            none = float("nan")
            return cls(none, none, none, none, none, none, 0, missed, extra, figures or {})
        p50, p99, p999, worst = np.percentile(np.abs(errors), (50, 99, 99.9, 100)).tolist()
        mean, sd = float(errors.mean()), float(errors.std())
        return cls(mean, sd, p50, p99, p999, worst, len(errors), missed, extra, figures or {})


def score(
    script: Script,
    onsets: Iterable[tuple[int, int]],
    meant: Meant,
    judged_from: int = 0,
    watched: str = "",
) -> Timing:
    """Hold every onset against the step nearest to it.

    Args:
        script: what was played to.
        onsets: frame of the script, and note, in the order of their frames.
        meant: the notes.
        judged_from: errors count from this step of the grid on; missed notes count everywhere.
        watched: a name for the largest error at the script's watched steps, which becomes a
            figure; empty for none.
    """
    borders = (script.grid[1:] + script.grid[:-1]) / 2
    errors: dict[Cell, float] = {}
    extra = 0
    for frame, note in onsets:
        index = int(np.searchsorted(borders, frame))
        if (index, note) in errors or (index, note) not in meant.may:
            extra += 1
        else:
            errors[index, note] = (frame - float(script.grid[index])) * MS_PER_FRAME
    judged = [error for (index, _), error in errors.items() if index >= judged_from]
    figures = {}
    if watched:
        sizes = [abs(error) for (index, _), error in errors.items() if index in script.watched]
        figures[watched] = max(sizes, default=float("nan"))
    return Timing.of(judged, len(meant.must - errors.keys()), extra, figures)


def onsets(recording: Iterable[Event], zero: int, notes: Iterable[int]) -> list[tuple[int, int]]:
    """Return frame of the script and note of each note-on among ``notes`` in a recording."""
    wanted = set(notes)
    return [
        (frame - zero, message[1])
        for frame, message in recording
        if message[0] & 0xF0 == 0x90 and message[2] and message[1] in wanted
    ]


def late_ticks(script: Script, recording: Iterable[Event], zero: int) -> int:
    """Return how many clocks did not come at their frame: the machine has stood still."""
    due = {frame for frame, message in script.events if message == CLOCK}
    came = {frame - zero for frame, message in recording if message == CLOCK}
    return len(due - came)
