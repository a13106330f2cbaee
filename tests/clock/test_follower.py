"""Following MIDI clock: position, tempo, jitter, gaps and jumps."""

import numpy as np
import pytest

from livevae.clock.follower import (
    CLOCK,
    CONTINUE,
    SONG_POSITION,
    START,
    STOP,
    MidiClockFollower,
)
from livevae.clock.timeline import NS_PER_MS
from tests.clock.checker import TimelineChecker
from tests.clock.source import Source


def locked(bpm: float = 120.0, jitter_ms: float = 0.0, seed: int = 0, beats: int = 8) -> Source:
    """Return a source that has sent Start and whole beats of clock, under a checker."""
    source = Source(bpm, jitter_ms, seed)
    source.send(START)
    source.run(48)
    source.checker = TimelineChecker()
    source.run(24 * (beats - 2))
    return source


def test_the_first_clock_after_start_is_position_0() -> None:
    """Not tick one: the MIDI 1.0 text, and the counter-example of STYLE."""
    source = Source()
    source.send(START)
    assert not source.follower.transport.playing
    for sent_ns in source.ticks(1):
        transport = source.follower.transport
        assert transport.playing
        assert transport.timeline.beats_at(sent_ns) == 0
        assert transport.start_beats == 0


def test_start_in_the_middle_of_running_clock_begins_at_that_tick() -> None:
    """Clock before Start, however long, is not counted."""
    source = Source()
    source.run(100)
    assert source.follower.transport.locked
    source.send(START)
    for sent_ns in source.ticks(1):
        assert source.follower.transport.timeline.time_at(0) == pytest.approx(sent_ns, abs=1000)


def test_a_start_off_the_running_grid_takes_its_own_tick_as_the_reference() -> None:
    """Many sources begin a new phase with Start."""
    source = locked()
    source.send(STOP)
    source.run(10)
    source.next_ns += 0.37 * source.tick_ns
    source.send(START)
    source.checker = None
    for sent_ns in source.ticks(1):
        assert source.follower.transport.timeline.time_at(0) == pytest.approx(sent_ns, abs=1000)
    source.run(48)
    assert source.error_ms == pytest.approx(0, abs=0.1)


def test_start_is_song_position_0_and_continue() -> None:
    """The two ways to begin give the same Timelines, even after a stay elsewhere."""
    ways: list[list[tuple[int, ...]]] = [
        [(START,)],
        [(SONG_POSITION, 0, 0), (CONTINUE,)],
    ]
    timelines = []
    for way in ways:
        source = locked()
        source.send(STOP)
        source.send(SONG_POSITION, 9, 1)
        source.run(13)
        for message in way:
            source.send(*message)
        source.checker = None
        source.run(30)
        timelines.append(source.follower.transport.timeline)
    assert timelines[0] == timelines[1]


@pytest.mark.parametrize("sixteenths", [0, 1, 16, 127, 128, 1000, 16383])
def test_song_position_counts_sixteenths_and_applies_at_continue(sixteenths: int) -> None:
    """14 bits, least significant first; reached with the first tick after Continue."""
    source = Source()
    source.run(30)
    source.send(SONG_POSITION, sixteenths & 0x7F, sixteenths >> 7)
    source.run(5)
    assert not source.follower.transport.playing
    source.send(CONTINUE)
    for sent_ns in source.ticks(1):
        transport = source.follower.transport
        assert transport.playing
        assert transport.start_beats == sixteenths / 4
        assert transport.timeline.beats_at(sent_ns) == pytest.approx(sixteenths / 4, abs=1e-4)


def test_the_last_song_position_before_continue_counts() -> None:
    """A user who scrubs sends many."""
    source = Source()
    source.run(30)
    for sixteenths in (4, 99, 12):
        source.send(SONG_POSITION, sixteenths, 0)
    source.send(CONTINUE)
    source.run(1)
    assert source.follower.transport.start_beats == 3


