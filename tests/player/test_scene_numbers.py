"""The control ``scene``: a pad or a program change goes back to a scene."""

from livevae.midi.binding import Binding
from livevae.parameters import PARAMETERS
from tests.player.stage import PITCH, Stage, beat

BEAT = beat({"kick": [0, 8], "snare": [4, 12], "ride": [2, 10]})
NO_SNARE, NO_KICK = (("snare.mute", 1.0), ("kick.mute", 0.0)), (("kick.mute", 1.0),)


def stage() -> Stage:
    """Return a stage with two scenes and a knob that recalls them."""
    made = Stage(BEAT, bindings={"scene": Binding(30)})
    made.player.scenes = (NO_SNARE, NO_KICK)
    return made


def test_a_scene_is_recalled_by_its_number_as_often_as_it_is_asked_for() -> None:
    """What the hands did meanwhile is gone; undo brings it back, in one step."""
    playing = stage()
    downbeat_ns = playing.lock()
    playing.control(30, 0)
    playing.bars(0.95)
    playing.player.command("snare.mute", 0.0)
    playing.bars(1)
    playing.control(30, 0)
    playing.bars(1)
    playing.player.command("undo", 1.0)
    playing.bars(1)
    snares = [
        int((note.on_ns - downbeat_ns) // playing.bar_ns)
        for note in playing.finish()
        if note.pitch == PITCH["snare"]
    ]
    assert snares == [1, 1, 3, 3]


def test_a_number_without_a_scene_changes_nothing() -> None:
    """There are two."""
    playing = stage()
    playing.control(30, 2)
    values = playing.player.status().values
    assert (values["snare.mute"], values["kick.mute"], values["scene"]) == (0, 0, 3)


def test_program_change_n_is_scene_n_plus_one() -> None:
    """As hardware counts them."""
    assert [PARAMETERS["scene"].from_unit(n / 127) for n in (0, 1, 127)] == [1, 2, 128]
