"""What the cases are to reach, and whether they did."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from livevae.bench.cases import CASES, PERIOD
from livevae.bench.score import MS_PER_FRAME, Timing

CPU: Final = "player_cpu_percent"
PERIOD_MS: Final = PERIOD * MS_PER_FRAME
IDLE_RTMIDI: Final = "steady_rtmidi"


class Reach(msgspec.Struct, frozen=True):
    """What a case is to reach, what it did, and whether that is enough; None if nobody can say."""

    case: str
    asked: str
    measured: str
    reached: bool | None


class Figures(msgspec.Struct, frozen=True):
    """A case's figures, those of all cases, and cyclictest's by the cases it ran beside."""

    timing: Timing
    results: Mapping[str, Timing]
    floor: Mapping[str, Timing]


Verdict = tuple[str, str, bool | None]
"""What was asked, what was measured, whether it is reached."""
Rule = Callable[[str, Figures], Verdict]


def reaches(results: Mapping[str, Timing], floor: Mapping[str, Timing]) -> list[Reach]:
    """Hold results against what is to be reached.

    Args:
        results: those of the cases that were run, by name.
        floor: cyclictest's, by the names of the cases under whose load it ran.
    """
    return [
        Reach(name, *rule(name, Figures(timing, results, floor)))
        for name, timing in results.items()
        for rule in RULES.get(name, ())
    ]


def _steady(_name: str, figures: Figures) -> Verdict:
    # An error is a difference of floating-point frames: of 2 it may be a hair's breadth more.
    sd = round(figures.timing.sd_ms / MS_PER_FRAME, 6)
    worst = round(figures.timing.max_ms / MS_PER_FRAME, 6)
    measured = f"sd {sd:.2f} frames, max {worst:.2f}"
    return "sd at most 1 frame, max at most 2", measured, sd <= 1 and worst <= 2


def _cpu(_name: str, figures: Figures) -> Verdict:
    asked = "the player takes at most 5% of a core"
    percent = figures.timing.figures.get(CPU)
    if percent is None:
        return asked, "this system does not tell", None
    return asked, f"{percent:.1f}%", percent <= 5


def _rtmidi(name: str, figures: Figures) -> Verdict:
    asked = "p99.9 at most a period + 2 x cyclictest's"
    error_ms = figures.timing.p999_ms
    if name not in figures.floor:
        return asked, f"{error_ms:.3f} ms", None
    limit_ms = PERIOD_MS + 2 * figures.floor[name].p999_ms
    return asked, f"{error_ms:.3f} ms of {limit_ms:.3f}", error_ms <= limit_ms


def _rtmidi_busy(_name: str, figures: Figures) -> Verdict:
    asked = "p99 at most 2 x the idle p99"
    error_ms = figures.timing.p99_ms
    if IDLE_RTMIDI not in figures.results:
        return asked, f"{error_ms:.3f} ms", None
    limit_ms = 2 * figures.results[IDLE_RTMIDI].p99_ms
    return asked, f"{error_ms:.3f} ms of {limit_ms:.3f}", error_ms <= limit_ms


def _jitter(_name: str, figures: Figures) -> Verdict:
    sd_ms = figures.timing.sd_ms
    return "sd at most 0.15 ms", f"{sd_ms:.3f} ms", sd_ms <= 0.15


def _dropout(name: str, figures: Figures) -> Verdict:
    missed, error_ms = figures.timing.missed, _watched(name, figures)
    asked = "no note missed, on return at most 0.5 ms"
    return asked, f"{missed} missed, {error_ms:.3f} ms", missed == 0 and error_ms <= 0.5


def _jump(name: str, figures: Figures) -> Verdict:
    error_ms = _watched(name, figures)
    return "from one beat after at most 1 ms", f"{error_ms:.3f} ms", error_ms <= 1


def _start(name: str, figures: Figures) -> Verdict:
    error_ms = _watched(name, figures)
    asked = f"on the first clock, at most a period ({PERIOD_MS:.3f} ms)"
    return asked, f"{error_ms:.3f} ms", error_ms <= PERIOD_MS


def _watched(name: str, figures: Figures) -> float:
    return figures.timing.figures[CASES[name].watched]


RULES: Final[Mapping[str, tuple[Rule, ...]]] = {
    "steady_jack_64": (_steady, _cpu),
    "steady_jack_1024": (_steady,),
    IDLE_RTMIDI: (_rtmidi,),
    "jitter": (_jitter,),
    "dropout": (_dropout,),
    "jump": (_jump,),
    "start": (_start,),
    "busy_steady_jack_64": (_steady,),
    "busy_steady_rtmidi": (_rtmidi_busy,),
    "busy_jitter": (_jitter,),
    "busy_dropout": (_dropout,),
}
