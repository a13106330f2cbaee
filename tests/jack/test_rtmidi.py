"""The RtMidi port: the same music through the library that every other system uses."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from tests.jack.peers import connect, daemon, eventually, midi_ports, recorder

# Where the kernel has ALSA's sequencer RtMidi uses that, and a JACK recorder hears nothing.
pytestmark = [
    pytest.mark.jack,
    pytest.mark.skipif(Path("/dev/snd/seq").exists(), reason="RtMidi is on ALSA here, not JACK"),
]


def test_rtmidi_plays_and_leaves_no_note() -> None:
    """RtMidi makes a JACK client of each direction: the input first, then the output."""
    with (
        recorder() as recording,
        daemon("--backend", "rtmidi", "--clock", "internal", "--bpm", "150") as running,
    ):
        eventually(lambda: {"LiveVAE:LiveVAE", "LiveVAE-01:LiveVAE"} <= midi_ports())
        connect("LiveVAE-01:LiveVAE", recording.port)
        eventually(lambda: len(recording.onsets()) > 30)
        assert running.status().player.backend == "rtmidi"
        assert running.stop() == 0
        eventually(lambda: not recording.hanging())


def test_a_named_receiver_that_goes_and_returns_is_played_to_again() -> None:
    """And the daemon is the same one, playing on all the while."""
    with contextlib.ExitStack() as first, contextlib.ExitStack() as rest:
        gone = first.enter_context(recorder("synth"))
        running = rest.enter_context(
            daemon(
                *("--backend", "rtmidi", "--clock", "internal", "--bpm", "150"),
                *("--set", 'midi.outputs=["synth"]'),
            )
        )
        eventually(gone.onsets)
        assert running.status().player.connections.outputs == ("synth:in",)
        first.close()
        eventually(lambda: running.status().player.connections.outputs == ())
        back = rest.enter_context(recorder("synth"))
        eventually(back.onsets)
        assert running.status().restarts["player"] == 0
        assert running.stop() == 0
        eventually(lambda: not back.hanging())
