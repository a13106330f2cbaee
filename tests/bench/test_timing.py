"""A whole run without its processes: what is measured, compared, remarked and shown."""

from __future__ import annotations

import contextlib
import importlib.util
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest

from livevae.bench import stage, timing
from livevae.bench.cases import CASES
from livevae.bench.meant import KIT
from livevae.bench.reach import CPU
from livevae.bench.score import Timing
from livevae.bench.stage import Usage
from livevae.bench.table import print_report
from livevae.bench.timing import DECODES, FOLLOWERS, Bench, Report, Take, rates
from livevae.errors import WorkError
from tests.player.stage import beat

ZERO = 7000
LATE = 24
"""Frames by which everybody plays late here: half a millisecond."""
SHAPE = {"sd_ms", "p50_ms", "p99_ms", "p999_ms", "max_ms", "notes", "missed"}


class Run:
    """What a run has done. State: the periods of its servers, what it said, what is there."""

    def __init__(self) -> None:
        self.periods: list[int] = []
        self.said: list[str] = []
        self.there = {"isobar": True, "alsa": False}

    def report(self, *names: str) -> Report:
        """Run cases by name."""
        return Bench(6, self.said.append).run([CASES[name] for name in names or CASES])


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """Let everybody play a kick on each beat, and the references their sixteenths, a bit late."""
    doing = Run()

    @contextlib.contextmanager
    def server(_name: str, period: int) -> Iterator[stage.Environment]:
        doing.periods.append(period)
        yield {}

    def take(script: object, playing: object, loaded: bool, environment: object) -> Take:
        events = [(frame + ZERO, message) for frame, message in script.events]  # type: ignore[attr-defined]
        for at, step in zip(script.grid, script.song_steps, strict=True):  # type: ignore[attr-defined]
            notes = [*FOLLOWERS.values(), *([KIT[0]] if step % 4 == 0 else [])]
            events += [(ZERO + int(at) + LATE, bytes((0x99, note, 100))) for note in notes]
        return Take(sorted(events), ZERO, {CPU: 3.0})

    def floor(_seconds: float) -> Timing:
        return Timing.of([0.1] * 9)

    def find(name: str) -> object:
        return None if name == "isobar" and not doing.there["isobar"] else name

    exists = Path.exists
    monkeypatch.setattr(stage, "needed", lambda: None)
    monkeypatch.setattr(stage, "jack_server", server)
    monkeypatch.setattr(stage, "busy", contextlib.nullcontext)
    monkeypatch.setattr(timing, "take", take)
    monkeypatch.setattr(
        timing,
        "Beats",
        lambda _model: SimpleNamespace(
            still=[beat({"kick": [0, 4, 8, 12]})], swept=[beat({"kick": [0, 4, 8, 12]})]
        ),
    )
    monkeypatch.setattr(timing.cyclictest, "measure", floor)
    monkeypatch.setattr(importlib.util, "find_spec", find)
    monkeypatch.setattr(
        Path,
        "exists",
        lambda path: doing.there["alsa"] if str(path) == "/dev/snd/seq" else exists(path),
    )
    return doing


def test_every_case_has_a_result_and_misses_nothing_that_was_played(run: Run) -> None:
    report = run.report()
    assert report.results.keys() == CASES.keys()
    for name, result in report.results.items():
        assert (result.missed, result.extra) == (0, 0), name
        assert result.mean_ms == pytest.approx(0.5, abs=0.02), name
        assert result.figures["late_ticks"] == 0


def test_results_and_references_have_the_same_shape_in_json(run: Run) -> None:
    shown = msgspec.json.decode(msgspec.json.encode(run.report()))
    assert shown["bench"] == "timing"
    tables = [shown["results"], *shown["reference"].values()]
    assert all(result.keys() >= SHAPE for table in tables for result in table.values())
    assert shown["reference"].keys() == {"plain_follower", "isobar", "cyclictest"}
    assert shown["reach"][0].keys() == {"case", "asked", "measured", "reached"}


def test_references_follow_the_same_clocks_on_jack(run: Run) -> None:
    reference = run.report().reference
    on_jack = {name for name, case in CASES.items() if case.backend == "jack"} - {"start"}
    assert reference["isobar"].keys() == reference["plain_follower"].keys() == on_jack
    assert reference["cyclictest"].keys() == {"steady_rtmidi", "busy_steady_rtmidi"}


def test_cases_share_the_servers_of_their_period(run: Run) -> None:
    run.report()
    assert run.periods == [64, 1024]


def test_one_case_alone_needs_no_other(run: Run) -> None:
    report = run.report("jitter")
    assert report.results.keys() == {"jitter"}
    assert run.periods == [64]
    assert run.said == [
        "clock jitter of 1.5 ms, after two bars: LiveVAE, 12 s",
        "clock jitter of 1.5 ms, after two bars: plain_follower, isobar, 12 s",
    ]


def test_without_isobar_and_cyclictest_the_rest_is_measured_and_a_line_says_so(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(_seconds: float) -> Timing:
        raise WorkError("cyclictest is not installed")

    monkeypatch.setattr(timing.cyclictest, "measure", missing)
    run.there["isobar"] = False
    report = run.report()
    assert report.reference.keys() == {"plain_follower"}
    assert report.results.keys() == CASES.keys()
    assert report.remarks == [
        "isobar is not installed; `pip install 'livevae[bench]'` compares it",
        "cyclictest is not installed",
    ]


def test_where_rtmidi_is_on_alsa_its_cases_are_left_out_and_a_line_says_so(run: Run) -> None:
    run.there["alsa"] = True
    report = run.report()
    assert not any("rtmidi" in name for name in report.results)
    assert "RtMidi is on ALSA here" in report.remarks[0]


def test_the_table_has_every_case_its_references_and_what_was_to_be_reached(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    run.there["isobar"] = False
    print_report(run.report("steady_jack_64", "steady_rtmidi", "jump"))
    shown = capsys.readouterr().out
    for words in (
        "steady, jack, 64 frames",
        "plain follower",
        "cyclictest",
        "tempo jump x1.5",
        "the player takes at most 5% of a core",
        "sd 0.00 frames, max 24.00",
        "3.0%",
        "from one beat after ms 0.500",
        "isobar is not installed",
    ):
        assert words in shown
    assert "late ticks" not in shown, "none were"


def test_a_figure_that_nobody_knows_is_a_dash_in_the_table(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    report = run.report("jitter")
    silent = {**report.results, "jitter": Timing.of([], missed=3)}
    print_report(msgspec.structs.replace(report, results=silent))
    assert "nan" not in capsys.readouterr().out.split("what was to be reached")[0]


def test_rates_are_per_second_and_of_one_core() -> None:
    before, after = Usage(10.0, 100, 1.0), Usage(14.0, 300, 1.1)
    assert rates(before, after) == {DECODES: 50.0, CPU: pytest.approx(2.5)}
    unknown = Usage(14.0, 300, None)
    assert rates(before, unknown) == {DECODES: 50.0}, "a system that does not tell"
