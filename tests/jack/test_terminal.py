"""At a terminal: Enter takes up the offer of the internal clock, Ctrl-C ends everything."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from livevae.daemon.control import Request, ask
from livevae.daemon.supervisor import Report
from tests.jack.peers import eventually, midi_ports

pytestmark = pytest.mark.jack


def test_enter_starts_the_internal_clock_and_ctrl_c_ends_it(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    log = tmp_path / "log"
    command = [sys.executable, "-m", "livevae", "run", "--config", str(tmp_path / "livevae.toml")]
    (tmp_path / "livevae.toml").write_text("")
    # script(1) gives the daemon a terminal of its own, and types what comes in; exec, since a shell
    # in between may end of the Ctrl-C itself.
    with (
        log.open("wb") as output,
        subprocess.Popen(
            [
                "script",
                "--quiet",
                "--return",
                "--command",
                f"exec {shlex.join(command)}",
                "/dev/null",
            ],
            stdin=subprocess.PIPE,
            stdout=output,
            env=os.environ | {"LIVEVAE_RUNTIME_DIR": str(folder)},
        ) as terminal,
    ):
        assert terminal.stdin is not None

        def playing() -> bool:
            report = msgspec.json.decode(ask(Request("status"), folder), type=Report)
            return report.player.playing

        eventually(lambda: "press Enter" in log.read_text())
        assert not playing()
        terminal.stdin.write(b"\n")
        terminal.stdin.flush()
        eventually(playing)
        terminal.stdin.write(b"\x03")
        terminal.stdin.flush()
        assert terminal.wait(10) == 0
    assert "Traceback" not in log.read_text()
    eventually(lambda: "LiveVAE:out" not in midi_ports())
