"""The player on scripted MIDI clock: what is heard, when, and what never is."""

import numpy as np
import pytest

from livevae.clock.timeline import NS_PER_MS
from livevae.midi.binding import Binding
from livevae.parameters import POSITION
from livevae.pattern.pattern import VOICES
from tests.player.ledger import by_pitch, notes
from tests.player.stage import (
    CLOCK,
    CONTINUE,
    KIT,
    PITCH,
    SONG_POSITION,
    START,
    STOP,
    Stage,
    beat,
)

FOUR = {"kick": [0, 4, 8, 12]}
SIXTEENTHS = {"closed_hat": list(range(16))}
US = 1000


def position(x: float, y: float) -> np.ndarray:
    """Return a position with every axis at rest."""
    return np.array([x, y, *[0.0] * (len(POSITION) - 2)], np.float32)


def test_the_first_note_falls_on_the_first_downbeat() -> None:
    """And the others on the beats after it, to the microsecond."""
    stage = Stage(beat(FOUR))
    downbeat_ns = stage.lock()
    stage.bars(3.9)
    struck = by_pitch(stage.finish())[PITCH["kick"]]
    ideal = downbeat_ns + np.arange(16) * 500 * NS_PER_MS
    np.testing.assert_allclose(struck, ideal, atol=US)
    assert stage.counts() == {"grid": 4}


def test_without_any_clock_before_start_the_first_downbeat_still_sounds() -> None:
    """A source that sends Start and its first tick out of the blue."""
    stage = Stage(beat(FOUR))
    stage.hear(START)
    downbeat_ns = round(stage.next_tick_ns)
    stage.bars(1.9)
    struck = by_pitch(stage.finish())[PITCH["kick"]]
    assert len(struck) == 8
    assert struck[0] == pytest.approx(downbeat_ns, abs=US)


def test_clock_without_start_is_silent() -> None:
    """However long."""
    stage = Stage(beat(FOUR))
    stage.bars(4)
    assert stage.finish() == []
    assert stage.counts() == {}


def test_notes_wear_the_kit_and_the_channel() -> None:
    """Voice order, channel 10."""
    stage = Stage(beat({voice: [number] for number, voice in enumerate(VOICES)}))
    stage.lock()
    stage.bars(0.9)
    heard = stage.finish()
    assert tuple(note.pitch for note in heard) == KIT
    assert {message[0] & 0x0F for _, message in stage.port.sent()} == {9}


@pytest.mark.parametrize("seed", range(4))
def test_a_jittered_clock_plays_each_hit_once_and_close_to_the_grid(seed: int) -> None:
    """1.5 ms sd, and no note is cut off or struck twice."""
    stage = Stage(beat(SIXTEENTHS), pass_ns=7 * NS_PER_MS)
    rng = np.random.default_rng(seed)
    jitter_ns = np.abs(rng.normal(0, 1.5 * NS_PER_MS, 96 * 20))
    stage.ticks(96, jitter_ns)
    stage.pass_until(stage.next_tick_ns - 2 * NS_PER_MS)
    stage.hear(START)
    downbeat_ns = stage.next_tick_ns
    stage.ticks(round(96 * 15.9), jitter_ns[96:])
    struck = by_pitch(stage.finish())[PITCH["closed_hat"]]
    ideal = downbeat_ns + np.arange(255) * 125 * NS_PER_MS
    assert len(struck) == 255
    assert np.abs(np.array(struck[16:]) - ideal[16:]).max() < 5 * NS_PER_MS
    assert stage.counts() == {"grid": 16}


@pytest.mark.parametrize("bpm", [61.0, 97.3, 173.0])
def test_tempo_changes_play_each_hit_once(bpm: float) -> None:
    """Up and down in the middle of bars; nothing lost, nothing twice."""
    stage = Stage(beat(SIXTEENTHS))
    stage.lock()
    stage.bars(1.3)
    stage.bpm = bpm
    stage.bars(2.2)
    stage.bpm = 120
    stage.bars(1.4)
    assert len(by_pitch(stage.finish())[PITCH["closed_hat"]]) == 79
    assert stage.counts() == {"grid": 5}


