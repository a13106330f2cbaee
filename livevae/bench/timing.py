"""The benchmark from end to end: each case on a server, LiveVAE first, then the references."""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import itertools
import operator
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final, Literal

import msgspec

from livevae.bench import cyclictest, stage
from livevae.bench.cases import Case
from livevae.bench.meant import CONTROLS, KIT, KNOB, SWEPT, Beats, meant, sixteenths
from livevae.bench.reach import CPU, Reach, reaches
from livevae.bench.score import Meant, Timing, late_ticks, onsets, score
from livevae.bench.scripts import RATE, Event, Script, with_sweep
from livevae.errors import WorkError
from livevae.resources import find_model

MODEL: Final = "groove-4bar"
SERVER: Final = "livevae-bench"
LATE_TICKS: Final = "late_ticks"
"""Clocks that the machine let come late: what it does to the clock is none of the follower's."""
DECODES: Final = "decodes_per_s"
FOLLOWERS: Final = {"plain_follower": 76, "isobar": 77}
"""The references that follow the clock, and the note by which each is known."""
_PROGRAMS: Final = {"plain_follower": "plain_follower", "isobar": "isobar_follower"}
_AFTERWARDS_S: Final = 1.0
Say = Callable[[str], None]


class Report(msgspec.Struct, frozen=True):
    """All figures of one run; ``remarks`` say what could not be measured, and why."""

    bars: int
    results: dict[str, Timing]
    reference: dict[str, dict[str, Timing]]
    reach: list[Reach]
    remarks: list[str]
    bench: Literal["timing"] = "timing"


class Take(msgspec.Struct, frozen=True):
    """What one playing of a script has brought: messages, the frame of its beginning, figures."""

    events: list[Event]
    zero: int
    figures: dict[str, float]


class Bench:
    """One run. State: what has been measured so far, and what could not be."""

    def __init__(self, bars: int, say: Say, server: str = SERVER) -> None:
        """Prepare a run whose scripts have ``bars`` bars; ``say`` hears of its progress.

        Raises:
            WorkError: JACK is not here.
        """
        stage.needed()
        self._bars = bars
        self._say = say
        self._server = server
        self._results: dict[str, Timing] = {}
        self._reference: dict[str, dict[str, Timing]] = {"cyclictest": {}}
        self._remarks: list[str] = []

    def run(self, cases: Sequence[Case]) -> Report:
        """Run the cases, grouped by what server they need.

        Raises:
            WorkError: server or daemon does not start.
        """
        followers = self._followers()
        cases = self._possible(cases)
        beats = Beats(find_model(MODEL))
        period_of = operator.attrgetter("period")
        for period, group in itertools.groupby(sorted(cases, key=period_of), key=period_of):
            with stage.jack_server(self._server, period) as environment:
                for case in group:
                    self._measure(case, beats, environment)
                    if case.compared:
                        self._compare(case, followers, environment)
        for case in cases:
            if case.backend == "rtmidi":
                self._floor(case)
        results = {case.name: self._results[case.name] for case in cases}
        reference = {name: table for name, table in self._reference.items() if table}
        reach = reaches(results, self._reference["cyclictest"])
        return Report(self._bars, results, reference, reach, self._remarks)

    def _possible(self, cases: Sequence[Case]) -> list[Case]:
        """Leave out RtMidi where it is on ALSA: what it sends there no JACK recorder hears."""
        if not Path("/dev/snd/seq").exists():
            return list(cases)
        self._remarks.append("RtMidi is on ALSA here, which the recorder in JACK cannot hear")
        return [case for case in cases if case.backend != "rtmidi"]

    def _followers(self) -> list[str]:
        if importlib.util.find_spec("isobar") is not None:
            return list(FOLLOWERS)
        self._remarks.append("isobar is not installed; `pip install 'livevae[bench]'` compares it")
        return [name for name in FOLLOWERS if name != "isobar"]

    def _script(self, case: Case) -> Script:
        script = case.clock(self._bars)
        return with_sweep(script, {KNOB: SWEPT}) if case.busy else script

    def _measure(self, case: Case, beats: Beats, environment: stage.Environment) -> None:
        script = self._script(case)
        self._say(f"{case.title}: LiveVAE, {script.seconds:.0f} s")
        taken = take(script, functools.partial(livevae, case, environment), case.busy, environment)
        expected = meant(script, beats.swept if case.busy else beats.still)
        self._results[case.name] = _scored(case, script, taken, expected, KIT)

    def _compare(self, case: Case, followers: list[str], environment: stage.Environment) -> None:
        script = self._script(case)
        self._say(f"{case.title}: {', '.join(followers)}, {script.seconds:.0f} s")
        playing = functools.partial(references, followers, environment)
        taken = take(script, playing, case.busy, environment)
        for name in followers:
            note = FOLLOWERS[name]
            timing = _scored(case, script, taken, sixteenths(script, note), (note,))
            self._reference.setdefault(name, {})[case.name] = timing

    def _floor(self, case: Case) -> None:
        """Measure the machine itself, as long as the case and under its load."""
        self._say(f"{case.title}: cyclictest")
        loaded = stage.busy() if case.busy else contextlib.nullcontext()
        try:
            with loaded:
                timing = cyclictest.measure(self._script(case).seconds)
        except WorkError as error:
            if str(error) not in self._remarks:
                self._remarks.append(str(error))
            return
        self._reference["cyclictest"][case.name] = timing


