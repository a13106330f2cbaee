"""Options of the commands that write beats to files; `livevae run` starts without all this."""

from __future__ import annotations

import math
import secrets
from typing import Any, Final

import click

from livevae.config import Config
from livevae.errors import UsageError
from livevae.midi.kit import kit_notes
from livevae.parameters import PARAMETERS

SEED_BITS: Final = 32


class Within(click.FloatRange):
    """A number in a range; click's own takes NaN for one in any."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return the number, or fail with click's sentence on the range."""
        number = float(super().convert(value, param, ctx))
        if math.isnan(number):
            self.fail(f"{value} is not in the range {self._describe_range()}.", param, ctx)
        return number


def _notes(_context: click.Context, _option: click.Parameter, kit: str) -> tuple[int, ...]:
    try:
        return kit_notes(kit)
    except ValueError as error:
        raise UsageError(str(error)) from None


def _drawn(_context: click.Context, _option: click.Parameter, seed: int | None) -> int:
    return secrets.randbits(SEED_BITS) if seed is None else seed


model_option = click.option(
    "--model", default=Config().model, show_default=True, help="A model's name or folder."
)
kit_option = click.option(
    "--kit",
    "notes",
    default="gm",
    show_default=True,
    callback=_notes,
    help="The kit whose notes are written.",
)
bpm_option = click.option(
    "--bpm",
    type=Within(PARAMETERS["bpm"].low, PARAMETERS["bpm"].high),
    default=PARAMETERS["bpm"].default,
    show_default=True,
    help="Tempo.",
)
seed_option = click.option(
    "--seed",
    type=click.IntRange(0, 2**SEED_BITS - 1),
    callback=_drawn,
    help="Equal seeds give equal files.  [default: a new one, which is told]",
)
temperature_option = click.option(
    "--temperature",
    type=Within(0, 2),
    default=1.0,
    show_default=True,
    help="How far from the usual: 0 is the most typical, above 1 the odd.",
)
