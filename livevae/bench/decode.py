"""The benchmark of the decoder: positions in, patterns out, beside plain eager PyTorch."""

from __future__ import annotations

import contextlib
import os
import platform
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, Literal

import msgspec
import numpy as np
import torch

from livevae.bench.eager import EagerDecoder
from livevae.bench.floor import Floor, floor_of
from livevae.bench.knob import knob_to_bank_ms
from livevae.decoder.service import WarmModel
from livevae.errors import WorkError
from livevae.latent.grid import DEFAULT_SIZE
from livevae.model.checkpoint import load_model
from livevae.model.device import Array
from livevae.model.folder import load_config, matching_space
from livevae.parameters import POSITION
from livevae.pattern.pattern import Pattern, same_onsets

MAP: Final = DEFAULT_SIZE**2
COUNTS: Final = (1, 16, 81, MAP)
"""Points at once: the knobs' own, a few neighbours, a square around them, the whole map."""
TURNS: Final = 100
GOAL_BARS: Final = 4
"""A map's goals are for patterns as long as the default model's."""
FEWEST_ROUNDS: Final = 5
MAGENTA_JS: Final = 144
"""Two-bar patterns a second of magenta.js in WebAssembly on two cores; it is not run again here."""


class Times(msgspec.Struct, frozen=True):
    """Of some decodes of a number of points: milliseconds for all of them, points in a second."""

    p50_ms: float
    p99_ms: float
    points_per_s: float

    @classmethod
    def of(cls, points: int, times_ms: Sequence[float]) -> Times:
        """Sum up decodes of ``points`` points each."""
        p50, p99 = np.percentile(times_ms, (50, 99)).tolist()
        return cls(p50, p99, points * 1000 * len(times_ms) / sum(times_ms))


class Goal(msgspec.Struct, frozen=True):
    """What is to be reached, what was measured, and whether that is enough."""

    asked: str
    measured: str
    reached: bool


class Report(msgspec.Struct, frozen=True):
    """All figures of one run; those of ``results`` and ``reference`` by the number of points.

    ``difference`` is the largest between the two's numbers. ``knob_to_bank`` is from a control
    change at the player's port to the new pattern in the bank.
    """

    device: str
    model: str
    bars: int
    threads: int
    versions: dict[str, str]
    results: dict[str, Times]
    reference: dict[str, Times]
    difference: float
    floor: Floor
    knob_to_bank: Times
    reach: list[Goal]
    bench: Literal["decode"] = "decode"


def measure(
    model: Path,
    device: str,
    threads: int,
    seconds: float,
    say: Callable[[str], None],
    counts: Sequence[int] = COUNTS,
    turns: int = TURNS,
) -> Report:
    """Measure a model's decodes.

    Args:
        model: its folder.
        device: as in livevae.toml.
        threads: what the CPU may use.
        seconds: how long to measure each number of points.
        say: hears of the progress.
        counts: numbers of points.
        turns: of a knob.

    Raises:
        UsageError: the folder is no model, or the device is not there.
        WorkError: the reference plays other onsets, or the decoder fails.
    """
    warm, space = WarmModel(model, device, threads), matching_space(model)
    eager = EagerDecoder(model, warm.device)

    def plain(positions: Array) -> Pattern:
        return eager.decode(space.zs(positions))

    difference = _difference(warm.decode_many, plain)
    results, reference = {}, {}
    for points in counts:
        say(f"{points} points on {warm.device}, {seconds:g} s")
        ours, theirs = _alternately(warm.decode_many, plain, points, seconds)
        results[str(points)], reference[str(points)] = ours, theirs
    say("the machine's own floor")
    vae = load_model(model)
    vae.decoder.fold()
    floor = floor_of(vae, warm.device)
    say(f"from a knob to the bank, {turns} times")
    knob = Times.of(1, knob_to_bank_ms(model, device, threads, turns))
    bars = load_config(model).bars
    return Report(
        device=_name(warm.device),
        model=model.name,
        bars=bars,
        threads=threads,
        versions=_versions(),
        results=results,
        reference=reference,
        difference=difference,
        floor=floor,
        knob_to_bank=knob,
        reach=reaches(warm.device, bars, results, reference),
    )


