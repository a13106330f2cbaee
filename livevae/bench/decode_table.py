"""The report of `livevae bench decode` for people."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from livevae.bench.decode import Report


def print_report(report: Report) -> None:
    """Print a report on standard output."""
    console = Console(markup=False, highlight=False)
    console.print(_figures(report))
    floor, knob = report.floor, report.knob_to_bank
    for line in (
        f"one decode: {floor.decode_flops / 1e6:.1f} MFLOP, {floor.weight_bytes / 1e6:.1f} MB of "
        f"weights; here a matrix product does {floor.gflops:,.0f} GFLOP/s, and a copy "
        f"{floor.gigabytes_per_s:,.0f} GB/s: to read the weights takes {floor.weights_ms:.3f} ms",
        f"the two decoders differ by {report.difference:.0e} at most, and in no onset",
        f"from a control change at the port to the pattern in the bank: p50 {knob.p50_ms:.2f} ms, "
        f"p99 {knob.p99_ms:.2f} ms",
        *(
            f"{goal.asked}: {goal.measured}, {'reached' if goal.reached else 'NOT reached'}"
            for goal in report.reach
        ),
        ", ".join(f"{name} {version}" for name, version in report.versions.items()),
    ):
        console.print(line, soft_wrap=True)


def _figures(report: Report) -> Table:
    threads = f", {report.threads} threads" if report.device.startswith("cpu") else ""
    title = f"{report.model}, {report.bars} bars, on {report.device}{threads}"
    table = Table(title=title)
    for column in ("points", "", "p50 ms", "p99 ms", "points/s"):
        table.add_column(column, justify="right")
    for points, ours in report.results.items():
        table.add_section()
        for name, times in (("LiveVAE", ours), ("plain eager", report.reference[points])):
            figures = (f"{times.p50_ms:.2f}", f"{times.p99_ms:.2f}", f"{times.points_per_s:,.0f}")
            table.add_row(f"{int(points):,}", name, *figures)
        table.add_row("", "arithmetic alone", f"{report.floor.arithmetic_ms(int(points)):.2f}")
    return table
