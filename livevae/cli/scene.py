"""`livevae scene`: keep where the knobs stand, and go back to it."""

from __future__ import annotations

import click
import msgspec

from livevae.cli.console import say
from livevae.daemon.control import Request, ask


@click.group(short_help="Keep where the knobs stand, and go back to it.")
def scene() -> None:
    """Keep where the knobs of the running LiveVAE stand, by name, and go back to it."""


@scene.command(short_help="Keep this beat.")
@click.argument("name")
def save(name: str) -> None:
    """Keep the beat that plays as the scene NAME, over the one of that name."""
    say(f"{name!r} kept in {msgspec.json.decode(ask(Request('scene', 'save', name)), type=str)}")


@scene.command(short_help="Go back to a scene.")
@click.argument("name")
def recall(name: str) -> None:
    """Go back to the scene NAME, all controls at once: one step of undo."""
    ask(Request("scene", "recall", name))


@scene.command("list", short_help="The scenes of the model that plays.")
def list_names() -> None:
    """List the scenes kept on the model that plays."""
    for name in msgspec.json.decode(ask(Request("scene", "list")), type=list[str]):
        click.echo(name)
