"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path

import click


def _split(
    _context: click.Context, _option: click.Parameter, values: tuple[str, ...]
) -> tuple[tuple[str, str], ...]:
    for value in values:
        if "=" not in value:
            raise click.UsageError(f"--set {value}: write it as NAME=VALUE")
    return tuple(
        (name.strip(), text.strip()) for name, _, text in (v.partition("=") for v in values)
    )


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