def test_a_drop_out_of_the_clock_leaves_no_hole() -> None:
    """150 ms without ticks are ridden out."""
    stage = Stage(beat(SIXTEENTHS))
    stage.lock()
    stage.bars(1)
    stage.next_tick_ns += 7 * stage.tick_ns
    stage.ticks(round(96 * 0.9))
    assert len(by_pitch(stage.finish())[PITCH["closed_hat"]]) == 16 + 16


def test_a_long_gap_of_the_clock_silences_and_its_return_resumes_on_the_beat() -> None:
    """The song went on; no bar is counted that nobody waited for."""
    stage = Stage(beat(FOUR, bars=2))
    downbeat_ns = stage.lock()
    stage.bars(0.9)
    gone_ns = stage.next_tick_ns
    stage.next_tick_ns += 8 * stage.bar_ns
    stage.bars(2)
    heard = stage.finish()
    assert not [n for n in heard if gone_ns + 300 * NS_PER_MS < n.on_ns < stage.bar_ns * 8]
    beats = (np.array([note.on_ns for note in heard]) - downbeat_ns) / (500 * NS_PER_MS)
    np.testing.assert_allclose(beats, beats.round(), atol=1e-3)
    assert "missed" not in stage.counts()


@pytest.mark.parametrize("phase", np.linspace(0, 1, 25, endpoint=False))
def test_stop_at_any_moment_silences_at_once_and_leaves_nothing_hanging(phase: float) -> None:
    """Whatever was on its way out just then, note-offs above all."""
    stage = Stage(beat(SIXTEENTHS | FOUR))
    stage.lock()
    stage.bars(1)
    stage.pass_until(stage.next_tick_ns + phase * 125 * NS_PER_MS)
    now_ns = stage.port.now_ns()
    stage.hear(STOP)
    stage.pass_until(now_ns + 400 * NS_PER_MS)
    heard = notes(stage.port.sent())
    assert max(note.on_ns for note in heard) <= now_ns
    assert max(note.off_ns for note in heard) <= now_ns + NS_PER_MS


def test_silence_asked_for_twice_in_one_pass_ends_what_the_first_had_in_hand() -> None:
    """All Notes Off and Stop together, in the very moment a note begins."""
    for late_us in range(0, 1100, 100):
        stage = Stage(beat(FOUR))
        downbeat_ns = stage.lock()
        stage.ticks(1)
        stage.sleep_until(downbeat_ns + late_us * US)
        stage.player.step()
        for message in ((0xB0, 123, 0), (STOP,), (0xB0, 120, 0)):
            stage.port.feed(stage.port.now_ns(), bytes(message))
        stage.player.step()
        stage.player.panic()
        stage.pass_until(downbeat_ns + 300 * NS_PER_MS)
        assert len(notes(stage.port.sent())) == 1


@pytest.mark.parametrize("steps_played", [1, 15, 16, 17, 31.5])
def test_a_start_while_playing_strikes_its_downbeat_and_does_not_cut_it_off(
    steps_played: float,
) -> None:
    """Gear that loops with Start alone; the tick comes in a little late, as ticks do."""
    stage = Stage(beat(SIXTEENTHS))
    stage.lock()
    stage.ticks(round(6 * steps_played))
    stage.hear(START)
    restart_ns = stage.next_tick_ns
    stage.pass_until(restart_ns)
    stage.port.feed(round(restart_ns), bytes((CLOCK,)))
    stage.sleep_until(restart_ns + 2 * NS_PER_MS)
    stage.player.step()
    stage.next_tick_ns += stage.tick_ns
    stage.ticks(40)
    struck = [n for n in stage.finish() if n.on_ns >= restart_ns]
    assert struck[0].on_ns == pytest.approx(restart_ns, abs=4 * NS_PER_MS)
    assert struck[0].off_ns - struck[0].on_ns > 50 * NS_PER_MS


