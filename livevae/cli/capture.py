"""`livevae capture`: what has just been heard, as a MIDI file."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from livevae.cli.console import say
from livevae.cli.options import midi_out
from livevae.daemon.control import Request, ask

WRITTEN_WITHIN_S = 30.0


@click.group(short_help="Write what you have just heard into a MIDI file.")
def capture() -> None:
    """Write what the running LiveVAE has just played into a MIDI file; playing goes on."""


@capture.command(short_help="The last bars, exactly as they were sent.")
@click.argument("bars", type=click.IntRange(1, 128))
@click.argument("out", type=click.Path(path_type=Path), callback=midi_out)
def last(bars: int, out: Path) -> None:
    """Write the last BARS bars into OUT, exactly as they were sent.

    The bar that still plays does not count. A downbeat played ahead of the first bar line stands on
    it, and notes that ring on at the end stop there, so that the file loops.
    """
    request = Request("capture", str(bars), str(out.absolute()))
    written = msgspec.json.decode(ask(request, patience_s=WRITTEN_WITHIN_S), type=int)
    say(f"{written} bars written to {out}")
