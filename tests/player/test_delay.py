"""Shifts in time, moved while the music plays: no note is doubled, lost, bunched or out of step."""

import numpy as np
import pytest

from livevae.clock.timeline import NS_PER_MS
from livevae.player.delay import GLIDE, Delay
from tests.player.gear import played
from tests.player.ledger import by_pitch, notes
from tests.player.stage import PITCH, Stage, beat

S_NS = 1_000 * NS_PER_MS
STEP_NS = 125 * NS_PER_MS
SIXTEENTHS = {"closed_hat": list(range(16))}
SETTINGS = ("sync_delay", "latency.notes")


def test_a_delay_glides_at_its_rate_and_then_stays() -> None:
    """100 ms take two seconds, either way."""
    delay = Delay(0, 0)
    for target_ns in (100 * NS_PER_MS, -100 * NS_PER_MS):
        before_ns, begun_ns = delay.ns, delay._moved_ns
        seconds = abs(target_ns - before_ns) / GLIDE / S_NS
        for now_s in np.linspace(0, seconds, 777):
            now_ns = begun_ns + round(now_s * S_NS)
            moved = delay.move(target_ns, now_ns, sounding=True)
            way_ns = np.sign(target_ns - before_ns) * now_s * S_NS * GLIDE
            assert moved - before_ns == pytest.approx(way_ns, abs=777)
        assert delay.move(target_ns, now_ns + NS_PER_MS, sounding=True) == target_ns
        assert delay.move(target_ns, now_ns + S_NS, sounding=True) == target_ns


def test_a_delay_moves_at_once_while_nothing_sounds() -> None:
    """There is nothing to disturb, and the first note shall be right."""
    delay = Delay(0, 0)
    assert delay.move(70 * NS_PER_MS, 1, sounding=False) == 70 * NS_PER_MS


@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.parametrize("turns", [(100.0,), (-100.0,), (60.0, -80.0, 15.0), (-100.0, 100.0) * 6])
def test_a_knob_that_moves_the_delay_stretches_time_and_breaks_no_step(
    name: str, turns: tuple[float, ...]
) -> None:
    """Every 16th once, at most a twentieth too far from the last, and in the end in its place."""
    stage = Stage(beat(SIXTEENTHS), controls={"clock": 1.0})
    stage.pass_until(S_NS)
    for number, ms in enumerate(turns):
        stage.player.command(name, ms)
        stage.pass_until((1.33 + 0.33 * number) * S_NS)
    stage.pass_until((1.0 + 0.33 * len(turns) + 4.5) * S_NS)
    stage.player.panic()
    struck = np.array(by_pitch(notes(stage.port.sent()))[PITCH["closed_hat"]])
    between = np.diff(struck) / STEP_NS
    assert between.min() >= 1 - GLIDE * 1.1
    assert between.max() <= 1 + GLIDE * 1.1
    sign = 1 if name == "sync_delay" else -1
    ideal = stage.port.lead_ns + np.arange(len(struck)) * STEP_NS + sign * turns[-1] * NS_PER_MS
    np.testing.assert_allclose(struck[-8:], ideal[-8:], atol=2)
    np.testing.assert_allclose(struck[:8], ideal[:8] - sign * turns[-1] * NS_PER_MS, atol=2)


def test_the_clock_for_other_gear_glides_too() -> None:
    """Not one tick is lost, doubled or bunched."""
    stage = Stage(beat(SIXTEENTHS), controls={"clock": 1.0, "clock_out": 1.0})
    for number, ms in enumerate((0.0, 100.0, -100.0, 30.0, 0.0)):
        stage.player.command("latency.clock", ms)
        stage.pass_until((number + 1) * 4 * S_NS)
    ticks = played(stage.port.sent())
    assert list(ticks) == list(range(len(ticks)))
    between = np.diff(list(ticks.values())) / (500 * NS_PER_MS / 24)
    assert between.min() >= 1 - GLIDE * 1.5
    assert between.max() <= 1 + GLIDE * 1.5


@pytest.mark.parametrize(("sync", "notes_ms", "clock_ms"), [(30, 10, -40), (-50, 20, 60)])
def test_sync_delay_moves_notes_and_clock_and_each_latency_its_own(
    sync: int, notes_ms: int, clock_ms: int
) -> None:
    """Their sum, on the internal clock from the very first beat."""
    controls = {"sync_delay": sync, "latency.notes": notes_ms, "latency.clock": clock_ms}
    stage = Stage(beat(SIXTEENTHS), controls={"clock": 1.0, "clock_out": 1.0, **controls})
    stage.pass_until(2 * S_NS)
    stage.player.panic()
    struck = by_pitch(notes(stage.port.sent()))[PITCH["closed_hat"]]
    ticks = played(stage.port.sent())
    for number, on_ns in enumerate(struck[:10]):
        assert on_ns - ticks[6 * number] == pytest.approx((clock_ms - notes_ms) * NS_PER_MS, abs=2)
    assert np.diff(struck) == pytest.approx(STEP_NS, abs=2)
    assert min(struck[0], ticks[0]) >= stage.port.lead_ns - 1


def test_a_followed_song_is_shifted_by_the_latency_of_the_instrument() -> None:
    """Earlier than the clock that is followed, on the same grid."""
    stage = Stage(beat(SIXTEENTHS), controls={"latency.notes": 30.0})
    downbeat_ns = stage.lock()
    stage.bars(1.5)
    struck = by_pitch(stage.finish())[PITCH["closed_hat"]]
    ideal = downbeat_ns + np.arange(1, 20) * STEP_NS - 30 * NS_PER_MS
    np.testing.assert_allclose(struck[1:20], ideal, atol=2000)
