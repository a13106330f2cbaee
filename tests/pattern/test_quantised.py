"""Patterns as bytes."""

import numpy as np

from livevae.pattern.pattern import ONSET
from livevae.pattern.quantised import dequantised, quantised


def test_no_cell_starts_or_stops_sounding_in_a_byte() -> None:
    """The numbers around one half are as close as float32 has them."""
    below, above = np.full(50_000, 0.5, np.float32), np.full(50_000, 0.5, np.float32)
    below.view(np.int32)[:] -= np.arange(1, 50_001, dtype=np.int32)
    above.view(np.int32)[:] += np.arange(50_000, dtype=np.int32)
    patterns = np.zeros((2 * 50_000, 1, 1, 3), np.float32)
    patterns[:, 0, 0, ONSET] = np.concatenate([below, above])
    back = dequantised(quantised(patterns))

    assert ((back[..., ONSET] >= 0.5) == (patterns[..., ONSET] >= 0.5)).all()


def test_the_ends_of_every_range_and_a_hit_on_the_step_are_exact() -> None:
    """Silence is silent, full is full, and what is neither early nor late stays so."""
    patterns = np.zeros((1, 16, 9, 3), np.float32)
    patterns[0, 0], patterns[0, 1] = (1, 1, 0.5), (0, 0, -0.5)

    np.testing.assert_array_equal(dequantised(quantised(patterns)), patterns)
