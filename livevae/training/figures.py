"""A report as Markdown: every figure of a model, in tables."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Final

import numpy as np

from livevae.pattern.descriptors import ATTRIBUTES
from livevae.training.attributes import AttributeReport
from livevae.training.curve import RateDistortion, RatePoint
from livevae.training.interpolation import STEPS, Interpolation
from livevae.training.realism import DESCRIPTORS, Realism
from livevae.training.report import Report
from livevae.training.speed import DecodeTime
from livevae.training.units import LatentUse

HEADING: Final = "## Figures:"
"""How the heading of every section with figures begins; the split follows."""
PUBLISHED: Final = {"hierarchical MusicVAE": "0.879", "flat MusicVAE": "0.549"}
"""Step accuracy of drums over 16 bars, sampled freely (Roberts et al. 2018, table 2)."""


def figures(report: Report, bars: int) -> str:
    """Return the section of a card with all that was measured of a model of ``bars`` bars."""
    lines = [
        f"{HEADING} {report.split} split",
        "",
        f"{report.windows:,} windows of {bars} bars, hop one bar, 4-4 beats.",
        *_reconstruction(report),
        *_step_accuracy(report, bars),
        *_voices(report),
    ]
    if report.refined:
        lines += _curves(report.refined)
    if report.latent:
        lines += _latent(report.latent)
    if report.interpolation:
        lines += _interpolation(report.interpolation)
    if report.attributes:
        lines += _attributes(report.attributes)
    if report.realism:
        lines += _realism(report.realism, report.split)
    if report.decode:
        lines += _decode(report.decode, bars)
    return "\n".join(lines) + "\n"


def _reconstruction(report: Report) -> Iterator[str]:
    yield from _opened(
        "Reconstruction",
        "At z = mu, the encoder's word alone. Onset F1 is micro-averaged over nine voices on the "
        "16th grid; bits are the KL from the prior; the floors copy from the training set.",
    )
    yield from _table(
        ["", "onset F1", "bits"],
        [
            ["**this model**", f"**{report.onset.f1:.3f}**", f"{report.bits:.1f}"],
            *(
                [f"{name} (floor)", f"{floor.f1:.3f}", f"{floor.bits:.1f}"]
                for name, floor in report.floors.items()
            ),
        ],
    )
    yield from _table(
        ["", "this model"],
        [
            ["precision", f"{report.onset.precision:.3f}"],
            ["recall", f"{report.onset.recall:.3f}"],
            ["velocity MAE of true hits, of 127", f"{report.velocity_mae:.1f}"],
            ["timing MAE of true hits, ms", f"{report.timing_mae_ms:.1f}"],
            ["with no microtiming at all, ms (floor)", f"{report.zero_offset_mae_ms:.1f}"],
        ],
    )


def _step_accuracy(report: Report, bars: int) -> Iterator[str]:
    yield from _opened(
        "Step accuracy",
        "The share of steps at which all nine voices are right. MusicVAE's (Roberts et al. 2018) "
        "are of other data: 1.5 million files.",
    )
    rows = [["**this model**, z = mu", f"{bars}", f"**{report.step_accuracy:.3f}**"]]
    for name, curve in report.refined.items():
        for budget, point in curve.within.items():
            row = f"this model, refined for {name} within {budget} bits"
            rows.append([row, f"{bars}", f"{point.step_accuracy:.3f}"])
    rows += [[name, "16", accuracy] for name, accuracy in PUBLISHED.items()]
    yield from _table(["", "bars", "step accuracy"], rows)


def _voices(report: Report) -> Iterator[str]:
    yield from _opened("Voices", "At z = mu.")
    rows = [[_plain(voice), f"{f1:.3f}"] for voice, f1 in report.onset_f1_by_voice.items()]
    yield from _table(["voice", "onset F1"], rows)


def _curves(curves: dict[str, RateDistortion]) -> Iterator[str]:
    yield from _opened(
        "Rate and distortion",
        "What the space holds: each window's posterior is refined by gradient descent through the "
        "frozen decoder, with the KL weighed by beta, and scored at its mean.",
    )
    for name, curve in curves.items():
        points = {f"beta {point.beta:g}": point for point in curve.curve}
        points |= {f"**within {bits} bits**": point for bits, point in curve.within.items()}
        yield from _table(
            [f"for {name}", "bits", "onset F1", "step accuracy", "velocity MAE", "timing MAE, ms"],
            [[label, *_point(point)] for label, point in points.items()],
        )
        yield from ["", f"{curve.windows} windows, refined for {name}."]


def _point(point: RatePoint) -> list[str]:
    return [
        f"{point.bits:.1f}",
        f"{point.f1:.3f}",
        f"{point.step_accuracy:.3f}",
        f"{point.velocity_mae:.1f}",
        f"{point.timing_mae_ms:.1f}",
    ]


def _latent(latent: LatentUse) -> Iterator[str]:
    yield from _opened(
        "Latent units",
        f"{latent.active} of {latent.units} units are active (variance of mu above 0.01). Moved by "
        f"one standard deviation, {latent.heard:.1%} of them change what is played from some of "
        f"{latent.starts} beats, and {latent.heard_in_most:.1%} from at least half of these. "
        "Bits of each unit, in order:",
    )
    yield from ["", ", ".join(f"{bits:.2f}" for bits in latent.bits_by_unit)]


def _interpolation(paths: Interpolation) -> Iterator[str]:
    yield from _opened(
        "Interpolation",
        f"{paths.pairs:,} pairs of windows of different recordings, {STEPS} steps each. The "
        "distance to the start is the Hamming distance of the hits; the largest step is over the "
        "mean step of its path, the median over pairs.",
    )
    rows = {
        "slerp": paths.slerp,
        "slerp, paced as `livevae interpolate` does": paths.paced,
        "cross-fade of the two patterns": paths.cross_fade,
    }
    yield from _table(
        ["path", "distance does not fall", "largest step"],
        [[name, f"{of.not_falling:.1%}", f"{of.largest_step:.2f}"] for name, of in rows.items()],
    )


def _attributes(attributes: AttributeReport) -> Iterator[str]:
    yield from _opened(
        "Attribute knobs",
        f"Each turned from end to end from {attributes.starts} beats. Spearman's rank correlation "
        "of knob and descriptor is the mean over the beats, beside that of the mean, and what it "
        "would be if no descriptor ever fell: short of 1 by the ties of those at the end of their "
        "range. A descriptor falls in so many of a sweep's steps, and does not move at all from so "
        "many beats. The sweep is the change from end to end in standard deviations over the data.",
    )
    yield from _table(
        ["knob", "Spearman", "of the mean", "without falls", "falls", "unmoved", "sweep"],
        [
            [
                _plain(name),
                f"{knob.spearman:.3f}",
                f"{knob.spearman_of_mean:.3f}",
                f"{knob.spearman_unfallen:.3f}",
                f"{knob.falling:.1%}",
                f"{knob.unmoved:.1%}",
                f"{knob.sweep:.2f}",
            ]
            for name, knob in attributes.knobs.items()
        ],
    )
    yield from ["", "Cross-talk: how far each other descriptor moves, as a share of the sweep."]
    moved = {name: knob.cross_talk for name, knob in attributes.knobs.items()}
    yield from _crossed(
        "knob",
        moved,
        ATTRIBUTES,
        lambda name, other: f"{moved[name][other]:.2f}" if other in moved[name] else "-",
    )


def _realism(realism: Realism, split: str) -> Iterator[str]:
    yield from _opened(
        "Realism",
        f"Sets of {realism.windows:,} windows beside those of the {split} split. AUC is that of a "
        "small classifier told to tell a set from the split (0.5 is chance); nearest F1 is the "
        "onset F1 of the training window nearest to each; overlap and KL compare the "
        "distributions of the descriptors below, and are their means.",
    )
    yield from _table(
        ["set", "density", "AUC", "overlap", "KL, bits", "nearest F1"],
        [
            [f"{split} split", f"{realism.density:.3f}", "", "", "", f"{realism.nearest_f1:.3f}"],
            *(
                [
                    name,
                    f"{likeness.density:.3f}",
                    f"{likeness.told_apart.auc:.3f} ± {likeness.told_apart.spread:.3f}",
                    f"{likeness.mean_overlap:.3f}",
                    f"{np.mean(list(likeness.kl_bits.values())):.3f}",
                    f"{likeness.nearest_f1:.3f}",
                ]
                for name, likeness in realism.sets.items()
            ),
        ],
    )
    yield from ["", "Overlap and KL (bits) of each descriptor's distribution:"]
    sets = realism.sets
    yield from _crossed(
        "descriptor",
        DESCRIPTORS,
        sets,
        lambda name, of: f"{sets[of].overlap[name]:.2f}, {sets[of].kl_bits[name]:.2f}",
    )


def _decode(decode: DecodeTime, bars: int) -> Iterator[str]:
    yield from _opened("Decode time", "On the CPU at hand, whatever else ran on it.")
    threads = f"{decode.map_threads} thread{'s' if decode.map_threads > 1 else ''}"
    yield from _table(
        ["", "time"],
        [
            [f"one decode of {bars} bars on 1 thread, median", f"{decode.one_ms:.1f} ms"],
            ["of 100, the slowest but five", f"{decode.slowest_ms:.1f} ms"],
            [f"a map of {decode.map_points:,} points on {threads}", f"{decode.map_s:.2f} s"],
        ],
    )


def _opened(title: str, text: str) -> list[str]:
    return ["", f"### {title}", "", text]


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return a table with a blank line before it; all columns but the first are of numbers."""
    rule = ["---", *["---:"] * (len(header) - 1)]
    return ["", *(f"| {' | '.join(row)} |" for row in (header, rule, *rows))]


def _crossed(
    corner: str, rows: Collection[str], columns: Collection[str], cell: Callable[[str, str], str]
) -> list[str]:
    """Return a table of what ``cell`` says of each row's and column's names."""
    return _table(
        [corner, *map(_plain, columns)],
        [[_plain(row), *(cell(row, column) for column in columns)] for row in rows],
    )


def _plain(name: str) -> str:
    return name.replace("_", " ")