def test_a_song_position_while_playing_moves_the_next_tick_there() -> None:
    """Live sends it when its loop wraps, and no Continue."""
    source = locked()
    source.send(SONG_POSITION, 8, 0)
    assert not source.follower.transport.playing
    source.checker = None
    for sent_ns in source.ticks(1):
        assert source.follower.transport.timeline.beats_at(sent_ns) == pytest.approx(2, abs=1e-3)
    jumps = source.follower.transport.jumps
    source.run(24)
    assert source.follower.transport.jumps == jumps
    assert source.follower.transport.locked


def test_a_song_position_where_the_song_is_already_changes_nothing() -> None:
    """Some sources say where they are at every bar line; no note may be cut off for that."""
    source = locked()
    before = source.follower.transport
    assert source.ticks_played == 16 * 12
    source.send(SONG_POSITION, 32, 0)
    assert source.follower.transport is before
    source.run(24)
    assert source.follower.transport.jumps == before.jumps
    assert source.error_ms == pytest.approx(0, abs=0.01)


def test_continue_resumes_at_the_tick_after_the_last_one_before_stop() -> None:
    """Nothing of the song is skipped or repeated."""
    source = locked()
    last = source.beats
    source.send(STOP)
    source.run(17)
    source.send(CONTINUE)
    for sent_ns in source.ticks(1):
        position = source.follower.transport.timeline.beats_at(sent_ns)
        assert position == pytest.approx(last + 1 / 24, abs=1e-4)


def test_a_continue_while_playing_changes_nothing() -> None:
    """Some gear sends one on every loop."""
    source = locked()
    jumps = source.follower.transport.jumps
    source.send(CONTINUE)
    source.run(48)
    assert source.follower.transport.jumps == jumps
    assert source.error_ms == pytest.approx(0, abs=0.01)


def test_a_start_while_playing_begins_again_from_0() -> None:
    """Gear that loops with Start alone."""
    source = locked()
    source.checker = None
    source.send(START)
    for sent_ns in source.ticks(1):
        assert source.follower.transport.timeline.beats_at(sent_ns) == pytest.approx(0, abs=1e-4)
    assert source.follower.transport.start_beats == 0


def test_stop_stops_at_once_and_once() -> None:
    """A second Stop, as Live and Reaper send, is no second jump."""
    source = locked()
    jumps = source.follower.transport.jumps
    source.send(STOP)
    assert not source.follower.transport.playing
    assert source.follower.transport.jumps == jumps + 1
    source.send(STOP)
    assert source.follower.transport.jumps == jumps + 1


def test_stop_revokes_a_start_that_no_clock_has_followed() -> None:
    """Start, Stop, clock: nothing plays."""
    source = Source()
    source.run(24)
    source.send(START)
    source.send(STOP)
    source.run(24)
    assert not source.follower.transport.playing


def test_clock_while_stopped_keeps_the_tempo_and_not_the_position() -> None:
    """Tempo changes made while stopped are known when the song goes on, and where it goes on."""
    source = locked()
    last = source.beats
    source.send(STOP)
    source.bpm = 87
    source.run(96)
    transport = source.follower.transport
    assert not transport.playing
    assert transport.locked
    assert transport.timeline.bpm == pytest.approx(87, rel=1e-4)
    source.send(CONTINUE)
    for sent_ns in source.ticks(1):
        position = source.follower.transport.timeline.beats_at(sent_ns)
        assert position == pytest.approx(last + 1 / 24, abs=1e-4)
        assert source.follower.transport.locked


