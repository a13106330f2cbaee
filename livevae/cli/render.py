"""`livevae render`: the player offline, into a MIDI file."""

from __future__ import annotations

from pathlib import Path

import click

from livevae.cli.options import config_option, midi_out, set_option


@click.command(short_help="Play offline into a MIDI file.")
@click.argument("out", type=click.Path(path_type=Path), callback=midi_out)
@click.option("--bars", type=click.IntRange(1, 4096), default=16, show_default=True)
@click.option("--model", help="Model to play: a name or a folder.")
@click.option("--bpm", help="Tempo.")
@config_option
@set_option
def render(
    out: Path,
    bars: int,
    model: str | None,
    bpm: str | None,
    config: Path | None,
    settings: tuple[tuple[str, str], ...],
) -> None:
    """Play BARS bars offline into the MIDI file OUT; equal settings give equal bytes."""
    from livevae.config import load  # noqa: PLC0415 - torch, numpy: not for --help
    from livevae.daemon.offline import play  # noqa: PLC0415
    from livevae.decoder.bank import Bank, Shape  # noqa: PLC0415
    from livevae.decoder.service import Service, WarmModel  # noqa: PLC0415
    from livevae.midi.recording import write_recording  # noqa: PLC0415
    from livevae.pattern.pattern import BEATS_PER_BAR  # noqa: PLC0415
    from livevae.resources import find_model  # noqa: PLC0415

    given = [(name, value) for name, value in (("model", model), ("bpm", bpm)) if value is not None]
    loaded = load(config, [*given, *settings])
    folder = find_model(loaded.model)
    warm = WarmModel(folder, loaded.decoder.device, loaded.decoder.threads)
    bank = Bank.in_memory(Shape(warm.steps, rows=2, cols=2))  # no bar comes from a map
    service = Service(bank, warm)
    events = play(loaded, bank, service, bars)
    write_recording(out, events, loaded.control("bpm"), bars * BEATS_PER_BAR)
