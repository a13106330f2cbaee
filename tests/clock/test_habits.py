"""The habits of DAWs and hardware: what each sends, and where the song is after it."""

import pytest

from livevae.clock.follower import CLOCK, CONTINUE, SONG_POSITION, START, STOP
from livevae.clock.timeline import NS_PER_MS
from tests.clock.source import Source

Script = list[int | tuple[int, ...]]
"""Whole numbers are ticks sent; the rest are messages."""

BAR = 96
TO_BAR_7 = (SONG_POSITION, 96, 0)
"""Where bar 7 begins: six bars of sixteenths."""


def after(script: Script) -> Source:
    """Return a source that has run for two beats and then played a script."""
    source = Source()
    source.run(48)
    for part in script:
        if isinstance(part, int):
            source.run(part)
        else:
            source.send(*part)
    return source


@pytest.mark.parametrize(
    ("script", "beats"),
    [
        # Live: Start from the top; on Stop it says Stop twice; a Continue from elsewhere
        ([(START,), BAR + 1], 4),
        ([(START,), BAR, (STOP,), (STOP,), 30, TO_BAR_7, (CONTINUE,), 25], 25),
        # Live, loop of three bars from bar 7: the position alone, while playing
        ([TO_BAR_7, (CONTINUE,), 3 * BAR, TO_BAR_7, 3 * BAR, TO_BAR_7, 1], 24),
        # Logic: Start from bar 1 only, else position and Continue; in a cycle it stops first
        ([TO_BAR_7, (CONTINUE,), BAR + 1], 28),
        ([(START,), 2 * BAR, (STOP,), (SONG_POSITION, 0, 0), (CONTINUE,), 49], 2),
        # Bitwig and Cubase: position and Continue wherever they begin, bar 1 too
        ([(SONG_POSITION, 0, 0), (CONTINUE,), BAR + 1], 4),
        ([(STOP,), TO_BAR_7, (CONTINUE,), 3 * BAR, (STOP,), TO_BAR_7, (CONTINUE,), 1], 24),
        # Reaper: the position after Stop, and again before it plays
        (
            [
                (START,),
                50,
                (STOP,),
                (SONG_POSITION, 8, 0),
                30,
                (SONG_POSITION, 8, 0),
                (CONTINUE,),
                1,
            ],
            2,
        ),
        # A source that says where it is at every bar line
        ([(START,), BAR, (SONG_POSITION, 16, 0), BAR, (SONG_POSITION, 32, 0), BAR + 1], 12),
        # Hardware: Start alone, for each loop too; a Continue on every loop; position, then Start
        ([(START,), BAR, (START,), BAR + 1], 4),
        ([(START,), BAR, (CONTINUE,), BAR, (CONTINUE,), BAR + 1], 12),
        ([TO_BAR_7, (START,), 25], 1),
        # A user who scrubs while it is stopped
        ([(SONG_POSITION, 9, 3), (SONG_POSITION, 1, 0), TO_BAR_7, 7, (CONTINUE,), 1], 24),
    ],
)
def test_after_what_they_send_the_song_is_where_they_are(script: Script, beats: float) -> None:
    """Counted from the last tick sent, and the phase is theirs."""
    source = after(script)
    timeline = source.follower.transport.timeline
    assert source.follower.transport.playing
    assert timeline.beats_at(source.now_ns) == pytest.approx(beats, abs=1e-3)


@pytest.mark.parametrize("late_ms", [0.0, 1.0, 7.0, 20.0])
def test_a_start_at_any_place_between_two_ticks_takes_the_next_tick(late_ms: float) -> None:
    """Right after a tick, right before the next, or in the same moment."""
    source = Source()
    source.run(48)
    source.follower.receive(source.now_ns + round(late_ms * NS_PER_MS), bytes((START,)))
    assert not source.follower.transport.playing
    source.rolling = True
    source.run(24)
    assert source.error_ms == pytest.approx(0, abs=0.01)


@pytest.mark.parametrize("wait_s", [0.05, 0.2, 1.5, 30.0])
def test_a_start_long_before_its_first_clock_begins_with_it(wait_s: float) -> None:
    """A source that counts in, or sends Start when it is armed."""
    source = Source()
    source.run(48)
    source.send(START)
    source.rolling = False
    source.silence(wait_s)
    source.rolling = True
    for sent_ns in source.ticks(1):
        assert source.follower.transport.playing
        assert source.follower.transport.timeline.time_at(0) == pytest.approx(sent_ns, abs=1000)
    source.run(48)
    assert source.error_ms == pytest.approx(0, abs=0.1)


@pytest.mark.parametrize("ticks_before", [2, 5, 48])
@pytest.mark.parametrize("early_ms", [2.0, 9.0, 15.0])
def test_a_first_clock_that_comes_early_is_the_downbeat(early_ms: float, ticks_before: int) -> None:
    """Sent along with Start, between two ticks of the clock that ran before."""
    source = Source()
    source.run(ticks_before)
    source.next_ns -= early_ms * NS_PER_MS
    source.send(START)
    for sent_ns in source.ticks(1):
        assert source.follower.transport.timeline.time_at(0) == pytest.approx(sent_ns, abs=1000)
    source.run(95)
    assert source.error_ms == pytest.approx(0, abs=0.1)


def test_clock_without_start_locks_and_does_not_play() -> None:
    """Gear that sends clock and nothing else: its tempo is known, its bar line is not."""
    source = Source(133)
    source.run(400)
    assert source.follower.alive
    assert source.follower.transport.locked
    assert not source.follower.transport.playing
    assert source.follower.transport.timeline.bpm == pytest.approx(133, rel=1e-4)


@pytest.mark.parametrize("times", [1, 5])
def test_a_source_that_vanishes_and_returns_with_a_start_begins_again(times: int) -> None:
    """A DAW that is closed and opened, at another tempo, again and again."""
    source = Source(120)
    for number in range(times):
        source.bpm = 120 - 7 * number
        source.send(START)
        source.run(BAR)
        assert source.error_ms == pytest.approx(0, abs=0.01)
        source.silence(3)
        assert not source.follower.alive
        assert not source.follower.transport.playing
    source.follower.receive(round(source.next_ns), bytes((CLOCK,)))
    assert source.follower.alive
    assert not source.follower.transport.playing
