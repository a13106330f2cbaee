"""Undo and redo: back to that beat."""

from hypothesis import given, settings
from hypothesis import strategies as st

from livevae.clock.timeline import NS_PER_MS
from livevae.parameters import BEAT, PARAMETERS, POSITION
from livevae.player.history import DEPTH, History
from livevae.player.performance import Performance
from tests.player.stage import PITCH, Stage, beat

REST_NS = 300 * NS_PER_MS
"""More than half a beat at 120 BPM."""


class Hands:
    """Hands on the knobs of a stage where time passes, and nothing plays."""

    def __init__(self) -> None:
        """Have moved nothing."""
        self.stage = Stage(beat({"kick": [0]}))

    def turn(self, name: str, number: float, rest_ns: int = REST_NS) -> None:
        """Set a control, and rest."""
        self.stage.player.command(name, number)
        self.stage.pass_until(self.stage.port.now_ns() + rest_ns)

    def pull(self, trigger: str) -> None:
        """Pull a trigger."""
        self.turn(trigger, 1.0, NS_PER_MS)

    @property
    def values(self) -> dict[str, float]:
        """What the controls are at."""
        return self.stage.player.status().values


def test_undo_goes_back_a_step_and_redo_forward() -> None:
    """And no further than there are steps."""
    hands = Hands()
    hands.turn("x", 0.1)
    hands.turn("swing", 60.0)
    hands.pull("undo")
    assert (hands.values["x"], hands.values["swing"]) == (0.1, 50)
    hands.pull("undo")
    hands.pull("undo")
    assert hands.values["x"] == PARAMETERS["x"].default
    for _ in range(3):
        hands.pull("redo")
    assert (hands.values["x"], hands.values["swing"]) == (0.1, 60)


def test_a_sweep_is_one_step_and_one_that_is_under_way_is_undone_whole() -> None:
    """A hand comes to rest when it moves nothing for half a beat."""
    hands = Hands()
    hands.turn("x", 0.1)
    for number in range(20):
        hands.turn("x", 0.2 + number / 100, 50 * NS_PER_MS)
    hands.pull("undo")
    assert hands.values["x"] == 0.1
    hands.pull("undo")
    assert hands.values["x"] == PARAMETERS["x"].default


def test_what_is_set_at_once_is_one_step_apart_from_the_hand_that_is_moving() -> None:
    """A scene in the middle of a sweep."""
    hands = Hands()
    hands.turn("x", 0.1, NS_PER_MS)
    hands.stage.player.change((("x", 0.9), ("y", 0.9)))
    hands.turn("swing", 60.0, NS_PER_MS)
    hands.pull("undo")
    assert [hands.values[name] for name in ("x", "y", "swing")] == [0.9, 0.9, 50]
    hands.pull("undo")
    assert [hands.values[name] for name in ("x", "y", "swing")] == [0.1, 0.5, 50]


def test_a_new_change_after_an_undo_forgets_what_was_undone() -> None:
    """There is one way forward."""
    hands = Hands()
    hands.turn("x", 0.1)
    hands.pull("undo")
    hands.turn("x", 0.3)
    hands.pull("redo")
    assert hands.values["x"] == 0.3


def test_the_clock_and_the_way_of_working_are_left_alone() -> None:
    """Undo brings back a beat, not a tempo."""
    hands = Hands()
    hands.turn("x", 0.1)
    hands.turn("bpm", 90.0)
    hands.turn("change.quantize", 0.0)
    hands.pull("undo")
    assert hands.values["x"] == PARAMETERS["x"].default
    assert (hands.values["bpm"], hands.values["change.quantize"]) == (90, 0)


def test_sixty_four_steps_are_kept() -> None:
    """The oldest are forgotten."""
    performance = Performance({})
    history = History(performance.values)
    for number in range(1, DEPTH + 11):
        performance.set("x", number / 1000)
        history.rest(performance.values)
    for _ in range(DEPTH):
        last = history.undo(performance.values)
        performance.set("x", last["x"])
    assert last["x"] == 10 / 1000
    assert history.undo(performance.values)["x"] == 10 / 1000


def test_what_sounds_after_do_and_undo_is_what_sounded_before() -> None:
    """The same notes at the same places of the bar."""
    stage = Stage(beat({"kick": [0, 8], "snare": [4, 12]}))
    downbeat_ns = stage.lock()
    stage.bars(1.5)
    stage.player.change((("snare.mute", 1.0), ("swing", 70.0), ("x", 0.9)))
    stage.bars(1)
    stage.player.command("undo", 1.0)
    stage.bars(2.5)
    bars: dict[int, list[tuple[int, int]]] = {}
    for note in stage.finish():
        bar, at_ns = divmod(note.on_ns - downbeat_ns, round(stage.bar_ns))
        bars.setdefault(bar, []).append((round(at_ns / NS_PER_MS), note.pitch))
    assert bars[3] == bars[4] == bars[0]
    assert len(bars[0]) == 4
    assert PITCH["snare"] not in [pitch for _, pitch in bars[2]]


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.lists(st.tuples(st.sampled_from(BEAT), st.floats(0, 1)), min_size=1, max_size=4),
        min_size=1,
        max_size=DEPTH,
    )
)
def test_to_undo_all_and_redo_all_passes_the_same_beats(
    steps: list[list[tuple[str, float]]],
) -> None:
    """Whatever was turned: position and feel too."""
    performance = Performance({})
    history = History(performance.values)
    seen = [dict(performance.values)]
    for step in steps:
        for name, unit in step:
            performance.set(name, PARAMETERS[name].from_unit(unit))
        history.rest(performance.values)
        if performance.values != seen[-1]:
            seen.append(dict(performance.values))
    for go, expected in ((history.undo, seen[-2::-1]), (history.redo, seen[1:])):
        for values in expected:
            for name, number in go(performance.values).items():
                performance.set(name, number)
            assert performance.values == values
            fresh = Performance(values)
            assert performance.feel == fresh.feel
            assert performance.position.tobytes() == fresh.position.tobytes()
    assert len(performance.position) == len(POSITION)