def test_continue_plays_on_from_where_stop_left() -> None:
    """Each step of the bar is heard once, on both sides of the stop together."""
    stage = Stage(beat({voice: [number] for number, voice in enumerate(VOICES)}))
    stage.lock()
    stage.ticks(6 * 4 + 3)
    stage.pass_until(stage.next_tick_ns - 2 * NS_PER_MS)
    stage.hear(STOP)
    stage.ticks(50)
    stage.hear(CONTINUE)
    stage.ticks(6 * 9)
    assert sorted(note.pitch for note in stage.finish()) == sorted(KIT)


def test_a_seek_plays_the_bar_it_went_to() -> None:
    """Bar 5 of a four-bar pattern is its first again; bar 2 its third."""
    pattern = beat({"kick": [0], "snare": [16], "closed_hat": [32], "ride": [48]}, bars=4)
    for sixteenths, voice in ((16, "snare"), (32, "closed_hat"), (64, "kick"), (112, "ride")):
        stage = Stage(pattern)
        stage.ticks(48)
        stage.hear(SONG_POSITION, sixteenths & 0x7F, sixteenths >> 7)
        stage.hear(CONTINUE)
        stage.bars(0.5)
        assert [note.pitch for note in stage.finish()] == [PITCH[voice]]


def test_a_loop_by_song_position_counts_and_plays_every_round() -> None:
    """Live's loop of two bars, three times."""
    stage = Stage(beat({"kick": [0], "snare": [16]}, bars=2))
    stage.lock()
    for _ in range(3):
        stage.bars(2)
        stage.pass_until(stage.next_tick_ns - 2 * NS_PER_MS)
        stage.hear(SONG_POSITION, 0, 0)
    struck = by_pitch(stage.finish())
    assert [len(struck[PITCH[voice]]) for voice in ("kick", "snare")] == [3, 3]
    assert "missed" not in stage.counts()


def with_answers(stage: Stage) -> None:
    """Have the answers that the tests of x and y below play ready in the bank."""
    for x, voice in ((0, "snare"), (64, "crash"), (127, "ride")):
        wanted = position(np.float32(x / 127), 0.5)
        stage.bank.answer(wanted, beat({voice: [0, 4, 8, 12]}))


def heard_bars(stage: Stage, downbeat_ns: int) -> list[set[int]]:
    """Stop, and return the pitches of each bar."""
    bars: dict[int, set[int]] = {}
    for note in stage.finish():
        bar = round((note.on_ns - downbeat_ns) / stage.bar_ns * 16) // 16
        bars.setdefault(bar, set()).add(note.pitch)
    return [bars[number] for number in sorted(bars)]


def test_a_knob_for_x_is_heard_from_the_next_bar_line_and_not_before() -> None:
    """Turned in the middle of bar 1, heard in bar 2."""
    stage = Stage(beat(FOUR))
    with_answers(stage)
    downbeat_ns = stage.lock()
    stage.bars(1.4)
    stage.control(20, 127)
    stage.bars(2.5)
    expected = [{PITCH["kick"]}] * 2 + [{PITCH["ride"]}] * 2
    assert heard_bars(stage, downbeat_ns) == expected
    assert stage.counts() == {"grid": 2, "exact": 2}


def test_of_two_turns_within_a_bar_the_last_one_wins() -> None:
    """The one between is never heard, even if its pattern is there first."""
    stage = Stage(beat(FOUR))
    with_answers(stage)
    downbeat_ns = stage.lock()
    stage.bars(1.2)
    stage.control(20, 127)
    stage.bars(0.3)
    stage.control(20, 0)
    stage.bars(1.4)
    expected = [{PITCH["kick"]}] * 2 + [{PITCH["snare"]}]
    assert heard_bars(stage, downbeat_ns) == expected


