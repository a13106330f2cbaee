"""The clock that LiveVAE sends to other gear: where the gear is must be where the song is."""

import numpy as np
import pytest

from livevae.clock.timeline import NS_PER_MS, Timeline
from livevae.midi.memory_port import MemoryPort
from livevae.player.clock_out import ClockOut
from tests.player.gear import (
    CLOCK,
    CONTINUE,
    NOTICE_NS,
    SONG_POSITION,
    START,
    STOP,
    follow,
    played,
    system,
    words,
)
from tests.player.ledger import NOTE_ON
from tests.player.stage import Stage, beat

FOUR = {"kick": [0, 4, 8, 12]}
BEAT_NS = 500 * NS_PER_MS
OUT = {"clock": 1.0, "clock_out": 1.0}


def struck(stage: Stage) -> list[int]:
    """Return when notes were struck."""
    return [time_ns for time_ns, message in stage.port.sent() if message[0] & 0xF0 == NOTE_ON]


def test_nothing_but_notes_is_sent_by_default() -> None:
    """Gear that nobody asked to follow must not start."""
    stage = Stage(beat(FOUR), controls={"clock": 1.0})
    stage.pass_until(4 * BEAT_NS)
    assert system(stage.port.sent()) == []


def test_the_internal_clock_sends_start_and_24_ticks_a_beat_at_their_times() -> None:
    """From the first beat on, to the nanosecond that rounding leaves."""
    stage = Stage(beat(FOUR), controls=OUT)
    stage.pass_until(8.5 * BEAT_NS)
    first_ns = struck(stage)[0]
    ticks = played(stage.port.sent())
    assert words(stage.port.sent()) == [START]
    assert list(ticks) == list(range(len(ticks)))
    assert len(ticks) > 190
    ideal = first_ns + np.arange(len(ticks)) * BEAT_NS / 24
    np.testing.assert_allclose(list(ticks.values()), ideal, atol=1)


def test_start_comes_a_millisecond_before_its_first_tick_and_after_every_other() -> None:
    """The receiver needs that time, and takes the next tick for the first beat."""
    stage = Stage(beat(FOUR), controls=OUT | {"play": 0.0})
    stage.pass_until(333 * NS_PER_MS)
    stage.player.command("play", 1.0)
    stage.pass_until(4 * BEAT_NS)
    events = system(stage.port.sent())
    start = next(n for n, (_, message) in enumerate(events) if message[0] == START)
    before_ns, start_ns, first_ns = (events[n][0] for n in (start - 1, start, start + 1))
    assert first_ns - start_ns == NOTICE_NS
    assert first_ns == struck(stage)[0]
    assert start_ns > before_ns


def test_the_tick_of_a_note_is_sent_before_the_note() -> None:
    """Gear that plays on the tick must know it by the time LiveVAE's own note sounds."""
    stage = Stage(beat(FOUR), controls=OUT)
    stage.pass_until(9 * BEAT_NS)
    events = stage.port.sent()
    ons = [n for n, (_, message) in enumerate(events) if message[0] & 0xF0 == NOTE_ON]
    assert len(ons) > 8
    for n in ons:
        assert events[n - 1] == (events[n][0], bytes((CLOCK,)))


def test_stop_is_sent_at_once_and_start_begins_again_from_the_top() -> None:
    """The gear is at the first beat when the song is."""
    stage = Stage(beat(FOUR), controls=OUT)
    stage.pass_until(3.3 * BEAT_NS)
    stage.player.command("play", 0.0)
    stage.player.step()
    stopped_ns = stage.port.now_ns()
    stage.pass_until(6 * BEAT_NS)
    stage.player.command("play", 1.0)
    stage.pass_until(8.2 * BEAT_NS)
    assert words(stage.port.sent()) == [START, STOP, START]
    assert (stopped_ns, bytes((STOP,))) in stage.port.sent()
    firsts = [tick.time_ns for tick in follow(stage.port.sent()) if tick.number == 0]
    assert firsts == [struck(stage)[0], min(ns for ns in struck(stage) if ns > stopped_ns)]


def test_a_stop_overtakes_no_start_that_is_still_on_its_way() -> None:
    """Play and, within the lead, stop: the gear must end up standing."""
    stage = Stage(beat(FOUR), controls=OUT | {"play": 0.0})
    for pause_ms in range(1, 40):
        stage.player.command("play", 1.0)
        stage.pass_until(stage.port.now_ns() + pause_ms * NS_PER_MS)
        stage.player.command("play", 0.0)
        stage.pass_until(stage.port.now_ns() + 300 * NS_PER_MS)
        follow(stage.port.sent())
        assert words(stage.port.sent())[-1:] in ([], [STOP])


