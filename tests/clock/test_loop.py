"""The follower against the best linear estimators, and at the limits of what can be told."""

import itertools

import numpy as np
import pytest

from livevae.clock.follower import CLOCK, START, MidiClockFollower
from livevae.clock.loop import LOCK_TICKS, MAX_MEMORY_TICKS, TickLoop
from livevae.clock.timeline import NS_PER_MINUTE, NS_PER_MS
from tests.clock.estimators import kalman, least_squares_sd
from tests.clock.source import TICKS_PER_BEAT, Source

BAR_TICKS = 4 * TICKS_PER_BEAT
BEST = 1.3
"""How far above the best linear estimator's the follower's error may be."""


def clock(
    ticks: int, jitter_ms: float, seed: int, bpm: float = 120.0, drift: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """Return when ticks were sent and received.

    ``drift`` is the standard deviation by which the tempo, relatively, walks off in a beat.
    """
    rng = np.random.default_rng(seed)
    tick_ns = NS_PER_MINUTE / bpm / TICKS_PER_BEAT
    walk = rng.normal(0, tick_ns * drift / np.sqrt(TICKS_PER_BEAT), ticks)
    sent = 1e9 + np.cumsum(tick_ns + np.cumsum(walk))
    return sent, sent + rng.normal(0, jitter_ms * NS_PER_MS, ticks)


def expected(received: np.ndarray) -> np.ndarray:
    """Return where a follower expects the tick after each."""
    follower = MidiClockFollower()
    follower.receive(0, bytes((START,)))
    next_ns = []
    for number, time_ns in enumerate(received.round().astype(int).tolist(), 1):
        follower.receive(time_ns, bytes((CLOCK,)))
        next_ns.append(follower.transport.timeline.time_at(number / TICKS_PER_BEAT))
    return np.array(next_ns)


def rms(errors: np.ndarray) -> float:
    """Return the root of the mean square."""
    return float(np.sqrt(np.mean(np.square(errors))))


def test_under_white_jitter_the_phase_is_within_the_bound_of_the_memory() -> None:
    """Once the memory is full, against the line of least squares through as many ticks."""
    errors = []
    for seed in range(6):
        sent, received = clock(4 * MAX_MEMORY_TICKS, 1.5, seed)
        error = expected(received)[:-1] - sent[1:]
        errors.append(error[2 * MAX_MEMORY_TICKS :])
    bound_ns = least_squares_sd(MAX_MEMORY_TICKS) * 1.5 * NS_PER_MS
    assert 0.5 * bound_ns < rms(np.array(errors)) < BEST * bound_ns


def test_on_the_way_there_the_phase_is_near_the_bound_of_all_ticks_heard() -> None:
    """After one bar, two and four."""
    errors = []
    for seed in range(150):
        sent, received = clock(4 * BAR_TICKS + 1, 1.5, seed)
        errors.append(expected(received)[:-1] - sent[1:])
    for bars in (1, 2, 4):
        at = slice(bars * BAR_TICKS - 12, bars * BAR_TICKS)
        bound_ns = least_squares_sd(bars * BAR_TICKS) * 1.5 * NS_PER_MS
        assert rms(np.array(errors)[:, at]) < BEST * bound_ns


@pytest.mark.parametrize("jitter_ms", [0.3, 1.5])
@pytest.mark.parametrize("drift", [1e-5, 1e-4, 1e-3, 3e-3])
def test_with_drift_the_phase_is_within_the_bound_of_the_filter_that_knows_it(
    drift: float, jitter_ms: float
) -> None:
    """From a crystal (a thousandth of a per cent in a beat) to a tempo tapped by hand."""
    ours, best = [], []
    tick_ns = NS_PER_MINUTE / 120 / TICKS_PER_BEAT
    for seed in range(4):
        sent, received = clock(2500, jitter_ms, seed, drift=drift)
        walk_ns = tick_ns * drift / np.sqrt(TICKS_PER_BEAT)
        knowing = np.array(kalman(received.tolist(), jitter_ms * NS_PER_MS, walk_ns, tick_ns))
        settled = slice(4 * BAR_TICKS, None)
        ours.append((expected(received)[:-1] - sent[1:])[settled])
        best.append((knowing[:-1] - sent[1:])[settled])
    assert rms(np.array(best)) < rms(np.array(ours)) < BEST * rms(np.array(best))


@pytest.mark.parametrize("jitter_ms", [0.0, 0.5, 1.5])
@pytest.mark.parametrize("bpm", [20.0, 60.0, 120.0, 174.0])
def test_lock_within_one_bar(bpm: float, jitter_ms: float) -> None:
    """Phase and tempo within four standard deviations of what is best; locked after a beat."""
    for seed in range(20):
        source = Source(bpm, jitter_ms, seed)
        source.send(START)
        source.run(LOCK_TICKS)
        assert source.follower.transport.locked
        source.run(BAR_TICKS - LOCK_TICKS)
        spread_ms = 4 * BEST * jitter_ms * least_squares_sd(BAR_TICKS)
        assert abs(source.error_ms) < max(spread_ms, 0.01)
        tempo_off = spread_ms / BAR_TICKS * 2 * NS_PER_MS / source.tick_ns
        bpm_found = source.follower.transport.timeline.bpm
        assert bpm_found == pytest.approx(bpm, rel=max(tempo_off, 1e-5))


@pytest.mark.parametrize("seed", range(40))
def test_at_300_bpm_lock_with_jitter_of_a_ninth_of_a_tick_begins_on_the_right_tick(
    seed: int,
) -> None:
    """0.92 ms of 8.33: the first two intervals alone would have it wrong in one of twenty."""
    source = Source(300, 0.92, seed)
    source.send(START)
    source.run(BAR_TICKS)
    assert abs(source.error_ms) < source.tick_ns / NS_PER_MS / 4


@pytest.mark.parametrize("seed", range(5))
def test_two_bars_on_jitter_leaves_a_tenth_of_itself(seed: int) -> None:
    """1.5 ms at 120 BPM: 0.15 ms over sixteen bars; a line fitted to all ticks has 0.12."""
    source = Source(120, 1.5, seed)
    source.send(START)
    source.run(2 * BAR_TICKS)
    errors = [source.error_ms for _ in source.ticks(16 * BAR_TICKS)]
    assert np.std(errors) < 0.15
    assert abs(np.mean(errors)) < 0.15


@pytest.mark.parametrize(("jitter_ms", "off_ms"), [(0.0, 0.15), (0.3, 0.4), (1.5, 2.0)])
@pytest.mark.parametrize("bpm_a_beat", [0.5, -0.5, 2.0])
def test_a_ramp_is_followed_closely(bpm_a_beat: float, jitter_ms: float, off_ms: float) -> None:
    """Over eight bars, by about the jitter; a memory of one bar would stay 4 to 9 ms behind."""
    for seed in range(4):
        source = Source(100, jitter_ms, seed)
        source.send(START)
        source.run(4 * BAR_TICKS)
        jumps = source.follower.transport.jumps
        errors = []
        for _ in range(8 * BAR_TICKS):
            source.bpm += bpm_a_beat / TICKS_PER_BEAT
            source.run(1)
            errors.append(source.error_ms)
        assert rms(np.array(errors)) < off_ms
        assert np.abs(errors).max() < source.tick_ns / NS_PER_MS
        assert source.follower.transport.jumps == jumps


@pytest.mark.parametrize("factor", [1.5, 1 / 1.5, 2.0, 0.5])
@pytest.mark.parametrize("jitter_ms", [0.0, 0.2])
def test_after_a_tempo_jump_the_beat_is_back_within_1_ms_in_one_beat(
    factor: float, jitter_ms: float
) -> None:
    """And stays there."""
    for seed in range(5):
        source = Source(120, jitter_ms, seed)
        source.send(START)
        source.run(4 * BAR_TICKS)
        source.bpm *= factor
        source.run(TICKS_PER_BEAT)
        assert all(abs(source.error_ms) < 1 for _ in source.ticks(BAR_TICKS))


@pytest.mark.parametrize("jitter_ms", [0.0, 1.5])
def test_after_a_drop_out_of_150_ms_the_beat_is_within_half_a_millisecond_at_once(
    jitter_ms: float,
) -> None:
    """The song goes on meanwhile: the line is where it was."""
    for seed in range(5):
        source = Source(120, jitter_ms, seed)
        source.send(START)
        source.run(8 * BAR_TICKS)
        jumps = source.follower.transport.jumps
        source.run(7, lost=True)
        assert all(abs(source.error_ms) < 0.5 for _ in source.ticks(BAR_TICKS))
        assert source.follower.transport.jumps == jumps


@pytest.mark.parametrize("jitter_ms", [0.0, 0.5])
@pytest.mark.parametrize("held_ticks", [0.6, 0.9, 1.3, 1.6, 2.4, 2.5, 3.7, 6.5])
def test_ticks_held_up_for_any_time_and_delivered_together_shift_nothing(
    held_ticks: float, jitter_ms: float
) -> None:
    """Those that fell due meanwhile come all at once, between two ticks as a rule."""
    source = Source(120, jitter_ms)
    source.send(START)
    source.run(2 * BAR_TICKS)
    until_ns = round(source.next_ns + held_ticks * source.tick_ns)
    while source.next_ns <= until_ns:
        source.follower.receive(until_ns, bytes((CLOCK,)))
        source.ticks_played += 1
        source.next_ns += source.tick_ns
    source.run(BAR_TICKS)
    assert abs(source.error_ms) < max(jitter_ms, 0.1)


def test_jitter_that_grows_is_soon_known_for_what_it_is() -> None:
    """From 0.3 ms to 1.5 ms: late ticks widen the gate, and the line stays within 0.6 ms."""
    errors = []
    for seed in range(20):
        sent, calm = clock(5 * BAR_TICKS, 0.3, seed)
        received = np.where(np.arange(len(sent)) < 4 * BAR_TICKS, calm, sent + 5 * (calm - sent))
        errors.append((expected(received)[:-1] - sent[1:])[4 * BAR_TICKS :])
    assert rms(np.array(errors)) < 0.57 * NS_PER_MS


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("jitter_ms", [0.0, 1.5])
def test_one_tick_in_thirty_lost_at_random_shifts_nothing(jitter_ms: float, seed: int) -> None:
    """Losses follow hard on others, two and three in a row, and every second tick twice."""
    source = Source(120, jitter_ms, seed)
    source.send(START)
    source.run(BAR_TICKS)
    for lost in np.random.default_rng(seed).random(10 * BAR_TICKS) < 1 / 30:
        source.run(1, lost=bool(lost))
    source.run(TICKS_PER_BEAT)
    assert abs(source.error_ms) < 2


@pytest.mark.parametrize("pattern", list(itertools.product((0, 1, 2), repeat=3)))
def test_every_pattern_of_up_to_three_gaps_is_counted_right(pattern: tuple[int, ...]) -> None:
    """None, one or two ticks lost before each of three that come; alternate ones are no tempo."""
    source = Source(120)
    source.send(START)
    source.run(BAR_TICKS)
    for lost in pattern:
        source.run(lost, lost=True)
        source.run(1)
    source.run(TICKS_PER_BEAT)
    assert abs(source.error_ms) < 0.01


def test_four_gaps_of_two_ticks_in_a_row_are_half_the_tempo() -> None:
    """And three are lost ticks, whose song position goes on."""
    loop = TickLoop(20 * NS_PER_MS)
    gone = [loop.hear(number * 20 * NS_PER_MS) for number in range(40)]
    assert set(gone) == {1}
    gone = [loop.hear((39 + 2 * number) * 20 * NS_PER_MS) for number in range(1, 4)]
    assert loop.tick_ns == pytest.approx(20 * NS_PER_MS)
    loop.hear((39 + 8) * 20 * NS_PER_MS)
    assert loop.tick_ns == pytest.approx(40 * NS_PER_MS)
