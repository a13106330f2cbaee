"""Faults, caused for real: whatever dies, no note hangs and the bars go on."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from tests.jack.peers import (
    Daemon,
    Recorder,
    connect,
    daemon,
    eventually,
    jack_server,
    midi_ports,
    recorder,
)

pytestmark = pytest.mark.jack

ALL_SOUND_OFF, ALL_NOTES_OFF = b"\xb9\x78\x00", b"\xb9\x7b\x00"
BUSY = ("--clock", "internal", "--bpm", "200", "--set", "density=0.8")


def outputs(recording: Recorder) -> tuple[str, str]:
    """Return the arguments that connect a daemon to a recorder."""
    return "--set", f'midi.outputs=["{recording.port}"]'


@contextlib.contextmanager
def playing(*arguments: str) -> Iterator[tuple[Daemon, Recorder]]:
    """Run a busy daemon connected to a recorder that has heard notes."""
    with (
        recorder() as recording,
        daemon(*BUSY, *outputs(recording), *arguments) as running,
    ):
        eventually(lambda: len(recording.onsets()) > 20)
        yield running, recording


def children(running: Daemon) -> dict[str, int]:
    """Return the process ids of the player and the decoder."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            command = (entry / "cmdline").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if parent == running.process.pid:
            found |= {name: int(entry.name) for name in ("player", "decoder") if name in command}
    return found


def first_panic(recording: Recorder) -> int | None:
    """Return the index of the first all-sound-off, if there is one."""
    messages = [message for _, message in recording.events]
    return messages.index(ALL_SOUND_OFF) if ALL_SOUND_OFF in messages else None


def banks(running: Daemon) -> set[Path]:
    """Return what a daemon keeps in shared memory, or has left there."""
    memory = Path("/dev/shm")  # noqa: S108 - only looked at
    return set(memory.glob(f"livevae-*-{running.process.pid}-*"))


def settled(recording: Recorder) -> bool:
    """Return whether nothing has come in for a while."""
    before = len(recording.events)
    time.sleep(0.3)
    return len(recording.events) == before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_daemon_and_leaves_no_note(number: signal.Signals) -> None:
    with playing() as (running, recording):
        assert len(banks(running)) == 1
        assert running.stop(number) == 0
        eventually(lambda: settled(recording))
        assert recording.hanging() == set()
        assert banks(running) == set()
        assert "Traceback" not in running.log.read_text()


def test_long_periods_leave_no_note_either() -> None:
    """At 2,048 frames a cycle lasts 43 ms: time and room for every note-off all the same."""
    with jack_server("livevae-doomed", period=2048), playing() as (running, recording):
        assert running.stop() == 0
        eventually(lambda: settled(recording))
        assert recording.hanging() == set()


def test_a_supervisor_killed_leaves_no_note_no_process_and_no_memory() -> None:
    with playing() as (running, recording):
        eventually(lambda: running.status().decoder.state == "ready", within_s=60)
        orphans = children(running)
        running.process.kill()
        eventually(lambda: settled(recording))
        assert recording.hanging() == set()
        for pid in orphans.values():
            eventually(lambda pid=pid: not Path(f"/proc/{pid}").exists())
        assert banks(running) == set()


def test_what_a_daemon_killed_with_its_children_left_is_removed_by_the_next() -> None:
    with playing() as (running, _):
        eventually(lambda: "decoder" in children(running))
        for pid in (running.process.pid, *children(running).values()):
            os.kill(pid, signal.SIGKILL)
        assert len(banks(running)) == 1
        folder = {"LIVEVAE_RUNTIME_DIR": str(running.folder)}
        command = [sys.executable, "-m", "livevae", "run", "--clock", "internal"]
        with subprocess.Popen(command, env=os.environ | folder) as following:
            eventually(lambda: running.status().player.notes)
            assert banks(running) == set()
            following.send_signal(signal.SIGINT)