def test_ticks_go_on_while_the_internal_clock_stands_so_that_gear_keeps_its_tempo() -> None:
    """As the MIDI 1.0 text recommends."""
    stage = Stage(beat(FOUR), controls=OUT | {"play": 0.0, "bpm": 100.0})
    stage.pass_until(10 * BEAT_NS)
    ticks = follow(stage.port.sent())
    assert words(stage.port.sent()) == []
    assert {tick.number for tick in ticks} == {None}
    np.testing.assert_allclose(np.diff([tick.time_ns for tick in ticks]), 25 * NS_PER_MS, atol=2)


@pytest.mark.parametrize("seed", range(4))
def test_a_tempo_swept_by_a_knob_neither_loses_nor_doubles_a_tick(seed: int) -> None:
    """Every tick comes once, no closer and no further than the tempi it lies between."""
    rng = np.random.default_rng(seed)
    stage = Stage(beat(FOUR), controls=OUT)
    stage.pass_until(BEAT_NS)
    for _ in range(200):
        stage.player.command("bpm", float(rng.uniform(20, 300)))
        stage.pass_until(stage.port.now_ns() + rng.integers(1, 400) * NS_PER_MS)
    ticks = played(stage.port.sent())
    assert list(ticks) == list(range(len(ticks)))
    between_ns = np.diff(list(ticks.values()))
    assert between_ns.min() >= 60e9 / 300 / 24 - 2
    assert between_ns.max() <= 60e9 / 20 / 24 + 2
    for number, on_ns in enumerate(struck(stage)):
        assert on_ns == pytest.approx(ticks.get(24 * number, on_ns), abs=2)


def test_clock_out_switched_on_in_the_song_takes_the_gear_to_where_the_song_is() -> None:
    """By Song Position and Continue, on the next sixteenth."""
    stage = Stage(beat(FOUR), controls={"clock": 1.0})
    stage.pass_until(5.3 * BEAT_NS)
    stage.player.command("clock_out", 1.0)
    stage.pass_until(9 * BEAT_NS)
    assert words(stage.port.sent()) == [SONG_POSITION, CONTINUE]
    ticks = played(stage.port.sent())
    assert min(ticks) == 6 * 22
    assert [ticks[24 * number] for number in (6, 7, 8)] == struck(stage)[6:9]


def test_clock_out_switched_off_stops_the_gear_and_is_silent() -> None:
    """Gear that hears no tick stands still; one that is told so knows why."""
    stage = Stage(beat(FOUR), controls=OUT)
    stage.pass_until(3 * BEAT_NS)
    stage.player.command("clock_out", 0.0)
    stage.pass_until(6 * BEAT_NS)
    assert words(stage.port.sent()) == [START, STOP]
    assert system(stage.port.sent())[-1][0] < 3 * BEAT_NS + 2 * stage.port.lead_ns


def test_a_followed_clock_is_passed_on_with_its_transport() -> None:
    """Start as Start: the gear plays the same beat at the same time, up to the way through."""
    stage = Stage(beat(FOUR), controls={"clock_out": 1.0})
    downbeat_ns = stage.lock()
    assert system(stage.port.sent()) == []
    stage.bars(2.4)
    stage.finish()
    assert words(stage.port.sent()) == [START, STOP]
    ticks = played(stage.port.sent())
    assert list(ticks) == list(range(len(ticks)))
    ideal = downbeat_ns + np.arange(len(ticks)) * BEAT_NS / 24
    np.testing.assert_allclose(list(ticks.values()), ideal, atol=2000)