def test_an_exact_pattern_that_comes_before_the_bar_line_is_played_from_it() -> None:
    """Until then the grid stands in; a bar begun is not changed by a late answer."""
    stage = Stage(beat(FOUR))
    downbeat_ns = stage.lock()
    stage.bars(1.2)
    stage.control(20, 127)
    stage.bars(1.2)
    with_answers(stage)
    stage.bars(1.5)
    expected = [{PITCH["kick"]}] * 3 + [{PITCH["ride"]}]
    assert heard_bars(stage, downbeat_ns) == expected
    assert stage.counts() == {"grid": 3, "exact": 1}


def test_the_position_wanted_last_is_what_the_bank_is_asked_for() -> None:
    """Where the hand is, not where it has been."""
    stage = Stage(beat(FOUR))
    for value in (1, 99, 64):
        stage.control(21, value)
    wanted = stage.bank.wanted()
    assert wanted is not None
    np.testing.assert_array_equal(wanted, position(0.5, np.float32(64 / 127)))


def test_without_grid_or_answer_the_last_pattern_is_held() -> None:
    """Silence at first, then whatever was playing."""
    stage = Stage()
    stage.bank.answer(position(0.5, 0.5), beat(FOUR))
    downbeat_ns = stage.lock()
    stage.bars(1.4)
    stage.control(20, 5)
    stage.bars(1.5)
    assert heard_bars(stage, downbeat_ns) == [{PITCH["kick"]}] * 3
    assert stage.counts() == {"exact": 2, "held": 1}


def test_an_empty_bank_counts_held_bars_of_silence() -> None:
    """The promise of a pattern at every bar line, at its barest."""
    stage = Stage()
    stage.lock()
    stage.bars(2.9)
    assert stage.finish() == []
    assert stage.counts() == {"held": 3}


def test_mute_acts_from_the_next_step_on_where_changes_do() -> None:
    """And back again."""
    stage = Stage(beat(SIXTEENTHS | FOUR), controls={"change.quantize": 0.0})
    stage.lock()
    stage.ticks(6 * 6 + 3)
    stage.player.command("closed_hat.mute", 1.0)
    stage.ticks(6 * 4)
    stage.player.command("closed_hat.mute", 0.0)
    stage.ticks(6 * 5)
    struck = by_pitch(stage.finish())
    assert len(struck[PITCH["closed_hat"]]) == 16 - 4
    assert len(struck[PITCH["kick"]]) == 4


def test_density_acts_at_once_within_the_bar() -> None:
    """Zero is silence from the next hit on; what it left out is not made up for."""
    stage = Stage(beat(SIXTEENTHS), bindings={"density": Binding(22)})
    stage.lock()
    stage.ticks(6 * 6 + 3)
    stage.control(22, 0)
    stage.ticks(6 * 4)
    stage.control(22, 64)
    stage.ticks(6 * 5)
    assert len(by_pitch(stage.finish())[PITCH["closed_hat"]]) == 16 - 4


@pytest.mark.parametrize("turns", [[("swing", 75.0), ("swing", 50.0)], [("humanize", 200.0)]])
@pytest.mark.parametrize("tick", range(0, 96, 11))
def test_each_hit_is_played_exactly_once_when_the_feel_changes(
    turns: list[tuple[str, float]], tick: int
) -> None:
    """Whether it was just played, just about to be, or has been moved behind the present."""
    for offset in (0.0, -0.3, 0.3):
        stage = Stage(beat(SIXTEENTHS, offset=offset), controls={"humanize": 100.0})
        stage.lock()
        stage.ticks(96 + tick)
        for name, value in turns:
            stage.player.command(name, value)
            stage.ticks(11)
        stage.player.command("humanize", 0.0)
        stage.player.command("swing", 50.0)
        stage.ticks(96 * 3 - 3 - 11 * len(turns) - tick)
        assert len(by_pitch(stage.finish())[PITCH["closed_hat"]]) == 64


