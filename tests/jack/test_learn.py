"""A knob learned on a real JACK server, through the daemon that plays and without one."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.jack.peers import Hand, daemon, eventually, midi_ports

pytestmark = pytest.mark.jack


@contextlib.contextmanager
def learning(folder: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Run `livevae learn` until it has said that it listens."""
    process = subprocess.Popen(
        [sys.executable, "-m", "livevae", "learn", *arguments],
        env=os.environ | {"LIVEVAE_RUNTIME_DIR": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            assert process.stderr is not None
            assert process.stderr.readline().startswith("Move a knob")
            yield process
        finally:
            process.kill()


def test_a_knob_learned_while_playing_moves_its_control_at_once() -> None:
    """The daemon keeps the port; its file gets one line."""
    config = "[map] # my knobs\nx = { cc = 20 }\n"
    with daemon("--clock", "internal", config=config) as running:
        eventually(lambda: running.status().player.playing, within_s=30)
        hand = Hand("LiveVAE:in")
        try:
            with learning(running.folder, "density") as process:
                for value in range(8, 24):
                    hand.send(0xB3, 75, value)
                output, _ = process.communicate(timeout=20)
            assert output.startswith("density: cc 75 on channel 4, in ")
            hand.send(0xB3, 75, 127)
            eventually(lambda: running.status().player.values["density"] == 1)
            hand.send(0xB0, 20, 0)
            eventually(lambda: running.status().player.values["x"] == 0)
        finally:
            hand.close()
        assert running.status().player.moves == ()
        written = (running.log.parent / "livevae.toml").read_text()
        assert written == config + "density = {cc = 75, channel = 4}\n"


def test_without_a_daemon_a_pad_is_learned_on_a_port_of_ones_own(tmp_path: Path) -> None:
    """Its name says who it is; it goes with the command."""
    file = tmp_path / "livevae.toml"
    file.write_text("[midi]\nbackend = 'jack'\n")
    with learning(tmp_path / "run", "kick.mute", "--config", str(file)) as process:
        hand = Hand("LiveVAE learn:in")
        try:
            hand.send(0x99, 36, 100)
            output, _ = process.communicate(timeout=20)
        finally:
            hand.close()
    assert output.startswith("kick.mute: note 36 on channel 10, in ")
    assert "LiveVAE learn:in" not in midi_ports()
