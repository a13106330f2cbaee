"""LiveVAE's JACK ports: two clocks at once, another buffer size, the first downbeat."""

from __future__ import annotations

import contextlib
import itertools
import subprocess
import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest

from tests.jack.grid import Grid
from tests.jack.peers import (
    PERIOD,
    RATE,
    Daemon,
    Hand,
    Recorder,
    Transport,
    connect,
    daemon,
    eventually,
    jack_server,
    midi_clock,
    midi_ports,
    recorder,
)

pytestmark = pytest.mark.jack

BARE = ("--set", "humanize=0", "--set", "density=0.8")
CLOCK, START, STOP = 0xF8, 0xFA, 0xFC


@contextlib.contextmanager
def rival_clock(bpm: float, destination: str) -> Iterator[None]:
    """Run a second clock, with a Start and a Stop now and then."""
    hand = Hand(destination)
    leave = threading.Event()

    def send() -> None:
        for tick in itertools.count(1):
            if leave.wait(60 / bpm / 24):
                return
            hand.send((CLOCK, START, STOP)[0 if tick % 7 else tick % 2 + 1])

    sender = threading.Thread(target=send)
    sender.start()
    yield
    leave.set()
    sender.join()
    hand.close()


def heard_by(running: Daemon) -> tuple[str, tuple[str, ...]]:
    """Return whose clock is followed, and whose is ignored."""
    player = running.status().player
    return player.clock_source, player.other_clocks


def test_the_configured_clock_is_followed_and_the_other_named() -> None:
    """It has an input of its own, where it is connected by name, and again when it returns."""
    with contextlib.ExitStack() as first, contextlib.ExitStack() as rest:
        clock = first.enter_context(midi_clock(150))
        running = rest.enter_context(daemon("--set", f"midi.clock={clock}", *BARE))
        eventually(lambda: "LiveVAE:clock" in midi_ports())
        rest.enter_context(rival_clock(97, "LiveVAE:in"))
        eventually(lambda: heard_by(running) == (clock, ("hand:out",)))
        assert not running.status().player.clock_alive
        Transport().play()
        eventually(lambda: running.status().player.beats > 6)
        player = running.status().player
        assert player.bpm == pytest.approx(150, rel=2e-3)
        assert player.connections.clock == (clock,)
        assert heard_by(running) == (clock, ("hand:out",))
        first.close()
        eventually(lambda: not running.status().player.playing)
        rest.enter_context(midi_clock(120))
        eventually(lambda: running.status().player.connections.clock == (clock,))
        Transport().stop()


def test_a_buffer_size_changed_while_playing_moves_no_note() -> None:
    """Onsets are on the very frame, before and after, and no bar is missed.

    One in ten may be late: a machine that stands still for a moment holds up the player.
    """
    with (
        jack_server("livevae-doomed"),
        recorder() as recording,
        daemon(
            *("--clock", "internal", "--bpm", "120", *BARE),
            *("--set", f'midi.outputs=["{recording.port}"]'),
        ) as running,
    ):
        eventually(lambda: len(recording.onsets()) > 20)
        for frames in (1024, 256):
            before = len(recording.onsets())
            subprocess.run(["jack_bufsize", str(frames)], check=True, timeout=10)
            eventually(lambda before=before: len(recording.onsets()) > before + 40, within_s=30)
        onsets = np.array([frame for frame, _ in recording.onsets()])
        step_frames = RATE * 60 // 120 // 4
        astray = (onsets - np.median(onsets % step_frames)) % step_frames
        assert np.mean(astray == 0) > 0.9, astray
        assert running.status().player.bars["missed"] == 0


def starts(running: Daemon, recording: Recorder, count: int) -> Iterator[float]:
    """Yield by how many frames the first note of each start came after its first clock."""
    transport = Transport()
    for _ in range(count):
        begun = len(recording.events)
        transport.play()
        eventually(lambda: running.status().player.beats > 1)
        transport.stop()
        eventually(lambda: not running.status().player.playing)
        time.sleep(0.1)
        heard = Recorder("", recording.events[begun:])
        yield heard.onsets()[0][0] - Grid.of(heard).frames[0]


def test_the_first_downbeat_is_on_the_first_clock() -> None:
    """One period late: what comes in with a cycle can be answered with the next, not before.

    In most of five starts: a machine that stands still for a moment holds up the player, not JACK.
    """
    with (
        midi_clock(120) as clock,
        recorder() as recording,
        daemon(*BARE, "--set", f'midi.outputs=["{recording.port}"]') as running,
    ):
        eventually(lambda: "LiveVAE:in" in midi_ports())
        connect(clock, "LiveVAE:in", recording.port)
        late_frames = list(starts(running, recording, 5))
        assert 0 <= np.median(late_frames) <= PERIOD, late_frames