def test_an_early_hit_on_the_first_step_sounds_before_its_bar_line_and_once() -> None:
    """Offset -0.4: 50 ms ahead at 120 BPM; the very first is held until playing begins."""
    stage = Stage(beat({"kick": [0]}, offset=-0.4), controls={"humanize": 100.0})
    downbeat_ns = stage.lock()
    stage.bars(3.8)
    struck = np.array(by_pitch(stage.finish())[PITCH["kick"]])
    assert len(struck) == 4
    assert struck[0] == pytest.approx(downbeat_ns, abs=US)
    early_ms = (downbeat_ns + np.arange(1, 4) * stage.bar_ns - struck[1:]) / NS_PER_MS
    np.testing.assert_allclose(early_ms, 50, atol=6)
    assert stage.counts() == {"grid": 4}


def test_a_bar_whose_early_hit_has_sounded_keeps_its_pattern() -> None:
    """An answer that comes between that hit and the bar line is for the bar after it."""
    stage = Stage(beat({"kick": [0, 8]}, offset=-0.4), controls={"humanize": 100.0})
    downbeat_ns = stage.lock()
    stage.pass_until(downbeat_ns - 3 * NS_PER_MS)
    stage.bars(1)
    stage.pass_until(downbeat_ns + stage.bar_ns - 30 * NS_PER_MS)
    stage.bank.answer(position(0.5, 0.5), beat({"ride": [4]}))
    stage.bars(1.9)
    heard = [note.pitch for note in stage.finish()]
    assert heard == [PITCH[voice] for voice in ("kick", "kick", "kick", "kick", "ride")]
    assert stage.counts() == {"grid": 2, "exact": 1}


def test_a_late_hit_on_the_last_step_sounds_after_the_next_bar_line_and_once() -> None:
    """Offset +0.5 at 200%: on the downbeat of the next bar."""
    stage = Stage(beat({"snare": [15]}, offset=0.5), controls={"humanize": 200.0})
    downbeat_ns = stage.lock()
    stage.bars(3.5)
    struck = np.array(by_pitch(stage.finish())[PITCH["snare"]])
    late_ms = (struck - downbeat_ns - np.arange(3) * stage.bar_ns) / NS_PER_MS - 15 * 125
    np.testing.assert_allclose(late_ms, 125, atol=12)


@pytest.mark.parametrize("delay_ms", [-40.0, -5.0, 40.0, 100.0])
def test_sync_delay_shifts_every_note_both_ways(delay_ms: float) -> None:
    """Except that nothing sounds before its Start."""
    stage = Stage(beat(FOUR), controls={"sync_delay": delay_ms})
    downbeat_ns = stage.lock()
    stage.bars(2.4)
    struck = by_pitch(stage.finish())[PITCH["kick"]]
    ideal = downbeat_ns + delay_ms * NS_PER_MS + np.arange(len(struck)) * 500 * NS_PER_MS
    assert len(struck) >= 9
    np.testing.assert_allclose(struck[1:], ideal[1:], atol=US)
    assert struck[0] == pytest.approx(max(ideal[0], downbeat_ns), abs=US)
    assert "missed" not in stage.counts()


def test_a_stall_of_several_bars_is_counted_as_missed_and_makes_no_burst() -> None:
    """The machine slept; the song did not."""
    stage = Stage(beat(SIXTEENTHS), controls={"clock": 1.0})
    stage.pass_until(stage.bar_ns * 0.6)
    asleep_ns = stage.port.now_ns()
    awake_ns = round(3.3 * stage.bar_ns)
    stage.sleep_until(awake_ns)
    stage.player.step()
    stage.pass_until(4.5 * stage.bar_ns)
    stage.player.command("play", 0.0)
    stage.player.step()
    stage.pass_until(5 * stage.bar_ns)
    heard = notes(stage.port.sent())
    assert not [n for n in heard if asleep_ns + 20 * NS_PER_MS < n.on_ns < awake_ns]
    assert len([n for n in heard if awake_ns <= n.on_ns < awake_ns + 100 * NS_PER_MS]) <= 1
    assert stage.counts() == {"grid": 2, "missed": 3}


