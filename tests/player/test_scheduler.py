"""Notes: when they end, and that each begins exactly once, whatever the song does."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livevae.clock.timeline import NS_PER_MINUTE, NS_PER_MS, Timeline
from livevae.midi.memory_port import MemoryPort
from livevae.pattern.pattern import N_VOICES, OFFSET, ONSET, VELOCITY, VOICES, Pattern, empty
from livevae.pattern.quantised import dequantised, quantised
from livevae.pattern.render import Feel, Hit, render
from livevae.player.bar import Choice
from livevae.player.notes import REST_NS, NoteBook
from livevae.player.scheduler import NOTE_STEPS, Scheduler
from tests.player.gear import played
from tests.player.ledger import NOTE_OFF, NOTE_ON, SYSTEM, Note, by_pitch, notes
from tests.player.stage import KIT, PITCH, START, STOP, Stage, beat

INTERNAL = {"clock": 1.0}
BAR_NS = 2000 * NS_PER_MS
EARLY = beat({"kick": [0]}, offset=-0.4)
thorough = settings(max_examples=120, deadline=None, database=None, derandomize=True)


def heard(stage: Stage) -> list[Note]:
    """Stop the internal clock and return the notes, checked."""
    stage.player.command("play", 0.0)
    stage.player.step()
    stage.pass_until(stage.port.now_ns() + 100 * NS_PER_MS)
    return notes(stage.port.sent())


def lengths_steps(stage: Stage, voice: str, bpm: float = 120.0) -> list[float]:
    """Return how many 16ths each note of a voice lasted."""
    step_ns = NS_PER_MINUTE / bpm / 4
    return [(n.off_ns - n.on_ns) / step_ns for n in heard(stage) if n.pitch == PITCH[voice]]


@pytest.mark.parametrize("bpm", [20.0, 120.0, 300.0])
def test_drums_last_a_sixteenth_and_cymbals_ring(bpm: float) -> None:
    """At any tempo."""
    for voice, steps in zip(VOICES, NOTE_STEPS, strict=True):
        stage = Stage(beat({voice: [0]}), controls=INTERNAL | {"bpm": bpm})
        stage.pass_until(0.9 * BAR_NS * 120 / bpm)
        assert lengths_steps(stage, voice, bpm) == [pytest.approx(steps, abs=1e-4)]


def test_a_closed_hat_stops_the_open_hat_at_its_onset() -> None:
    """And leaves every other voice alone."""
    pattern = beat({"open_hat": [2], "crash": [2], "closed_hat": [4]})
    stage = Stage(pattern, controls=INTERNAL)
    stage.pass_until(0.95 * BAR_NS)
    played_notes = {note.pitch: note for note in heard(stage)}
    closed = played_notes[PITCH["closed_hat"]]
    assert played_notes[PITCH["open_hat"]].off_ns == closed.on_ns
    assert played_notes[PITCH["crash"]].off_ns > closed.on_ns


def test_an_open_hat_is_not_stopped_by_a_closed_one_before_it_or_with_it() -> None:
    """No note of no length; the next closed hat stops it."""
    stage = Stage(beat({"open_hat": [4], "closed_hat": [3, 4, 7]}), controls=INTERNAL)
    stage.pass_until(0.95 * BAR_NS)
    assert lengths_steps(stage, "open_hat") == [pytest.approx(3, abs=1e-4)]


def test_a_closed_hat_across_the_bar_line_stops_the_open_one_before_it() -> None:
    """The bars are rendered apart; the hi-hat is one."""
    stage = Stage(beat({"open_hat": [14], "closed_hat": [0]}), controls=INTERNAL)
    stage.pass_until(1.5 * BAR_NS)
    assert lengths_steps(stage, "open_hat") == [pytest.approx(2, abs=1e-4)]


def test_a_muted_closed_hat_stops_nothing() -> None:
    """What is not played chokes nothing."""
    stage = Stage(
        beat({"open_hat": [2], "closed_hat": [4]}), controls=INTERNAL | {"closed_hat.mute": 1.0}
    )
    stage.pass_until(0.95 * BAR_NS)
    assert lengths_steps(stage, "open_hat") == [pytest.approx(4, abs=1e-4)]


@pytest.mark.parametrize("bpm", [20.0, 61.0, 300.0])
def test_an_early_first_hit_sounds_before_every_bar_line_but_the_first(bpm: float) -> None:
    """0.4 of a 16th ahead, at the ends of the tempo range too; each bar is fetched in time."""
    stage = Stage(EARLY, controls={"humanize": 100.0})
    stage.bpm = bpm
    downbeat_ns = stage.lock()
    stage.bars(3.9)
    struck = np.array(by_pitch(stage.finish())[PITCH["kick"]])
    assert struck[0] == pytest.approx(downbeat_ns, abs=NS_PER_MS)
    early_steps = (downbeat_ns + np.arange(4) * stage.bar_ns - struck) / stage.bar_ns * 16
    np.testing.assert_allclose(early_steps[1:], 0.4, atol=0.05)
    assert stage.counts() == {"grid": 4}


@pytest.mark.parametrize("bpm", [20.0, 61.0, 300.0])
def test_an_early_hit_at_the_place_of_a_seek_sounds_there_and_then_ahead(bpm: float) -> None:
    """Song Position 32 and Continue: bar 3's early hit cannot sound before it is known of."""
    stage = Stage(EARLY, controls={"humanize": 100.0})
    stage.bpm = bpm
    stage.ticks(48)
    stage.hear(0xF2, 32, 0)
    stage.hear(0xFB)
    downbeat_ns = stage.next_tick_ns
    stage.bars(1.9)
    struck = np.array(by_pitch(stage.finish())[PITCH["kick"]])
    assert len(struck) == 2
    assert struck[0] == pytest.approx(downbeat_ns, abs=NS_PER_MS)
    early_steps = (downbeat_ns + stage.bar_ns - struck[1]) / stage.bar_ns * 16
    assert early_steps == pytest.approx(0.4, abs=0.05)


