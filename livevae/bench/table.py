"""The report for people: every case beside its references, then what was to be reached."""

from __future__ import annotations

import math
from typing import Final

from rich.console import Console
from rich.table import Table

from livevae.bench.cases import CASES
from livevae.bench.score import Timing
from livevae.bench.timing import LATE_TICKS, Report

_WIDTH: Final = 130
"""Where there is no terminal to say how wide it is."""
_REACHED: Final = {True: "yes", False: "no", None: "unknown"}


def print_report(report: Report) -> None:
    """Print a report on standard output."""
    console = Console(markup=False, highlight=False)
    if not console.is_terminal:
        console.width = _WIDTH
    console.print(_figures(report))
    console.print(_reach(report))
    for remark in report.remarks:
        console.print(remark, soft_wrap=True)


def _figures(report: Report) -> Table:
    title = f"error of every onset against the clock's own grid, in ms; {report.bars} bars each"
    table = Table(title=title)
    table.add_column("case")
    for column in ("mean", "sd", "p50", "p99", "p99.9", "max", "notes", "missed", "extra"):
        table.add_column(column, justify="right")
    table.add_column("and")
    for name, timing in report.results.items():
        table.add_section()
        table.add_row(CASES[name].title, *_row(timing))
        for reference, cases in report.reference.items():
            if name in cases:
                table.add_row(f"  {reference.replace('_', ' ')}", *_row(cases[name]), style="dim")
    return table


def _row(timing: Timing) -> tuple[str, ...]:
    errors = (timing.mean_ms, timing.sd_ms, timing.p50_ms, timing.p99_ms, timing.p999_ms)
    counts = (timing.notes, timing.missed, timing.extra)
    figures = (
        f"{name.replace('_', ' ')} {_number(value)}"
        for name, value in timing.figures.items()
        if value or name != LATE_TICKS
    )
    return (
        *map(_number, (*errors, timing.max_ms)),
        *map(str, counts),
        ", ".join(figures),
    )


def _number(value: float) -> str:
    if math.isnan(value):
        return "-"
    return str(round(value)) if value == round(value) else f"{value:.3f}"


def _reach(report: Report) -> Table:
    table = Table("case", "to be reached", "measured", "reached", title="what was to be reached")
    for row in report.reach:
        table.add_row(CASES[row.case].title, row.asked, row.measured, _REACHED[row.reached])
    return table