def test_a_short_stall_plays_the_late_hits_of_a_pitch_once_and_lets_them_ring() -> None:
    """400 ms late, less than a beat: one hat and no machine gun."""
    stage = Stage(beat(SIXTEENTHS), controls={"clock": 1.0})
    stage.pass_until(1000 * NS_PER_MS)
    stage.sleep_until(1400 * NS_PER_MS)
    stage.player.step()
    stage.pass_until(1900 * NS_PER_MS)
    stage.player.panic()
    heard = notes(stage.port.sent())
    assert len([n for n in heard if 1390 <= n.on_ns / NS_PER_MS <= 1410]) == 1
    assert stage.counts() == {"grid": 1}


def test_every_bar_is_counted_once_however_the_player_is_held_up() -> None:
    """Stalls of every length at every place: the counts add up to the bars of the song."""
    rng = np.random.default_rng(0)
    for _ in range(40):
        stage = Stage(beat(SIXTEENTHS), controls={"clock": 1.0}, pass_ns=9 * NS_PER_MS)
        while stage.port.now_ns() < 7.5 * stage.bar_ns:
            stage.pass_until(stage.port.now_ns() + rng.integers(1, 2000) * NS_PER_MS)
            stage.sleep_until(stage.port.now_ns() + rng.integers(1, 3000) * NS_PER_MS)
            stage.player.step()
        begun = (stage.port.now_ns() / stage.bar_ns) // 1 + 1
        assert abs(sum(stage.counts().values()) - begun) <= 1
        stage.player.panic()
        stage.pass_until(stage.port.now_ns() + 500 * NS_PER_MS)


def test_panic_silences_every_note_there_is_and_playing_goes_on() -> None:
    """All Sound Off, All Notes Off and 128 note-offs; the next hit sounds."""
    stage = Stage(beat(FOUR), bindings={"panic": Binding(30)})
    stage.lock()
    stage.bars(0.6)
    now_ns = stage.port.now_ns()
    stage.control(30, 127)
    at_once = [m for time_ns, m in stage.port.sent() if 0 <= time_ns - now_ns <= NS_PER_MS]
    assert {message[1] for message in at_once if message[0] == 0x89} == set(range(128))
    assert bytes((0xB9, 120, 0)) in at_once
    assert bytes((0xB9, 123, 0)) in at_once
    stage.control(30, 0)
    stage.bars(0.3)
    assert len(by_pitch(stage.finish())[PITCH["kick"]]) == 4


@pytest.mark.parametrize("message", [(0xB0, 120, 0), (0xBF, 123, 0)])
def test_all_notes_off_coming_in_silences_on_any_channel(message: tuple[int, ...]) -> None:
    """Reaper sends it when it stops and when it plays."""
    stage = Stage(beat(FOUR))
    downbeat_ns = stage.lock()
    stage.ticks(2)
    stage.hear(*message)
    now_ns = stage.port.now_ns()
    heard = notes(stage.port.sent())
    assert heard[0].on_ns == pytest.approx(downbeat_ns, abs=US)
    assert heard[0].off_ns <= now_ns + NS_PER_MS


def test_system_reset_is_a_panic() -> None:
    """FF, as the MIDI 1.0 text has it."""
    stage = Stage(beat(FOUR))
    stage.hear(0xFF)
    assert len(stage.port.sent()) == 130


def test_the_internal_clock_plays_by_itself_at_its_tempo() -> None:
    """Beat 0 a lead after launch."""
    stage = Stage(beat(FOUR), controls={"clock": 1.0, "bpm": 150.0})
    stage.pass_until(1590 * NS_PER_MS)
    struck = np.array([m[0] for m in stage.port.sent() if m[1][0] == 0x99])
    np.testing.assert_allclose(struck, stage.port.lead_ns + np.arange(4) * 400e6, atol=US)


