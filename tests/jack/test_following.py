"""The main job on real input: a MIDI clock in, drums out, on the bar, until it stops."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest

from livevae.daemon.supervisor import Report
from livevae.decoder.service import WarmModel
from livevae.midi.kit import KITS
from livevae.parameters import POSITION
from livevae.pattern.render import Feel, render
from livevae.resources import find_model
from tests.jack.grid import STEPS_PER_BAR, Grid, Onset
from tests.jack.peers import (
    FRAMES_PER_MS,
    PERIOD,
    Daemon,
    Hand,
    Recorder,
    Transport,
    connect,
    daemon,
    eventually,
    midi_clock,
    midi_ports,
    recorder,
)

pytestmark = pytest.mark.jack

BPM = 150.0
BARS = 26
TURN_X_IN_BAR = 9
BAR_S = 4 * 60 / BPM
MODEL = "groove-4bar"


@dataclass(frozen=True)
class Performance:
    """Twenty-six bars, a knob turned in the tenth, then Stop: what was recorded and reported."""

    recording: Recorder
    grid: Grid
    onsets: list[Onset]
    turned_at_frame: int
    stopped_at_frame: int
    report: Report


@pytest.fixture(scope="module")
def performance() -> Iterator[Performance]:
    with (
        daemon("--set", "humanize=0") as running,
        midi_clock(BPM) as clock,
        recorder() as recording,
    ):
        eventually(lambda: {"LiveVAE:in", "LiveVAE:out"} <= midi_ports())
        hand = Hand("LiveVAE:in")
        connect(clock, "LiveVAE:in", recording.port)
        connect("LiveVAE:out", recording.port)
        eventually(lambda: running.status().decoder.decodes, within_s=60)
        transport = Transport()
        transport.play()
        reach(running, TURN_X_IN_BAR + 0.5)
        turned_at = hand.send(0xB0, 20, 127)
        reach(running, BARS)
        report = running.status()
        transport.stop()
        eventually(lambda: not running.status().player.playing)
        time.sleep(1.0)
        hand.close()
        grid = Grid.of(recording)
        yield Performance(
            recording,
            grid,
            [grid.onset(frame, note) for frame, note in recording.onsets()],
            turned_at,
            recording.messages(0xF8)[-1][0],
            report,
        )


def reach(running: Daemon, bars: float) -> None:
    """Wait until so many bars have been played, however often the machine stands still."""
    eventually(lambda: running.status().player.beats >= 4 * bars, within_s=4 * BARS * BAR_S)


def expected_bar(x: float, bar: int) -> set[tuple[int, int]]:
    """Return step and note of every hit the model means at (x, 0.5), in one bar."""
    position = np.zeros(len(POSITION), np.float32)
    position[:2] = x, 0.5
    pattern = WarmModel(find_model(MODEL), "cpu", 1).decode(position)
    hits = render(pattern, Feel(humanize=0), bar, seed=0)
    return {(hit.step, KITS["gm"][hit.voice]) for hit in hits}


def plays(performance: Performance, bar: int, x: float) -> bool:
    """Return whether a bar is the model's at (x, 0.5): every hit of it, and nothing else."""
    onsets = (onset for onset in performance.onsets if onset.bar == bar)
    played = {(onset.step % STEPS_PER_BAR, onset.note) for onset in onsets}
    return played == expected_bar(x, bar)


def test_the_first_note_is_on_the_first_downbeat(performance: Performance) -> None:
    first = performance.onsets[0]
    assert first.step == 0
    # The first clock is the first word of the tempo: the answer takes the way in and out.
    assert 0 <= performance.grid.error_frames(first) <= 5 * PERIOD


def test_no_bar_is_missed(performance: Performance) -> None:
    assert performance.report.player.bars["missed"] == 0
    assert performance.report.player.bars["held"] == 0
    assert {onset.bar for onset in performance.onsets} >= set(range(BARS - 1))


def test_onsets_lie_within_a_millisecond_of_the_grid(performance: Performance) -> None:
    errors = [abs(performance.grid.error_frames(onset)) for onset in performance.onsets]
    assert len(errors) > 100
    assert np.percentile(errors, 90) <= FRAMES_PER_MS, sorted(map(round, errors))[-9:]


def test_the_beat_is_the_one_the_model_means(performance: Performance) -> None:
    assert plays(performance, 4, 0.5)


def test_a_control_change_is_heard_from_the_next_bar_line_and_not_before(
    performance: Performance,
) -> None:
    turned_in = performance.grid.onset(performance.turned_at_frame, 0).bar
    for bar in range(turned_in - 1, turned_in + 1):
        assert plays(performance, bar, 0.5)
    for bar in range(turned_in + 1, turned_in + 5):
        assert plays(performance, bar, 1.0)
    assert all(len(expected_bar(0.5, bar) ^ expected_bar(1.0, bar)) > 4 for bar in range(4))


def test_stop_silences(performance: Performance) -> None:
    last_tick = performance.stopped_at_frame
    after = [o for o in performance.onsets if o.frame > last_tick + performance.grid.tick_frames]
    assert after == []
    assert performance.recording.hanging() == set()


def test_no_note_ends_in_the_frame_in_which_it_began(performance: Performance) -> None:
    began: dict[int, int] = {}
    for frame, message in performance.recording.events:
        if message[0] & 0xF0 == 0x90:
            began[message[1]] = frame
        elif message[0] & 0xF0 == 0x80 and message[1] in began:
            assert frame > began.pop(message[1])


def test_bars_are_decoded_exactly(performance: Performance) -> None:
    assert performance.report.player.bars["exact"] >= BARS - 2
    assert performance.report.player.bpm == pytest.approx(BPM, rel=1e-3)
    assert performance.report.player.locked
