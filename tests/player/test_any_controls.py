"""Whatever is done with the controls of voices, feel and form, in any order."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from livevae.clock.timeline import NS_PER_MS
from livevae.decoder.hand import filled
from livevae.parameters import PARAMETERS, POSITION, QUANTA
from livevae.pattern.pattern import N_VOICES, OFFSET, VOICES, Pattern
from tests.player.stage import KIT, START, STOP, Stage, beat

thorough = settings(max_examples=40, deadline=None, database=None, derandomize=True)

FORM = ("break", "time", "rotate", "freeze", "fill.now", "fill.hold", "fill.every", "fill.length")
FEEL = ("density", "humanize", "timing", "dynamics", "swing", "accent", "chaos")
PARTS = ("mute", "solo", "lock", "density", "level")
PLAYED = (
    *("x", "attribute.fill", "change.quantize"),
    *FORM,
    *FEEL,
    *(f"{voice}.{part}" for voice in VOICES for part in PARTS),
)


def turns(name: str) -> st.SearchStrategy[tuple[str, float]]:
    """Return values of a control as a knob gives them."""
    return st.integers(0, 127).map(lambda value: (name, PARAMETERS[name].from_unit(value / 127)))


def random_pattern(seed: int) -> Pattern:
    """Return two bars of random probabilities, velocities and offsets."""
    pattern = np.random.default_rng(seed).random((32, N_VOICES, 3)).astype(np.float32)
    pattern[..., OFFSET] -= 0.5
    return pattern


PASSES = st.integers(1, 300)
MOVES = st.lists(
    st.tuples(st.sampled_from(PLAYED).flatmap(turns), PASSES, st.booleans()), max_size=30
)


@thorough
@given(st.integers(0, 2**32 - 1), MOVES)
def test_notes_end_once_never_overlap_and_every_byte_is_midi(
    seed: int, moves: list[tuple[tuple[str, float], int, bool]]
) -> None:
    """Through stops and starts as well; the ledger checks each note."""
    stage = Stage(
        random_pattern(seed), controls={"humanize": 100.0}, seed=seed, pass_ns=9 * NS_PER_MS
    )
    at = np.array([PARAMETERS[name].default for name in POSITION], np.float32)
    stage.bank.answer(filled(at), random_pattern(seed + 1))
    stage.lock(1)
    for (name, value), ticks, restarts in moves:
        stage.player.command(name, value)
        stage.ticks(ticks)
        if restarts and ticks % 5 == 0:
            stage.hear(START if ticks % 2 else STOP)
    stage.finish()
    for _, message in stage.port.sent():
        assert message[0] >= 0x80
        assert all(0 <= byte < 0x80 for byte in message[1:])


SWITCHES = [
    *(f"{voice}.{what}" for voice in VOICES for what in ("mute", "solo")),
    "break",
]


@thorough
@given(
    st.sampled_from(range(len(QUANTA))),
    st.lists(st.tuples(st.sampled_from(SWITCHES), st.booleans(), st.integers(1, 60)), max_size=20),
)
def test_who_plays_changes_on_the_boundaries_alone_and_on_each_is_what_was_asked(
    quantize: int, switches: list[tuple[str, bool, int]]
) -> None:
    """Every voice on every step: who is heard is known for each of them."""
    everything = {voice: list(range(16)) for voice in VOICES if voice != "open_hat"}
    stage = Stage(beat(everything), controls={"change.quantize": float(quantize)})
    downbeat_ns = stage.lock()
    stage.ticks(3)  # half a step from every line
    asked: list[tuple[int, str, bool]] = []
    ticks = 3
    for name, on, steps in switches:
        stage.player.command(name, float(on))
        asked.append((ticks, name, on))
        stage.ticks(6 * steps)
        ticks += 6 * steps
    step_ns = stage.bar_ns / 16
    heard: dict[int, set[int]] = {}
    for note in stage.finish():
        heard.setdefault(round((note.on_ns - downbeat_ns) / step_ns), set()).add(note.pitch)
    for step in range(ticks // 6):
        boundary = step // QUANTA[quantize] * QUANTA[quantize]
        values = dict.fromkeys(SWITCHES, False)
        values.update({name: on for tick, name, on in asked if tick <= 6 * boundary})
        soloists = [voice for voice in VOICES if values[f"{voice}.solo"]]
        sounding = {
            KIT[VOICES.index(voice)]
            for voice in everything
            if not values["break"]
            and not values[f"{voice}.mute"]
            and (not soloists or voice in soloists)
        }
        assert heard.get(step, set()) == sounding, step
