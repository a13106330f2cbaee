# ruff: noqa: PLC0415 - torch and its like are imported by the command that needs them only
"""The commands that put a model to use on what there is: grid, reconstruct and encode."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from livevae.cli.beats import DEFAULT_BETA, posterior_of, read_beat
from livevae.cli.console import say
from livevae.cli.model_options import Within, kit_option, model_option
from livevae.cli.options import midi_out
from livevae.errors import UsageError
from livevae.latent.grid import DEFAULT_AXES, DEFAULT_SIZE
from livevae.parameters import POSITION
from livevae.pattern.pattern import CHANNELS, MAX_GRID_SIZE, N_VOICES

if TYPE_CHECKING:
    from livevae.latent.space import Space
    from livevae.model.vae import Vae

beta_option = click.option(
    "--beta",
    type=Within(0, 100),
    help="Weight of the KL in the search for z: less comes closer to the beat, more takes fewer "
    f"bits.  [default: {DEFAULT_BETA:g}]",
)
fast_option = click.option("--fast", is_flag=True, help="Take the encoder's word; do not search.")


@click.command()
@click.argument("model")
@click.option(
    "--size", type=click.IntRange(2, MAX_GRID_SIZE), default=DEFAULT_SIZE, show_default=True
)
@click.option(
    "--x",
    type=click.Choice(POSITION),
    metavar="CONTROL",
    default=DEFAULT_AXES[0],
    show_default=True,
    help="The control along its columns.",
)
@click.option(
    "--y",
    type=click.Choice(POSITION),
    metavar="CONTROL",
    default=DEFAULT_AXES[1],
    show_default=True,
    help="The control along its rows.",
)
@click.option(
    "--corners",
    nargs=4,
    metavar="A B C D",
    help="Span the map between these scenes: bottom left and right, top left and right.",
)
def grid(model: str, size: int, x: str, y: str, corners: tuple[str, ...] | None) -> None:
    """Decode MODEL's map again into its grid.safetensors.

    It lies over x and y, or over any two other controls of a position: axis.1, attribute.fill ...
    """
    from livevae.model.checkpoint import load_model
    from livevae.resources import find_model

    folder = find_model(model)
    space = _between(corners, folder) if corners else None
    write_grid(load_model(folder), folder, size, space, (x, y))
    say(f"{size} x {size} patterns over {x} and {y} written to {folder}")


def _between(names: tuple[str, ...], folder: Path) -> Space:
    """Return the space of a model folder with the map between four of its scenes."""
    from livevae.model.folder import matching_scenes, matching_space

    scenes = matching_scenes(folder)
    for name in names:
        if name not in scenes:
            known = ", ".join(scenes) or f"none; `livevae scenes {folder} DATA` chooses some"
            raise UsageError(f"{folder.name} has no scene {name!r}; there are: {known}")
    return matching_space(folder).with_corners([scenes[name] for name in names])


def write_grid(
    vae: Vae,
    folder: Path,
    size: int,
    space: Space | None = None,
    axes: tuple[str, str] = DEFAULT_AXES,
) -> None:
    """Decode the map of a model folder into its grid; a ``space`` given becomes the folder's."""
    from livevae.latent.grid import build_grid, save_grid
    from livevae.model.folder import matching_space, weights_hash
    from livevae.training.evaluate import decoded

    mapped = space or matching_space(folder)
    grid = build_grid(mapped, lambda z: decoded(vae, z), weights_hash(folder), size, axes)
    if space:
        space.save(folder)
    save_grid(grid, folder)


@click.command()
@click.argument("source", metavar="IN.mid", type=click.Path(path_type=Path))
@click.argument("out", metavar="OUT.mid", type=click.Path(path_type=Path), callback=midi_out)
@model_option
@beta_option
@fast_option
@kit_option
def reconstruct(
    source: Path, out: Path, model: str, beta: float | None, fast: bool, notes: tuple[int, ...]
) -> None:
    """Encode the drums of IN.mid and write what the model makes of them to OUT.mid."""
    from livevae.midi.smf import write_pattern
    from livevae.model.checkpoint import load_model
    from livevae.resources import find_model
    from livevae.training.evaluate import decoded, onset_scores

    weight = _weight(beta, fast)
    beat = read_beat(source)
    vae = load_model(find_model(model))
    posterior = posterior_of(vae, beat.windows(vae.config.bars), weight)
    predicted = decoded(vae, posterior.mu.numpy()).reshape(-1, N_VOICES, CHANNELS)
    heard = predicted[: len(beat.pattern)]
    write_pattern(out, heard, beat.bpm, notes)
    say(
        f"{beat.bars} bars at {beat.bpm:g} bpm, onset F1 {onset_scores(heard, beat.pattern).f1:.3f}"
        f" at {posterior.bits.mean():.0f} bits a window, written to {out}"
    )


class Window(msgspec.Struct, frozen=True):
    """The posterior of one window: its first bar in the file, from 1, and what it is worth.

    ``mu`` and ``sigma`` are the normal distribution of z; ``bits`` its KL from the prior;
    ``f1`` the onset F1 of what z = mu decodes to.
    """

    bar: int
    mu: list[float]
    sigma: list[float]
    bits: float
    f1: float


class Encoded(msgspec.Struct, frozen=True):
    """A file's way into a latent space; ``beta`` is null where the encoder alone was asked."""

    model: str
    weights: str
    bars: int
    bpm: float
    beta: float | None
    windows: list[Window]


@click.command()
@click.argument("source", metavar="IN.mid", type=click.Path(path_type=Path))
@model_option
@beta_option
@fast_option
@click.option("--json", "as_json", is_flag=True, help="All of z, as JSON on stdout.")
def encode(source: Path, model: str, beta: float | None, fast: bool, as_json: bool) -> None:
    """Find the point of the latent space for each window of the drums of IN.mid."""
    from livevae.model.checkpoint import load_model
    from livevae.model.folder import weights_hash
    from livevae.resources import find_model
    from livevae.training.evaluate import decoded, scores_of_each

    weight = _weight(beta, fast)
    beat = read_beat(source)
    folder = find_model(model)
    vae = load_model(folder)
    bars = vae.config.bars
    windows = beat.windows(bars)
    posterior = posterior_of(vae, windows, weight)
    scores = scores_of_each(decoded(vae, posterior.mu.numpy()), windows)
    numbers = (posterior.mu.tolist(), posterior.sigma.tolist(), posterior.bits.tolist())
    found = [
        Window(bar=1 + number * bars, mu=mu, sigma=sigma, bits=bits, f1=f1)
        for number, (mu, sigma, bits, f1) in enumerate(zip(*numbers, scores.tolist(), strict=True))
    ]
    if as_json:
        name, weights = folder.resolve().name, weights_hash(folder)
        click.echo(msgspec.json.encode(Encoded(name, weights, bars, beat.bpm, weight, found)))
        return
    for window in found:
        click.echo(f"bar {window.bar:4}  {window.bits:5.0f} bits  onset F1 {window.f1:.3f}")


def _weight(beta: float | None, fast: bool) -> float | None:
    """Return the weight of the KL in the search for a posterior, None for no search."""
    if fast and beta is not None:
        raise UsageError("give --beta or --fast, not both")
    if fast:
        return None
    return DEFAULT_BETA if beta is None else beta
