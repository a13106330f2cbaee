"""`livevae render`: the player offline, into a MIDI file."""

from __future__ import annotations

from pathlib import Path

import click

from livevae.cli.options import config_option, midi_out, set_option
from livevae.errors import UsageError

DEFAULT_BARS = 16


@click.command(short_help="Play offline into a MIDI file.")
@click.argument("out", type=click.Path(path_type=Path), callback=midi_out)
@click.option("--bars", type=click.IntRange(1, 4096), help="How long.  [default: 16]")
@click.option(
    "--script",
    type=click.Path(path_type=Path),
    help="A performance to play: a TOML file of moves, and how long it is.",
)
@click.option("--model", help="Model to play: a name or a folder.")
@click.option("--bpm", help="Tempo.")
@config_option
@set_option
def render(
    out: Path,
    bars: int | None,
    script: Path | None,
    model: str | None,
    bpm: str | None,
    config: Path | None,
    settings: tuple[tuple[str, str], ...],
) -> None:
    """Play BARS bars offline into the MIDI file OUT; equal settings give equal bytes."""
    if script and bars:
        raise UsageError("a script says itself how many bars it has; leave --bars out")
    from livevae.config import load  # noqa: PLC0415 - torch, numpy: not for --help
    from livevae.daemon.offline import perform, play  # noqa: PLC0415
    from livevae.daemon.script import load_script  # noqa: PLC0415
    from livevae.decoder.bank import Bank, Shape  # noqa: PLC0415
    from livevae.decoder.service import Service, WarmModel  # noqa: PLC0415
    from livevae.midi.recording import write_recording, write_take  # noqa: PLC0415
    from livevae.pattern.pattern import BEATS_PER_BAR  # noqa: PLC0415
    from livevae.resources import find_model  # noqa: PLC0415

    given = [(name, value) for name, value in (("model", model), ("bpm", bpm)) if value is not None]
    loaded = load(config, [*given, *settings])
    performance = load_script(script) if script else None
    folder = find_model(loaded.model)
    warm = WarmModel(folder, loaded.decoder.device, loaded.decoder.threads)
    bank = Bank.in_memory(Shape(warm.steps, rows=2, cols=2))  # no bar comes from a map
    service = Service(bank, warm)
    if performance:
        write_take(out, perform(loaded, bank, service, performance))
        return
    bars = bars or DEFAULT_BARS
    events = play(loaded, bank, service, bars)
    write_recording(out, events, loaded.control("bpm"), bars * BEATS_PER_BAR)
