"""What a performer makes of a pattern before it is played."""

import numpy as np
import pytest

from livevae.pattern.arrange import NOBODY, Parts, ended, moved, silenced, with_voices
from livevae.pattern.pattern import N_VOICES, OFFSET, ONSET, VOICES, Pattern
from livevae.pattern.render import Feel, render

KICK = tuple(voice == "kick" for voice in VOICES)


def likely(seed: int, bars: int) -> Pattern:
    """Return a pattern of random probabilities, velocities and offsets."""
    pattern = np.random.default_rng(seed).random((16 * bars, N_VOICES, 3)).astype(np.float32)
    pattern[..., OFFSET] -= 0.5
    return pattern


@pytest.mark.parametrize(("ours", "theirs"), [(2, 2), (4, 2), (1, 4)])
def test_kept_voices_are_the_others_and_go_round_at_its_length(ours: int, theirs: int) -> None:
    """Locked at two bars, over four."""
    pattern, other = likely(0, ours), likely(1, theirs)
    mixed = with_voices(pattern, other, KICK)
    for step in range(16 * ours):
        np.testing.assert_array_equal(mixed[step, 0], other[step % (16 * theirs), 0])
    np.testing.assert_array_equal(mixed[:, 1:], pattern[:, 1:])


def test_what_is_not_changed_is_the_same_object() -> None:
    """So that nothing is rendered again."""
    pattern = likely(0, 2)
    assert with_voices(pattern, likely(1, 2), NOBODY) is pattern
    assert moved(pattern, Parts()) is pattern
    assert silenced(pattern, NOBODY) is pattern


@pytest.mark.parametrize("parts", [Parts(rotate=5), Parts(time=2.0), Parts(time=0.5)])
def test_a_pattern_is_arranged_without_being_touched(parts: Parts) -> None:
    """It is the bank's."""
    pattern = likely(0, 2)
    before = pattern.copy()
    ended(silenced(moved(pattern, parts), KICK), 3)
    ended(pattern, 3)
    np.testing.assert_array_equal(pattern, before)


def test_half_time_plays_each_step_on_every_second() -> None:
    """Nothing between, and twice as long."""
    pattern = likely(0, 2)
    slow = moved(pattern, Parts(time=0.5))
    np.testing.assert_array_equal(slow[::2], pattern)
    assert not slow[1::2].any()


def test_double_time_plays_of_two_steps_the_likelier_in_its_place() -> None:
    """The second of them half a step later; twice in the time of once."""
    pattern = likely(0, 2)
    fast = moved(pattern, Parts(time=2.0))
    assert len(fast) == len(pattern)
    np.testing.assert_array_equal(fast[:16], fast[16:])
    for step in range(16):
        for voice in range(N_VOICES):
            first, second = pattern[2 * step, voice], pattern[2 * step + 1, voice]
            late = second[ONSET] > first[ONSET]
            expected = second + np.array([0, 0, 0.5], np.float32) if late else first
            np.testing.assert_array_equal(fast[step, voice], expected)


def test_the_end_of_a_fill_is_a_certain_kick_and_crash_on_its_step_of_the_song() -> None:
    """On the grid; all else stays."""
    pattern = likely(0, 2)
    accented = ended(pattern, 5 * 32 + 16)
    ending = [VOICES.index("kick"), VOICES.index("crash")]
    hits = {h.voice: h for h in render(accented, Feel(timing=0.0), 1, 0) if h.step == 0}
    assert all(hits[voice].at == 0 and hits[voice].velocity > 110 for voice in ending)
    changed = np.argwhere((accented != pattern).any(-1)).tolist()
    assert changed == [[16, voice] for voice in ending]