def _positions(points: int, seed: int) -> Array:
    """Return random positions of all knobs, [points, 16]."""
    rng = np.random.default_rng(seed)
    positions = rng.uniform(-1, 1, (points, len(POSITION))).astype(np.float32)
    positions[:, :2] = np.abs(positions[:, :2])
    return positions


def _difference(ours: Callable[[Array], Pattern], theirs: Callable[[Array], Pattern]) -> float:
    """Return the largest difference of two decoders' numbers, after a look at their onsets."""
    positions = _positions(COUNTS[2], seed=0)
    decoded, expected = ours(positions), theirs(positions)
    if not same_onsets(decoded, expected):
        raise WorkError(
            "the decoder does not play what plain PyTorch plays, so its speed means nothing; "
            "run it on another --device, and report this one"
        )
    return float(np.abs(decoded - expected).max())


def _alternately(
    ours: Callable[[Array], Pattern],
    theirs: Callable[[Array], Pattern],
    points: int,
    seconds: float,
) -> tuple[Times, Times]:
    """Time two decoders in turns, so that whatever else the machine does hits both."""
    times_ms: tuple[list[float], list[float]] = [], []
    for decode in (ours, theirs):
        decode(_positions(points, seed=0))
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(times_ms[0]) < FEWEST_ROUNDS:
        positions = _positions(points, seed=len(times_ms[0]))
        for decode, times in zip((ours, theirs), times_ms, strict=True):
            begun = time.perf_counter()
            decode(positions)
            times.append((time.perf_counter() - begun) * 1000)
    return Times.of(points, times_ms[0]), Times.of(points, times_ms[1])


def reaches(
    device: str, bars: int, results: dict[str, Times], reference: dict[str, Times]
) -> list[Goal]:
    """Hold what was measured against what is to be reached on such a device."""
    on_cpu, goals = device == "cpu", []
    if one := results.get("1"):
        goals.append(_at_most("one point, p99", one.p99_ms, 4.0 if on_cpu else 0.5))
        if not on_cpu:
            faster = reference["1"].p50_ms / one.p50_ms
            asked = "one point at least 10 times as fast as eager PyTorch"
            goals.append(Goal(asked, f"{faster:.1f} times", faster >= 10))
    whole = results.get(str(MAP))
    if whole and bars == GOAL_BARS:
        goals.append(_at_most(f"{MAP:,} points, p50", whole.p50_ms, 600.0 if on_cpu else 3.0))
        if on_cpu:
            two_bars = whole.points_per_s * bars / 2
            asked = f"10 times magenta.js's {MAGENTA_JS} two-bar patterns a second"
            goals.append(Goal(asked, f"{two_bars:,.0f}", two_bars >= 10 * MAGENTA_JS))
    return goals


def _at_most(what: str, measured_ms: float, asked_ms: float) -> Goal:
    measured = f"{measured_ms:.2f} ms"
    return Goal(f"{what} at most {asked_ms:g} ms", measured, measured_ms <= asked_ms)


def _name(device: str) -> str:
    """Return a device with what it is, as far as the system tells."""
    if device.startswith("cuda"):
        return f"{device} ({torch.cuda.get_device_name(device)})"
    processor = platform.processor() or platform.machine()
    with contextlib.suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        named = [line.partition(": ")[2] for line in lines if line.startswith("model name")]
        processor = named[0] if named else processor
    return f"{device} ({processor}, {os.cpu_count()} cores)"


def _versions() -> dict[str, str]:
    return {
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "cuda": torch.version.cuda or "none",
        "system": platform.platform(),
    }
