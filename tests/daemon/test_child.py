"""A child process: orders in, exit code out."""

import signal
from pathlib import Path

import pytest

from livevae.daemon.child import Child

SCRIPTS = {
    "scribe": "import sys\nopen({out!r}, 'ab').write(sys.stdin.buffer.read())\n",
    "quitter": "import sys\nsys.exit(3)\n",
    "sleeper": "import time\ntime.sleep(60)\n",
}


@pytest.fixture
def out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put the scripts where ``python -m`` finds them; return the file the scribe writes."""
    for name, text in SCRIPTS.items():
        (tmp_path / f"{name}.py").write_text(text.format(out=str(tmp_path / "out")))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return tmp_path / "out"


def test_orders_arrive_line_by_line_and_the_end_of_orders_is_the_order_to_leave(
    out: Path,
) -> None:
    """In their order, all of them."""
    child = Child("scribe")
    child.send(b"one")
    child.send(b"two")
    assert child.dismiss(30) == 0
    assert out.read_bytes() == b"one\ntwo\n"


def test_orders_to_a_child_that_is_gone_are_lost_without_a_fuss(out: Path) -> None:
    """That it has ended shows in its exit code."""
    child = Child("quitter")
    assert child.wait() == 3
    child.send(b"x" * 100_000)
    child.send(b"hello")
    assert child.dismiss(1) == 3


def test_a_restarted_child_is_a_new_process_that_takes_orders(out: Path) -> None:
    """And the old one's exit code is forgotten."""
    child = Child("scribe")
    pid = child.pid
    child.kill()
    assert child.wait() == -signal.SIGKILL
    child.send(b"into the void")
    child.restart()
    assert child.pid != pid
    child.send(b"again")
    assert child.dismiss(30) == 0
    assert out.read_bytes() == b"again\n"


def test_a_child_that_does_not_leave_is_killed(out: Path) -> None:
    """The exit code says by what."""
    assert Child("sleeper").dismiss(0.01) == -signal.SIGKILL
