"""A model over whole sets of windows, batch by batch, and how well what it plays scores."""

from __future__ import annotations

from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt
import torch

from livevae.model.device import side_by_side
from livevae.model.vae import NATS_PER_BIT, Vae, kl_nats
from livevae.pattern.pattern import OFFSET, ONSET, STEPS_PER_BEAT, VELOCITY, Pattern
from livevae.training.dataset import FULL_VELOCITY, Recording

Array = npt.NDArray[np.float32]

MS_PER_MINUTE: Final = 60_000
HIT: Final = 0.5
"""An onset of this probability or more is played."""


class OnsetScores(msgspec.Struct, frozen=True):
    """Micro-averaged over all cells: 2PR / (P + R), P and R, each 0..1."""

    f1: float
    precision: float
    recall: float


class HitErrors(msgspec.Struct, frozen=True):
    """Mean absolute errors over true hits: velocity in MIDI units of 127, timing in ms."""

    velocity_mae: float
    timing_mae_ms: float


def encoded(vae: Vae, windows: Pattern) -> tuple[Array, Array]:
    """Return mu and sigma, [n, z_dim] each, of windows [n, steps, 9, 3]."""
    parts = side_by_side(vae.encode, windows, _device(vae))
    mu = torch.cat([part[0] for part in parts]).cpu().numpy()
    sigma = torch.cat([part[1] for part in parts]).cpu().numpy()
    return mu, sigma


def decoded(vae: Vae, z: Array) -> Pattern:
    """Return the patterns [n, steps, 9, 3] of z [n, z_dim]."""
    patterns: Pattern = torch.cat(side_by_side(vae.decode, z, _device(vae))).cpu().numpy()
    return patterns


def _device(vae: Vae) -> str:
    return str(next(vae.parameters()).device)


def reconstruct(vae: Vae, windows: Pattern) -> tuple[Pattern, Array]:
    """Encode and decode windows [n, steps, 9, 3] at z = mu; return those and their KL bits [n]."""
    mu, sigma = encoded(vae, windows)
    nats = kl_nats(torch.from_numpy(mu), torch.from_numpy(sigma)).numpy()
    return decoded(vae, mu), (nats / NATS_PER_BIT).astype(np.float32)


def played(patterns: Pattern) -> npt.NDArray[np.bool_]:
    """Return which cells of patterns [..., 9, 3] are hits: bool[..., 9]."""
    hits: npt.NDArray[np.bool_] = patterns[..., ONSET] >= HIT
    return hits


def onset_scores(predicted: Pattern, truth: Pattern) -> OnsetScores:
    """Score the hits of patterns [..., 9, 3] against true ones, over all their cells."""
    heard, true = played(predicted), played(truth)
    both = float((heard & true).sum())
    n_heard, n_true = float(heard.sum()), float(true.sum())
    return OnsetScores(
        f1=2 * both / max(1.0, n_heard + n_true),
        precision=both / max(1.0, n_heard),
        recall=both / max(1.0, n_true),
    )


def scores_of_each(predicted: Pattern, truth: Pattern) -> Array:
    """Return the onset F1 of each window alone, [n]."""
    heard, true = played(predicted), played(truth)
    both = (heard & true).sum(axis=(1, 2))
    scores: Array = 2 * both / np.maximum(1, heard.sum(axis=(1, 2)) + true.sum(axis=(1, 2)))
    return scores


def step_accuracy(predicted: Pattern, truth: Pattern) -> float:
    """Return the share of steps at which all nine voices are right (Roberts et al. 2018)."""
    return float((played(predicted) == played(truth)).all(axis=-1).mean())


def hit_errors(predicted: Pattern, truth: Pattern, step_ms: Array) -> HitErrors:
    """Compare patterns [n, steps, 9, 3] over all true hits; ``step_ms`` [n] is each one's 16th."""
    hits = played(truth)
    if not hits.any():
        return HitErrors(0.0, 0.0)
    errors = np.abs(predicted - truth)
    velocity, timing = errors[..., VELOCITY], errors[..., OFFSET] * step_ms[:, None, None]
    return HitErrors(
        velocity_mae=float(velocity[hits].mean() * FULL_VELOCITY),
        timing_mae_ms=float(timing[hits].mean()),
    )


def step_lengths(recordings: list[Recording]) -> Array:
    """Return how long a 16th of each recording is, [n], in milliseconds."""
    bpm = np.array([recording.bpm for recording in recordings])
    return (MS_PER_MINUTE / STEPS_PER_BEAT / bpm).astype(np.float32)
