# ruff: noqa: PLC0415 - torch and its like are imported by the command that needs them only
"""The terminal of the offline commands, and what several of them say there."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from livevae.training.evaluate import Report


def new_console(quiet: bool = False) -> Console:
    from rich.console import Console

    return Console(stderr=True, quiet=quiet)


def print_report(console: Console, report: Report) -> None:
    from rich.table import Table

    table = Table("", "onset F1", "bits", title=f"{report.split}, {report.windows} windows")
    table.add_row("this model", f"{report.onset.f1:.3f}", f"{report.bits:.1f}")
    for name, floor in report.floors.items():
        table.add_row(name, f"{floor.f1:.3f}", f"{floor.bits:.1f}")
    console.print(table)
    console.print(
        f"precision {report.onset.precision:.3f}, recall {report.onset.recall:.3f}; "
        f"velocity MAE {report.velocity_mae:.1f} of 127; timing MAE {report.timing_mae_ms:.1f} ms "
        f"(no microtiming: {report.zero_offset_mae_ms:.1f} ms)",
        soft_wrap=True,
        highlight=False,
    )
