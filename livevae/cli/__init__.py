"""The command line: a table of commands, each loaded when it is called, and one way to fail."""

from __future__ import annotations

import importlib
import sys
from typing import Final

import click

from livevae import __version__
from livevae.errors import LiveVAEError

COMMANDS: Final = {
    # name: (module of livevae.cli, function, one line of help)
    "run": ("run", "run", "Play: follow MIDI clock and send drums, until Ctrl-C."),
    "status": ("remote", "status", "How the running LiveVAE is doing."),
    "set": ("remote", "set_control", "Set a control of the running LiveVAE."),
    "get": ("remote", "get", "Show controls of the running LiveVAE."),
    "panic": ("remote", "panic", "Silence every note at once."),
    "scene": ("scene", "scene", "Keep where the knobs stand, and go back to it."),
    "capture": ("capture", "capture", "Write what you have just heard into a MIDI file."),
    "learn": ("learn", "learn", "Bind a knob, wheel or pad to a control."),
    "controls": ("controls", "controls", "The reference of all controls."),
    "ports": ("setup", "ports", "List the MIDI ports of other programs."),
    "doctor": ("setup", "doctor", "Find out what is wrong, and how to mend it."),
    "render": ("render", "render", "Play offline into a MIDI file."),
    "prepare": ("training", "prepare", "Turn MIDI files into training data."),
    "train": ("training", "train", "Train a model on prepared data."),
    "eval": ("evaluation", "eval_model", "Measure a model beside its floors."),
    "grid": ("files", "grid", "Rebuild the precomputed map of a model."),
    "scenes": ("scenes", "scenes", "Choose the starting scenes of a model."),
    "sample": ("making", "sample", "Make up a beat, as a MIDI file."),
    "vary": ("making", "vary", "Vary the beat of a MIDI file."),
    "interpolate": ("making", "interpolate", "Go from the beat of one MIDI file to another's."),
    "reconstruct": ("files", "reconstruct", "Send a MIDI file through a model and back."),
    "encode": ("files", "encode", "Find the drums of a MIDI file in the latent space."),
    "style": ("style", "style", "Play an electronic style into a MIDI file."),
    "bench": ("bench", "bench", "Measure, each figure beside its reference."),
}


class Commands(click.Group):
    """A group that imports a command's module only to run it, so that `run` starts at once."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of the table."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load a command."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module, function, _ = COMMANDS[cmd_name]
        command = getattr(importlib.import_module(f"livevae.cli.{module}"), function)
        assert isinstance(command, click.Command)  # noqa: S101 - the table says so
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the help from the table, without loading anything."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, _, text) in COMMANDS.items()])


@click.group(cls=Commands)
@click.version_option(__version__, prog_name="livevae")
def cli() -> None:
    """LiveVAE: drums from a neural model of human drumming, on your MIDI clock."""


def main() -> None:
    """Run the command line; every failure is one sentence and an exit code."""
    try:
        cli.main(prog_name="livevae", standalone_mode=False)
    except LiveVAEError as error:
        _fail(str(error), error.exit_code)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        sys.exit(2)
    except click.ClickException as error:
        _fail(error.format_message(), 2)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)


def _fail(sentence: str, exit_code: int) -> None:
    click.echo(f"livevae: {sentence}", err=True)
    sys.exit(exit_code)