def test_an_answer_is_in_time_for_an_early_hit_until_just_before_it() -> None:
    """The next bar's pattern is taken when its first hit is due, not at its bar line."""
    stage = Stage(EARLY, controls={"humanize": 100.0, **INTERNAL})
    line_ns = BAR_NS + stage.port.lead_ns
    stage.pass_until(line_ns - 80 * NS_PER_MS)
    wanted = stage.bank.wanted()
    assert wanted is not None
    stage.bank.answer(wanted, beat({"ride": [0]}, offset=-0.4))
    stage.pass_until(line_ns + 100 * NS_PER_MS)
    assert [note.pitch for note in heard(stage)] == [PITCH["kick"], PITCH["ride"]]


def random_pattern(seed: int, likelihood: float) -> Pattern:
    """Return two bars with hits anywhere, of any velocity and offset that a saved map can hold."""
    rng = np.random.default_rng(seed)
    pattern = empty(2)
    pattern[..., ONSET] = rng.random((32, N_VOICES)) < likelihood
    pattern[..., VELOCITY] = rng.random((32, N_VOICES))
    pattern[..., OFFSET] = rng.uniform(-0.5, 0.5, (32, N_VOICES))
    return dequantised(quantised(pattern))


seeds = st.integers(0, 2**32 - 1)
likelihoods = st.sampled_from([0.02, 0.1, 0.4, 1.0])
feels = st.fixed_dictionaries(
    {"humanize": st.sampled_from([0.0, 60.0, 100.0, 200.0]), "swing": st.floats(50, 75)}
)
tempi = st.floats(20, 300)


def strictly_in_turn(events: list[tuple[int, bytes]]) -> None:
    """Note-ons and note-offs of a pitch take turns: one of each, while nothing is silenced."""
    for pitch in KIT:
        kinds = [m[0] & 0xF0 for _, m in events if m[0] < SYSTEM and m[1] == pitch]
        assert kinds == list(itertools.islice(itertools.cycle([NOTE_ON, NOTE_OFF]), len(kinds)))