@pytest.mark.parametrize("bpm", [20.0, 61.3, 120.0, 174.0, 300.0])
def test_a_steady_clock_locks_within_a_beat_and_stays(bpm: float) -> None:
    """From the slowest to the fastest tempo, to a hundredth of a per cent."""
    source = Source(bpm)
    source.send(START)
    source.run(2)
    source.checker = TimelineChecker(slack_beats=1e-3)
    source.run(24)
    assert source.follower.transport.locked
    source.run(24 * 16)
    assert source.follower.transport.timeline.bpm == pytest.approx(bpm, rel=1e-4)
    assert source.error_ms == pytest.approx(0, abs=0.01)
    assert len(source.checker.steps) == 4 * 17


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("bpm", [60.0, 120.0, 180.0])
def test_a_jittered_clock_is_smoothed_to_a_fraction_of_its_jitter(bpm: float, seed: int) -> None:
    """Gaussian jitter of 1.5 ms sd, as USB has it: the phase keeps within a third of that."""
    source = Source(bpm, jitter_ms=1.5, seed=seed)
    source.send(START)
    source.run(96)
    source.checker = TimelineChecker()
    errors = [source.error_ms for _ in source.ticks(24 * 32)]
    assert np.std(errors) < 0.5
    assert abs(np.mean(errors)) < 0.3
    assert np.abs(errors).max() < 1.5
    assert source.follower.transport.timeline.bpm == pytest.approx(bpm, rel=0.005)
    assert source.follower.transport.locked


@pytest.mark.parametrize("jitter_ms", [0.0, 1.5])
@pytest.mark.parametrize("lost", [1, 2, 5, 7])
def test_a_drop_out_keeps_the_phase_with_the_song(lost: int, jitter_ms: float) -> None:
    """One tick, or 150 ms at 120 BPM: no jump, no step twice, and on the beat afterwards."""
    source = locked(jitter_ms=jitter_ms)
    jumps = source.follower.transport.jumps
    source.run(lost, lost=True)
    assert source.follower.transport.playing
    source.run(72)
    assert source.follower.transport.jumps == jumps
    assert source.error_ms == pytest.approx(0, abs=0.01 if not jitter_ms else 1.5)
    source.run(24)
    assert source.follower.transport.locked


def test_single_ticks_lost_again_and_again_keep_the_phase() -> None:
    """A bad cable."""
    source = locked()
    for _ in range(20):
        source.run(11)
        source.run(1, lost=True)
    source.run(5)
    assert source.error_ms == pytest.approx(0, abs=0.01)


def test_ticks_held_up_and_delivered_together_are_all_counted() -> None:
    """A stalled USB bus: late, in one burst, none lost."""
    source = locked()
    source.checker = None
    held = [round(source.next_ns + number * source.tick_ns) for number in range(6)]
    for _ in held:
        source.follower.receive(held[-1], bytes((CLOCK,)))
    source.ticks_played += len(held)
    source.next_ns = held[-1] + source.tick_ns
    source.run(72)
    assert source.error_ms == pytest.approx(0, abs=0.1)
    assert source.follower.transport.timeline.bpm == pytest.approx(120, rel=1e-3)


@pytest.mark.parametrize("late_us", [0, 700, 1400])
def test_a_tick_handed_over_twice_is_counted_once(late_us: int) -> None:
    """JACK repeats a stale buffer when the program upstream misses its cycle."""
    source = locked()
    for _ in range(5):
        source.run(7)
        source.follower.receive(source.now_ns + late_us * 1000, bytes((CLOCK,)))
    source.run(24)
    assert source.error_ms == pytest.approx(0, abs=0.01)


@pytest.mark.parametrize(("before", "after"), [(120, 140), (120, 60), (120, 240), (100, 97)])
def test_a_tempo_jump_snaps_within_a_few_ticks_without_a_jump_in_position(
    before: float, after: float
) -> None:
    """Not a glide: after four ticks the tempo is right to 1%, the phase to a tenth of a tick."""
    source = locked(before)
    source.checker = None
    jumps = source.follower.transport.jumps
    last_position = source.beats
    source.bpm = after
    for number, sent_ns in enumerate(source.ticks(30)):
        position = source.follower.transport.timeline.beats_at(sent_ns)
        # Half the tempo looks like ticks lost again and again, until a fourth interval has come.
        assert -0.09 < position - last_position < 0.12
        last_position = position
        if number >= 4:
            assert source.follower.transport.timeline.bpm == pytest.approx(after, rel=0.01)
            assert abs(source.error_ms) < 0.1 * source.tick_ns / NS_PER_MS
    assert source.follower.transport.jumps == jumps
    source.run(24)
    assert source.error_ms == pytest.approx(0, abs=0.05)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize(("before", "after"), [(120, 140), (140, 120), (100, 97), (60, 120)])
