"""A real Link session of two on the loopback interface, with the library's own threads."""

import json
import shutil
import subprocess
import sys

import pytest

ALONE = ("unshare", "--map-root-user", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh")


@pytest.fixture(scope="module")
def seen() -> dict[str, object]:
    """Play a duet in a network that ends at this process: no real session may hear of it."""
    allowed = shutil.which("unshare") and shutil.which("ip")
    if not allowed or subprocess.run([*ALONE, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this system gives no network of one's own")
    command = [*ALONE, sys.executable, "-m", "tests.clock.link_peers"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    result: dict[str, object] = json.loads(done.stdout)
    return result


@pytest.mark.parametrize(
    "event",
    [
        "met",
        "stood_still",
        "heard_tempo",
        "heard_start",
        "told_tempo",
        "told_stop",
        "silent",
        "told_start",
        "left",
    ],
)
def test_tempo_start_stop_and_presence_are_shared_both_ways(
    seen: dict[str, object], event: str
) -> None:
    assert seen[event]


@pytest.mark.parametrize("who_started", ["followed", "led"])
def test_bars_begin_on_the_bar_lines_of_the_other_peer(
    seen: dict[str, object], who_started: str
) -> None:
    errors_ms = seen[who_started]
    assert isinstance(errors_ms, list)
    assert len(errors_ms) >= 2
    assert max(map(abs, errors_ms)) < 5, errors_ms
