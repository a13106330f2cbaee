# ruff: noqa: PLC0415 - torch and its like are imported by the command that needs them only
"""The commands that make new beats with a model: sample, interpolate and vary."""

from __future__ import annotations

from pathlib import Path

import click
import numpy as np

from livevae.cli.beats import DEFAULT_BETA, posterior_of, read_beat
from livevae.cli.console import say
from livevae.cli.model_options import (
    Within,
    bpm_option,
    kit_option,
    model_option,
    seed_option,
    temperature_option,
)
from livevae.cli.options import midi_out
from livevae.pattern.pattern import CHANNELS, N_VOICES, Pattern

MAX_BEATS = 128


@click.command()
@click.argument("out", metavar="OUT.mid", type=click.Path(path_type=Path), callback=midi_out)
@model_option
@click.option(
    "--count",
    type=click.IntRange(1, MAX_BEATS),
    default=1,
    show_default=True,
    help="How many beats; more than one go to OUT-1.mid, OUT-2.mid and so on.",
)
@temperature_option
@seed_option
@bpm_option
@kit_option
def sample(
    out: Path,
    model: str,
    count: int,
    temperature: float,
    seed: int,
    bpm: float,
    notes: tuple[int, ...],
) -> None:
    """Make up a beat and write it to OUT.mid."""
    from livevae.midi.smf import write_pattern
    from livevae.model.checkpoint import load_model
    from livevae.model.folder import matching_prior
    from livevae.resources import find_model
    from livevae.training.evaluate import decoded

    folder = find_model(model)
    prior = matching_prior(folder)
    vae = load_model(folder)
    rng = np.random.default_rng(seed)
    # One by one, so that asking for more adds to those there were.
    zs = np.concatenate([prior.sample(1, temperature, rng) for _ in range(count)])
    paths = [out.with_stem(f"{out.stem}-{number}") for number in range(1, count + 1)]
    written = zip(paths if count > 1 else [out], decoded(vae, zs), strict=True)
    for number, (path, pattern) in enumerate(written, 1):
        # Each beat has a touch of its own.
        played = prior.touch.drawn(
            pattern[None], temperature, np.random.default_rng([seed, number])
        )
        write_pattern(path, played[0], bpm, notes)
    told = f"{paths[0]} to {paths[-1].name}" if count > 1 else f"{out}"
    say(f"{vae.config.bars} bars at {bpm:g} bpm (seed {seed}) written to {told}")


@click.command()
@click.argument("source", metavar="IN.mid", type=click.Path(path_type=Path))
@click.argument("out", metavar="OUT.mid", type=click.Path(path_type=Path), callback=midi_out)
@model_option
@click.option(
    "--amount",
    type=Within(0, 1),
    default=0.3,
    show_default=True,
    help="How unlike: 0 is the beat itself, 1 any other.",
)
@click.option("--count", type=click.IntRange(1, MAX_BEATS), default=4, show_default=True)
@temperature_option
@seed_option
@kit_option
def vary(
    source: Path,
    out: Path,
    model: str,
    amount: float,
    count: int,
    temperature: float,
    seed: int,
    notes: tuple[int, ...],
) -> None:
    """Write variations of the first bars of IN.mid that play, one after the other, to OUT.mid.

    A marker stands at each. A beat shorter than the model's bars is repeated to fill them.
    """
    from livevae.latent.variation import variations
    from livevae.midi.smf import write_pattern
    from livevae.model.checkpoint import load_model
    from livevae.model.folder import matching_space
    from livevae.resources import find_model
    from livevae.training.evaluate import decoded

    beat = read_beat(source)
    folder = find_model(model)
    space = matching_space(folder)
    vae = load_model(folder)
    bars = vae.config.bars
    z = posterior_of(vae, beat.first_window(bars), DEFAULT_BETA).mu.numpy()[0]
    zs = variations(space, z, amount, temperature, count, np.random.default_rng(seed))
    markers = {number * bars: f"variation {number + 1}" for number in range(count)}
    write_pattern(out, _end_to_end(decoded(vae, zs)), beat.bpm, notes, markers)
    say(f"{count} x {bars} bars at {beat.bpm:g} bpm (seed {seed}) written to {out}")


@click.command()
@click.argument("first", metavar="A.mid", type=click.Path(path_type=Path))
@click.argument("last", metavar="B.mid", type=click.Path(path_type=Path))
@click.argument("out", metavar="OUT.mid", type=click.Path(path_type=Path), callback=midi_out)
@model_option
@click.option(
    "--steps",
    type=click.IntRange(1, MAX_BEATS),
    default=8,
    show_default=True,
    help="Steps from A to B; both ends are written too.",
)
@click.option("--plain", is_flag=True, help="Equal steps in the latent space, not for the ear.")
@kit_option
def interpolate(
    first: Path,
    last: Path,
    out: Path,
    model: str,
    steps: int,
    plain: bool,
    notes: tuple[int, ...],
) -> None:
    """Write the way from A.mid to B.mid through the latent space, beat after beat, to OUT.mid.

    It leads from the first bars of A that play to those of B, at A's tempo, in steps that sound
    equally large. A marker stands at each beat. A beat shorter than the model's bars is repeated
    to fill them.
    """
    from livevae.latent.interpolate import arc, paced
    from livevae.midi.smf import write_pattern
    from livevae.model.checkpoint import load_model
    from livevae.resources import find_model
    from livevae.training.evaluate import decoded

    beats = [read_beat(path) for path in (first, last)]
    vae = load_model(find_model(model))
    bars = vae.config.bars
    windows = np.concatenate([beat.first_window(bars) for beat in beats])
    a, b = posterior_of(vae, windows, DEFAULT_BETA).mu.numpy()
    zs = arc(a, b, steps) if plain else paced(a, b, steps, lambda z: decoded(vae, z))
    markers = {bars * step: f"{step}/{steps}" for step in range(steps + 1)}
    write_pattern(out, _end_to_end(decoded(vae, zs)), beats[0].bpm, notes, markers)
    say(f"{steps + 1} x {bars} bars at {beats[0].bpm:g} bpm written to {out}")


def _end_to_end(patterns: Pattern) -> Pattern:
    """Join patterns [n, steps, 9, 3] into one [n * steps, 9, 3]."""
    return patterns.reshape(-1, N_VOICES, CHANNELS)
