"""The card of a model: what it was made from, how, and what it scores."""

from __future__ import annotations

from typing import Final

import msgspec

from livevae.latent.space import Space
from livevae.training.config import Preset
from livevae.training.report import Report

CARD_FILE: Final = "README.md"

GROOVE_CREDIT: Final = (
    "Groove MIDI Dataset 1.0.0, MIDI only (Google; CC BY 4.0; "
    "<https://magenta.tensorflow.org/datasets/groove>). Credit: Gillick, Roberts, Engel, Eck, "
    'Bamman, "Learning to Groove with Inverse Sequence Transformations", ICML 2019.'
)


def card(
    name: str,
    data: str,
    commands: list[str],
    preset: Preset,
    space: Space,
    reports: list[Report],
) -> str:
    """Return the card as Markdown; ``reports`` are those of the splits that were measured."""
    model = preset.model
    lines = [
        f"# {name}",
        "",
        f"A MusicVAE of drum patterns: {model.bars} bars of 16 steps, nine voices, "
        f"{reports[0].parameters:,} parameters, {model.z_dim} latent dimensions; "
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
    ]
    for report in reports:
        lines += ["", *_figures(report, model.bars)]
    return "\n".join(lines) + "\n"


def _figures(report: Report, bars: int) -> list[str]:
    floors = [
        f"| {name} (floor) | {floor.f1:.3f} | {floor.bits:.1f} |"
        for name, floor in report.floors.items()
    ]
    voices = ", ".join(
        f"{voice.replace('_', ' ')} {f1:.2f}" for voice, f1 in report.onset_f1_by_voice.items()
    )
    return [
        f"## Reconstruction of the {report.split} split",
        "",
        f"{report.windows:,} windows of {bars} bars, hop one bar, 4-4 beats, at z = mu; "
        "onset F1 is micro-averaged over nine voices on the 16th grid.",
        "",
        "| | onset F1 | bits |",
        "| --- | --- | --- |",
        f"| **this model** | **{report.onset.f1:.3f}** | {report.bits:.1f} |",
        *floors,
        "",
        f"Precision {report.onset.precision:.3f}, recall {report.onset.recall:.3f}. "
        f"By voice: {voices}.",
        "",
        f"Velocity MAE {report.velocity_mae:.1f} of 127. "
        f"Timing MAE {report.timing_mae_ms:.1f} ms (no microtiming at all: "
        f"{report.zero_offset_mae_ms:.1f} ms).",
    ]
