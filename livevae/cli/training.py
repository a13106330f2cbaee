# ruff: noqa: PLC0415 - torch and its like are imported by the command that needs them only
"""The commands that make a model: prepare and train."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from livevae.cli.console import new_console, print_report
from livevae.cli.files import write_grid
from livevae.config import Config
from livevae.errors import UsageError
from livevae.latent.grid import DEFAULT_SIZE

if TYPE_CHECKING:
    from rich.console import Console

    from livevae.model.vae import Vae
    from livevae.training.evaluate import Report
    from livevae.training.loop import Preset, State

SHOWN_REASONS = 20


@click.command()
@click.argument("sources", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.argument("out", type=click.Path(path_type=Path))
def prepare(sources: tuple[Path, ...], out: Path) -> None:
    """Read folders or zips of MIDI drums into a training-data folder OUT.

    The Groove MIDI Dataset is recognised and split officially; other collections are split by
    file. Each file left out is listed with its reason in OUT/manifest.json.
    """
    from rich.progress import track

    from livevae.training.prepare import prepare as prepare_data

    console = new_console()
    manifest = prepare_data(
        list(sources), out, lambda files: track(files, "Reading", console=console)
    )
    for left in manifest.left_out[:SHOWN_REASONS]:
        console.print(f"left out: {left.name}: {left.reason}", markup=False, soft_wrap=True)
    if len(manifest.left_out) > SHOWN_REASONS:
        console.print(f"and {len(manifest.left_out) - SHOWN_REASONS} more in the manifest")
    for split, recordings in manifest.splits.items():
        bars = sum(recording.bars for recording in recordings)
        console.print(f"{split}: {len(recordings)} files, {bars} bars")


@click.command()
@click.argument("data", type=click.Path(path_type=Path))
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--preset", default=Config().model, show_default=True, help="A preset's name.")
@click.option("--config", type=click.Path(path_type=Path), help="A TOML file instead of a preset.")
@click.option("--minutes", type=click.FloatRange(0, min_open=True), help="How long to train.")
@click.option("--threads", type=click.IntRange(1, 256), help="CPU threads to use.")
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=0, show_default=True)
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:N or mps.")
def train(
    data: Path,
    out: Path,
    preset: str,
    config: Path | None,
    minutes: float | None,
    threads: int | None,
    seed: int,
    device: str,
) -> None:
    """Train a model on prepared DATA and write the model folder OUT.

    The best model so far is always on disk; Ctrl-C ends the training early and finishes the
    folder with it.
    """
    import msgspec
    import torch

    from livevae.latent.files import make_folder
    from livevae.model.checkpoint import load_model, save_model
    from livevae.model.device import resolve_device
    from livevae.model.folder import WEIGHTS_FILE
    from livevae.training import loop
    from livevae.training.dataset import load_split

    chosen = _preset(preset, config)
    if minutes is not None:
        training_config = msgspec.structs.replace(chosen.training, minutes=minutes)
        chosen = msgspec.structs.replace(chosen, training=training_config)
    if (out / WEIGHTS_FILE).exists():
        raise UsageError(f"{out} already holds a model; give a new folder or remove it")
    if threads is not None:
        torch.set_num_threads(threads)
    device = resolve_device(device)
    training, validation = load_split(data, "train"), load_split(data, "validation")
    make_folder(out)

    console = new_console()
    with _Watcher(console, chosen.training.minutes) as watcher:
        loop.train(
            training,
            validation,
            chosen,
            save_best=lambda vae: save_model(vae, out),
            watch=watcher.watch,
            seed=seed,
            device=device,
        )
    console.print("Fitting the space, decoding the grid, measuring")
    command = f"livevae train {data.name} {out.name} --minutes {chosen.training.minutes:g}"
    command += f" --config {config.name}" if config else f" --preset {preset}"
    command += f" --threads {torch.get_num_threads()} --seed {seed}"
    report = _finish(load_model(out, device), out, data, chosen, command)
    print_report(console, report)
    console.print(f"The model is in {out}", soft_wrap=True)


def _preset(name: str, config: Path | None) -> Preset:
    import msgspec

    from livevae.training.loop import PRESETS, Preset

    if config is None:
        if name not in PRESETS:
            raise UsageError(f"there is no preset {name!r}; choose one of {', '.join(PRESETS)}")
        return PRESETS[name]
    try:
        preset = msgspec.toml.decode(config.read_bytes(), type=Preset)
    except OSError as error:
        raise UsageError(f"{config} cannot be read: {error.strerror or error}") from None
    except (msgspec.MsgspecError, ValueError) as error:
        raise UsageError(f"{config} is not a training configuration: {error}") from None
    preset.model.check(str(config))
    return preset


class _Watcher:
    """Shows a training: a progress bar, and a line for each validation."""

    def __init__(self, console: Console, minutes: float) -> None:
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        self._console = console
        self._seconds = 60 * minutes
        self._progress = Progress(
            TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn(), console=console
        )
        self._task = self._progress.add_task("Training", total=self._seconds)

    def __enter__(self) -> _Watcher:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def watch(self, state: State) -> None:
        """Show one step."""
        loss = state.loss
        line = (
            f"step {state.step}  onset {loss.onset.item():.1f}  velocity {loss.velocity.item():.2f}"
            f"  offset {loss.offset.item():.2f}  KL {loss.bits.item():.0f} bits"
        )
        best = f"  best F1 {state.best_f1:.3f}" if state.best_f1 >= 0 else ""
        done = self._seconds - state.seconds_left
        self._progress.update(self._task, completed=done, description=line + best)
        if state.validated:
            self._console.print(
                f"{done / 60:5.1f} min  {line}  validation F1 {state.validation_f1:.4f} "
                f"at {state.validation_bits:.0f} bits",
                soft_wrap=True,
                highlight=False,
            )


def _finish(vae: Vae, out: Path, data: Path, preset: Preset, command: str) -> Report:
    """Write space, grid and card beside the weights; return the validation report."""
    from livevae.latent.files import write_atomically
    from livevae.training.card import CARD_FILE, GROOVE_CREDIT, card
    from livevae.training.dataset import load_split
    from livevae.training.evaluate import evaluate
    from livevae.training.fit import fit_space

    training = load_split(data, "train")
    space = fit_space(vae, training)
    space.save(out)
    write_grid(vae, out, DEFAULT_SIZE)
    report = evaluate(vae, training, load_split(data, "validation"), "validation")
    origin = GROOVE_CREDIT + " Official split." if training.groove_midi else f"`{data.name}`."
    text = card(out.name, origin, [command], preset, space, [report])
    write_atomically(out / CARD_FILE, text.encode())
    return report
