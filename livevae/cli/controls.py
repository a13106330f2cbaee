"""`livevae controls`: the reference of all controls, from the registry."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import click

from livevae.config import Config
from livevae.midi.binding import Binding, describe
from livevae.parameters import PARAMETERS, Kind, Parameter

HEADINGS: Final = ("control", "range", "default", "message", "what it does")


@click.command(short_help="The reference of all controls.")
@click.option("--markdown", is_flag=True, help="As docs/controls.md has it.")
def controls(markdown: bool) -> None:
    """List every control: its range, default, the message that moves it, what it does."""
    click.echo(as_markdown() if markdown else as_text(), nl=False)


def as_text() -> str:
    """Return the reference for a terminal: a line for each control."""
    rows = list(_rows())
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS) - 1)]
    lines = (
        "  ".join([*(cell.ljust(w) for cell, w in zip(row, widths, strict=False)), row[-1]])
        for row in rows
    )
    return "".join(f"{line}\n" for line in lines)


def as_markdown() -> str:
    """Return docs/controls.md."""
    head = (
        "# Controls\n\n"
        "Written by `livevae controls --markdown` from the registry; do not edit it by hand.\n\n"
        "Any control can be moved by a message of your own: see `[map]` in `livevae.toml`. The\n"
        "messages here are those of a file that maps nothing. `on` pulls a trigger.\n\n"
    )
    rows = [HEADINGS, ("---",) * len(HEADINGS)]
    rows += [(f"`{name}`", *rest) for name, *rest in _rows()]
    return head + "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _rows() -> Iterator[tuple[str, ...]]:
    defaults = Config()
    for name, parameter in PARAMETERS.items():
        message = _message(defaults.map.get(name, ()))
        yield name, _range(parameter), _default(parameter, defaults), message, parameter.help


def _range(parameter: Parameter) -> str:
    if parameter.kind is Kind.CONTINUOUS:
        return f"{parameter.low:g} to {parameter.high:g} {parameter.unit}".strip()
    if parameter.kind is Kind.CHOICE:
        return ", ".join(parameter.choices)
    return {Kind.TOGGLE: "on, off", Kind.TRIGGER: "pull", Kind.NAME: "a name"}[parameter.kind]


def _default(parameter: Parameter, defaults: Config) -> str:
    if parameter.kind is Kind.TRIGGER:
        return "-"
    if parameter.kind is Kind.NAME:
        return str(getattr(defaults, parameter.name))
    if parameter.kind is Kind.TOGGLE:
        return "on" if parameter.default else "off"
    value = parameter.to_value(parameter.default)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _message(bindings: Sequence[Binding]) -> str:
    words = (describe(message, b.where()) for b in bindings for message in b.messages())
    return " or ".join(words) or "-"