def test_a_player_killed_comes_back_where_it_was_and_ends_the_notes() -> None:
    with playing() as (running, recording):
        running.set("x", 0.25)
        pid = children(running)["player"]
        os.kill(pid, signal.SIGKILL)
        eventually(lambda: running.status().restarts["player"] == 1)
        panicked_at = eventually(lambda: first_panic(recording))
        died_with = recording.hanging(panicked_at)
        eventually(lambda: len(recording.events) > panicked_at + 200)
        after = [message for _, message in recording.events[panicked_at:]]
        first_onset = next(i for i, message in enumerate(after) if message[0] >> 4 == 9)
        assert after[1] == ALL_NOTES_OFF
        assert {message[1] for message in after[:first_onset] if message[0] >> 4 == 8} >= died_with
        assert running.status().player.values["x"] == 0.25
        assert running.stop() == 0
        eventually(lambda: settled(recording))
        assert recording.hanging() == set()


def test_a_decoder_killed_is_started_again_and_the_bars_go_on() -> None:
    with playing() as (running, _):
        eventually(lambda: running.status().decoder.state == "ready", within_s=60)
        os.kill(children(running)["decoder"], signal.SIGKILL)
        running.set("x", 0.3)
        eventually(lambda: running.status().restarts["decoder"] == 1)
        before = sum(running.status().player.bars.values())
        eventually(lambda: running.status().decoder.state == "ready", within_s=60)
        eventually(lambda: running.status().decoder.decodes >= 1)
        eventually(lambda: sum(running.status().player.bars.values()) > before + 1)
        assert running.status().player.bars["missed"] == 0


def test_a_decoder_that_hangs_is_replaced() -> None:
    with playing() as (running, _):
        eventually(lambda: running.status().decoder.state == "ready", within_s=60)
        os.kill(children(running)["decoder"], signal.SIGSTOP)
        eventually(lambda: running.status().restarts["decoder"] == 1, within_s=30)
        assert running.status().player.bars["missed"] == 0


@pytest.mark.skipif(torch.cuda.is_available(), reason="the device is there")
def test_a_decoder_that_can_never_run_is_let_go_and_the_map_plays() -> None:
    with playing("--set", "decoder.device=cuda") as (running, _):
        eventually(lambda: "the decoder cannot run" in running.log.read_text(), within_s=60)
        before = running.status().player.bars["grid"]
        eventually(lambda: running.status().player.bars["grid"] > before + 1)
        assert running.status().restarts["decoder"] == 0
        assert running.log.read_text().count("cuda") == 1


def test_a_receiver_that_goes_and_returns_is_connected_again() -> None:
    with contextlib.ExitStack() as first, contextlib.ExitStack() as rest:
        gone = first.enter_context(recorder("synth"))
        running = rest.enter_context(daemon(*BUSY, *outputs(gone)))
        eventually(gone.onsets)
        first.close()
        eventually(lambda: running.status().player.connections.outputs == ())
        back = rest.enter_context(recorder("synth"))
        eventually(back.onsets)


def test_a_server_killed_and_started_again_is_played_on_again() -> None:
    with contextlib.ExitStack() as first, contextlib.ExitStack() as rest:
        server = first.enter_context(jack_server("livevae-doomed"))
        running = rest.enter_context(daemon(*BUSY))
        eventually(lambda: running.status().player.notes > 10)
        server.kill()
        first.close()
        eventually(lambda: running.status().restarts["player"] >= 1)
        assert running.process.poll() is None
        rest.enter_context(jack_server("livevae-doomed"))
        eventually(lambda: "LiveVAE:out" in midi_ports(), within_s=20)
        recording = rest.enter_context(recorder())
        connect("LiveVAE:out", recording.port)
        eventually(recording.onsets)


def test_ports_are_gone_when_the_daemon_is() -> None:
    with playing() as (running, _):
        assert "LiveVAE:out" in midi_ports()
        running.stop()
        eventually(lambda: "LiveVAE:out" not in midi_ports())
