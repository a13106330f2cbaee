"""Telling one set of windows from another."""

import numpy as np
import pytest
import torch

from livevae.training.discriminator import Examples, auc, told_apart


def examples(n: int, seed: int, shift: float = 0.0, cell_shift: float = 0.0) -> Examples:
    """Return random windows of 60 cells and 5 descriptors in eight blocks."""
    rng = np.random.default_rng(seed)
    return Examples(
        (rng.normal(size=(n, 60)) + cell_shift * np.arange(60) / 60).astype(np.float32),
        (rng.normal(size=(n, 5)) + shift * np.array([1, 0, 0, 0, 0])).astype(np.float32),
        np.arange(n) % 8,
    )


def test_two_sets_alike_cannot_be_told_apart() -> None:
    """Chance is 0.5."""
    assert told_apart(examples(400, 0), examples(400, 1), 0).auc == pytest.approx(0.5, abs=0.07)


@pytest.mark.parametrize("shifts", [(2.0, 0.0), (0.0, 2.0)])
def test_a_difference_in_descriptors_or_cells_gives_a_set_away(
    shifts: tuple[float, float],
) -> None:
    """Neither of the two drowns the other."""
    assert told_apart(examples(400, 0), examples(400, 1, *shifts), 0).auc > 0.8


def test_what_was_learned_by_heart_counts_for_nothing() -> None:
    """Windows of a block are copies of one another: known blocks say nothing about new ones."""
    firsts = [examples(8, seed) for seed in (0, 1)]
    real, made = (
        Examples(*(np.repeat(part, 40, axis=0) for part in (it.cells, it.descriptors, it.blocks)))
        for it in firsts
    )

    assert told_apart(real, made, 0).auc < 0.75


def test_the_same_seed_gives_the_same_score_and_leaves_torchs_chance_alone() -> None:
    """A report can be repeated, and so can what comes after it."""
    before = torch.random.get_rng_state()
    first, second = (told_apart(examples(80, 0), examples(80, 1, 1.0), 4) for _ in range(2))

    assert first == second
    assert torch.equal(torch.random.get_rng_state(), before)


def test_the_area_counts_pairs_in_order_and_half_the_ties() -> None:
    """Of the four pairs, two are in order, one is tied, one is reversed."""
    scores = np.array([0.2, 0.9, 0.2, 0.1], np.float32)
    made = np.array([True, True, False, False])
    mixed = np.array([True, False, True, False])

    assert auc(scores, made) == pytest.approx(3.5 / 4)
    assert auc(scores, mixed) == pytest.approx(2 / 4)
    assert auc(-scores, made) == pytest.approx(0.5 / 4)
    assert auc(scores, np.ones(4, bool)) == 0.5
