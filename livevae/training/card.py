"""The card of a model: what it was made from, how, and what it scores.

It is a Markdown file of sections, each under a heading of the second level. Training writes the
card; measuring replaces the section with the figures of a split; all other sections are left as
they are, so that what a person adds by hand, say what was tried, stays.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import msgspec

from livevae.errors import UsageError
from livevae.files import write_atomically
from livevae.latent.space import Space
from livevae.training.config import Preset
from livevae.training.figures import HEADING, figures
from livevae.training.report import Report

CARD_FILE: Final = "README.md"
MAX_CARD_BYTES: Final = 1024 * 1024

GROOVE_CREDIT: Final = (
    "Groove MIDI Dataset 1.0.0, MIDI only (Google; CC BY 4.0; "
    "<https://magenta.tensorflow.org/datasets/groove>). Credit: Gillick, Roberts, Engel, Eck, "
    'Bamman, "Learning to Groove with Inverse Sequence Transformations", ICML 2019.'
)


def card(
    name: str, data: str, commands: list[str], preset: Preset, space: Space, report: Report
) -> str:
    """Return the card of a model that was just trained, with the figures of one split."""
    model = preset.model
    lines = [
        f"# {name}",
        "",
        f"A MusicVAE of drum patterns: {model.bars} bars of 16 steps, nine voices, "
        f"{report.parameters:,} parameters, {model.z_dim} latent dimensions; "
        f"{model.decoder} decoder, {model.bar_decoder} bar decoder.",
        "",
        "## Data",
        "",
        data,
        "",
        "## Made with",
        "",
        "```",
        *commands,
        "```",
        "",
        "The best weights by validation onset F1 are kept. Configuration:",
        "",
        "```json",
        msgspec.json.format(msgspec.json.encode(preset), indent=2).decode(),
        "```",
        "",
        "## Corners of the map",
        "",
        *(
            f"- ({x}, {y}): {corner}"
            for (x, y), corner in zip(
                ((0, 0), (1, 0), (0, 1), (1, 1)), space.corner_names, strict=True
            )
        ),
        "",
    ]
    return with_section("\n".join(lines), figures(report, model.bars))


def read_card(folder: Path) -> str:
    """Return the card of a model folder; of one that has none, a card with nothing but its name.

    Raises:
        UsageError: the card cannot be read or is no text.
    """
    path = folder / CARD_FILE
    try:
        with path.open("rb") as file:
            data = file.read(MAX_CARD_BYTES + 1)
    except FileNotFoundError:
        return f"# {folder.resolve().name}\n"
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}") from None
    if len(data) > MAX_CARD_BYTES:
        raise UsageError(f"{path} is larger than a card can be; move it away")
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise UsageError(f"{path} is not UTF-8 text; mend it or move it away") from None


def write_figures(folder: Path, report: Report, bars: int) -> None:
    """Write the figures of a split into the card of a model of ``bars`` bars, in one step.

    Raises:
        UsageError: as `read_card`.
        WorkError: the card cannot be written.
    """
    text = with_section(read_card(folder), figures(report, bars))
    write_atomically(folder / CARD_FILE, text.encode())


def with_section(text: str, section: str) -> str:
    """Return a card with a section, heading and all, in place of that of the same heading.

    If there is none, it comes after the last of the sections with figures, else at the end. All
    else stays as it is, but for a blank line that is put where one is missing.
    """
    parts = re.split(r"(?m)^(?=## )", text)
    headings = [part.partition("\n")[0].strip() for part in parts]
    wanted = section.partition("\n")[0]
    if wanted in headings:
        at = headings.index(wanted)
        before, after = parts[:at], parts[at + 1 :]
    else:
        measured = [i for i, heading in enumerate(headings) if heading.startswith(HEADING)]
        at = measured[-1] + 1 if measured else len(parts)
        before, after = parts[:at], parts[at:]
    above, below = "".join(before), "".join(after)
    if not above.endswith("\n\n"):
        above += "\n" if above.endswith("\n") else "\n\n"
    return above + section + ("\n" + below if below else "")
