"""What the tests of the offline commands share."""

import click
from click.testing import CliRunner, Result

from livevae.errors import LiveVAEError

CONFIG = """
[model]
bars = 2
z_dim = 8
width = 16
heads = 2
bar_width = 32

[training]
batch = 8
styles_recordings = 2
"""


def call(command: click.Command, *arguments: object) -> Result:
    """Run a command in this process."""
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


def refused(result: Result, sentence: str) -> None:
    """Check that a command ended with one sentence for the user."""
    assert isinstance(result.exception, LiveVAEError), result.exception
    assert sentence in str(result.exception)
    assert "\n" not in str(result.exception)
