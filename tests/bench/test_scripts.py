"""Scripts of MIDI clock: exact, seeded, and as the case they are made for needs them."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from livevae.bench import scripts
from livevae.bench.scripts import CLOCK, RATE, START, STOP, Clock, Script
from livevae.clock.follower import LONG_GAP_NS

BARS = 6
TICK = 1000
"""Frames between two ticks at 120 BPM."""
ALL: list[Clock] = [
    scripts.steady,
    scripts.jitter,
    scripts.ramp,
    scripts.dropout,
    scripts.jump,
    scripts.start,
]


def clocks(script: Script) -> list[int]:
    return [frame for frame, message in script.events if message == CLOCK]


@pytest.mark.parametrize("clock", ALL)
def test_messages_are_in_the_order_of_their_frames_between_start_and_stop(clock: Clock) -> None:
    script = clock(BARS)
    frames = [frame for frame, _ in script.events]
    assert frames == sorted(frames)
    assert script.events[0][1] == START
    assert script.events[-1][1] == STOP


@pytest.mark.parametrize("clock", ALL)
def test_every_step_of_the_grid_comes_before_stop_and_none_comes_near_it(clock: Clock) -> None:
    script = clock(BARS)
    assert script.grid[-1] + TICK < script.events[-1][0]
    assert len(script.grid) == len(script.song_steps) == BARS * 16


@pytest.mark.parametrize("clock", ALL)
def test_a_script_is_the_same_whenever_it_is_made(clock: Clock) -> None:
    assert clock(BARS).events == clock(BARS).events


def test_a_steady_clock_has_every_tick_on_its_frame() -> None:
    script = scripts.steady(BARS)
    assert clocks(script) == [TICK * tick for tick in range(BARS * 96 - 3)]
    assert script.grid.tolist() == [6 * TICK * step for step in range(BARS * 16)]


def test_start_comes_a_millisecond_before_the_first_clock() -> None:
    assert scripts.steady(BARS).events[0] == (-RATE // 1000, START)


def test_jitter_does_not_move_the_grid_and_does_not_add_up() -> None:
    script = scripts.jitter(200)
    deviation_ms = (np.array(clocks(script)) - TICK * np.arange(200 * 96 - 3)) * 1000 / RATE
    assert deviation_ms.std() == pytest.approx(1.5, rel=0.03)
    assert abs(deviation_ms[-2000:].mean()) < 0.2
    assert np.corrcoef(deviation_ms[1:], deviation_ms[:-1])[0, 1] == pytest.approx(0, abs=0.03)
    assert script.grid.tolist() == scripts.steady(200).grid.tolist()


def test_another_seed_jitters_otherwise() -> None:
    assert scripts.jitter(BARS, seed=2).events != scripts.jitter(BARS).events


def test_a_ramp_goes_from_one_tempo_to_the_other_in_its_middle_half() -> None:
    ticks = np.array(clocks(scripts.ramp(8)))
    bpm = 60 * RATE / 24 / np.diff(ticks)
    assert bpm[: 2 * 96] == pytest.approx(120, abs=0.2)
    assert bpm[4 * 96] == pytest.approx(140, abs=0.3)
    assert bpm[6 * 96 :] == pytest.approx(160, abs=0.3)
    assert (np.diff(np.diff(ticks)) <= 1).all(), "faster and faster, to the rounding of a frame"


def test_the_grid_of_a_ramp_goes_through_its_ticks() -> None:
    script = scripts.ramp(8)
    assert np.abs(script.grid - np.array(clocks(script))[::6][: len(script.grid)]).max() <= 0.5


def test_a_drop_out_loses_the_ticks_of_150_ms_and_no_more_and_the_song_goes_on() -> None:
    script = scripts.dropout(6)
    frames = clocks(script)
    gaps = [(a, b) for a, b in pairwise(frames) if b - a != TICK]
    lost = 8  # the first falls where the 150 ms begin
    assert [b - a for a, b in gaps] == [(lost + 1) * TICK] * 2
    assert all(b % TICK == 0 for _, b in gaps)
    assert [a // (96 * TICK) for a, _ in gaps] == [2, 5], "in every third bar"


def test_watched_is_the_beat_that_follows_a_drop_out() -> None:
    script = scripts.dropout(6)
    frames = clocks(script)
    back = next(b for a, b in pairwise(frames) if b - a > TICK)
    first = min(script.watched)
    assert script.grid[first - 1] < back <= script.grid[first]
    assert {*range(first, first + 4)} <= script.watched
    assert len(script.watched) == 8


def test_a_tempo_jump_is_half_as_fast_again_from_a_bar_line_on() -> None:
    script = scripts.jump(6)
    ticks = np.diff(clocks(script))
    assert set(ticks[: 3 * 96]) == {TICK}
    assert set(ticks[3 * 96 :]) == {666, 667}
    assert min(script.watched) == 3 * 16 + 4
    assert max(script.watched) == 6 * 16 - 1


def test_each_start_comes_out_of_a_silence_that_is_no_drop_out() -> None:
    script = scripts.start(6)
    starts = [frame for frame, message in script.events if message == START]
    stops = [frame for frame, message in script.events if message == STOP]
    assert len(starts) == len(stops) == 3
    silence_ns = (starts[1] - stops[0]) / RATE * 1e9
    assert silence_ns > LONG_GAP_NS
    assert [script.song_steps[index] for index in sorted(script.watched)] == [0, 0, 0]
    assert [script.grid[index] - 48 for index in sorted(script.watched)] == starts


def test_starts_fall_on_different_frames_of_the_cycle() -> None:
    script = scripts.start(12)
    assert len({script.grid[index] % 64 for index in script.watched}) > 3


def test_a_sweep_turns_the_knob_without_pause_and_leaves_the_clock_alone() -> None:
    plain = scripts.steady(BARS)
    script = scripts.with_sweep(plain, {20: (63, 64)})
    moves = [(frame, message) for frame, message in script.events if message[0] == 0xB0]
    assert [event for event in script.events if event[1][0] != 0xB0] == list(plain.events)
    assert {b - a for (a, _), (b, _) in pairwise(moves)} == {RATE // 250}
    assert [message[2] for _, message in moves[:3]] == [63, 64, 63]
    assert moves[0][0] < plain.events[0][0]
    frames = [frame for frame, _ in script.events]
    assert frames == sorted(frames)
