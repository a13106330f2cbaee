"""Fills: where they begin, that they end in a crash on the one, and that a bar goes on without."""

import numpy as np
import pytest

from livevae.decoder.bank import Position
from livevae.decoder.hand import filled
from livevae.parameters import PARAMETERS, POSITION
from tests.player.stage import PITCH, Stage, beat

ALL = list(range(16))
KICK, TOM, CRASH = PITCH["kick"], PITCH["low_tom"], PITCH["crash"]
BEAT, FILL = beat({"kick": ALL}), beat({"low_tom": ALL})
CENTRE: Position = np.array([PARAMETERS[name].default for name in POSITION], np.float32)


def stage_with_fill(**controls: str) -> Stage:
    """Return a stage that plays kicks, and whose fill is decoded: low toms."""
    values = {
        name.replace("_", "."): PARAMETERS[name.replace("_", ".")].to_float(value)
        for name, value in controls.items()
    }
    stage = Stage(BEAT, controls=values)
    stage.bank.answer(CENTRE, BEAT)
    stage.bank.answer(filled(CENTRE), FILL)
    return stage


def steps_of(stage: Stage, downbeat_ns: int) -> dict[int, list[int]]:
    """Stop, and return on which steps of the song each pitch was struck."""
    steps: dict[int, list[int]] = {}
    for note in stage.finish():
        step = round((note.on_ns - downbeat_ns) / stage.bar_ns * 16)
        steps.setdefault(note.pitch, []).append(step)
    return steps


@pytest.mark.parametrize("begins", [1, 5, 12, 15])
@pytest.mark.parametrize("quantize", ["step", "bar", "8 bars"])
def test_a_fill_begins_on_the_next_step_and_ends_in_a_crash_and_a_kick_on_the_one(
    begins: int, quantize: str
) -> None:
    """Wherever in the bar the pad is hit, whatever the boundary of other changes."""
    stage = stage_with_fill(change_quantize=quantize)
    downbeat_ns = stage.lock()
    stage.ticks(6 * (16 + begins) - 3)
    stage.player.command("fill.now", 1.0)
    stage.ticks(6 * 30)
    played = steps_of(stage, downbeat_ns)
    assert played[TOM] == list(range(16 + begins, 32))
    assert played[CRASH] == [32]
    assert played[KICK] == [*range(16 + begins), *range(32, max(played[KICK]) + 1)]


def test_a_fill_that_is_held_goes_on_over_bar_lines_to_the_one_after_its_release() -> None:
    """One crash, at its end."""
    stage = stage_with_fill()
    downbeat_ns = stage.lock()
    stage.ticks(6 * 10 - 3)
    stage.player.command("fill.hold", 1.0)
    stage.ticks(6 * 30)
    stage.player.command("fill.hold", 0.0)
    stage.ticks(6 * 25)
    played = steps_of(stage, downbeat_ns)
    assert played[TOM] == list(range(10, 48))
    assert played[CRASH] == [48]


@pytest.mark.parametrize(("length", "first"), [("beat", 28), ("half bar", 24), ("bar", 16)])
def test_a_fill_comes_by_itself_at_the_end_of_every_so_many_bars(length: str, first: int) -> None:
    """Two bars, over and over."""
    stage = stage_with_fill(fill_every="2 bars", fill_length=length)
    downbeat_ns = stage.lock()
    stage.bars(4.5)
    played = steps_of(stage, downbeat_ns)
    assert played[TOM] == [*range(first, 32), *range(first + 32, 64)]
    assert played[CRASH] == [32, 64]
    assert set(stage.counts()) == {"exact"}


def test_without_a_decoded_fill_the_pattern_goes_on_and_the_crash_ends_it_all_the_same() -> None:
    """The decoder has not answered, or is not there."""
    stage = Stage(BEAT)
    downbeat_ns = stage.lock()
    stage.ticks(6 * 5)
    stage.player.command("fill.now", 1.0)
    stage.bars(1.2)
    played = steps_of(stage, downbeat_ns)
    assert TOM not in played
    assert played[CRASH] == [16]
    assert played[KICK] == list(range(len(played[KICK])))


def test_a_fill_that_is_decoded_meanwhile_is_played_from_then_on() -> None:
    """The hand had just moved."""
    stage = Stage(BEAT)
    downbeat_ns = stage.lock()
    stage.ticks(6 * 5 - 3)
    stage.player.command("fill.now", 1.0)
    stage.ticks(6 * 3)
    stage.bank.answer(filled(CENTRE), FILL)
    stage.bars(1)
    played = steps_of(stage, downbeat_ns)
    assert played[TOM] == list(range(8, 16))


def test_a_fill_goes_on_while_the_hand_moves_until_the_one_where_it_is_comes() -> None:
    """A sweep of x through it leaves no hole; the next fill is another."""
    stage = stage_with_fill()
    downbeat_ns = stage.lock()
    stage.ticks(6 * 5 - 3)
    stage.player.command("fill.now", 1.0)
    stage.ticks(6 * 3)
    stage.control(20, 127)
    stage.bars(1)
    stage.player.command("fill.now", 1.0)
    stage.bars(1)
    played = steps_of(stage, downbeat_ns)
    assert played[TOM] == list(range(5, 16))
    assert played[CRASH] == [16, 32]


def test_a_locked_voice_goes_on_through_a_fill_and_a_mute_silences_its_crash() -> None:
    """They are the performer's word."""
    stage = stage_with_fill(kick_lock="on", crash_mute="on")
    downbeat_ns = stage.lock()
    stage.ticks(6 * 5 - 3)
    stage.player.command("fill.now", 1.0)
    stage.bars(1.2)
    played = steps_of(stage, downbeat_ns)
    assert played[KICK] == list(range(len(played[KICK])))
    assert played[TOM] == list(range(5, 16))
    assert CRASH not in played


def test_a_fill_pressed_while_nothing_plays_is_forgotten_and_a_jump_ends_one() -> None:
    """A song begins with its beat."""
    stage = stage_with_fill()
    stage.player.command("fill.now", 1.0)
    downbeat_ns = stage.lock()
    stage.ticks(6 * 6)
    stage.player.command("fill.now", 1.0)
    stage.ticks(6 * 2 + 3)
    stage.pass_until(stage.next_tick_ns - 2_000_000)
    stage.hear(0xFA)
    restart_ns = stage.next_tick_ns
    stage.ticks(6 * 12)
    played = steps_of(stage, downbeat_ns)
    fill_until = (restart_ns - downbeat_ns) / stage.bar_ns * 16
    assert played[TOM][0] >= 6
    assert max(played[TOM]) <= fill_until
    assert CRASH not in played
