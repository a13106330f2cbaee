"""Eight knobs that never rest: how many bars still play exactly what the hand says."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, Literal

import msgspec

from livevae.bench import stage
from livevae.bench.reach import CPU
from livevae.bench.scripts import RATE, TICKS_PER_BAR, steady, with_sweep
from livevae.bench.timing import DECODES, rates
from livevae.player.bar import Source

BPM: Final = 174.0
PER_SECOND: Final = 100
"""Messages of each knob."""
SWEEP_S: Final = 2.5
"""How long the first knob takes from end to end and back; each of the others takes longer."""
KNOBS: Final = {
    "x": 20,
    "y": 21,
    "axis.1": 22,
    "axis.2": 23,
    "axis.3": 24,
    "attribute.density": 25,
    "attribute.syncopation": 26,
    "attribute.energy": 27,
}
"""What is swept, and by which control change."""
EXACT_PERCENT: Final = {"cpu": 95.0}
"""Bars that shall be exact, by the kind of device; on any other:"""
EXACT_PERCENT_GPU: Final = 99.0
PERIOD: Final = 64
_AFTER_STOP_S: Final = 1.0


class Report(msgspec.Struct, frozen=True):
    """Bars by where they came from, while every knob is swept and each step may bring a change."""

    device: str
    model: str
    minutes: float
    bars: dict[Source, int]
    exact_percent: float
    exact_percent_reach: float
    decodes_per_s: float
    player_cpu_percent: float | None
    late_p99_ms: float
    late_max_ms: float
    bench: Literal["knobs"] = "knobs"


def run(minutes: float, model: Path, server: str, say: Callable[[str], None]) -> Report:
    """Play for so long.

    Raises:
        WorkError: JACK is not here, or server or daemon does not start.
    """
    stage.needed()
    bars = math.ceil(minutes * 60 * BPM * 24 / 60 / TICKS_PER_BAR)
    script = with_sweep(steady(bars, BPM), hands(), PER_SECOND)
    say(f"{len(KNOBS)} knobs at {PER_SECOND} messages a second each for {script.seconds:.0f} s")
    with stage.jack_server(server, PERIOD) as environment:
        lead = str(round(stage.CLOCK_LEAD_S * RATE))
        clock = stage.program(
            "injector", stage.CLOCK_NAME, lead, environment=environment, first=True
        )
        ports = (stage.RECORDER_NAME, stage.CLOCK_PORT)
        recorder = stage.program("recorder", *ports, environment=environment, first=True)
        with clock as hand, recorder, stage.daemon(_config(model), environment) as daemon:
            hand.play(script.events)
            time.sleep(stage.CLOCK_LEAD_S)
            before = daemon.usage()
            hand.wait_until_played()
            figures = rates(before, daemon.usage())
            time.sleep(_AFTER_STOP_S)
            report = daemon.report()
    played = sum(report.player.bars.values())
    device = report.decoder.device
    return Report(
        device,
        model.name,
        minutes,
        report.player.bars,
        100 * report.player.bars["exact"] / played,
        EXACT_PERCENT.get(device, EXACT_PERCENT_GPU),
        figures[DECODES],
        figures.get(CPU),
        report.player.late_p99_ms,
        report.player.late_max_ms,
    )


def hands() -> dict[int, tuple[int, ...]]:
    """Return what each control change is sent, over and over: up to its end and down again."""
    sweeps = {}
    for number, controller in enumerate(KNOBS.values()):
        half = round(SWEEP_S * PER_SECOND * (1 + number / 3) / 2)
        up = [round(127 * step / half) for step in range(half)]
        sweeps[controller] = (*up, 127, *reversed(up[1:]))
    return sweeps


def _config(model: Path) -> str:
    knobs = "\n".join(f'"{name}" = {{ cc = {number} }}' for name, number in KNOBS.items())
    return (
        f'model = "{model}"\n[midi]\nname = "LiveVAE-bench"\nbackend = "jack"\n'
        f'inputs = ["{stage.CLOCK_PORT}"]\noutputs = ["{stage.RECORDER_PORT}"]\n'
        f'[map]\n{knobs}\n[controls]\n"change.quantize" = "step"\n'
    )