def test_a_tempo_jump_of_a_jittered_clock_neither_glides_nor_slips(
    before: float, after: float, seed: int
) -> None:
    """Drift must not be mistaken for lost ticks: the beat stays the beat."""
    source = locked(before, jitter_ms=1.5, seed=seed)
    source.checker = None
    source.bpm = after
    source.run(48)
    assert source.follower.transport.timeline.bpm == pytest.approx(after, rel=0.01)
    assert abs(source.error_ms) < 3
    source.run(96)
    assert abs(source.error_ms) < 1.5
    assert source.follower.transport.locked


def test_a_ramp_is_followed_without_a_jump() -> None:
    """Accelerando over eight bars, half a BPM faster each beat; never half a tick off."""
    source = locked(100)
    jumps = source.follower.transport.jumps
    for _ in range(24 * 32):
        source.bpm += 0.5 / 24
        source.run(1)
        assert abs(source.error_ms) < source.tick_ns / NS_PER_MS / 2
    assert source.follower.transport.jumps == jumps


@pytest.mark.parametrize(("bpm", "gap_ms"), [(120, 260), (300, 260), (60, 260), (20, 520)])
def test_a_long_gap_is_a_stop(bpm: float, gap_ms: int) -> None:
    """250 ms or four periods, whichever is longer, and not before."""
    source = locked(bpm)
    jumps = source.follower.transport.jumps
    source.follower.poll(source.now_ns + (gap_ms - 20) * NS_PER_MS)
    assert source.follower.transport.playing
    source.follower.poll(source.now_ns + gap_ms * NS_PER_MS)
    assert not source.follower.transport.playing
    assert not source.follower.transport.locked
    assert not source.follower.alive
    assert source.follower.transport.jumps == jumps + 1
    source.follower.poll(source.now_ns + 10 * gap_ms * NS_PER_MS)
    assert source.follower.transport.jumps == jumps + 1


@pytest.mark.parametrize("seconds", [3.0, 61.7])
def test_ticks_that_return_much_later_keep_the_tempo_and_wait_for_a_start(seconds: float) -> None:
    """By then they may come from a sequencer that has been stopped and sends clock all the same."""
    source = locked()
    source.silence(seconds)
    source.run(48)
    assert not source.follower.transport.playing
    assert source.follower.transport.locked
    source.send(START)
    source.run(2)
    assert source.follower.transport.playing


def test_a_clock_that_stands_still_for_a_while_has_lost_no_tick() -> None:
    """A JACK graph that stalls for 1.6 ticks: the song goes on from where it stood."""
    source = locked()
    source.checker = None
    source.next_ns += 0.6 * source.tick_ns
    source.run(96)
    assert source.error_ms == pytest.approx(0, abs=0.1)


@pytest.mark.parametrize("seconds", [0.4, 1.5])
def test_ticks_that_return_after_a_long_gap_resume_where_the_song_is_by_now(
    seconds: float,
) -> None:
    """The cable was pulled and put back; the DAW has not waited."""
    source = locked()
    source.silence(seconds)
    assert not source.follower.transport.playing
    for sent_ns in source.ticks(1):
        transport = source.follower.transport
        assert transport.playing
        assert transport.timeline.beats_at(sent_ns) == pytest.approx(source.beats, abs=1e-3)
        assert transport.start_beats == pytest.approx(source.beats)
    source.run(48)
    assert source.error_ms == pytest.approx(0, abs=0.05)


