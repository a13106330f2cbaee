"""`livevae bench timing`: a short case from end to end, and its programs."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys

import pytest

from livevae.bench import scripts, timing
from livevae.bench.meant import sixteenths
from livevae.bench.score import late_ticks, onsets, score
from tests.jack.peers import FRAMES_PER_MS, PERIOD

pytestmark = pytest.mark.jack


def test_a_case_runs_on_a_server_of_its_own_and_leaves_none() -> None:
    """The server has the name of the one that other tests kill: JACK has room for few names."""
    server = "livevae-doomed"
    asked = ["--case", "start", "--bars", "4", "--server", server, "--json"]
    ran = subprocess.run(
        [sys.executable, "-m", "livevae", "bench", "timing", *asked],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    result = json.loads(ran.stdout)["results"]["start"]
    assert result["notes"] > 100
    assert (result["missed"], result["extra"]) == (0, 0)
    assert result["figures"]["first_downbeat_ms"] < 5 * PERIOD / FRAMES_PER_MS
    listed = subprocess.run(["jack_lsp", "-s", server], capture_output=True, check=False)
    assert listed.returncode != 0


def test_a_start_is_timed_to_the_port_to_playing_and_to_the_warm_decoder() -> None:
    """In this order, beside bare Python."""
    ran = subprocess.run(
        [sys.executable, "-m", "livevae", "bench", "start", "--runs", "1", "--json"],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    report = json.loads(ran.stdout)
    moments = [report["results"][name]["median_s"] for name in report["results"]]
    assert list(report["results"]) == ["port_visible", "ready_to_play", "decoder_warm"]
    assert 0 < report["reference"]["python"]["median_s"] < moments[0] < moments[1] < moments[2]


def test_the_clock_keeps_its_script_and_a_plain_follower_echoes_it() -> None:
    script, environment = scripts.steady(1), dict(os.environ)
    (name, note), *_ = timing.FOLLOWERS.items()
    playing = functools.partial(timing.references, [name], environment)
    taken = timing.take(script, playing, False, environment)
    assert late_ticks(script, taken.events, taken.zero) == 0
    heard = onsets(taken.events, taken.zero, (note,))
    echo = score(script, heard, sixteenths(script, note))
    assert (echo.notes, echo.missed, echo.extra) == (16, 0, 0)
    assert 0 < echo.mean_ms <= 3 * PERIOD / FRAMES_PER_MS
