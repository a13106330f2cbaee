"""`livevae bench NAME`: figures beside their reference, from the same run."""

from __future__ import annotations

import contextlib
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import click
import msgspec

from livevae.bench.scripts import FEWEST_BARS
from livevae.cli.console import say
from livevae.cli.model_options import Within, model_option
from livevae.daemon.control import NotRunningError, Request, ask
from livevae.daemon.supervisor import Report
from livevae.errors import UsageError, WorkError
from livevae.midi.ports import PortNames, choose_backend, port_lister
from livevae.resources import find_model

PORT_NAME: Final = "LiveVAE-bench"
GIVE_UP_S: Final = 30.0
LOOK_EVERY_S: Final = 0.002
WARM_WITHIN_S: Final = 120.0
ASK_EVERY_S: Final = 0.02
"""Each answer takes the processor from the decoder, which is loading torch."""


class Start(msgspec.Struct, frozen=True):
    """Seconds from launch, median and worst of some runs."""

    median_s: float
    worst_s: float

    @classmethod
    def of(cls, seconds: list[float]) -> Start:
        """Sum up runs."""
        return cls(statistics.median(seconds), max(seconds))


class Launch(msgspec.Struct, frozen=True):
    """One launch, in seconds: the port is there, the saved map can be played, any point can be."""

    port_visible: float
    ready_to_play: float
    decoder_warm: float


@click.group()
def bench() -> None:
    """Measure LiveVAE on this machine, each figure beside its reference."""


