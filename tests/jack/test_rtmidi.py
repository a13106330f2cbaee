"""The RtMidi port: the same music through the library that every other system uses."""

from __future__ import annotations

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
