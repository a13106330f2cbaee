"""Which notes a script asks for."""

from __future__ import annotations

from livevae.bench import scripts
from livevae.bench.meant import KIT, meant, sixteenths
from tests.player.stage import PITCH, beat

KICK, SNARE = PITCH["kick"], PITCH["snare"]


def test_every_bar_asks_for_the_hits_of_its_pattern() -> None:
    script = scripts.steady(6)
    expected = {(16 * bar + step, KICK) for bar in range(6) for step in (0, 8)}
    asked = meant(script, [beat({"kick": [0, 8]})])
    assert asked.must == asked.may == expected


def test_a_pattern_of_two_bars_takes_turns() -> None:
    script = scripts.steady(6)
    asked = meant(script, [beat({"kick": [0], "snare": [20]}, bars=2)])
    assert asked.must == {(32 * turn, KICK) for turn in range(3)} | {
        (32 * turn + 20, SNARE) for turn in range(3)
    }


def test_of_several_patterns_only_what_all_play_must_sound() -> None:
    script = scripts.steady(6)
    asked = meant(script, [beat({"kick": [0, 4]}), beat({"kick": [0], "snare": [8]})])
    assert {cell for cell in asked.must if cell[0] < 16} == {(0, KICK)}
    assert {cell for cell in asked.may if cell[0] < 16} == {(0, KICK), (4, KICK), (8, SNARE)}


def test_after_another_start_the_song_begins_again() -> None:
    script = scripts.start(6)
    asked = meant(script, [beat({"kick": [0], "snare": [20]}, bars=2)])
    assert asked.must == {(32 * turn, KICK) for turn in range(3)} | {
        (32 * turn + 20, SNARE) for turn in range(3)
    }


def test_references_play_their_note_on_every_step() -> None:
    script = scripts.steady(6)
    assert sixteenths(script, 76).must == {(step, 76) for step in range(96)}
    assert 76 not in KIT
    assert 77 not in KIT
