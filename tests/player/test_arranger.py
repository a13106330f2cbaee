"""Mute, solo, lock, break, half and double time: on the boundary of a change, and not before."""

import numpy as np
import pytest

from livevae.clock.timeline import NS_PER_MS
from livevae.parameters import PARAMETERS, POSITION, QUANTA
from livevae.pattern.pattern import VOICES
from tests.player.stage import PITCH, Stage, beat
from tests.player.test_fills import steps_of

ALL = list(range(16))
KICK, SNARE, HAT = PITCH["kick"], PITCH["snare"], PITCH["closed_hat"]
LEFT = beat({"kick": ALL, "closed_hat": ALL})
RIGHT = beat({"snare": ALL})
BOUNDARIES = [("step", 21), ("beat", 24), ("bar", 32), ("2 bars", 32), ("4 bars", 64)]


def stage_at_left(quantize: str) -> Stage:
    """Return a stage where x = 0 is kicks and hats, x = 1 snares."""
    number = PARAMETERS["change.quantize"].to_float(quantize)
    stage = Stage(LEFT, controls={"x": 0.0, "change.quantize": number})
    for x, pattern in ((0.0, LEFT), (1.0, RIGHT)):
        at = np.zeros(len(POSITION), np.float32)
        at[:2] = x, 0.5
        stage.bank.answer(at, pattern)
    return stage


def played_with(quantize: str, *commands: tuple[str, float]) -> dict[int, list[int]]:
    """Return the steps of each pitch when commands come half a step before step 21."""
    stage = stage_at_left(quantize)
    downbeat_ns = stage.lock()
    stage.ticks(21 * 6 - 3)
    for command in commands:
        stage.player.command(*command)
    stage.bars(3)
    return steps_of(stage, downbeat_ns)


@pytest.mark.parametrize(("quantize", "boundary"), BOUNDARIES)
def test_a_mute_is_heard_from_the_boundary_on(quantize: str, boundary: int) -> None:
    """And the others play on."""
    played = played_with(quantize, ("closed_hat.mute", 1.0))
    assert played[HAT] == list(range(min(boundary, len(played[KICK]))))
    assert len(played[KICK]) > 64


@pytest.mark.parametrize(("quantize", "boundary"), BOUNDARIES)
def test_a_solo_leaves_its_voice_alone_from_the_boundary_on(quantize: str, boundary: int) -> None:
    """The hat goes on."""
    played = played_with(quantize, ("closed_hat.solo", 1.0))
    assert played[KICK] == list(range(min(boundary, len(played[HAT]))))


@pytest.mark.parametrize(("quantize", "boundary"), BOUNDARIES)
def test_a_locked_voice_stays_while_the_rest_changes(quantize: str, boundary: int) -> None:
    """Also through the next change, on the same boundary as the lock itself."""
    played = played_with(quantize, ("kick.lock", 1.0), ("x", 1.0))
    assert played[KICK] == list(range(len(played[KICK])))
    assert len(played[KICK]) > 64
    assert played[HAT] == list(range(boundary))
    assert played[SNARE] == list(range(boundary, len(played[KICK])))


def test_a_lock_that_is_released_lets_the_voice_change() -> None:
    """On the boundary."""
    stage = stage_at_left("bar")
    downbeat_ns = stage.lock()
    stage.bars(0.5)
    stage.player.command("kick.lock", 1.0)
    stage.player.command("x", 1.0)
    stage.bars(1)
    stage.player.command("kick.lock", 0.0)
    stage.bars(1)
    played = steps_of(stage, downbeat_ns)
    assert played[KICK] == list(range(32))


def test_a_lock_holds_where_the_song_jumps() -> None:
    """A loop does not unlock it."""
    stage = stage_at_left("bar")
    downbeat_ns = stage.lock()
    stage.ticks(6 * 8)
    stage.player.command("kick.lock", 1.0)
    stage.player.command("x", 1.0)
    stage.bars(1)
    stage.pass_until(stage.next_tick_ns - 2 * NS_PER_MS)
    stage.hear(0xFA)
    stage.bars(1)
    played = steps_of(stage, downbeat_ns)
    assert max(played[KICK]) >= 38
    assert max(played[SNARE]) >= 38
    assert max(played[HAT]) == 15


def test_a_break_is_silence_from_one_boundary_to_another() -> None:
    """Pressed and released in the middle of bars."""
    stage = stage_at_left("bar")
    downbeat_ns = stage.lock()
    stage.bars(0.5)
    stage.player.command("break", 1.0)
    stage.bars(1)
    stage.player.command("break", 0.0)
    stage.bars(1.2)
    played = steps_of(stage, downbeat_ns)
    assert played[KICK] == [*range(16), *range(32, max(played[KICK]) + 1)]
    assert played[HAT] == played[KICK]


@pytest.mark.parametrize(
    ("control", "value", "steps"),
    [
        ("time", 0.0, [0, 4, 8, 16, 32, 40, 48]),
        ("time", 2.0, [0, 4, 8, 16, 18, 20, 24, 26, 28, 32]),
        ("rotate", 3.0, [0, 4, 8, 19, 23, 27, 35]),
        ("rotate", -2.0, [0, 4, 8, 18, 22, 30, 34]),
    ],
)
def test_time_and_rotation_change_on_the_boundary(
    control: str, value: float, steps: list[int]
) -> None:
    """Of a bar with kicks on three beats."""
    stage = Stage(beat({"kick": [0, 4, 8]}))
    downbeat_ns = stage.lock()
    stage.ticks(6 * 10)
    stage.player.command(control, value)
    stage.bars(3)
    played = steps_of(stage, downbeat_ns)[KICK]
    assert played[: len(steps)] == steps


def test_freeze_keeps_what_plays_until_it_is_off() -> None:
    """However the knob turns."""
    stage = stage_at_left("bar")
    downbeat_ns = stage.lock()
    stage.bars(0.5)
    stage.player.command("freeze", 1.0)
    stage.player.command("x", 1.0)
    stage.bars(2)
    stage.player.command("freeze", 0.0)
    stage.bars(1)
    played = steps_of(stage, downbeat_ns)
    assert played[KICK] == list(range(48))
    assert min(played[SNARE]) == 48


@pytest.mark.parametrize("quantum", QUANTA)
def test_nothing_is_made_anew_while_nothing_changes(quantum: int) -> None:
    """A pass that finds the same wants finds the same choice: it renders no bar again."""
    number = float(QUANTA.index(quantum))
    stage = Stage(
        LEFT, controls={"change.quantize": number, **{f"{voice}.lock": 1.0 for voice in VOICES[:4]}}
    )
    stage.player.command("kick.mute", 1.0)
    stage.lock()
    stage.bars(1.3)
    arranger = stage.player._arranger
    step = stage.player._scheduler.next_step()
    choices = [arranger.at(at) for at in (step, 32)]
    for _ in range(5):
        assert [arranger.at(at) for at in (step, 32)] == choices