def test_a_tempo_change_of_the_internal_clock_begins_where_nothing_has_been_sent_yet() -> None:
    """120 BPM for two beats, then 60: what is with the port by then stays as it is."""
    stage = Stage(beat(FOUR), controls={"clock": 1.0})
    lead_ns = stage.port.lead_ns
    stage.pass_until(lead_ns + 1000 * NS_PER_MS)
    bend_beats = stage.port.now_ns() / (500 * NS_PER_MS)
    stage.player.command("bpm", 60.0)
    stage.pass_until(lead_ns + 2900 * NS_PER_MS)
    stage.player.panic()
    struck = by_pitch(notes(stage.port.sent()))[PITCH["kick"]]
    beats = np.array([0, 1, 2, bend_beats + (3 - bend_beats) * 2])
    np.testing.assert_allclose(struck, lead_ns + beats * 500 * NS_PER_MS, atol=US)


def test_the_internal_clock_ignores_start_and_stop_from_outside() -> None:
    """It is LiveVAE's own; only what comes in on control changes is heard."""
    stage = Stage(beat(FOUR), controls={"clock": 1.0})
    stage.pass_until(700 * NS_PER_MS)
    stage.hear(STOP)
    stage.hear(START)
    stage.pass_until(1990 * NS_PER_MS)
    stage.player.panic()
    assert len(notes(stage.port.sent())) == 4


def test_play_off_and_on_stops_and_begins_again_from_the_first_bar() -> None:
    """The internal clock's transport."""
    stage = Stage(beat({"kick": [0], "snare": [16]}, bars=2), controls={"clock": 1.0})
    stage.pass_until(2.5 * stage.bar_ns)
    stage.player.command("play", 0.0)
    stage.pass_until(3 * stage.bar_ns)
    assert not stage.player.status().playing
    silent_from = len(stage.port.sent())
    stage.pass_until(4 * stage.bar_ns)
    assert len(stage.port.sent()) == silent_from
    stage.player.command("play", 1.0)
    stage.pass_until(4.5 * stage.bar_ns)
    stage.player.panic()
    pitches = [note.pitch for note in notes(stage.port.sent())]
    assert pitches == [PITCH[voice] for voice in ("kick", "snare", "kick", "kick")]


def test_play_does_nothing_to_a_song_that_follows_midi_clock() -> None:
    """It is the internal clock's switch."""
    stage = Stage(beat(SIXTEENTHS))
    stage.lock()
    stage.bars(2.3)
    stage.player.command("play", 0.0)
    stage.bars(1)
    stage.player.command("play", 1.0)
    stage.bars(0.6)
    assert len(by_pitch(stage.finish())[PITCH["closed_hat"]]) == 63
    assert stage.counts() == {"grid": 4}


def test_switching_to_the_internal_clock_and_back_while_both_play() -> None:
    """The song outside goes on; coming back joins it where it is, and counts no bar missed."""
    pattern = beat({"kick": [0], "snare": [16], "ride": [32], "crash": [48]}, bars=4)
    stage = Stage(pattern)
    downbeat_ns = stage.lock()
    stage.bars(2.4)
    stage.player.command("clock", 1.0)
    stage.bars(4)
    back_ns = stage.port.now_ns()
    stage.player.command("clock", 0.0)
    stage.bars(1.5)
    heard = stage.finish()
    after = [note for note in heard if note.on_ns > back_ns]
    assert [note.pitch for note in after] == [PITCH["crash"]]
    assert after[0].on_ns == pytest.approx(downbeat_ns + 7 * stage.bar_ns, abs=US)
    assert "missed" not in stage.counts()


def test_the_same_inputs_and_seed_give_the_same_bytes_and_another_seed_others() -> None:
    """Human timing and dynamics included."""

    def play(seed: int) -> list[tuple[int, bytes]]:
        controls = {"humanize": 130.0, "swing": 58.0}
        stage = Stage(beat(SIXTEENTHS | FOUR, offset=0.1), controls, seed=seed)
        stage.lock()
        stage.bars(1.5)
        stage.control(20, 100)
        stage.player.command("density", 0.8)
        stage.bars(2)
        stage.finish()
        return stage.port.sent()

    assert play(3) == play(3)
    assert play(3) != play(4)