@bench.command()
@click.option("--runs", type=click.IntRange(1, 100), default=7, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def start(runs: int, as_json: bool) -> None:
    """Time `livevae run` to a visible port, to playing from its map, and to a warm decoder."""
    backend = choose_backend("auto")
    with port_lister(backend) as names:
        launches = [_launch(backend, names) for _ in range(runs)]
    results = {
        name: Start.of([getattr(launch, name) for launch in launches])
        for name in Launch.__struct_fields__
    }
    reference = {
        "python": Start.of([_python("pass") for _ in range(runs)]),
        "python_numpy_msgspec_click": Start.of(
            [_python("import numpy, msgspec, click") for _ in range(runs)]
        ),
    }
    if as_json:
        report = {"bench": "start", "backend": backend, "results": results, "reference": reference}
        click.echo(msgspec.json.encode(report))
        return
    for title, rows in ((f"livevae run ({backend})", results), ("reference", reference)):
        click.echo(title)
        for name, row in rows.items():
            click.echo(f"  {name:28} median {row.median_s:.3f} s, worst {row.worst_s:.3f} s")


@bench.command()
@model_option
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:N or mps.")
@click.option(
    "--threads",
    type=click.IntRange(1, 64),
    default=min(2, os.cpu_count() or 1),
    show_default=True,
    help="Threads of the CPU, for both sides.",
)
@click.option(
    "--seconds",
    type=Within(0, 600),
    default=10.0,
    show_default=True,
    help="How long to measure each number of points; each is decoded five times at least.",
)
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def decode(model: str, device: str, threads: int, seconds: float, as_json: bool) -> None:
    """Time decodes of 1, 16, 81 and 1,089 points, and from a knob to the pattern bank.

    The reference, in turns with it: the same weights in plain eager PyTorch, bar after bar. Beside
    them stands what the arithmetic alone would take on this machine.
    """
    from livevae.bench.decode import measure  # noqa: PLC0415 - torch takes seconds
    from livevae.bench.decode_table import print_report  # noqa: PLC0415

    report = measure(find_model(model), device, threads, seconds, say)
    if as_json:
        click.echo(msgspec.json.encode(report))
    else:
        print_report(report)


@bench.command()
@click.option(
    "--case",
    "names",
    multiple=True,
    metavar="NAME",
    help="Run this case alone; as often as you like. A wrong name lists them.",
)
@click.option(
    "--bars",
    type=click.IntRange(FEWEST_BARS, 1000),
    default=16,
    show_default=True,
    help="Length of each clock: 34 notes a bar, and p99.9 wants a thousand of them.",
)
@click.option(
    "--server",
    default="livevae-bench",
    show_default=True,
    help="Name for the JACK server that is started and ended again.",
)
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def timing(names: tuple[str, ...], bars: int, server: str, as_json: bool) -> None:
    """Measure how far each note lies from the grid of a clock whose every tick is known.

    A JACK server, a scripted clock, an independent recorder and `livevae run` are started for it.
    The references, in the same run: a plain follower, isobar's MIDI-in clock, and cyclictest for
    the machine itself.
    """
    from livevae.bench.cases import CASES  # noqa: PLC0415 - `bench start` needs none of it
    from livevae.bench.timing import Bench  # noqa: PLC0415

    for name in names:
        if name not in CASES:
            raise UsageError(f"there is no case {name!r}; there are: {', '.join(CASES)}")
    _leave_in_order()
    report = Bench(bars, say, server).run([CASES[name] for name in names or CASES])
    if as_json:
        click.echo(msgspec.json.encode(report))
        return
    from livevae.bench.table import print_report  # noqa: PLC0415

    print_report(report)


@bench.command()
@click.option(
    "--minutes", type=click.FloatRange(0.1, 600), default=10.0, show_default=True, help="How long."
)
@click.option("--model", default="groove-4bar", show_default=True, help="Name or folder.")
@click.option("--server", default="livevae-bench", show_default=True, help="Name for its server.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def knobs(minutes: float, model: str, server: str, as_json: bool) -> None:
    """Sweep eight knobs at 174 BPM, a change at each step, and count the exact bars."""
    from livevae.bench.knobs import run  # noqa: PLC0415 - `bench start` needs none of it

    _leave_in_order()
    report = run(minutes, find_model(model), server, say)
    if as_json:
        click.echo(msgspec.json.encode(report))
        return
    for name, value in msgspec.structs.asdict(report).items():
        shown = ", ".join(f"{k} {n}" for k, n in value.items()) if name == "bars" else value
        click.echo(f"{name:20} {shown:.4g}" if isinstance(shown, float) else f"{name:20} {shown}")


def _leave_in_order() -> None:
    """Let SIGTERM end what has been started on the way out, so there must be one."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))


def _launch(backend: str, names: Callable[[], PortNames]) -> Launch:
    """Start the daemon once."""
    with tempfile.TemporaryDirectory(prefix="livevae-bench-") as folder:
        config = Path(folder) / "livevae.toml"
        config.write_text(f'[midi]\nname = "{PORT_NAME}"\nbackend = "{backend}"\n')
        environment = os.environ | {"LIVEVAE_RUNTIME_DIR": str(Path(folder) / "run")}
        command = [sys.executable, "-P", "-m", "livevae", "run", "--config", str(config)]
        begun = time.monotonic()
        with subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment
        ) as process:
            try:
                visible = _until_visible(names, begun)
                assert process.stderr is not None  # noqa: S101 - it was asked for
                line = process.stderr.readline().decode()
                ready = time.monotonic() - begun
                if "ready" not in line:
                    raise WorkError(f"livevae run does not start: {line.strip()}")
                warm = _until_warm(Path(folder) / "run", begun)
            finally:
                process.terminate()
        return Launch(visible, ready, warm)


def _until_visible(names: Callable[[], PortNames], begun: float) -> float:
    while time.monotonic() - begun < GIVE_UP_S:
        if any(PORT_NAME in name for name in names().sources):
            return time.monotonic() - begun
        time.sleep(LOOK_EVERY_S)
    raise WorkError(f"no port {PORT_NAME} has come up in {GIVE_UP_S:.0f} s; try `livevae doctor`")


def _until_warm(folder: Path, begun: float) -> float:
    while time.monotonic() - begun < WARM_WITHIN_S:
        with contextlib.suppress(NotRunningError):  # its control socket comes just after its word
            report = msgspec.json.decode(ask(Request("status"), folder), type=Report)
            if report.decoder.decodes:
                return time.monotonic() - begun
        time.sleep(ASK_EVERY_S)
    raise WorkError(f"the decoder is not warm after {WARM_WITHIN_S:.0f} s; try `livevae doctor`")


def _python(script: str) -> float:
    begun = time.monotonic()
    subprocess.run([sys.executable, "-c", script], check=True)
    return time.monotonic() - begun
