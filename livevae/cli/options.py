"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path

import click

from livevae.errors import UsageError


def _split(
    _context: click.Context, _option: click.Parameter, values: tuple[str, ...]
) -> tuple[tuple[str, str], ...]:
    for value in values:
        if "=" not in value:
            raise click.UsageError(f"--set {value}: write it as NAME=VALUE")
    return tuple(
        (name.strip(), text.strip()) for name, _, text in (v.partition("=") for v in values)
    )


def midi_out(_context: click.Context, _parameter: click.Parameter, path: Path) -> Path:
    """Refuse a MIDI file that cannot be written where it is wanted, before any work is done."""
    if path.suffix.lower() not in (".mid", ".midi"):
        raise UsageError(f"{path} must end in .mid")
    try:
        if path.is_dir():
            raise UsageError(f"{path} is a folder; name a file in it")
        if not path.parent.is_dir():
            raise UsageError(f"{path} cannot be written: there is no folder {path.parent}")
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from None
    return path


config_option = click.option(
    "--config",
    type=click.Path(path_type=Path),
    help="The livevae.toml to read; else ./livevae.toml, then your own, then the defaults.",
)
set_option = click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="NAME=VALUE",
    callback=_split,
    help="Override a control or a key of livevae.toml; as often as you like.",
)
