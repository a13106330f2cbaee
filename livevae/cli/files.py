# ruff: noqa: PLC0415 - torch and its like are imported by the command that needs them only
"""The commands that put a model to use on files: grid and reconstruct."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from livevae.cli.console import new_console
from livevae.cli.options import midi_out
from livevae.config import Config
from livevae.errors import UsageError
from livevae.latent.grid import DEFAULT_SIZE
from livevae.pattern.pattern import MAX_GRID_SIZE, bars_of

if TYPE_CHECKING:
    from livevae.model.vae import Vae


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
    write_grid(load_model(folder), folder, size)
    new_console().print(f"{size} x {size} patterns written to {folder}", soft_wrap=True)


def write_grid(vae: Vae, folder: Path, size: int) -> None:
    from livevae.latent.grid import build_grid, save_grid
    from livevae.model.folder import matching_space, weights_hash
    from livevae.training.evaluate import decoded

    space = matching_space(folder)
    grid = build_grid(space, lambda z: decoded(vae, z), weights_hash(folder), size)
    save_grid(grid, folder)


@click.command()
@click.argument("source", metavar="IN.mid", type=click.Path(path_type=Path))
@click.argument("out", metavar="OUT.mid", type=click.Path(path_type=Path), callback=midi_out)
@click.option(
    "--model", default=Config().model, show_default=True, help="A model's name or folder."
)
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
    new_console().print(
        f"{bars_of(pattern)} bars at {drums.bpm:g} bpm, {bits.mean():.0f} bits a window, "
        f"written to {out}",
        soft_wrap=True,
    )
