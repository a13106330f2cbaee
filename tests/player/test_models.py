"""Another bank under a player that plays: another model, from a bar line on, without a gap."""

import weakref

import numpy as np
import pytest

from livevae.clock.timeline import NS_PER_MS
from livevae.decoder.bank import Bank, Shape
from livevae.parameters import PARAMETERS
from livevae.pattern.pattern import Pattern, empty
from livevae.pattern.quantised import quantised
from tests.player.ledger import by_pitch
from tests.player.stage import PITCH, Stage, beat

SIXTEENTHS = list(range(16))
KICK, SNARE = PITCH["kick"], PITCH["snare"]


def bank_of(pattern: Pattern) -> Bank:
    """Return a bank with ``pattern`` at every point of its grid."""
    bank = Bank.in_memory(Shape(len(pattern), 3, 3))
    bank.write_grid(np.tile(quantised(pattern), (3, 3, 1, 1, 1)))
    return bank


def counting(bars: int) -> Pattern:
    """Return a pattern whose bar n has n + 1 snares, on its first steps."""
    pattern = empty(bars)
    for bar in range(bars):
        pattern[16 * bar : 16 * (bar + 1)] = beat({"snare": SIXTEENTHS[: bar + 1]})
    return pattern


@pytest.mark.parametrize("quantize", ["step", "bar"])
@pytest.mark.parametrize("changed_at", [0.05, 0.5, 0.97])
def test_another_bank_is_heard_from_the_next_bar_line_on_and_no_hit_is_missing(
    changed_at: float, quantize: str
) -> None:
    """Wherever in the bar it comes, and though a turn of a knob would be heard within the bar."""
    index = PARAMETERS["change.quantize"].to_float(quantize)
    stage = Stage(beat({"kick": SIXTEENTHS}), controls={"change.quantize": index})
    downbeat_ns = stage.lock()
    stage.bars(1 + changed_at)
    stage.player.bank = bank_of(beat({"snare": SIXTEENTHS}))
    stage.bars(2.9 - changed_at)
    struck = by_pitch(stage.finish())
    step_ns = 125 * NS_PER_MS
    ideal = downbeat_ns + np.arange(64) * step_ns
    np.testing.assert_allclose(struck[KICK], ideal[:32], atol=1000)
    assert len(struck[SNARE]) in (30, 31)  # the last are cut off by Stop
    np.testing.assert_allclose(struck[SNARE], ideal[32 : 32 + len(struck[SNARE])], atol=1000)
    assert stage.counts() == {"grid": 4}


@pytest.mark.parametrize("bars", [1, 2, 4, 16])
def test_a_pattern_of_another_length_plays_its_bar_of_where_the_song_is(bars: int) -> None:
    """Bar n of the song is bar n mod bars of the pattern, however long the one before was."""
    stage = Stage(beat({"kick": [0]}, bars=2))
    downbeat_ns = stage.lock()
    stage.bars(4.5)
    stage.player.bank = bank_of(counting(bars))
    stage.bars(15)
    snares = np.array(by_pitch(stage.finish())[SNARE])
    song_bars = (snares - downbeat_ns + NS_PER_MS) // (2000 * NS_PER_MS)
    heard = [int((song_bars == bar).sum()) for bar in range(19)]
    assert heard == [0] * 5 + [bar % bars + 1 for bar in range(5, 19)]


def test_the_new_bank_is_asked_for_where_the_hand_is_and_its_answer_is_exact() -> None:
    """What the old one had answered is of another model."""
    stage = Stage(beat({"kick": [0]}), controls={"x": 0.25})
    wanted = stage.bank.wanted()
    assert wanted is not None
    stage.bank.answer(wanted, beat({"kick": [0, 8]}))
    stage.lock()
    stage.bars(1.5)
    after = bank_of(beat({"snare": [0]}))
    stage.player.bank = after
    stage.player.step()
    np.testing.assert_array_equal(after.wanted(), wanted)
    stage.bars(1)
    after.answer(wanted, beat({"snare": [0, 8]}))
    stage.bars(1.4)
    struck = by_pitch(stage.finish())
    assert len(struck[KICK]) == 4
    assert len(struck[SNARE]) == 3
    assert stage.counts() == {"exact": 3, "grid": 1}


def test_a_knob_that_turned_while_the_bank_changed_is_where_it_was_turned_to() -> None:
    """One pass sees both."""
    stage = Stage(beat({"kick": [0]}))
    stage.lock()
    stage.bars(0.5)
    after = bank_of(beat({"snare": [0]}))
    stage.player.bank = after
    stage.control(20, 127)
    wanted = after.wanted()
    assert wanted is not None
    assert wanted[0] == 1
    assert stage.bank.wanted()[0] == 0.5


def test_a_player_that_stands_still_begins_with_the_new_bank() -> None:
    """There is no bar line to wait for."""
    stage = Stage(beat({"kick": [0]}))
    stage.ticks(48)
    stage.player.bank = bank_of(beat({"snare": [0]}))
    stage.lock()
    stage.bars(0.9)
    assert by_pitch(stage.finish()).keys() == {SNARE}


def test_after_one_pass_nothing_of_the_old_bank_is_held_in_the_middle_of_a_bar() -> None:
    """Whoever gave the new one can free the old, off the loop."""
    stage = Stage(beat({"kick": [0]}))
    stage.lock()
    stage.bars(0.5)
    before = weakref.ref(stage.bank)
    stage.player.bank = bank_of(beat({"snare": [0]}))
    stage.player.step()
    del stage.bank
    assert before() is None
