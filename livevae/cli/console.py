# ruff: noqa: PLC0415 - torch and its like are imported by the command that needs them only
"""The terminal of the offline commands, and what several of them say there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from livevae.training.report import Report


def new_console(quiet: bool = False) -> Console:
    from rich.console import Console

    # Names of files and styles have brackets: they are no markup.
    return Console(stderr=True, quiet=quiet, markup=False)


def say(sentence: str) -> None:
    """Print what a command has done, on one line however narrow the terminal."""
    new_console().print(sentence, soft_wrap=True, highlight=False)


def print_report(console: Console, report: Report) -> None:
    from rich.table import Table

    table = Table("", "onset F1", "bits", title=f"{report.split}, {report.windows} windows")
    table.add_row("this model, at z = mu", f"{report.onset.f1:.3f}", f"{report.bits:.1f}")
    for name, curve in report.refined.items():
        table.add_section()
        table.add_row(f"refined for {name}, {curve.windows} windows")
        points = {f"  beta {point.beta:g}": point for point in curve.curve}
        points |= {f"  within {budget} bits": point for budget, point in curve.within.items()}
        for label, point in points.items():
            table.add_row(label, f"{point.f1:.3f}", f"{point.bits:.1f}")
    table.add_section()
    for name, floor in report.floors.items():
        table.add_row(name, f"{floor.f1:.3f}", f"{floor.bits:.1f}")
    console.print(table)
    for line in _sentences(report):
        console.print(line, soft_wrap=True, highlight=False)


def _sentences(report: Report) -> Iterator[str]:
    yield (
        f"precision {report.onset.precision:.3f}, recall {report.onset.recall:.3f}; step accuracy "
        f"{report.step_accuracy:.3f}; velocity MAE {report.velocity_mae:.1f} of 127; timing MAE "
        f"{report.timing_mae_ms:.1f} ms (no microtiming: {report.zero_offset_mae_ms:.1f} ms)"
    )
    for name, curve in report.refined.items():
        for budget, point in curve.within.items():
            yield (
                f"refined for {name} within {budget} bits: step accuracy "
                f"{point.step_accuracy:.3f}, velocity MAE {point.velocity_mae:.1f}, "
                f"timing MAE {point.timing_mae_ms:.1f} ms"
            )
    if report.latent:
        yield (
            f"{report.latent.active} of {report.latent.units} units active, "
            f"{report.latent.heard:.0%} of them heard when moved"
        )
    if report.interpolation:
        for name in ("slerp", "paced", "cross_fade"):
            path = getattr(report.interpolation, name)
            yield (
                f"{name.replace('_', '-')}, {report.interpolation.pairs} pairs: the distance to "
                f"the start does not fall in {path.not_falling:.1%} of steps; the largest step is "
                f"{path.largest_step:.2f} times the mean"
            )
    if report.attributes:
        for name, knob in report.attributes.knobs.items():
            other, cross_talk = max(knob.cross_talk.items(), key=lambda item: item[1])
            yield (
                f"knob {name.replace('_', ' ')}: Spearman {knob.spearman:.3f}, most cross-talk "
                f"{cross_talk:.2f} (to {other.replace('_', ' ')})"
            )
    if report.realism:
        yield f"density of the split {report.realism.density:.3f}"
        for name, likeness in report.realism.sets.items():
            yield (
                f"{name}: density {likeness.density:.3f}, told from the split with AUC "
                f"{likeness.told_apart.auc:.3f}"
            )
    if report.decode:
        yield (
            f"one decode {report.decode.one_ms:.1f} ms on one thread; {report.decode.map_points:,} "
            f"points {report.decode.map_s:.2f} s on {report.decode.map_threads}"
        )
