"""The map between time and position."""

import numpy as np
import pytest

from livevae.clock.timeline import Timeline


def test_time_and_position_are_inverse_up_to_the_rounding_of_a_nanosecond() -> None:
    """Wherever the origin and whatever the tempo."""
    rng = np.random.default_rng(0)
    for _ in range(500):
        timeline = Timeline.at_tempo(
            rng.uniform(20, 300), int(rng.integers(-(10**15), 10**15)), rng.uniform(-1e4, 1e4)
        )
        time_ns = timeline.origin_ns + int(rng.integers(-(10**12), 10**12))
        assert abs(timeline.time_at(timeline.beats_at(time_ns)) - time_ns) <= 2
        assert timeline.beats_at(timeline.time_at(1234.25)) == pytest.approx(1234.25, abs=1e-8)


def test_a_tempo_is_so_many_beats_a_minute() -> None:
    """120 BPM: half a second each."""
    timeline = Timeline.at_tempo(120, 7, 3.0)
    assert timeline.bpm == 120
    assert timeline.beats_at(7) == 3.0
    assert timeline.time_at(4.0) == 500_000_007


def test_positions_before_the_origin_are_not_mirrored_around_it() -> None:
    """Half a beat before beat 0 is beat -0.5."""
    timeline = Timeline.at_tempo(120, 0)
    assert timeline.beats_at(-250_000_000) == -0.5
    assert timeline.time_at(-0.5) == -250_000_000


@pytest.mark.parametrize("delay_ns", [-30_000_000, 0, 100_000_000])
def test_a_delayed_timeline_reaches_every_position_so_much_later(delay_ns: int) -> None:
    """Tempo and shape stay."""
    timeline = Timeline.at_tempo(97, 1000, 2.5)
    for beats in (-1.0, 0.0, 17.75):
        assert timeline.delayed(delay_ns).time_at(beats) == timeline.time_at(beats) + delay_ns
    assert timeline.delayed(delay_ns).bpm == timeline.bpm
