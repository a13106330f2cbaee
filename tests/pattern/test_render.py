"""From probabilities to hits."""

import msgspec
import numpy as np
import pytest

from livevae.pattern.pattern import N_VOICES, OFFSET, ONSET, VELOCITY, Pattern, empty
from livevae.pattern.render import MAX_SHIFT_STEPS, Feel, Hit, render, threshold

EVEN = Feel(humanize=0.0)


def likely(seed: int = 0, bars: int = 2) -> Pattern:
    """Return a pattern of random probabilities, velocities and offsets."""
    rng = np.random.default_rng(seed)
    pattern = rng.random((16 * bars, N_VOICES, 3)).astype(np.float32)
    pattern[..., OFFSET] -= 0.5
    return pattern


def cells(hits: list[Hit]) -> set[tuple[int, int]]:
    """Return which cells sound."""
    return {(hit.step, hit.voice) for hit in hits}


def dense(value: float) -> Feel:
    """Return a feel of one density for all."""
    return Feel(density=(value,) * N_VOICES)


def test_rendering_is_pure() -> None:
    """The same in gives the same out, and leaves what went in alone."""
    pattern = likely()
    before = pattern.copy()
    feel = Feel(humanize=1.3, swing=61.0)
    assert render(pattern, feel, 5, 9) == render(pattern, feel, 5, 9)
    np.testing.assert_array_equal(pattern, before)


def test_bars_and_seeds_vary_only_by_the_human_part() -> None:
    """Other timing and velocity, the same hits; none at all at humanize 0."""
    pattern = np.tile(likely(bars=1), (2, 1, 1))
    human = [render(pattern, Feel(), bar, seed) for bar, seed in ((0, 0), (1, 0), (0, 1))]
    assert human[0] != human[1] != human[2] != human[0]
    assert cells(human[0]) == cells(human[1]) == cells(human[2])
    even = [render(pattern, EVEN, bar, seed) for bar, seed in ((0, 0), (1, 0), (0, 1))]
    assert even[0] == even[1] == even[2]


@pytest.mark.parametrize("seed", range(5))
def test_more_density_only_adds_hits(seed: int) -> None:
    """And the likeliest first: each set holds the one before, and what it adds is less likely."""
    pattern = likely(seed)
    previous: set[tuple[int, int]] = set()
    for value in np.linspace(0, 1, 60):
        now = cells(render(pattern, dense(float(value)), 0, 0))
        assert previous <= now
        old = [pattern[step, voice, ONSET] for step, voice in previous]
        added = [pattern[step, voice, ONSET] for step, voice in now - previous]
        assert max(added, default=0) <= min(old, default=1)
        previous = now
    assert len(previous) > 100


def test_density_0_is_silence_even_for_certain_hits() -> None:
    """Probability 1 included."""
    pattern = likely()
    pattern[..., ONSET] = 1.0
    assert render(pattern, dense(0.0), 0, 0) == []
    assert len(render(pattern, dense(0.01), 0, 0)) == 16 * N_VOICES


def test_half_density_plays_what_is_more_likely_than_not() -> None:
    """The model's own choice."""
    assert threshold(0.5) == 0.5
    pattern = likely()
    probable = np.argwhere(pattern[:16, :, ONSET] > 0.5)
    assert cells(render(pattern, Feel(), 0, 0)) == {(int(s), int(v)) for s, v in probable}


def test_density_and_level_of_a_voice_touch_no_other() -> None:
    """Nor the timing and velocity of what stays."""
    pattern = likely()
    every = render(pattern, Feel(), 0, 0)
    level = tuple(0.0 if voice == 2 else 1.0 for voice in range(N_VOICES))
    assert render(pattern, Feel(level=level), 0, 0) == [hit for hit in every if hit.voice != 2]
    density = (0.5, 0.0, *(0.5,) * (N_VOICES - 2))
    assert render(pattern, Feel(density=density), 0, 0) == [hit for hit in every if hit.voice != 1]


def test_humanize_0_is_the_grid_with_even_dynamics() -> None:
    """Exactly on the steps, one velocity for each voice: its usual one."""
    pattern = likely()
    hits = render(pattern, EVEN, 0, 0)
    assert all(hit.at == hit.step for hit in hits)
    for voice in range(N_VOICES):
        velocities = {hit.velocity for hit in hits if hit.voice == voice}
        assert len(velocities) == 1
        weight = pattern[:16, voice, ONSET]
        usual = 127 * (weight * pattern[:16, voice, VELOCITY]).sum() / weight.sum()
        assert abs(velocities.pop() - usual) <= 1


def test_humanize_100_plays_the_models_timing_and_velocity_up_to_a_small_variation() -> None:
    """Positive offsets are late."""
    pattern = likely()
    for hit in render(pattern, Feel(), 0, 0):
        onset = pattern[hit.step, hit.voice]
        assert hit.at == pytest.approx(hit.step + onset[OFFSET], abs=0.041)
        assert hit.velocity == pytest.approx(max(127 * onset[VELOCITY], 1), abs=8.2)


def test_humanize_200_exaggerates_and_never_strays_more_than_a_step() -> None:
    """Twice the offset, cut at one step."""
    pattern = likely()
    for hit in render(pattern, Feel(humanize=2.0), 0, 0):
        offset = hit.at - hit.step
        assert abs(offset) <= MAX_SHIFT_STEPS
        expected = 2 * pattern[hit.step, hit.voice, OFFSET]
        assert offset == pytest.approx(float(np.clip(expected, -1, 1)), abs=0.081)


