"""Loops of a DAW: the pattern keeps phase with the song position."""

import pytest

from livevae.clock.timeline import NS_PER_MS
from tests.player.ledger import Note
from tests.player.stage import CONTINUE, PITCH, SONG_POSITION, STOP, Stage, beat

FOUR_BARS = {"kick": [0], "snare": [16], "closed_hat": [32], "ride": [48]}
"""A voice for each of four bars."""


def seek(stage: Stage, bar: int) -> None:
    """Send the song position of a bar, counted from 1, just before the next tick."""
    stage.pass_until(stage.next_tick_ns - 2 * NS_PER_MS)
    sixteenths = (bar - 1) * 16
    stage.hear(SONG_POSITION, sixteenths & 0x7F, sixteenths >> 7)


def voices(heard: list[Note]) -> list[str]:
    """Return what was struck, in order of time."""
    names = {pitch: voice for voice, pitch in PITCH.items()}
    return [names[note.pitch] for note in heard]


@pytest.mark.parametrize("transport", ["position alone", "position and continue", "stop first"])
@pytest.mark.parametrize(
    ("first", "bars", "played"),
    [
        (1, 3, ["kick", "snare", "closed_hat"]),
        (7, 2, ["closed_hat", "ride"]),
        (7, 3, ["closed_hat", "ride", "kick"]),
        (6, 5, ["snare", "closed_hat", "ride", "kick", "snare"]),
    ],
)
def test_a_loop_of_any_length_from_any_bar_plays_the_bars_of_the_song(
    first: int, bars: int, played: list[str], transport: str
) -> None:
    """However the DAW says that it has wrapped; each downbeat on its tick, none missed."""
    stage = Stage(beat(FOUR_BARS, bars=4))
    stage.ticks(48)
    begun_ns = stage.next_tick_ns
    for _ in range(3):
        if transport == "stop first":
            stage.pass_until(stage.next_tick_ns - 3 * NS_PER_MS)
            stage.hear(STOP)
        seek(stage, first)
        if stage.next_tick_ns == begun_ns or transport != "position alone":
            stage.hear(CONTINUE)
        stage.bars(bars)
    heard = stage.finish()
    assert voices(heard) == 3 * played
    ideal = [begun_ns + number * stage.bar_ns for number in range(3 * bars)]
    assert [note.on_ns for note in heard] == pytest.approx(ideal, abs=NS_PER_MS // 100)
    assert "missed" not in stage.counts()


def test_a_position_said_at_every_bar_line_cuts_no_note_off() -> None:
    """It is where the song is already."""
    played = []
    for says_it in (False, True):
        stage = Stage(beat({"crash": [15], "kick": [0]}))
        stage.lock()
        for bar in range(1, 5):
            if says_it:
                seek(stage, bar)
            stage.bars(1)
        played.append(stage.finish())
    assert played[0] == played[1]
