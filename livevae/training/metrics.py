"""The figures of a training as JSON lines, one line per look at it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec

from livevae.errors import WorkError
from livevae.files import write_atomically

METRICS_FILE: Final = "metrics.jsonl"


class Metrics(msgspec.Struct, frozen=True, omit_defaults=True):
    """A training after ``step`` steps and ``seconds``: rates, parts of the loss, validation.

    ``loss`` to ``bits`` are of the batch of that step: nats, absolute errors and bits an example.
    The validation's figures are there only in a line that one was made for.
    """

    step: int
    seconds: float
    learning_rate: float
    beta: float
    loss: float
    onset: float
    velocity: float
    offset: float
    bits: float
    validation_f1: float | None = None
    validation_bits: float | None = None


def append(folder: Path, metrics: Metrics) -> None:
    """Add a line to the metrics of a training.

    Raises:
        WorkError: it cannot be written.
    """
    path = folder / METRICS_FILE
    try:
        with path.open("ab") as file:
            file.write(msgspec.json.encode(metrics) + b"\n")
    except OSError as error:
        raise WorkError(f"{path} cannot be written: {error.strerror or error}") from None


def cut(folder: Path, step: int) -> None:
    """Drop what was written after ``step``: a training that goes on from there writes it again.

    A last line that a kill left half written goes too.

    Raises:
        WorkError: the file cannot be written.
    """
    _keep(folder, [line for line in read(folder) if line.step <= step])


def thin(folder: Path) -> None:
    """Keep the lines of the validations only.

    Raises:
        WorkError: the file cannot be written.
    """
    _keep(folder, [line for line in read(folder) if line.validation_f1 is not None])


def read(folder: Path) -> list[Metrics]:
    """Return the lines of a folder's metrics that are whole; none if there is no file."""
    path = folder / METRICS_FILE
    lines = []
    for text in path.read_bytes().splitlines() if path.exists() else ():
        try:
            lines.append(msgspec.json.decode(text, type=Metrics))
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            continue
    return lines


def _keep(folder: Path, lines: list[Metrics]) -> None:
    text = b"".join(msgspec.json.encode(line) + b"\n" for line in lines)
    write_atomically(folder / METRICS_FILE, text)