@pytest.mark.parametrize("sixteenths", [3, 64, 2000, 16000])
def test_a_followed_clock_that_goes_on_elsewhere_takes_the_gear_there(sixteenths: int) -> None:
    """Song Position and Continue, stopped or not."""
    stage = Stage(beat({"kick": list(range(16))}), controls={"clock_out": 1.0})
    stage.lock()
    stage.bars(1.3)
    stage.pass_until(stage.next_tick_ns - 2 * NS_PER_MS)
    stage.hear(SONG_POSITION, sixteenths & 0x7F, sixteenths >> 7)
    seek_ns = stage.port.now_ns()
    stage.bars(1)
    stage.finish()
    assert words(stage.port.sent()) == [START, STOP, SONG_POSITION, CONTINUE, STOP]
    ticks = {t.time_ns: t.number for t in follow(stage.port.sent()) if t.number is not None}
    after = [on_ns for on_ns in struck(stage) if on_ns > seek_ns + BEAT_NS // 2]
    for number, on_ns in enumerate(after, round((after[0] - seek_ns) / BEAT_NS * 4)):
        nearest_ns = min(ticks, key=lambda time_ns: abs(time_ns - on_ns))
        assert nearest_ns == pytest.approx(on_ns, abs=2)
        assert ticks[nearest_ns] == 6 * (sixteenths + number)


def test_a_followed_clock_that_vanishes_stops_the_gear() -> None:
    """And takes it along when it returns."""
    stage = Stage(beat(FOUR), controls={"clock_out": 1.0})
    stage.lock()
    stage.bars(1)
    stage.next_tick_ns += 1.7 * BEAT_NS
    stage.bars(1)
    assert words(stage.port.sent()) == [START, STOP, SONG_POSITION, CONTINUE]
    ticks = {tick.time_ns: tick.number for tick in follow(stage.port.sent())}
    for on_ns in struck(stage)[-3:]:
        number = ticks[min(ticks, key=lambda time_ns: abs(time_ns - on_ns))]
        assert number is not None
        assert number % 24 == 0


def test_after_a_long_stall_the_gear_is_sent_to_where_the_song_is_by_then() -> None:
    """A burst of hundreds of ticks would send it anywhere."""
    stage = Stage(beat(FOUR), controls=OUT)
    stage.pass_until(2.2 * BEAT_NS)
    stage.sleep_until(9.1 * BEAT_NS)
    stage.player.step()
    stage.pass_until(12.5 * BEAT_NS)
    assert words(stage.port.sent()) == [START, STOP, SONG_POSITION, CONTINUE]
    ticks = {tick.time_ns: tick.number for tick in follow(stage.port.sent())}
    assert [ticks[on_ns] for on_ns in struck(stage)[-3:]] == [240, 264, 288]


def test_a_short_stall_makes_up_for_every_tick() -> None:
    """Gear counts them."""
    stage = Stage(beat(FOUR), controls=OUT)
    stage.pass_until(2.2 * BEAT_NS)
    stage.sleep_until(2.9 * BEAT_NS)
    stage.player.step()
    stage.pass_until(5.5 * BEAT_NS)
    assert words(stage.port.sent()) == [START]
    ticks = played(stage.port.sent())
    assert [ticks[24 * number] for number in (3, 4, 5)] == struck(stage)[-3:]


def test_a_song_longer_than_song_positions_wraps_on_its_bar() -> None:
    """1024 bars are what a pointer can say; the gear is in the same bar of any pattern."""
    port = MemoryPort()
    out = ClockOut(port)
    timeline = Timeline.at_tempo(120, 0, 1024 * 4 + 1.0)
    out.jump(1024 * 4 + 1.0, 0)
    out.advance(timeline, 0, 10 * NS_PER_MS, playing=True)
    assert [message for _, message in port.sent()] == [
        bytes((SONG_POSITION, 4, 0)),
        bytes((CONTINUE,)),
        bytes((CLOCK,)),
    ]


@pytest.mark.parametrize("latency_ms", [-60.0, -7.0, 25.0, 100.0])
def test_latency_of_the_gear_moves_its_clock_against_the_notes(latency_ms: float) -> None:
    """Positive: the gear is late, so its clock is early; the first beat included."""
    stage = Stage(beat(FOUR), controls=OUT | {"latency.clock": latency_ms})
    stage.pass_until(8 * BEAT_NS)
    ticks = played(stage.port.sent())
    early_ns = [on_ns - ticks[24 * number] for number, on_ns in enumerate(struck(stage)[:7])]
    np.testing.assert_allclose(early_ns, latency_ms * NS_PER_MS, atol=2)


def test_the_end_of_the_player_stops_the_gear() -> None:
    """It would play on alone."""
    stage = Stage(beat(FOUR), controls=OUT)
    stage.pass_until(2 * BEAT_NS)
    stage.player.finish()
    assert words(stage.port.sent()) == [START, STOP]


def test_panic_costs_the_gear_no_tick() -> None:
    """Notes are silenced; the song goes on."""
    stage = Stage(beat(FOUR), controls=OUT)
    for number in range(20):
        stage.pass_until((1 + 0.37 * number) * BEAT_NS)
        stage.player.command("panic", 1.0)
    ticks = played(stage.port.sent())
    assert list(ticks) == list(range(len(ticks)))
    np.testing.assert_allclose(np.diff(list(ticks.values())), BEAT_NS / 24, atol=2)


def test_gear_hears_regular_ticks_through_stop_and_start() -> None:
    """Start waits for the next tick, so that what follows the tempo has nothing to find anew."""
    stage = Stage(beat(FOUR), controls=OUT)
    for number in range(12):
        stage.pass_until((1 + 0.37 * number) * BEAT_NS)
        stage.player.command("play", float(number % 2))
    times = [tick.time_ns for tick in follow(stage.port.sent())]
    np.testing.assert_allclose(np.diff(times), BEAT_NS / 24, atol=2)
