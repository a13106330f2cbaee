# ruff: noqa: PLC0415 - torch and its like are imported by the command that needs them only
"""The commands that work on files: prepare, train, eval, grid, reconstruct."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from livevae.cli.options import midi_out
from livevae.config import Config
from livevae.errors import UsageError
from livevae.latent.grid import DEFAULT_SIZE
from livevae.pattern.pattern import MAX_GRID_SIZE, bars_of

if TYPE_CHECKING:
    from rich.console import Console

    from livevae.model.vae import Vae
    from livevae.training.evaluate import Report
    from livevae.training.loop import Preset, State

SHOWN_REASONS = 20
DEFAULT_MODEL = Config().model


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

    console = _console()
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
@click.option("--preset", default=DEFAULT_MODEL, show_default=True, help="A preset's name.")
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

    console = _console()
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
    _print_report(console, report)
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
    _write_grid(vae, out, DEFAULT_SIZE)
    report = evaluate(vae, training, load_split(data, "validation"), "validation")
    origin = GROOVE_CREDIT + " Official split." if training.groove_midi else f"`{data.name}`."
    text = card(out.name, origin, [command], preset, space, [report])
    write_atomically(out / CARD_FILE, text.encode())
    return report


def _write_grid(vae: Vae, folder: Path, size: int) -> None:
    from livevae.latent.grid import build_grid, save_grid
    from livevae.model.folder import matching_space, weights_hash
    from livevae.training.evaluate import decoded

    space = matching_space(folder)
    grid = build_grid(space, lambda z: decoded(vae, z), weights_hash(folder), size)
    save_grid(grid, folder)


@click.command("eval")
@click.argument("model")
@click.argument("data", type=click.Path(path_type=Path))
@click.option("--split", default="test", show_default=True, help="train, validation or test.")
@click.option("--json", "as_json", is_flag=True, help="JSON on stdout.")
def eval_model(model: str, data: Path, split: str, as_json: bool) -> None:
    """Measure how well MODEL reconstructs a split of DATA, beside copying the training set."""
    import msgspec

    from livevae.model.checkpoint import load_model
    from livevae.resources import find_model
    from livevae.training.dataset import load_split
    from livevae.training.evaluate import evaluate

    vae = load_model(find_model(model))
    report = evaluate(vae, load_split(data, "train"), load_split(data, split), split)
    if as_json:
        click.echo(msgspec.json.encode(report))
    else:
        _print_report(_console(), report)


@click.command()
@click.argument("model")
@click.option(
    "--size", type=click.IntRange(2, MAX_GRID_SIZE), default=DEFAULT_SIZE, show_default=True
)
def grid(model: str, size: int) -> None:
    """Decode MODEL's map again into its grid.safetensors."""
    from livevae.model.checkpoint import load_model
    from livevae.resources import find_model

    folder = find_model(model)
    _write_grid(load_model(folder), folder, size)
    _console().print(f"{size} x {size} patterns written to {folder}", soft_wrap=True)


@click.command()
@click.argument("source", metavar="IN.mid", type=click.Path(path_type=Path))
@click.argument("out", metavar="OUT.mid", type=click.Path(path_type=Path), callback=midi_out)
@click.option("--model", default=DEFAULT_MODEL, show_default=True, help="A model's name or folder.")
@click.option("--kit", default="gm", show_default=True, help="The kit whose notes are written.")
def reconstruct(source: Path, out: Path, model: str, kit: str) -> None:
    """Encode the drums of IN.mid and write what the model makes of them to OUT.mid."""
    from livevae.midi.kit import kit_notes
    from livevae.midi.smf import read_drums, to_pattern, write_pattern
    from livevae.model.checkpoint import load_model
    from livevae.resources import find_model
    from livevae.training.evaluate import reconstruct as reconstruct_windows

    try:
        notes = kit_notes(kit)
    except ValueError as error:
        raise UsageError(str(error)) from None
    drums = read_drums(source)
    if not drums.is_four_four:
        raise UsageError(f"{source} is not in 4-4 throughout; only 4-4 can be reconstructed")
    if not drums.beats.size:
        raise UsageError(f"{source} holds no drum notes")
    vae = load_model(find_model(model))
    pattern = to_pattern(drums)
    steps = vae.config.steps
    windows = -(-len(pattern) // steps)
    padded = to_pattern(drums, windows * vae.config.bars).reshape(windows, steps, 9, 3)
    predicted, bits = reconstruct_windows(vae, padded)
    write_pattern(out, predicted.reshape(-1, 9, 3)[: len(pattern)], drums.bpm, notes)
    _console().print(
        f"{bars_of(pattern)} bars at {drums.bpm:g} bpm, {bits.mean():.0f} bits a window, "
        f"written to {out}",
        soft_wrap=True,
    )


def _console() -> Console:
    from rich.console import Console

    return Console(stderr=True)


def _print_report(console: Console, report: Report) -> None:
    from rich.table import Table

    table = Table("", "onset F1", "bits", title=f"{report.split}, {report.windows} windows")
    table.add_row("this model", f"{report.onset.f1:.3f}", f"{report.bits:.1f}")
    for name, floor in report.floors.items():
        table.add_row(name, f"{floor.f1:.3f}", f"{floor.bits:.1f}")
    console.print(table)
    console.print(
        f"precision {report.onset.precision:.3f}, recall {report.onset.recall:.3f}; "
        f"velocity MAE {report.velocity_mae:.1f} of 127; timing MAE {report.timing_mae_ms:.1f} ms "
        f"(no microtiming: {report.zero_offset_mae_ms:.1f} ms)",
        soft_wrap=True,
        highlight=False,
    )