def take(
    script: Script,
    playing: Callable[[], AbstractContextManager[stage.Daemon | None]],
    loaded: bool,
    environment: stage.Environment,
) -> Take:
    """Play a script to whoever ``playing`` brings on stage; return what was heard."""
    lead = str(round(stage.CLOCK_LEAD_S * RATE))
    injector = stage.program(
        "injector", stage.CLOCK_NAME, lead, environment=environment, first=True
    )
    ports = (stage.RECORDER_NAME, stage.CLOCK_PORT)
    recorder = stage.program("recorder", *ports, environment=environment, first=True)
    with injector as clock, recorder as listener:
        with playing() as daemon, stage.busy() if loaded else contextlib.nullcontext():
            zero = clock.play(script.events)
            time.sleep(stage.CLOCK_LEAD_S)
            before = daemon.usage() if daemon else None
            clock.wait_until_played()
            figures = rates(before, daemon.usage()) if daemon and before else {}
            time.sleep(_AFTERWARDS_S)
        events = listener.recorded()
    return Take(events, zero, figures)


def rates(before: stage.Usage, after: stage.Usage) -> dict[str, float]:
    """Return decodes a second and, if known, the player's share of a core, between two moments."""
    passed_s = after.at_s - before.at_s
    figures = {DECODES: (after.decodes - before.decodes) / passed_s}
    if before.player_s is not None and after.player_s is not None:
        figures[CPU] = 100 * (after.player_s - before.player_s) / passed_s
    return figures


def _scored(
    case: Case, script: Script, taken: Take, expected: Meant, notes: Sequence[int]
) -> Timing:
    heard = onsets(taken.events, taken.zero, notes)
    timing = score(script, heard, expected, case.judged_from, case.watched)
    late = late_ticks(script, taken.events, taken.zero)
    figures = {**timing.figures, **taken.figures, LATE_TICKS: late}
    return msgspec.structs.replace(timing, figures=figures)


@contextlib.contextmanager
def livevae(case: Case, environment: stage.Environment) -> Iterator[stage.Daemon]:
    """Run the daemon as a case wants it, connected to clock and recorder by name."""
    controls = "\n".join(f"{name} = {value}" for name, value in CONTROLS.items())
    config = (
        f'model = "{MODEL}"\n[midi]\nname = "LiveVAE-bench"\nbackend = "{case.backend}"\n'
        f'inputs = ["{stage.CLOCK_PORT}"]\noutputs = ["{stage.RECORDER_PORT}"]\n'
        f"[map]\nx = {{ cc = {KNOB} }}\n[controls]\n{controls}\n"
    )
    with stage.daemon(config, environment) as daemon:
        yield daemon


@contextlib.contextmanager
def references(names: Sequence[str], environment: stage.Environment) -> Iterator[None]:
    """Run followers of ``FOLLOWERS``, connected to clock and recorder."""
    with contextlib.ExitStack() as stack:
        for name in names:
            arguments = (stage.CLOCK_PORT, stage.RECORDER_PORT, str(FOLLOWERS[name]))
            follower = stage.program(_PROGRAMS[name], *arguments, environment=environment)
            stack.enter_context(follower)
        yield None