def test_how_often_the_player_is_called_changes_no_note() -> None:
    """Passes of 1, 3 and 8 ms play the same music."""
    played = []
    for pass_ms in (1, 3, 8):
        stage = Stage(beat(SIXTEENTHS), {"humanize": 100.0}, pass_ns=pass_ms * NS_PER_MS)
        stage.lock()
        stage.bars(2.9)
        played.append([(note.on_ns, note.velocity) for note in stage.finish()])
    assert played[0] == played[1] == played[2]


def test_commands_are_counted_when_they_are_done() -> None:
    """So that the supervisor can wait for them."""
    stage = Stage(beat(FOUR))
    stage.player.command("density", 0.7)
    stage.player.command("density", 0.7)
    assert stage.player.status().commands == 0
    stage.player.step()
    status = stage.player.status()
    assert status.commands == 2
    assert status.values["density"] == 0.7


def test_status_tells_the_position_and_tempo_of_the_song() -> None:
    """While it plays; 0 when it does not."""
    stage = Stage(beat(FOUR))
    assert stage.player.status().beats == 0
    assert not stage.player.status().clock_alive
    stage.lock()
    stage.bars(1)
    status = stage.player.status()
    assert status.playing
    assert status.locked
    assert status.clock_alive
    assert status.beats == pytest.approx(95 / 24, abs=1e-3)
    assert status.bpm == pytest.approx(120, abs=0.01)


@pytest.mark.parametrize("clock_source", ["", "memory"])
def test_clock_and_transport_of_a_second_source_change_nothing_and_it_is_named(
    clock_source: str,
) -> None:
    """Whether the first is followed because it was first, or because it is configured."""
    heard = []
    for rival in (False, True):
        stage = Stage(beat(FOUR), clock_source=clock_source)
        stage.lock()
        for number in range(96):
            stage.ticks(1)
            for status in (CLOCK, STOP, START) if rival and number % 3 == 1 else ():
                stage.port.feed(stage.port.now_ns(), bytes((status,)), "rival")
        status = stage.player.status()
        assert status.clock_source == "memory"
        assert status.other_clocks == (("rival",) if rival else ())
        heard.append(stage.finish())
    assert heard[0] == heard[1] != []


def test_a_configured_clock_that_is_absent_is_waited_for_and_knobs_still_turn() -> None:
    """Its place is taken by no other clock, which is named; control changes are everyone's."""
    stage = Stage(beat(FOUR), clock_source="mpc")
    stage.lock()
    stage.bars(2)
    stage.control(20, 127)
    status = stage.player.status()
    assert not status.playing
    assert (status.clock_source, status.other_clocks) == ("mpc", ("memory",))
    assert status.values["x"] == 1.0
    assert stage.finish() == []


@pytest.mark.parametrize("seed", range(8))
def test_whatever_comes_in_the_player_plays_on_and_leaves_no_note_hanging(seed: int) -> None:
    """Random bytes, broken messages, transport at random, stalls: no exception, no hanging note."""
    rng = np.random.default_rng(seed)
    stage = Stage(beat(SIXTEENTHS | FOUR), {"humanize": 150.0}, pass_ns=7 * NS_PER_MS)
    for _ in range(600):
        kind = rng.integers(0, 10)
        if kind < 4:
            stage.ticks(int(rng.integers(1, 12)))
        elif kind < 7:
            stage.hear(int(rng.choice([START, STOP, CONTINUE])))
        elif kind == 7:
            stage.hear(*rng.integers(0, 256, rng.integers(1, 5)).tolist())
        elif kind == 8:
            stage.hear(0xB0, int(rng.choice([20, 21, 120, 123])), int(rng.integers(0, 256)))
        else:
            stage.sleep_until(stage.port.now_ns() + rng.integers(1, 700) * NS_PER_MS)
            stage.player.step()
            stage.next_tick_ns = max(stage.next_tick_ns, stage.port.now_ns())
    stage.player.panic()
    notes(stage.port.sent())
