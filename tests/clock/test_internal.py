"""LiveVAE's own clock."""

import pytest

from livevae.clock.internal import InternalClock


def test_a_new_clock_stands_still_and_is_locked() -> None:
    """Nothing to lock to but itself."""
    clock = InternalClock(120, 5)
    assert not clock.transport.playing
    assert clock.transport.locked


def test_start_puts_beat_0_at_the_time_it_is_told() -> None:
    """Every time."""
    clock = InternalClock(90, 0)
    for now_ns in (1_000, 77_000_000_000):
        clock.start(now_ns)
        assert clock.transport.playing
        assert clock.transport.timeline.beats_at(now_ns) == 0
        assert clock.transport.timeline.bpm == pytest.approx(90)


def test_start_and_stop_are_jumps_and_a_tempo_change_is_none() -> None:
    """So a scheduler falls silent at the former and plays on through the latter."""
    clock = InternalClock(120, 0)
    clock.start(0)
    started = clock.transport.jumps
    clock.set_tempo(140, 1_000_000)
    assert clock.transport.jumps == started
    clock.stop()
    assert clock.transport.jumps > started
    assert not clock.transport.playing
    clock.start(2_000_000)
    assert clock.transport.jumps > started + 1


def test_a_tempo_change_bends_the_line_where_it_is() -> None:
    """The position at that moment is the same before and after."""
    clock = InternalClock(120, 0)
    clock.start(0)
    for now_ns, bpm in ((1_234_567_890, 61.5), (5_000_000_001, 299.0), (5_000_000_002, 20.0)):
        before = clock.transport.timeline.beats_at(now_ns)
        clock.set_tempo(bpm, now_ns)
        assert clock.transport.timeline.beats_at(now_ns) == pytest.approx(before, abs=1e-9)
        assert clock.transport.timeline.bpm == pytest.approx(bpm)
        assert clock.transport.playing


def test_a_tempo_set_while_stopped_is_the_one_it_starts_with() -> None:
    """And does not start it."""
    clock = InternalClock(120, 0)
    clock.set_tempo(77, 10)
    assert not clock.transport.playing
    clock.start(20)
    assert clock.transport.timeline.bpm == pytest.approx(77)
    assert clock.transport.timeline.beats_at(20) == 0
