"""The pattern type."""

import numpy as np
import pytest

from livevae.pattern.pattern import OFFSET, ONSET, VELOCITY, bars_of, empty, same_onsets, validated


@pytest.mark.parametrize("bars", [1, 4, 16])
def test_an_empty_pattern_is_silent_and_valid(bars: int) -> None:
    """Of any length."""
    pattern = empty(bars)
    assert bars_of(pattern) == bars
    assert not pattern.any()
    np.testing.assert_array_equal(validated(pattern), pattern)


def test_validation_brings_values_into_their_ranges_and_changes_no_others() -> None:
    """Probability and velocity 0..1, offset half a step to either side; the input stays."""
    pattern = empty(1)
    pattern[0, 0] = (1.5, -0.2, 0.7)
    pattern[1, 0] = (-1, 2, -3)
    pattern[2, 0] = (0.25, 0.5, -0.125)
    before = pattern.copy()
    result = validated(pattern)
    np.testing.assert_array_equal(result[:3, 0], [[1, 0, 0.5], [0, 1, -0.5], [0.25, 0.5, -0.125]])
    np.testing.assert_array_equal(pattern, before)
    assert result.dtype == np.float32
    assert (ONSET, VELOCITY, OFFSET) == (0, 1, 2)


@pytest.mark.parametrize(
    "shape", [(16, 9), (16, 8, 3), (16, 9, 2), (0, 9, 3), (15, 9, 3), (17, 9, 3), (272, 9, 3), ()]
)
def test_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    """Whole bars, 1 to 16 of them, nine voices, three channels."""
    with pytest.raises(ValueError, match="a pattern has"):
        validated(np.zeros(shape, np.float32))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_not_finite_are_refused(value: float) -> None:
    """They would pass a clip unseen, or not at all."""
    pattern = empty(1)
    pattern[3, 3, 1] = value
    with pytest.raises(ValueError, match="finite"):
        validated(pattern)


def test_two_decodes_have_the_same_onsets_unless_one_turns_that_is_not_doubtful() -> None:
    """However close a clear hit and a clear miss may be, and however far two misses."""
    reference = empty(1)
    reference[0, :4, ONSET] = 0.4992, 0.5008, 0.502, 0.0
    ours = reference.copy()
    ours[0, :4, ONSET] = 0.51, 0.49, 0.5, 0.49
    assert same_onsets(ours, reference)
    ours[0, 2, ONSET] = 0.4999
    assert not same_onsets(ours, reference)
