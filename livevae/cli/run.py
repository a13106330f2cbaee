"""`livevae run`: the daemon in the foreground."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from livevae.cli.options import config_option, set_option
from livevae.daemon.child import Child


@click.command(short_help="Play.")
@click.option("--clock", help="Whose time to follow: midi or internal.")
@click.option("--bpm", help="Tempo of the internal clock.")
@click.option("--backend", help="MIDI system: auto, jack or rtmidi.")
@click.option("--model", help="Model to play: a name or a folder.")
@config_option
@set_option
def run(
    clock: str | None,
    bpm: str | None,
    backend: str | None,
    model: str | None,
    config: Path | None,
    settings: tuple[tuple[str, str], ...],
) -> None:
    """Play: follow MIDI clock and send drums, until Ctrl-C."""
    player = Child("livevae.player")
    try:
        from livevae.config import find_file, load  # noqa: PLC0415 - the player loads meanwhile
        from livevae.daemon.control import runtime_folder  # noqa: PLC0415
        from livevae.daemon.supervisor import supervise  # noqa: PLC0415
        from livevae.resources import find_model  # noqa: PLC0415

        shorthand = {"clock": clock, "bpm": bpm, "midi.backend": backend, "model": model}
        given = [(name, value) for name, value in shorthand.items() if value is not None]
        loaded = load(config, [*given, *settings])
        settings_file = find_file(config)
        code = supervise(loaded, find_model(loaded.model), runtime_folder(), player, settings_file)
    except BaseException:
        player.kill()
        raise
    sys.exit(code)
