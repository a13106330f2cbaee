"""`livevae ports` and `livevae doctor`: what is there, what is wrong and how to mend it."""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import msgspec

from livevae.cli import realtime
from livevae.cli.options import config_option, set_option
from livevae.config import Config, load
from livevae.daemon.control import Request, ask, make_private, runtime_folder
from livevae.errors import LiveVAEError, WorkError
from livevae.midi.ports import choose_backend, list_ports
from livevae.model.folder import matching_grid, weights_hash
from livevae.pattern.pattern import STEPS_PER_BAR
from livevae.resources import find_model


@click.command(short_help="List the MIDI ports of other programs.")
@click.option("--backend", default="auto", help="MIDI system: auto, jack or rtmidi.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def ports(backend: str, as_json: bool) -> None:
    """List the MIDI ports that LiveVAE can be connected to."""
    chosen = choose_backend(load(None, [("midi.backend", backend)]).midi.backend)
    names = list_ports(chosen)
    if as_json:
        click.echo(msgspec.json.encode(names))
        return
    for title, listed in (("inputs", names.sources), ("outputs", names.destinations)):
        click.echo(f"for midi.{title} ({chosen}):")
        for name in listed or ("none",):
            click.echo(f"  {name}")


class Finding(msgspec.Struct, frozen=True):
    """One thing the doctor looked at; ``mend`` is empty when nothing can be better."""

    name: str
    well: bool
    found: str
    mend: str = ""


@click.command(short_help="Find out what is wrong, and how to mend it.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@config_option
@set_option
def doctor(as_json: bool, config: Path | None, settings: tuple[tuple[str, str], ...]) -> None:
    """Look at everything LiveVAE needs; exit code 1 if something is wrong."""
    loaded = load(config, settings)
    findings = list(_examine(loaded))
    if as_json:
        click.echo(msgspec.json.encode(findings))
    else:
        for finding in findings:
            mend = f"; {finding.mend}" if finding.mend else ""
            click.echo(
                f"{'ok  ' if finding.well else 'FAIL'} {finding.name:9} {finding.found}{mend}"
            )
    sys.exit(0 if all(finding.well for finding in findings) else 1)


def _examine(config: Config) -> Iterator[Finding]:
    yield Finding("python", True, f"{platform.python_version()} on {platform.platform()}")
    yield _tried("midi", lambda: _midi(config))
    yield _tried("model", lambda: _model(config))
    yield _tried("device", lambda: _device(config))
    yield _tried("folder", _folder)
    for name, look in (
        ("priority", realtime.priority),
        ("memory", realtime.memory),
        ("timers", realtime.timers),
    ):
        yield Finding(name, True, *look())
    yield _daemon()


def _tried(name: str, examine: Callable[[], str]) -> Finding:
    """Return what ``examine`` finds; what it raises already says how to mend it."""
    try:
        return Finding(name, True, examine())
    except LiveVAEError as error:
        return Finding(name, False, str(error))


def _midi(config: Config) -> str:
    backend = choose_backend(config.midi.backend)
    names = list_ports(backend)
    return f"{backend}, {len(names.sources)} sources and {len(names.destinations)} destinations"


def _model(config: Config) -> str:
    folder = find_model(config.model)
    grid = matching_grid(folder)
    if grid.weights_hash != weights_hash(folder):
        raise WorkError(
            f"the map of {folder.name} is stale; rebuild it with `livevae grid {config.model}`"
        )
    rows, cols, steps = grid.cells.shape[:3]
    over = " and ".join(grid.axes)
    return f"{folder.name}, {steps // STEPS_PER_BAR} bars, a map of {rows} x {cols} over {over}"


def _device(config: Config) -> str:
    try:
        from livevae.decoder.service import WarmModel  # noqa: PLC0415 - torch takes seconds
        from livevae.model.device import why  # noqa: PLC0415
    except ImportError as error:
        raise WorkError(f"torch cannot be loaded ({error}); reinstall livevae") from error
    warm = WarmModel(find_model(config.model), config.decoder.device, config.decoder.threads)
    count = config.decoder.threads
    threads = f" ({count} thread{'s' * (count > 1)})" if warm.device == "cpu" else ""
    return f"{warm.device}, {why(config.decoder.device)}{threads}; the model decodes on it"


def _folder() -> str:
    make_private(runtime_folder())
    return str(runtime_folder())


def _daemon() -> Finding:
    try:
        ask(Request("status"))
    except WorkError as error:
        return Finding("daemon", True, str(error))
    return Finding("daemon", True, "running and answering")
