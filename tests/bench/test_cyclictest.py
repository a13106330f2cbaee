"""cyclictest's words, read."""

from __future__ import annotations

from pathlib import Path

import pytest

from livevae.bench import cyclictest
from livevae.errors import WorkError

TOLD = """# /dev/cpu_dma_latency set to 0us
policy: fifo: loadavg: 0.00 0.00 0.00 1/100 1           \n
# Histogram
000000 000000
000010 000900
000100 000099
000500 000000
# Total: 000000999
# Min Latencies: 00010
# Avg Latencies: 00019
# Max Latencies: 04000
# Histogram Overflows: 00001
# Histogram Overflow at cycle number:
# Thread 0: 00951
"""


def test_a_histogram_becomes_latencies_in_ms() -> None:
    timing = cyclictest.parse(TOLD)
    assert timing.notes == 1000
    assert timing.p50_ms == pytest.approx(0.010)
    assert timing.p99_ms == pytest.approx(0.100)
    assert timing.missed == 0


def test_what_overflows_the_histogram_is_as_late_as_the_latest() -> None:
    timing = cyclictest.parse(TOLD)
    assert timing.max_ms == pytest.approx(4.0)
    assert timing.mean_ms == pytest.approx((900 * 0.01 + 99 * 0.1 + 4) / 1000)


def test_where_it_is_not_installed_the_sentence_names_the_package(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(WorkError, match="rt-tests"):
        cyclictest.measure(0.1)


def test_one_that_does_not_run_is_quoted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "cyclictest"
    program.write_text("#!/bin/sh\necho 'FATAL: no real-time priority' >&2\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    with pytest.raises(WorkError, match="no real-time priority"):
        cyclictest.measure(0.1)