@pytest.mark.parametrize(("swing", "shift"), [(50, 0), (66.7, 1 / 3), (75, 0.5), (58, 0.16)])
def test_swing_moves_every_second_sixteenth_and_no_other(swing: float, shift: float) -> None:
    """66.7% puts it at two thirds of the pair: triplets."""
    hits = render(likely(), Feel(humanize=0, swing=swing), 0, 0)
    for hit in hits:
        expected = hit.step + (shift if hit.step % 2 else 0)
        assert hit.at == pytest.approx(expected, abs=1e-3)


def test_swing_adds_to_the_human_timing() -> None:
    """One does not replace the other."""
    straight = {(h.step, h.voice): h.at for h in render(likely(), Feel(), 0, 0)}
    swung = {(h.step, h.voice): h.at for h in render(likely(), Feel(swing=60), 0, 0)}
    for cell, at in swung.items():
        assert at - straight[cell] == pytest.approx(0.2 * (cell[0] % 2))


@pytest.mark.parametrize("bars", [1, 2, 3, 4, 16])
def test_a_bar_of_the_song_plays_its_bar_of_the_pattern_round_and_round(bars: int) -> None:
    """Bar n plays bar n mod length, far into the song too."""
    pattern = empty(bars)
    for bar in range(bars):
        pattern[16 * bar + bar, 0, ONSET] = 1
    for bar in (0, 1, bars - 1, bars, 7, 1000, 10**6 + 3):
        assert [hit.step for hit in render(pattern, EVEN, bar, 0)] == [bar % bars]


def test_timing_and_dynamics_share_what_humanize_gives() -> None:
    """One at 0 is as humanize 0 is for it; the other stays."""
    pattern = likely()
    human, even = render(pattern, Feel(), 0, 0), render(pattern, EVEN, 0, 0)
    still = {(h.step, h.voice): h for h in render(pattern, Feel(timing=0.0), 0, 0)}
    flat = {(h.step, h.voice): h for h in render(pattern, Feel(dynamics=0.0), 0, 0)}
    for hit in human:
        assert still[hit.step, hit.voice].velocity == hit.velocity
        assert flat[hit.step, hit.voice].at == hit.at
    for hit in even:
        assert still[hit.step, hit.voice].at == hit.at
        assert flat[hit.step, hit.voice].velocity == hit.velocity


def test_a_level_scales_velocity_and_stays_within_midi() -> None:
    """Half is half as loud; 0 leaves the voice out."""
    pattern = likely()
    pattern[..., VELOCITY] = 0.6
    for level, velocity in ((0.5, 38), (1.0, 76), (2.0, 127), (0.001, 1)):
        feel = Feel(level=(level,) * N_VOICES, humanize=0.0)
        assert {hit.velocity for hit in render(pattern, feel, 0, 0)} == {velocity}
    assert render(pattern, Feel(level=(0.0,) * N_VOICES), 0, 0) == []


def test_accent_lifts_the_beats_and_softens_what_lies_between() -> None:
    """The one above all; the hits stay."""
    pattern = likely()
    pattern[..., ONSET], pattern[..., VELOCITY] = 1.0, 0.5
    hits = render(pattern, Feel(humanize=0.0, accent=1.0), 0, 0)
    velocity = {hit.step: hit.velocity for hit in hits}
    assert velocity[0] == max(velocity.values()) == 102
    assert velocity[4] > velocity[2] == 64 > velocity[1]
    assert cells(hits) == cells(render(pattern, EVEN, 0, 0))


def test_chaos_makes_each_bar_another_by_the_seed_and_leaves_the_certain_alone() -> None:
    """What is doubtful comes and goes; the more chaos the more of it."""
    pattern = np.tile(likely(bars=1), (2, 1, 1))
    pattern[:, 0, ONSET], pattern[:, 1, ONSET] = 1.0, 0.0
    plain = cells(render(pattern, Feel(), 0, 0))
    changed = []
    for chaos in (0.0, 0.3, 1.0):
        feel = Feel(chaos=chaos)
        assert render(pattern, feel, 3, 1) == render(pattern, feel, 3, 1)
        bars = [cells(render(pattern, feel, bar, 1)) for bar in range(20)]
        assert all({step for step, voice in bar if voice == 0} == set(range(16)) for bar in bars)
        assert not any(voice == 1 for bar in bars for _, voice in bar)
        assert (len(set(map(frozenset, bars))) > 10) == (chaos > 0)
        changed.append(sum(len(bar ^ plain) for bar in bars))
    assert changed[0] == 0 < changed[1] < changed[2]


def test_hits_come_in_the_order_in_which_they_sound() -> None:
    """Whatever their steps."""
    hits = render(likely(), Feel(humanize=2.0, swing=75), 0, 0)
    times = [hit.at for hit in hits]
    assert times == sorted(times)


def test_velocity_is_never_0_which_would_be_a_note_off() -> None:
    """1 to 127, whatever the pattern says."""
    pattern = likely()
    pattern[..., ONSET] = 1
    for value in (0.0, 1.0):
        pattern[..., VELOCITY] = value
        velocities = {hit.velocity for hit in render(pattern, Feel(humanize=2.0), 0, 0)}
        assert velocities <= set(range(1, 128))


def test_an_empty_bar_renders_to_nothing() -> None:
    """Without a warning from an empty mean."""
    assert render(empty(1), Feel(humanize=2.0), 3, 0) == []


def test_a_feel_is_frozen() -> None:
    """It is compared by identity, so it must never change."""
    with pytest.raises(AttributeError):
        EVEN.swing = 60  # type: ignore[misc]
    assert msgspec.structs.replace(EVEN, swing=60) is not EVEN
