"""Captured bars: what a recorder heard, with its tempo, metre and microtiming."""

from pathlib import Path

import mido
import pytest

from livevae.clock.timeline import NS_PER_MS
from livevae.daemon.take import cut
from livevae.errors import WorkError
from livevae.midi.recording import TICKS_PER_BEAT, Take, write_take
from livevae.player.tape import BARS, MAX_BAR_RECORDS, Tape
from tests.player.ledger import NOTE_ON
from tests.player.stage import CONTINUE, PITCH, SONG_POSITION, STOP, Stage, beat

BEAT = beat({"kick": [0, 8], "snare": [4, 12], "closed_hat": list(range(0, 16, 2))}, offset=0.2)


def taken(stage: Stage, last: int) -> Take:
    """Return the last bars that a stage has on tape."""
    return cut(stage.player._tape.read(), last)


def heard_in(path: Path) -> list[tuple[float, bytes]]:
    """Return the messages of a file and when each is heard, in nanoseconds, at its tempi."""
    file = mido.MidiFile(path)
    heard, now_s = [], 0.0
    for message in file:
        now_s += message.time
        if not message.is_meta:
            heard.append((now_s * 1e9, bytes(message.bytes())))
    return heard


def test_the_last_bars_are_the_bytes_that_were_sent_at_their_times(tmp_path: Path) -> None:
    """Human timing, swing and a tempo that rises with each bar included."""
    stage = Stage(BEAT, controls={"humanize": 150.0, "swing": 60.0})
    downbeat_ns = stage.lock()
    lines = []
    for bar in range(6):
        lines.append(stage.next_tick_ns)
        stage.bpm = 120 + bar
        stage.bars(1)
    stage.bars(0.25)
    assert lines[0] == pytest.approx(downbeat_ns)
    write_take(tmp_path / "a.mid", taken(stage, 4))
    sent = [
        (time_ns - lines[2], message)
        for time_ns, message in stage.port.sent()
        if lines[2] - 20 * NS_PER_MS <= time_ns < stage.next_tick_ns - 24 * stage.tick_ns
        and message[0] < 0xF0
    ]
    heard = heard_in(tmp_path / "a.mid")
    inside = [event for event in sent if event[1][0] & 0xF0 == NOTE_ON]
    ons = [event for event in heard if event[1][0] & 0xF0 == NOTE_ON]
    assert [message for _, message in ons] == [message for _, message in inside]
    assert len(ons) > 40
    # A 9600th of a beat, and what the follower knew of a tempo that changed at the line.
    for (heard_ns, _), (sent_ns, _) in zip(ons, inside, strict=True):
        assert abs(heard_ns - max(sent_ns, 0)) < 3 * NS_PER_MS


def test_on_a_steady_clock_every_byte_is_at_its_time_to_the_tick(tmp_path: Path) -> None:
    """Note-offs too."""
    stage = Stage(BEAT, controls={"clock": 1.0, "humanize": 150.0})
    begin_ns = stage.port.lead_ns
    stage.pass_until(begin_ns + 4.2 * stage.bar_ns)
    write_take(tmp_path / "a.mid", taken(stage, 4))
    sent = [
        (time_ns - begin_ns, message)
        for time_ns, message in stage.port.sent()
        if time_ns <= begin_ns + 4 * stage.bar_ns
    ]
    heard = heard_in(tmp_path / "a.mid")
    assert [message for _, message in heard[: len(sent)]] == [message for _, message in sent]
    for (heard_ns, _), (sent_ns, _) in zip(heard, sent, strict=False):
        assert abs(heard_ns - sent_ns) <= stage.tick_ns * 24 / TICKS_PER_BEAT
    file = mido.MidiFile(tmp_path / "a.mid")
    assert file.type == 1
    assert {sum(m.time for m in track) for track in file.tracks} == {16 * TICKS_PER_BEAT}


def test_rounded_tempi_do_not_add_up(tmp_path: Path) -> None:
    """128 bars end when they ended."""
    bar_ns = 1_999_998_123
    write_take(tmp_path / "a.mid", Take((bar_ns,) * BARS, ((BARS * 4.0, bytes((0x89, 36, 0))),)))
    assert heard_in(tmp_path / "a.mid")[-1][0] == pytest.approx(BARS * bar_ns, abs=4_000)


