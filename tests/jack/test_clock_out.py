"""The clock for other gear, as it arrives through a real JACK server."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from livevae.daemon.supervisor import Report
from tests.jack.peers import RATE, Recorder, connect, daemon, eventually, midi_ports, recorder

pytestmark = pytest.mark.jack

BPM = 150.0
TICK_FRAMES = RATE * 60 / BPM / 24
CLOCK, START, STOP = 0xF8, 0xFA, 0xFC


@pytest.fixture(scope="module")
def heard() -> Iterator[tuple[Recorder, Report]]:
    """Four bars and more that the internal clock plays to gear, from Start to Stop."""
    settings = ("humanize=0", "clock_out=on", "play=off", f"bpm={BPM}")
    arguments = [word for setting in settings for word in ("--set", setting)]
    with daemon("--clock", "internal", *arguments) as running, recorder("gear") as recording:
        eventually(lambda: "LiveVAE:out" in midi_ports())
        connect("LiveVAE:out", recording.port)
        eventually(lambda: len(recording.messages(CLOCK)) > 24, within_s=60)
        running.set("play", "on")
        eventually(lambda: running.status().player.beats >= 18, within_s=60)
        report = running.status()
        running.set("play", "off")
        eventually(lambda: recording.messages(STOP))
        yield recording, report


def test_ticks_lie_on_their_frames(heard: tuple[Recorder, Report]) -> None:
    """None is lost or doubled; one in ten may be late, where the machine holds up the player."""
    recording = heard[0]
    start, stop = (recording.messages(word)[0][0] for word in (START, STOP))
    frames = [frame for frame, _ in recording.messages(CLOCK) if start <= frame < stop]
    assert len(frames) > 18 * 24
    ideal = frames[0] + np.arange(len(frames)) * TICK_FRAMES
    errors = np.abs(frames - ideal)
    assert np.percentile(errors, 90) <= 1, np.diff(frames)
    assert errors.max() < TICK_FRAMES, np.diff(frames)


def test_start_comes_once_a_millisecond_before_its_tick_and_stop_ends_it(
    heard: tuple[Recorder, Report],
) -> None:
    recording = heard[0]
    words = [m[0] for _, m in recording.events if m[0] >= 0xF0 and m[0] != CLOCK]
    assert words == [START, STOP]
    start = recording.messages(START)[0][0]
    first = next(frame for frame, _ in recording.messages(CLOCK) if frame >= start)
    assert 0 < first - start <= RATE / 1000 + 1


def test_notes_lie_on_the_frames_of_their_ticks_and_after_them(
    heard: tuple[Recorder, Report],
) -> None:
    recording = heard[0]
    ticks = {frame for frame, _ in recording.messages(CLOCK)}
    onsets = [frame for frame, _ in recording.onsets()]
    assert len(onsets) > 20
    assert np.mean([frame in ticks for frame in onsets]) > 0.9
    seen: set[int] = set()
    for frame, message in recording.events:
        if message[0] == CLOCK:
            seen.add(frame)
        elif message[0] & 0xF0 == 0x90:
            assert frame in seen or frame not in ticks


def test_status_says_that_clock_is_sent(heard: tuple[Recorder, Report]) -> None:
    assert heard[1].player.values["clock_out"] == 1
