"""`livevae bench timing`, one short case of it."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

pytestmark = pytest.mark.jack


def test_a_case_runs_on_a_server_of_its_own_and_leaves_none() -> None:
    """The server has the name of the one that other tests kill: JACK has room for few names."""
    server = "livevae-doomed"
    asked = ["--case", "steady_jack_64", "--bars", "6", "--server", server, "--json"]
    ran = subprocess.run(
        [sys.executable, "-m", "livevae", "bench", "timing", *asked],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    report = json.loads(ran.stdout)
    result = report["results"]["steady_jack_64"]
    reference = report["reference"]["plain_follower"]["steady_jack_64"]
    assert result["notes"] > 100
    assert (result["missed"], result["extra"]) == (0, 0)
    assert result["sd_ms"] < reference["sd_ms"], "a follower beats an echo"
    assert reference["notes"] == 80
    listed = subprocess.run(["jack_lsp", "-s", server], capture_output=True, check=False)
    assert listed.returncode != 0
