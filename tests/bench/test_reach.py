"""What is to be reached: the bound itself is enough, a hair more is not."""

from __future__ import annotations

import msgspec
import pytest

from livevae.bench.cases import CASES
from livevae.bench.reach import CPU, RULES, reaches
from livevae.bench.score import MS_PER_FRAME, Timing

NOTHING: dict[str, Timing] = {}
GOOD = Timing.of([0.0] * 9)


def verdicts(name: str, timing: Timing, floor: dict[str, Timing] = NOTHING) -> list[bool | None]:
    return [row.reached for row in reaches({name: timing}, floor)]


def with_figures(timing: Timing, **figures: float) -> Timing:
    return msgspec.structs.replace(timing, figures=figures)


def test_every_rule_is_for_a_case() -> None:
    assert RULES.keys() <= CASES.keys()


@pytest.mark.parametrize("name", ["steady_jack_1024", "busy_steady_jack_64"])
def test_steady_on_jack_is_a_matter_of_frames(name: str) -> None:
    frame = MS_PER_FRAME
    assert verdicts(name, Timing.of([-frame, frame] * 9)) == [True]
    assert verdicts(name, Timing.of([-1.1 * frame, 1.1 * frame] * 9)) == [False]
    assert verdicts(name, Timing.of([*[0.0] * 99, 2 * frame])) == [True]
    assert verdicts(name, Timing.of([*[0.0] * 99, 2.1 * frame])) == [False]


def test_the_player_may_take_a_twentieth_of_a_core() -> None:
    name = "steady_jack_64"
    assert verdicts(name, with_figures(GOOD, **{CPU: 5.0})) == [True, True]
    assert verdicts(name, with_figures(GOOD, **{CPU: 5.1})) == [True, False]
    assert verdicts(name, GOOD) == [True, None], "a system that does not tell"


def test_rtmidi_is_held_against_the_floor_of_the_machine() -> None:
    name, floor = "steady_rtmidi", {"steady_rtmidi": Timing.of([0.5] * 9)}
    bound = 64 * MS_PER_FRAME + 1
    assert verdicts(name, Timing.of([bound] * 9), floor) == [True]
    assert verdicts(name, Timing.of([bound + 0.01] * 9), floor) == [False]
    assert verdicts(name, Timing.of([bound] * 9)) == [None]


def test_busy_rtmidi_is_held_against_itself_when_idle() -> None:
    busy = Timing.of([2.0] * 9)
    for idle_ms, reached in ((1.0, True), (0.9, False)):
        results = {"steady_rtmidi": Timing.of([idle_ms] * 9), "busy_steady_rtmidi": busy}
        assert reaches(results, {})[-1].reached is reached
    assert verdicts("busy_steady_rtmidi", busy) == [None]


@pytest.mark.parametrize("name", ["jitter", "busy_jitter"])
def test_jitter_is_judged_by_its_spread(name: str) -> None:
    assert verdicts(name, Timing.of([-0.14, 0.14] * 9)) == [True]
    assert verdicts(name, Timing.of([-0.16, 0.16] * 9)) == [False]


@pytest.mark.parametrize("name", ["dropout", "busy_dropout"])
def test_a_drop_out_must_lose_no_note(name: str) -> None:
    back = with_figures(GOOD, on_return_ms=0.5)
    assert verdicts(name, back) == [True]
    assert verdicts(name, msgspec.structs.replace(back, missed=1)) == [False]
    assert verdicts(name, with_figures(GOOD, on_return_ms=0.51)) == [False]


@pytest.mark.parametrize(
    ("name", "figure", "bound"),
    [("jump", "from_one_beat_after_ms", 1.0), ("start", "first_downbeat_ms", 64 * MS_PER_FRAME)],
)
def test_a_jump_and_a_start_are_judged_where_they_matter(
    name: str, figure: str, bound: float
) -> None:
    assert verdicts(name, with_figures(GOOD, **{figure: bound})) == [True]
    assert verdicts(name, with_figures(GOOD, **{figure: bound + 0.01})) == [False]


def test_silence_reaches_nothing() -> None:
    silence = Timing.of([], missed=10)
    assert verdicts("jitter", silence) == [False]
    assert verdicts("steady_jack_1024", silence) == [False]
    assert verdicts("jump", with_figures(silence, from_one_beat_after_ms=float("nan"))) == [False]
