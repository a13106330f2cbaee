"""The knob benchmark without its processes: what is swept, and what is made of the counts."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from livevae.bench import knobs, stage
from livevae.bench.scripts import RATE, Event
from livevae.bench.stage import Usage
from livevae.parameters import PARAMETERS


def test_every_knob_goes_to_both_ends_without_a_leap_and_no_two_together() -> None:
    """A hand moves through what lies between; two at one speed would see a line of the space."""
    sweeps = knobs.hands()
    assert len(sweeps) == 8
    assert set(knobs.KNOBS) <= set(PARAMETERS)
    for sweep in sweeps.values():
        leaps = [abs(b - a) for a, b in zip(sweep, (*sweep[1:], sweep[0]), strict=True)]
        assert (min(sweep), max(sweep)) == (0, 127)
        assert max(leaps) <= 2
    assert len({len(sweep) for sweep in sweeps.values()}) == len(sweeps)


def test_the_share_of_exact_bars_is_that_of_all_that_were_played(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """From the daemon's own counts at the end; the script is clock at 174 BPM and the hands."""
    played: list[Event] = []
    player = SimpleNamespace(
        bars={"exact": 57, "grid": 2, "held": 1, "missed": 0}, late_p99_ms=0.0, late_max_ms=1.3
    )

    class Everybody:
        def play(self, events: tuple[Event, ...]) -> int:
            played.extend(events)
            return 0

        def wait_until_played(self) -> None: ...

        def report(self) -> SimpleNamespace:
            return SimpleNamespace(player=player, decoder=SimpleNamespace(device="cpu"))

    @contextlib.contextmanager
    def somebody(*_: object, **__: object) -> Iterator[Everybody]:
        yield Everybody()

    @contextlib.contextmanager
    def server(*_: object) -> Iterator[dict[str, str]]:
        yield {}

    times = iter([Usage(100.0, 10, 1.0), Usage(110.0, 2010, 1.5)])
    monkeypatch.setattr(Everybody, "usage", lambda _: next(times), raising=False)
    monkeypatch.setattr(stage, "jack_server", server)
    monkeypatch.setattr(stage, "needed", lambda: None)
    monkeypatch.setattr(stage, "program", somebody)
    monkeypatch.setattr(stage, "daemon", somebody)
    monkeypatch.setattr(stage, "CLOCK_LEAD_S", 0.0)
    monkeypatch.setattr(knobs, "_AFTER_STOP_S", 0.0)
    report = knobs.run(1.0, Path("groove-4bar"), "server", lambda _: None)
    assert (report.exact_percent, report.exact_percent_reach) == (95.0, 95.0)
    assert (report.decodes_per_s, report.player_cpu_percent) == (200.0, 5.0)
    clocks = [frame for frame, message in played if message == b"\xf8"]
    assert (clocks[-1] - clocks[0]) / (len(clocks) - 1) == pytest.approx(RATE * 60 / 174 / 24)
    assert len(played) - len(clocks) > 8 * 100 * 60
