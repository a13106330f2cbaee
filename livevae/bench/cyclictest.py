"""cyclictest of rt-tests: how late this machine wakes a real-time thread, its own timing floor."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import Final

import numpy as np

from livevae.bench.score import Timing
from livevae.errors import WorkError

PRIORITY: Final = 80
INTERVAL_US: Final = 1000
HISTOGRAM_US: Final = 100_000
"""What is later still counts as the latest of all, which cyclictest tells apart."""
_BUCKET: Final = re.compile(r"^(\d+)\s+(\d+)\s*$", re.MULTILINE)
_LATEST: Final = re.compile(r"^# Max Latencies:\s*(\d+)", re.MULTILINE)
_OVERFLOWS: Final = re.compile(r"^# Histogram Overflows:\s*(\d+)", re.MULTILINE)


def measure(seconds: float) -> Timing:
    """Return how late a thread that sleeps for a millisecond at a time wakes.

    Raises:
        WorkError: cyclictest is not installed, or may not have real-time priority.
    """
    if shutil.which("cyclictest") is None:
        raise WorkError("cyclictest is not installed (rt-tests), so the machine's floor is unknown")
    loops = round(seconds * 1e6 / INTERVAL_US)
    command = ["cyclictest", "-p", PRIORITY, "-i", INTERVAL_US, "-l", loops, "-q"]
    told = subprocess.run(
        [str(part) for part in (*command, "-h", HISTOGRAM_US)],
        capture_output=True,
        text=True,
        check=False,
    )
    if told.returncode or not _LATEST.search(told.stdout):
        reason = (told.stderr.strip() or "it says nothing").splitlines()[-1]
        raise WorkError(f"cyclictest does not run ({reason}), so the machine's floor is unknown")
    return parse(told.stdout)


def parse(told: str) -> Timing:
    """Return the latencies of a histogram that cyclictest has printed, in ms."""
    buckets = np.array(_BUCKET.findall(told), np.int64).reshape(-1, 2)
    latest = _LATEST.search(told)
    overflows = _OVERFLOWS.search(told)
    latencies_us = np.repeat(buckets[:, 0], buckets[:, 1])
    if latest and overflows:
        late = np.full(int(overflows[1]), int(latest[1]))
        latencies_us = np.concatenate([latencies_us, late])
    return Timing.of(latencies_us / 1000)