def expected(pattern: Pattern, feel: Feel, bars: int) -> list[tuple[float, Hit]]:
    """Return the hits of the first ``bars`` bars at their positions in steps, none before 0."""
    hits = ((16 * bar, hit) for bar in range(bars) for hit in render(pattern, feel, bar, 0))
    return sorted((max(start + hit.at, 0.0), hit) for start, hit in hits)


def merged(hits: list[tuple[float, Hit]], step_ns: float) -> list[tuple[float, Hit]]:
    """Leave out what strikes a drum again within two rests of its last: it is one stroke."""
    last: dict[int, float] = {}
    kept = []
    for at, hit in hits:
        if (at - last.get(hit.voice, -1e9)) * step_ns >= 2 * REST_NS:
            last[hit.voice] = at
            kept.append((at, hit))
    return kept


@thorough
@given(seeds, likelihoods, feels, tempi)
def test_at_a_steady_tempo_the_onsets_are_the_patterns(
    seed: int, likelihood: float, feel: dict[str, float], bpm: float
) -> None:
    """Every hit, at its time and with its velocity, and nothing else."""
    pattern = random_pattern(seed, likelihood)
    stage = Stage(pattern, INTERNAL | feel | {"bpm": bpm}, pass_ns=5 * NS_PER_MS)
    step_ns = NS_PER_MINUTE / bpm / 4
    until_ns = stage.port.lead_ns + 29.3 * step_ns
    stage.pass_until(until_ns + step_ns)
    strictly_in_turn(stage.port.sent())
    found = [note for note in heard(stage) if note.on_ns < until_ns]
    meant = expected(pattern, Feel(humanize=feel["humanize"] / 100, swing=feel["swing"]), 3)
    meant_ns = [
        (stage.port.lead_ns + at * step_ns, KIT[hit.voice], hit.velocity)
        for at, hit in merged(meant, step_ns)
    ]
    wanted = [stroke for stroke in meant_ns if stroke[0] < until_ns]
    assert len(found) == len(wanted)
    for note, (on_ns, pitch, velocity) in zip(
        sorted(found, key=lambda n: (n.pitch, n.on_ns)),
        sorted(wanted, key=lambda w: (w[1], w[0])),
        strict=True,
    ):
        assert (note.pitch, note.velocity) == (pitch, velocity)
        assert note.on_ns == pytest.approx(on_ns, abs=2)


@thorough
@given(seeds, likelihoods, feels, st.lists(st.tuples(tempi, st.integers(1, 900)), max_size=12))
def test_through_tempo_jumps_no_hit_is_lost_or_doubled_or_out_of_place(
    seed: int, likelihood: float, feel: dict[str, float], jumps: list[tuple[float, int]]
) -> None:
    """Every onset lies where its pattern has it between the ticks that gear is sent."""
    pattern = random_pattern(seed, likelihood)
    stage = Stage(pattern, INTERNAL | feel | {"clock_out": 1.0}, pass_ns=4 * NS_PER_MS)
    stage.pass_until(BAR_NS / 2)
    for bpm, pause_ms in jumps:
        stage.player.command("bpm", bpm)
        stage.pass_until(stage.port.now_ns() + pause_ms * NS_PER_MS)
    events = stage.port.sent()
    strictly_in_turn(events)
    ticks = played(events)
    assert list(ticks) == list(range(len(ticks)))
    times = np.array(list(ticks.values()))
    bars = len(ticks) // 96 + 2
    meant = expected(pattern, Feel(humanize=feel["humanize"] / 100, swing=feel["swing"]), bars)
    for voice, pitch in enumerate(KIT):
        at_ticks = [at * 6 for at, hit in meant if hit.voice == voice and at * 6 < len(times) - 2]
        # Strokes so close that they are one at some tempo and two at another are set aside.
        if np.diff(at_ticks).min(initial=24) < 1:
            continue
        struck = [ns for ns, m in events if m[0] & 0xF0 == NOTE_ON and m[1] == pitch]
        found = np.array(struck[: len(at_ticks)])
        assert len(found) == len(at_ticks)
        assert (found >= times[np.floor(at_ticks).astype(int)] - 2).all()
        assert (found <= times[np.ceil(at_ticks).astype(int)] + 2).all()
    heard(stage)


