"""The commands of the README, typed by somebody who plays."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from livevae.midi.kit import KITS
from livevae.pattern.pattern import VOICES
from tests.jack.peers import Daemon, Recorder, daemon, eventually, recorder

pytestmark = pytest.mark.jack

CRASH = KITS["gm"][VOICES.index("crash")]


@pytest.fixture(scope="module")
def stage() -> Iterator[tuple[Daemon, Recorder]]:
    """A daemon on its own clock, connected by livevae.toml, and what it sends."""
    with recorder() as recording:
        config = (
            f'[midi]\noutputs = ["{recording.port}"]\n[controls]\nclock = "internal"\nbpm = 180\n'
        )
        with daemon(config=config) as running:
            eventually(recording.onsets)
            yield running, recording


def livevae(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Type a command beside the daemon of ``folder``."""
    return subprocess.run(
        [sys.executable, "-m", "livevae", *arguments],
        env=os.environ | {"LIVEVAE_RUNTIME_DIR": str(folder)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def one_sentence(result: subprocess.CompletedProcess[str]) -> str:
    """Return what a refused command says, which is one line on stderr and nothing else."""
    assert result.stdout == ""
    assert result.stderr.startswith("livevae: ")
    assert result.stderr.count("\n") == 1
    return result.stderr


def test_set_is_shown_by_get(stage: tuple[Daemon, Recorder]) -> None:
    folder = stage[0].folder
    assert livevae(folder, "set", "swing", "58").returncode == 0
    assert livevae(folder, "get", "swing").stdout == "58\n"
    assert livevae(folder, "set", "ride.mute", "on").returncode == 0
    assert json.loads(livevae(folder, "get", "--json").stdout)["ride.mute"] is True


def test_a_fill_is_set_like_any_control_and_ends_in_a_crash(
    stage: tuple[Daemon, Recorder],
) -> None:
    """Of a beat that has none, nor its fill."""
    running, recording = stage
    assert CRASH not in {note for _, note in recording.onsets()}
    assert livevae(running.folder, "set", "fill.now", "on").returncode == 0
    eventually(lambda: CRASH in {note for _, note in recording.onsets()})


def test_get_lists_every_control_with_a_line_of_help(stage: tuple[Daemon, Recorder]) -> None:
    listed = livevae(stage[0].folder, "get").stdout.splitlines()
    assert any(line.startswith("kick.density") and "Density of the kick" in line for line in listed)


def test_status_says_how_things_stand(stage: tuple[Daemon, Recorder]) -> None:
    folder = stage[0].folder
    words = livevae(folder, "status").stdout
    assert "internal, 180.0 BPM, locked" in words
    assert "daw:in" in words
    report = json.loads(livevae(folder, "status", "--json").stdout)
    assert report["player"]["playing"] is True
    assert report["model"] == "groove-4bar"


def test_set_refuses_a_wrong_name_or_value_with_one_sentence(
    stage: tuple[Daemon, Recorder],
) -> None:
    folder = stage[0].folder
    for arguments, hint in (
        (("set", "sving", "60"), "did you mean swing"),
        (("set", "swing", "90"), "from 50 to 75"),
        (("set", "swing", "much"), "from 50 to 75"),
        (("set", "clock", "sundial"), "midi, internal"),
        (("get", "sving"), "did you mean swing"),
    ):
        refused = livevae(folder, *arguments)
        assert refused.returncode == 2
        assert hint in one_sentence(refused)


def test_play_off_silences_and_on_begins_again(stage: tuple[Daemon, Recorder]) -> None:
    running, recording = stage
    livevae(running.folder, "set", "play", "off")
    eventually(lambda: not running.status().player.playing)
    eventually(lambda: not recording.hanging())
    heard = len(recording.onsets())
    livevae(running.folder, "set", "play", "on")
    eventually(lambda: len(recording.onsets()) > heard)


def test_panic_sends_all_sound_off(stage: tuple[Daemon, Recorder]) -> None:
    running, recording = stage
    assert livevae(running.folder, "panic").returncode == 0
    eventually(lambda: b"\xb9\x78\x00" in {message for _, message in recording.events})


def test_a_second_daemon_is_refused(stage: tuple[Daemon, Recorder]) -> None:
    refused = livevae(stage[0].folder, "run")
    assert refused.returncode == 1
    assert "running already" in one_sentence(refused)


def test_a_port_that_is_not_there_is_named_beside_those_that_are(
    stage: tuple[Daemon, Recorder], tmp_path: Path
) -> None:
    refused = livevae(tmp_path / "run", "run", "--set", 'midi.outputs=["Ableton"]')
    assert refused.returncode == 2
    assert "'Ableton'" in one_sentence(refused)
    assert "daw:in" in refused.stderr


def test_ports_lists_what_can_be_connected(stage: tuple[Daemon, Recorder]) -> None:
    names = json.loads(livevae(stage[0].folder, "ports", "--json").stdout)
    assert names["backend"] == "jack"
    assert "daw:in" in names["destinations"]
    assert "LiveVAE:out" in names["sources"]


def test_doctor_finds_nothing_wrong(stage: tuple[Daemon, Recorder]) -> None:
    examined = livevae(stage[0].folder, "doctor", "--json")
    findings = {finding["name"]: finding for finding in json.loads(examined.stdout)}
    assert examined.returncode == 0
    assert findings["daemon"]["found"] == "running and answering"
    assert "decodes" in findings["device"]["found"]


def test_without_a_daemon_the_commands_say_how_to_start_one(tmp_path: Path) -> None:
    for command in (("status",), ("get",), ("set", "x", "0.5"), ("panic",)):
        refused = livevae(tmp_path / "run", *command)
        assert refused.returncode == 1
        assert "`livevae run`" in one_sentence(refused)
