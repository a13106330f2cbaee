"""Takes of the styles: definite hits in range, a backbone that stays and details that move."""

import subprocess
import sys
import time

import numpy as np
import pytest

from livevae.grammar.grammar import corpus, load_style, play, style_names
from livevae.pattern.pattern import OFFSET, ONSET, STEPS_PER_BAR, VELOCITY, VOICES, Pattern

KICK, SNARE, CLOSED_HAT, OPEN_HAT = range(4)


def take(name: str, bars: int = 16, seed: int = 0) -> Pattern:
    """Play a style: float32[bars, 16, 9, 3]."""
    pattern = play(load_style(name), bars, np.random.default_rng(seed))
    return pattern.reshape(bars, STEPS_PER_BAR, len(VOICES), 3)


@pytest.mark.parametrize("name", style_names())
def test_a_take_is_definite_hits_within_the_ranges_of_a_pattern(name: str) -> None:
    """Onsets 0 or 1, velocities above 0 where there is a hit, and nothing where there is none."""
    pattern = take(name)
    hits = pattern[..., ONSET] == 1
    assert pattern.dtype == np.float32
    assert (pattern[~hits] == 0).all()
    assert ((pattern[hits, VELOCITY] > 0) & (pattern[hits, VELOCITY] <= 1)).all()
    assert np.abs(pattern[hits, OFFSET]).max() <= 0.5


@pytest.mark.parametrize("name", style_names())
def test_a_style_is_about_as_dense_as_drummers_are(name: str) -> None:
    """Groove MIDI plays 13% of all cells."""
    density = np.mean([take(name, seed=seed)[..., ONSET].mean() for seed in range(20)])
    assert 0.06 < density < 0.3


def test_a_corpus_is_the_same_for_the_same_seed_and_only_for_it() -> None:
    """Names, tempi within the style's, bars end to end."""
    first, again, other = corpus(3, 4, 1), corpus(3, 4, 1), corpus(3, 4, 2)
    assert (first.cells == again.cells).all()
    assert first.recordings == again.recordings
    assert (first.cells != other.cells).any()
    assert len(first.cells) == 3 * 4 * len(style_names())
    for number, recording in enumerate(first.recordings):
        low, high = load_style(recording.style).bpm
        assert low <= recording.bpm <= high
        assert recording.first_bar == 4 * number
        assert recording.bars == 4
        assert recording.name == f"style/{recording.style}/{number % 3}"
    assert not first.groove_midi


def test_a_corpus_for_training_is_played_in_seconds() -> None:
    """At least 3,000 bars a second."""
    start = time.process_time()
    bars = len(corpus(10, 16, 0).cells)
    assert bars / (time.process_time() - start) > 3000


def test_the_grammar_needs_no_torch() -> None:
    script = "import sys, livevae.grammar.grammar; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