def test_fewer_bars_than_asked_for_are_all_there_are_and_the_playing_one_does_not_count() -> None:
    """None at all is refused."""
    stage = Stage(BEAT)
    with pytest.raises(WorkError, match="no bar has been played yet"):
        taken(stage, 8)
    stage.lock()
    stage.bars(0.9)
    with pytest.raises(WorkError, match="no bar has been played yet"):
        taken(stage, 8)
    stage.bars(2)
    assert len(taken(stage, 8).bar_ns) == 2


def test_bars_heard_in_a_loop_follow_each_other_in_the_order_heard() -> None:
    """A loop of one bar, three times, is three bars."""
    stage = Stage(beat({"kick": [0], "snare": [4]}, bars=1))
    stage.lock()
    for _ in range(3):
        stage.bars(1)
        stage.pass_until(stage.next_tick_ns - 2 * NS_PER_MS)
        stage.hear(STOP)
        stage.hear(SONG_POSITION, 0, 0)
        stage.hear(CONTINUE)
    stage.ticks(4)
    take = taken(stage, 8)
    struck = [
        (round(beats, 2), message[1])
        for beats, message in take.events
        if message[0] & 0xF0 == NOTE_ON
    ]
    kicks = [(4.0 * bar, PITCH["kick"]) for bar in range(3)]
    snares = [(4.0 * bar + 1, PITCH["snare"]) for bar in range(3)]
    assert struck == sorted(kicks + snares)


def test_a_bar_that_was_left_in_its_first_half_does_not_count_and_one_later_does() -> None:
    """To stop a moment after the last bar line costs no bar."""
    for bars, count in ((2.2, 2), (2.8, 3)):
        stage = Stage(BEAT)
        stage.lock()
        stage.bars(bars)
        stage.finish()
        take = taken(stage, 8)
        assert len(take.bar_ns) == count
        on: set[int] = set()
        for beats, message in take.events:
            assert 0 <= beats <= 4 * count
            (on.add if message[0] & 0xF0 == NOTE_ON else on.discard)(message[1])
        assert not on


def test_a_downbeat_played_early_stands_on_the_first_line_and_not_behind_the_last() -> None:
    """So that the file loops."""
    stage = Stage(beat({"kick": [0]}, offset=-0.1), controls={"humanize": 100.0})
    stage.lock()
    stage.bars(4.2)
    events = [(b, m) for b, m in taken(stage, 2).events if m[0] & 0xF0 == NOTE_ON]
    assert events[0][0] == 0
    assert 3.9 < events[1][0] < 4
    assert len(events) == 2


def test_what_was_cancelled_is_not_captured() -> None:
    """A stop unsends what lay ahead: what is captured is what was heard."""
    stage = Stage(beat({"kick": [0, 4, 8, 12]}))
    stage.lock()
    stage.bars(1.75)
    stage.pass_until(stage.next_tick_ns - 2 * NS_PER_MS)
    stage.hear(STOP)
    take = taken(stage, 4)
    sent = [m for _, m in stage.port.sent() if m[0] & 0xF0 == NOTE_ON]
    assert [m for _, m in take.events if m[0] & 0xF0 == NOTE_ON] == sent


def test_the_tape_holds_128_bars_of_every_cell_played_and_forgets_the_oldest() -> None:
    """A ring: the newest records are there, in order."""
    assert MAX_BAR_RECORDS > 2 * 9 * 16
    room = BARS * MAX_BAR_RECORDS
    tape = Tape.in_memory()
    for number in range(room + 1000):
        tape.message(number, b"abc")
    times = [record.time_ns for record in tape.read()]
    assert times == list(range(1001, room + 1000))
    tape.rewind()
    assert tape.read() == []


def test_a_tape_is_shared_by_its_path_and_a_place_for_it_that_is_none_is_refused(
    tmp_path: Path,
) -> None:
    """In a sentence."""
    mine = Tape.create(tmp_path / "tape")
    Tape.open(tmp_path / "tape").message(7, b"abc")
    assert [(r.time_ns, r.message) for r in mine.read()] == [(7, b"abc")]
    with pytest.raises(WorkError, match="cannot be made"):
        Tape.create(tmp_path / "none" / "tape")
    (tmp_path / "other").write_bytes(b"no tape")
    with pytest.raises(WorkError, match="is no tape of this version"):
        Tape.open(tmp_path / "other")
