"""The way to a scene, and how undo, a hand and a jump of the song treat it."""

import pytest

from tests.player.stage import Stage, beat

SCENE = (("x", 1.0), ("axis.1", 0.5), ("swing", 60.0))


def stage(bars: float) -> Stage:
    """Return a stage on its way to the scene since the middle of bar 1."""
    made = Stage(beat({"kick": [0]}), controls={"x": 0.0, "morph": bars})
    made.lock()
    made.bars(1.5)
    made.player.change(SCENE)
    made.ticks(1)
    return made


def x_of(made: Stage) -> float:
    """Return what the control ``x`` shows."""
    return made.player.status().values["x"]


def test_a_scene_is_reached_over_the_bars_of_morph_from_the_next_boundary_on() -> None:
    """A quarter of the way for each bar that can still be changed; the feel is there at once."""
    made = stage(4)
    shown = [x_of(made)]
    for _ in range(5):
        made.bars(1)
        shown.append(x_of(made))
    assert shown == pytest.approx([0.0, 0.25, 0.5, 0.75, 1.0, 1.0])
    values = made.player.status().values
    assert (values["axis.1"], values["swing"]) == (0.5, 60.0)


def test_without_morph_a_scene_is_there_at_once() -> None:
    """As before there was any."""
    assert x_of(stage(0)) == 1.0


@pytest.mark.parametrize("bars", [1.0, 6.0], ids=["on its way", "arrived"])
def test_undo_takes_the_whole_way_back_as_one_step_and_stays(bars: float) -> None:
    """Redo goes forward again."""
    made = stage(4)
    made.bars(bars)
    reached = x_of(made)
    made.player.command("undo", 1.0)
    made.bars(2)
    values = made.player.status().values
    assert (values["x"], values["axis.1"], values["swing"]) == (0.0, 0.0, 50.0)
    made.player.command("redo", 1.0)
    made.bars(1)
    assert x_of(made) == reached


def test_a_hand_on_the_way_takes_over() -> None:
    """Where it puts the control it stays."""
    made = stage(4)
    made.bars(2)
    made.player.command("x", 0.1)
    made.bars(4)
    assert x_of(made) == pytest.approx(0.1)


def test_where_the_song_jumps_the_scene_is_reached() -> None:
    """What was to be on the way lies elsewhere in the song."""
    made = stage(4)
    made.hear(0xFC)
    made.hear(0xFA)
    made.ticks(2)
    assert x_of(made) == 1.0
