"""Where in the song a change is heard, and how the decoder is given the time for it."""

import numpy as np
import pytest

from livevae.clock.timeline import NS_PER_MS
from livevae.decoder.bank import Position
from livevae.parameters import PARAMETERS, POSITION
from livevae.pattern.pattern import STEPS_PER_BAR
from livevae.player.player import LONGEST_REST_NS
from tests.player.stage import PITCH, Stage, beat

ALL = list(range(STEPS_PER_BAR))
LEFT, RIGHT = beat({"kick": ALL}), beat({"snare": ALL})
DECODE_NS = 8 * NS_PER_MS


class Decoder:
    """Answers the position wanted last, some time after it has looked."""

    def __init__(self, stage: Stage) -> None:
        """Be idle."""
        self._stage = stage
        self._busy: tuple[int, Position] | None = None
        self.answered: list[float] = []

    def work(self) -> None:
        """Finish what is done by now, and begin with what is wanted by now."""
        now_ns = self._stage.port.now_ns()
        if self._busy and now_ns >= self._busy[0]:
            x = float(self._busy[1][0])
            self._stage.bank.answer(self._busy[1], RIGHT if x > 0.5 else LEFT)
            self.answered.append(x)
            self._busy = None
        wanted = self._stage.bank.wanted()
        if self._busy is None and wanted is not None and wanted[0] not in self.answered[-1:]:
            self._busy = (now_ns + DECODE_NS, wanted)


def stage_with_answers(quantize: str, tempo_bpm: float = 120.0) -> Stage:
    """Return a stage where x = 0 is kicks, x = 1 snares, and both are exact."""
    index = PARAMETERS["change.quantize"].to_float(quantize)
    stage = Stage(LEFT, controls={"x": 0.0, "change.quantize": index})
    stage.bpm = tempo_bpm
    for x, pattern in ((0.0, LEFT), (1.0, RIGHT)):
        at = np.zeros(len(POSITION), np.float32)
        at[:2] = x, 0.5
        stage.bank.answer(at, pattern)
    return stage


def first_step_of(pitch: int, stage: Stage, downbeat_ns: int, begins: int = 0) -> int:
    """Stop, and return the step of the song on which ``pitch`` is first heard."""
    step_ns = stage.bar_ns / STEPS_PER_BAR
    first_ns = min(note.on_ns for note in stage.finish() if note.pitch == pitch)
    return begins + round((first_ns - downbeat_ns) / step_ns)


@pytest.mark.parametrize(
    ("quantize", "heard_at"),
    [("step", 21), ("beat", 24), ("bar", 32), ("2 bars", 32), ("4 bars", 64), ("8 bars", 128)],
)
def test_a_change_is_heard_on_the_next_boundary_of_change_quantize(
    quantize: str, heard_at: int
) -> None:
    """The knob is turned half a step before step 21 of the song."""
    stage = stage_with_answers(quantize)
    downbeat_ns = stage.lock()
    stage.ticks(21 * 6 - 2)
    stage.control(20, 127)
    stage.bars(8)
    assert first_step_of(PITCH["snare"], stage, downbeat_ns) == heard_at


def test_every_step_is_played_once_when_the_pattern_changes_with_each_of_them() -> None:
    """No hit is lost or doubled where one pattern takes over from another."""
    stage = stage_with_answers("step")
    downbeat_ns = stage.lock()
    for turn in range(32):
        stage.ticks(6)
        stage.control(20, 127 * (turn % 2))
    played = stage.finish()
    steps = [round((note.on_ns - downbeat_ns) / stage.bar_ns * 16) for note in played]
    assert steps == list(range(len(steps)))
    assert len(steps) >= 32
    assert {note.pitch for note in played} == {PITCH["kick"], PITCH["snare"]}


def test_where_the_song_jumps_to_the_hand_is_heard_at_once() -> None:
    """A loop of one bar that never reaches a boundary of eight still follows the hand."""
    stage = stage_with_answers("8 bars")
    stage.lock()
    stage.bars(1)
    stage.control(20, 127)
    stage.hear(0xFC)
    stage.hear(0xF2, 3 * 16, 0)
    stage.hear(0xFB)
    stage.next_tick_ns = stage.port.now_ns() + stage.tick_ns
    downbeat_ns = round(stage.next_tick_ns)
    stage.bars(0.5)
    assert first_step_of(PITCH["snare"], stage, downbeat_ns, begins=48) == 48


@pytest.mark.parametrize("bpm", [90.0, 174.0, 300.0])
def test_a_hand_that_never_rests_is_answered_exactly_at_every_step(bpm: float) -> None:
    """It is read some time before each boundary, and the decoder has until then."""
    stage = stage_with_answers("step", bpm)
    decoder = Decoder(stage)
    stage.lock()
    stage.bars(0.9)
    for tick in range(4 * 96):
        for part in range(2):
            stage.control(20, (tick * 2 + part) * 7 % 128)
            decoder.work()
            stage.pass_until(stage.port.now_ns() + stage.tick_ns / 4)
            decoder.work()
        stage.ticks(1)
        decoder.work()
    assert set(stage.counts()) == {"exact"}
    assert len(set(decoder.answered)) > 32


def test_a_bar_is_counted_by_the_worst_of_what_it_played() -> None:
    """One step from the grid, fifteen exact: a grid bar."""
    stage = stage_with_answers("step")
    stage.lock()
    stage.bars(1.5)
    stage.control(20, 64)
    stage.ticks(6)
    stage.control(20, 127)
    stage.bars(1.3)
    stage.finish()
    assert stage.counts() == {"exact": 2, "grid": 1}


def test_the_player_rests_until_there_is_something_to_send_but_never_for_long() -> None:
    """One hit a bar: the passes between are for what nobody announces."""
    stage = Stage(beat({"kick": [0]}), controls={"clock": 1.0})
    rests_ns = []
    for _ in range(200):
        now_ns = stage.port.now_ns()
        rests_ns.append(stage.player.step() - now_ns)
        stage.port.advance(now_ns + rests_ns[-1])
    assert max(rests_ns) == LONGEST_REST_NS
    assert np.mean(rests_ns) > 0.9 * LONGEST_REST_NS
    late_ns = [sent_ns - time_ns for sent_ns, time_ns, _ in stage.port._outgoing]
    assert max(late_ns) == 0
