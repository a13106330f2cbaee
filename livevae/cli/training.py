# ruff: noqa: PLC0415 - torch and its like are imported by the command that needs them only
"""The commands that make a model: prepare and train."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from livevae.cli.console import new_console, print_report
from livevae.cli.files import write_grid
from livevae.cli.watching import Interrupts, Watcher
from livevae.config import Config
from livevae.errors import UsageError
from livevae.latent.grid import DEFAULT_SIZE

if TYPE_CHECKING:
    from livevae.model.config import ModelConfig
    from livevae.model.vae import Vae
    from livevae.training.checkpoints import Origin
    from livevae.training.config import Preset
    from livevae.training.report import Report

SHOWN_REASONS = 20


@click.command()
@click.argument("sources", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.argument("out", type=click.Path(path_type=Path))
def prepare(sources: tuple[Path, ...], out: Path) -> None:
    """Read folders or zips of MIDI drums into a training-data folder OUT.

    The Groove MIDI Dataset is recognised and split officially; other collections are split by
    file. Each file left out is listed with its reason in OUT/manifest.json.
    """
    import time

    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    from livevae.training.prepare import counted
    from livevae.training.prepare import prepare as prepare_data

    console = new_console()
    started = time.monotonic()
    columns = ("Reading", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    hidden = not console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=hidden) as progress:
        task = progress.add_task("Reading", total=None)
        manifest = prepare_data(
            list(sources), out, lambda done, n: progress.update(task, completed=done, total=n)
        )
    seconds = time.monotonic() - started
    for left in manifest.left_out[:SHOWN_REASONS]:
        twin = f" of {left.twin}" if left.twin else ""
        console.print(f"left out: {left.name}: {left.reason}{twin}", markup=False, soft_wrap=True)
    if len(manifest.left_out) > SHOWN_REASONS:
        console.print(f"and {len(manifest.left_out) - SHOWN_REASONS} more in the manifest")
    kept = sum(map(len, manifest.splits.values()))
    read = kept + len(manifest.left_out)
    console.print(
        f"{read} files read in {seconds:.1f} s ({read / seconds:.0f} a second), {kept} kept, "
        f"{len(manifest.left_out)} left out{counted(manifest.left_out)}",
        soft_wrap=True,
        highlight=False,
    )
    for split, recordings in manifest.splits.items():
        bars = sum(recording.bars for recording in recordings)
        console.print(f"{split}: {len(recordings)} files, {bars} bars", highlight=False)


@click.command()
@click.argument("data", type=click.Path(path_type=Path))
@click.option("--config", help="A preset's name or a TOML file.  [default: the shipped model's]")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The model's folder.")
@click.option("--from", "start", help="Start from the weights of this model.")
@click.option("--minutes", type=click.FloatRange(0, min_open=True), help="How long to train.")
@click.option("--steps", type=click.IntRange(1), help="How many steps to train.")
@click.option("--threads", type=click.IntRange(1, 256), help="CPU threads to use.")
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=0, show_default=True)
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:N or mps.")
def train(
    data: Path,
    config: str | None,
    out: Path,
    start: str | None,
    minutes: float | None,
    steps: int | None,
    threads: int | None,
    seed: int,
    device: str,
) -> None:
    """Train a model on prepared DATA and write the model folder --out.

    The best model so far is always on disk. Ctrl-C stops after the step, and a training that was
    stopped or killed goes on when the same command is given again. With --from and no --config,
    the training is a short one that goes on with a model on the recordings in DATA alone. Started
    by torchrun, several processes or machines share each batch.
    """
    import torch

    from livevae.files import make_folder
    from livevae.model.checkpoint import load_model
    from livevae.model.device import resolve_device
    from livevae.model.vae import Vae
    from livevae.resources import find_model
    from livevae.training import loop
    from livevae.training.dataset import load_split
    from livevae.training.ranks import joined

    started_from = find_model(start) if start else None
    preset = _preset(config, started_from, minutes, steps)
    if threads is not None:
        torch.set_num_threads(threads)
    torch.manual_seed(seed)
    vae = _started(preset.model, config, started_from) if started_from else Vae(preset.model)
    with joined(resolve_device(device)) as (ranks, own_device):
        training, validation = load_split(data, "train"), load_split(data, "validation")
        origin = _origin(preset, seed, data, started_from)
        _check_unfinished(out, origin)
        make_folder(out)

        console = new_console(quiet=not ranks.first)
        held_out = loop.held_out_windows(validation, preset.model.bars)
        if not len(held_out):
            console.print(
                f"No validation recording is {preset.model.bars} bars long: "
                "validating on the training windows"
            )
            held_out = loop.held_out_windows(training, preset.model.bars)
        with Watcher(console) as watcher, Interrupts() as interrupts:
            done = loop.train(
                folder=out,
                origin=origin,
                training=training,
                held_out=held_out,
                vae=vae,
                device=own_device,
                watch=watcher.watch,
                stopped=interrupts.came,
                ranks=ranks,
            )
    if not ranks.first:
        return
    if not done:
        console.print(
            f"Stopped; {out} holds the best model so far. Give the same command again to go on",
            soft_wrap=True,
        )
        return
    console.print("Fitting space and prior, decoding the grid, measuring")
    command = _command(data, config, out, start, minutes, steps, seed)
    report = _finish(load_model(out, own_device), out, data, preset, command, seed)
    print_report(console, report)
    console.print(f"The model is in {out}", soft_wrap=True)


def _preset(
    config: str | None, started_from: Path | None, minutes: float | None, steps: int | None
) -> Preset:
    """Return what to train and how; a model to start from has its own shape unless one is given."""
    import msgspec

    from livevae.model.folder import load_config
    from livevae.training.config import load_preset

    if minutes is not None and steps is not None:
        raise UsageError("give --minutes or --steps, not both")
    preset = load_preset(config or ("fine-tune" if started_from else Config().model))
    if started_from and not config:
        preset = msgspec.structs.replace(preset, model=load_config(started_from))
    length: dict[str, float | None] = {}
    if minutes is not None:
        length = {"minutes": minutes}
    if steps is not None:
        length = {"steps": steps, "minutes": None}
    return msgspec.structs.replace(
        preset, training=msgspec.structs.replace(preset.training, **length)
    )


def _started(shape: ModelConfig, config: str | None, started_from: Path) -> Vae:
    """Return a model of the ``shape`` that ``config`` describes, with the weights of another.

    That one may be longer or shorter: a conductor has the same weights for any number of bars.

    Raises:
        UsageError: the weights are not of that shape.
    """
    from livevae.model.checkpoint import load_model
    from livevae.model.vae import Vae

    vae = Vae(shape)
    wanted, weights = vae.state_dict(), load_model(started_from).state_dict()
    unlike = sorted(wanted.keys() ^ weights.keys()) or [
        name for name, tensor in wanted.items() if tensor.shape != weights[name].shape
    ]
    if unlike:
        raise UsageError(
            f"{started_from} has weights of another shape than {config} describes (the first is "
            f"{unlike[0]}); leave --config out or start from a model of that shape"
        )
    vae.load_state_dict(weights)
    return vae


def _origin(preset: Preset, seed: int, data: Path, started_from: Path | None) -> Origin:
    from livevae.model.folder import weights_hash
    from livevae.training.checkpoints import Origin, data_hash

    start = weights_hash(started_from) if started_from else ""
    return Origin(preset=preset, seed=seed, data=data_hash(data), start=start)


def _check_unfinished(out: Path, origin: Origin) -> None:
    """Refuse a folder that holds a finished model, or the training of another one."""
    from livevae.model.folder import WEIGHTS_FILE
    from livevae.training.checkpoints import read_header

    header = read_header(out)
    if header is None and (out / WEIGHTS_FILE).exists():
        raise UsageError(f"{out} already holds a model; give a new folder or remove it")
    if header is not None and header.origin != origin:
        raise UsageError(
            f"{out} holds an unfinished training of another configuration, seed or data; "
            "give the command it was begun with or a new folder"
        )


def _command(
    data: Path,
    config: str | None,
    out: Path,
    start: str | None,
    minutes: float | None,
    steps: int | None,
    seed: int,
) -> str:
    """Return the command that makes the model again, without any path of this machine."""
    options = {
        "--config": config and Path(config).name,
        "--out": out.resolve().name,
        "--from": start and Path(start).resolve().name,
        "--minutes": minutes and f"{minutes:g}",
        "--steps": steps and str(steps),
        "--seed": str(seed),
    }
    given = [f"{name} {value}" for name, value in options.items() if value]
    return " ".join([f"livevae train {data.resolve().name}", *given])


def _finish(vae: Vae, out: Path, data: Path, preset: Preset, command: str, seed: int) -> Report:
    """Write space, grid, prior and card beside the weights; return the validation report."""
    from livevae.files import write_atomically
    from livevae.training.card import CARD_FILE, GROOVE_CREDIT, card
    from livevae.training.checkpoints import CHECKPOINT_FILE
    from livevae.training.dataset import load_split
    from livevae.training.fit import fit_space
    from livevae.training.fit_prior import fit_prior
    from livevae.training.loop import held_out_windows
    from livevae.training.metrics import thin
    from livevae.training.report import evaluate

    training, measured, name = (
        load_split(data, "train"),
        load_split(data, "validation"),
        "validation",
    )
    if not len(measured.window_starts(preset.model.bars)):
        measured, name = training, "train"
    space = fit_space(vae, training)
    write_grid(vae, out, DEFAULT_SIZE, space)
    fit_prior(vae, training, held_out_windows(measured, vae.config.bars), seed).save(out)
    report = evaluate(vae, training, measured, name)
    source = data.resolve().name
    origin = GROOVE_CREDIT + " Official split." if training.groove_midi else f"`{source}`."
    if preset.training.styles_share:
        origin += (
            f" {preset.training.styles_share:.0%} of each batch are windows of LiveVAE's own "
            "grammar of electronic styles."
        )
    text = card(out.resolve().name, origin, [command], preset, space, report)
    write_atomically(out / CARD_FILE, text.encode())
    thin(out)
    (out / CHECKPOINT_FILE).unlink(missing_ok=True)
    return report
