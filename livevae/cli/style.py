# ruff: noqa: PLC0415 - the grammar is imported by the command only, so that the others start at once
"""`livevae style`: bars of an electronic style, as a MIDI file."""

from __future__ import annotations

from pathlib import Path

import click

from livevae.cli.console import say
from livevae.cli.model_options import Within, kit_option
from livevae.cli.options import midi_out
from livevae.errors import UsageError


def _midi_out_if_given(
    context: click.Context, parameter: click.Parameter, path: Path | None
) -> Path | None:
    return path and midi_out(context, parameter, path)


@click.command(short_help="Play an electronic style into a MIDI file.")
@click.argument("name", required=False)
@click.argument(
    "out",
    metavar="OUT.mid",
    required=False,
    type=click.Path(path_type=Path),
    callback=_midi_out_if_given,
)
@click.option("--bars", type=click.IntRange(1, 1024), default=16, show_default=True)
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=0, show_default=True)
@click.option("--bpm", type=Within(20, 300), help="Tempo; else the style's own.")
@kit_option
@click.option("--list", "only_list", is_flag=True, help="List the styles and do nothing else.")
def style(
    name: str | None,
    out: Path | None,
    bars: int,
    seed: int,
    bpm: float | None,
    notes: tuple[int, ...],
    only_list: bool,
) -> None:
    """Play bars of the style NAME into OUT.mid; without NAME, list the styles.

    NAME may also be the path of a style file of your own.
    """
    import numpy as np

    from livevae.grammar.grammar import play
    from livevae.grammar.style import load_style, style_names
    from livevae.midi.smf import write_pattern

    if name is None or only_list:
        for each in map(load_style, style_names()):
            low, high = each.bpm
            click.echo(f"{each.name:14} {low:3g} to {high:3g} bpm  {each.description}")
        return
    chosen = load_style(name)
    if out is None:
        raise UsageError(f"name the file to write: livevae style {name} OUT.mid")
    tempo = bpm or round(sum(chosen.bpm) / 2)
    write_pattern(out, play(chosen, bars, np.random.default_rng(seed)), tempo, notes)
    say(f"{bars} bars of {chosen.name} at {tempo:g} bpm written to {out}")