def test_a_stop_during_a_long_gap_is_obeyed_when_ticks_return() -> None:
    """The last word counts."""
    source = locked()
    source.silence(1)
    source.send(STOP)
    source.run(24)
    assert not source.follower.transport.playing


def test_a_start_during_a_long_gap_begins_from_0() -> None:
    """The last word counts here too."""
    source = locked()
    source.checker = None
    source.silence(1)
    source.send(START)
    for sent_ns in source.ticks(1):
        assert source.follower.transport.timeline.beats_at(sent_ns) == 0


def test_other_messages_and_silence_are_ignored() -> None:
    """Notes, active sensing, tune request, sysex: none is clock."""
    source = locked()
    before = source.follower.transport
    for message in ((0x90, 36, 100), (0xFE,), (0xF6,), (0xF0, 1, 2, 0xF7), (0xF1, 0), (0xF3, 1)):
        source.send(*message)
    assert source.follower.transport is before


def test_a_follower_that_hears_nothing_waits() -> None:
    """Neither alive nor playing, at the tempo it was told."""
    follower = MidiClockFollower(0, 90)
    follower.poll(10**12)
    assert not follower.alive
    assert not follower.transport.playing
    assert follower.transport.timeline.bpm == pytest.approx(90)


@pytest.mark.parametrize("seed", range(20))
def test_whatever_comes_in_the_timeline_stays_sane(seed: int) -> None:
    """Random messages at random times: never an exception, tempo finite, jumps only grow."""
    rng = np.random.default_rng(seed)
    follower = MidiClockFollower()
    now_ns, jumps = 0, 0
    kinds = [CLOCK] * 8 + [START, STOP, CONTINUE, SONG_POSITION]
    for _ in range(2000):
        now_ns += int(rng.exponential(10 ** rng.uniform(5, 8.5)))
        status = int(rng.choice(kinds))
        data = rng.integers(0, 128, 2).tolist() if status == SONG_POSITION else []
        follower.receive(now_ns, bytes((status, *data)))
        follower.poll(now_ns)
        transport = follower.transport
        assert 5 < transport.timeline.bpm < 1000
        assert np.isfinite(transport.timeline.beats_at(now_ns))
        assert transport.jumps >= jumps
        jumps = transport.jumps


@pytest.mark.parametrize("bpm", [60, 120, 174])
@pytest.mark.parametrize("lost", [(1,), (2,), (3,), (1, 5), (10,)])
def test_ticks_lost_while_the_tempo_is_being_found_are_counted(
    bpm: float, lost: tuple[int, ...]
) -> None:
    """A JACK client that misses a cycle in the first beat must not shift the song for good."""
    source = Source(bpm)
    source.send(START)
    for number in range(96):
        source.run(1, lost=number in lost)
    assert source.error_ms == pytest.approx(0, abs=0.1)


@pytest.mark.parametrize("after_ticks", [1, 2, 10, 50])
def test_a_tick_received_twice_counts_once(after_ticks: int) -> None:
    """JACK hands a stale buffer over again, a period later."""
    source = Source(120)
    source.send(START)
    source.run(after_ticks)
    source.follower.receive(source.now_ns + 1_333_333, bytes((CLOCK,)))
    source.run(96)
    assert source.error_ms == pytest.approx(0, abs=0.1)


@pytest.mark.parametrize("seed", range(4))
def test_ticks_lost_one_after_the_other_are_counted(seed: int) -> None:
    """A tick in fifty, at random, so that some losses follow hard on others."""
    rng = np.random.default_rng(seed)
    source = locked()
    source.checker = None
    for lost in rng.random(2000) < 0.02:
        source.run(1, lost=bool(lost))
    source.run(48)
    assert source.error_ms == pytest.approx(0, abs=0.1)
