"""How well a small classifier tells made-up beats from real ones it has not seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

Array = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]

HALVINGS: Final = 3
"""Ways to halve the blocks; in each, either half is learned from and the other scored."""
COMPONENTS: Final = 32
HIDDEN: Final = 32
EPOCHS: Final = 20
BATCH: Final = 64
LEARNING_RATE: Final = 2e-3
WEIGHT_DECAY: Final = 0.1
DROPOUT: Final = 0.3
LARGEST: Final = 5.0
"""Features are standardised, and cut at so many standard deviations."""
LEAST_SPREAD: Final = 1e-3


@dataclass(frozen=True)
class Examples:
    """Windows as a classifier sees them.

    ``cells`` [n, cells] are their numbers one by one, ``descriptors`` [n, d] what is heard in
    them as a whole. ``blocks`` [n] numbers the groups that may not be parted: the windows of a
    recording overlap, and a classifier that had seen one would know the next.
    """

    cells: Array
    descriptors: Array
    blocks: npt.NDArray[np.int64]


class ToldApart(msgspec.Struct, frozen=True):
    """The area under the ROC curve (0.5 is chance), mean and standard deviation over trials."""

    auc: float
    spread: float


def told_apart(real: Examples, made: Examples, seed: int) -> ToldApart:
    """Train small classifiers to tell ``made`` from ``real``, and score them on other blocks.

    Blocks of one number belong together in the two sets as well: a window and its
    reconstruction lie in the same half.
    """
    scores = []
    for trial in range(HALVINGS):
        chance = np.random.default_rng([seed, trial])
        numbers = chance.permutation(np.unique(np.concatenate([real.blocks, made.blocks])))
        half = numbers[: len(numbers) // 2]
        in_real, in_made = np.isin(real.blocks, half), np.isin(made.blocks, half)
        for learned_real, learned_made in ((in_real, in_made), (~in_real, ~in_made)):
            scores.append(_trial(real, made, learned_real, learned_made, seed + trial))
    return ToldApart(float(np.mean(scores)), float(np.std(scores)))


def _trial(
    real: Examples, made: Examples, learned_real: Flags, learned_made: Flags, seed: int
) -> float:
    """Learn from some of the windows; return the AUC over the others."""
    learned = torch.from_numpy(np.concatenate([learned_real, learned_made]))
    is_made = torch.arange(len(learned)) >= len(learned_real)
    cells = torch.from_numpy(np.concatenate([real.cells, made.cells]))
    descriptors = torch.from_numpy(np.concatenate([real.descriptors, made.descriptors]))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        features = torch.cat([_components(cells, learned), descriptors], dim=1)
        mean, spread = features[learned].mean(dim=0), features[learned].std(dim=0)
        features = ((features - mean) / (spread + LEAST_SPREAD)).clamp(-LARGEST, LARGEST)
        net = _trained(features[learned], is_made[learned].float())
    with torch.no_grad():
        scores = net(features[~learned])[:, 0]
    return auc(scores.numpy(), is_made[~learned].numpy())


def _components(cells: Tensor, learned: Tensor) -> Tensor:
    """Return the first principal components, [n, 32], as found in the learned windows.

    Thousands of single cells would drown the descriptors.
    """
    known = cells[learned]
    _, _, directions = torch.pca_lowrank(known, q=min(COMPONENTS, *known.shape))
    return (cells - known.mean(dim=0)) @ directions


def _trained(features: Tensor, is_made: Tensor) -> nn.Module:
    """Return a net of one hidden layer that has learned which features [n, f] are made up."""
    net = nn.Sequential(
        nn.Linear(features.shape[1], HIDDEN), nn.ReLU(), nn.Dropout(DROPOUT), nn.Linear(HIDDEN, 1)
    )
    optimizer = torch.optim.AdamW(net.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    for _ in range(EPOCHS):
        for batch in torch.split(torch.randperm(len(features)), BATCH):
            logits = net(features[batch])[:, 0]
            loss = functional.binary_cross_entropy_with_logits(logits, is_made[batch])
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
    return net.eval()


def auc(scores: Array, positive: Flags) -> float:
    """Return how often a positive example scores above a negative one; a tie counts half.

    0.5 if there are none of the one or of the other.
    """
    n_positive = int(positive.sum())
    n_negative = len(positive) - n_positive
    if not n_positive or not n_negative:
        return 0.5
    _, place, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[place]
    above = ranks[positive].sum() - n_positive * (n_positive + 1) / 2
    return float(above / (n_positive * n_negative))