STARTS = st.sampled_from([(START,), (STOP,), (0xFB,), (0xF2, 0, 0), (0xF2, 32, 0), (0xF2, 5, 3)])


@thorough
@given(
    seeds,
    likelihoods,
    feels,
    st.lists(
        st.one_of(
            st.tuples(st.just("ticks"), st.integers(1, 200)),
            st.tuples(st.just("transport"), STARTS),
            st.tuples(st.just("tempo"), tempi),
            st.tuples(st.just("drop"), st.integers(1, 30)),
            st.tuples(st.just("sync_delay"), st.floats(-100, 100)),
            st.tuples(st.just("density"), st.floats(0, 1)),
        ),
        max_size=20,
    ),
)
def test_whatever_a_followed_clock_does_notes_end_once_and_never_overlap(
    seed: int, likelihood: float, feel: dict[str, float], script: list[tuple[str, object]]
) -> None:
    """Starts, seeks, loops, tempo jumps, drop-outs, moving delays and knobs, in any order."""
    stage = Stage(random_pattern(seed, likelihood), feel, pass_ns=5 * NS_PER_MS)
    stage.lock(1)
    for what, value in script:
        if what == "ticks":
            stage.ticks(value)
        elif what == "transport":
            stage.hear(*value)
        elif what == "tempo":
            stage.bpm = value
        elif what == "drop":
            stage.next_tick_ns += value * stage.tick_ns
        else:
            stage.player.command(what, value)
    stage.finish()


@pytest.mark.parametrize("bpm", [61.0, 120.0, 300.0])
@pytest.mark.parametrize("ahead_ms", [0.5, 2.0, 8.0])
def test_a_loop_strikes_the_hits_at_its_edges_once_a_round(bpm: float, ahead_ms: float) -> None:
    """The kick of the bar behind the loop sounds early; the loop's own, at its line, is the same.

    Two bars, by Song Position a moment before the line: early on the first step, late on the last.
    """
    pattern = beat({"snare": [30]}, bars=2, offset=0.3) + beat({"kick": [0]}, bars=2, offset=-0.3)
    stage = Stage(pattern, controls={"humanize": 100.0})
    stage.bpm = bpm
    stage.lock()
    for _ in range(4):
        stage.bars(2)
        stage.pass_until(stage.next_tick_ns - ahead_ms * NS_PER_MS)
        stage.hear(0xF2, 0, 0)
    stage.bars(1)
    struck = by_pitch(stage.finish())
    assert len(struck[PITCH["snare"]]) == 4
    assert len(struck[PITCH["kick"]]) == 5
    np.testing.assert_allclose(np.diff(struck[PITCH["kick"]])[1:], 2 * stage.bar_ns, rtol=0.02)


def test_a_start_a_while_after_an_early_hit_strikes_its_first_one() -> None:
    """What sounded ahead of a bar line that never came is another stroke."""
    stage = Stage(EARLY, controls={"humanize": 100.0})
    stage.lock()
    stage.bars(1)
    stage.hear(STOP)
    stage.ticks(24)
    stage.hear(START)
    stage.bars(0.5)
    assert len(by_pitch(stage.finish())[PITCH["kick"]]) == 3


@pytest.mark.parametrize("pass_ms", [10, 130, 320, 490])
def test_every_step_is_asked_for_before_the_next_however_late_a_pass_comes(pass_ms: int) -> None:
    """So that no boundary is passed over: what is chosen for a step is there from that step on."""
    asked: list[int] = []
    choice = Choice(beat({"kick": [0]}), "exact")

    def choose(step: int) -> Choice:
        asked.append(step)
        return choice

    scheduler = Scheduler(NoteBook(MemoryPort(), 10), KIT, 0, choose)
    for now_ns in range(0, 2 * BAR_NS, pass_ms * NS_PER_MS):
        until_ns = now_ns + 10 * NS_PER_MS
        scheduler.advance(Timeline.at_tempo(120.0, 0), now_ns, until_ns, Feel())
    within_bars = [step for step in dict.fromkeys(asked) if step % 16]
    assert within_bars == [step for step in range(within_bars[-1] + 1) if step % 16]
    assert within_bars[-1] >= 27
