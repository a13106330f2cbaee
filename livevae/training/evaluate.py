"""How well a model reconstructs beats, beside what copying the training set would score."""

from __future__ import annotations

import math
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt
import torch

from livevae.errors import UsageError
from livevae.model.vae import NATS_PER_BIT, Vae, kl_nats
from livevae.pattern.pattern import (
    OFFSET,
    ONSET,
    STEPS_PER_BAR,
    STEPS_PER_BEAT,
    VELOCITY,
    VOICES,
    Pattern,
)
from livevae.training.dataset import Split

Array = npt.NDArray[np.float32]

BATCH: Final = 256
FULL_VELOCITY: Final = 127
MS_PER_MINUTE: Final = 60_000
MEAN_THRESHOLDS: Final = np.arange(0.05, 0.96, 0.01)


class OnsetScores(msgspec.Struct, frozen=True):
    """Micro-averaged over all cells: 2PR / (P + R), P and R, each 0..1."""

    f1: float
    precision: float
    recall: float


class Floor(msgspec.Struct, frozen=True):
    """What copying from the training set scores, and the bits that naming the copy takes."""

    f1: float
    bits: float


class Report(msgspec.Struct, frozen=True):
    """Reconstruction at z = mu, all windows of a split, beside the floors of the same run.

    ``bits`` is the mean KL from the prior; ``velocity_mae`` is in MIDI units of 127 and
    ``timing_mae_ms`` in milliseconds at each recording's tempo, both over all true hits; and
    ``zero_offset_mae_ms`` is what no microtiming at all would score.
    """

    split: str
    windows: int
    parameters: int
    onset: OnsetScores
    onset_f1_by_voice: dict[str, float]
    bits: float
    velocity_mae: float
    timing_mae_ms: float
    zero_offset_mae_ms: float
    floors: dict[str, Floor]


@torch.no_grad()
def encoded(vae: Vae, windows: Pattern) -> tuple[Array, Array]:
    """Return mu and sigma, [n, z_dim] each, of windows [n, steps, 9, 3]."""
    device = next(vae.parameters()).device
    parts = [
        vae.encode(torch.from_numpy(windows[first : first + BATCH]).to(device))
        for first in range(0, len(windows), BATCH)
    ]
    mu = torch.cat([part[0] for part in parts]).cpu().numpy()
    sigma = torch.cat([part[1] for part in parts]).cpu().numpy()
    return mu, sigma


@torch.no_grad()
def decoded(vae: Vae, z: Array) -> Pattern:
    """Return the patterns [n, steps, 9, 3] of z [n, z_dim]."""
    device = next(vae.parameters()).device
    parts = [
        vae.decode(torch.from_numpy(z[first : first + BATCH]).to(device)).cpu().numpy()
        for first in range(0, len(z), BATCH)
    ]
    patterns: Pattern = np.concatenate(parts)
    return patterns


def reconstruct(vae: Vae, windows: Pattern) -> tuple[Pattern, Array]:
    """Encode and decode windows [n, steps, 9, 3] at z = mu; return those and their KL bits [n]."""
    mu, sigma = encoded(vae, windows)
    nats = kl_nats(torch.from_numpy(mu), torch.from_numpy(sigma)).numpy()
    return decoded(vae, mu), (nats / NATS_PER_BIT).astype(np.float32)


def onset_scores(predicted: Pattern, truth: Pattern) -> OnsetScores:
    """Score onsets [..., 9, 3] thresholded at 0.5 against true ones, over all their cells."""
    played = predicted[..., ONSET] >= 0.5
    true = truth[..., ONSET] >= 0.5
    both = float((played & true).sum())
    n_played, n_true = float(played.sum()), float(true.sum())
    return OnsetScores(
        f1=2 * both / max(1.0, n_played + n_true),
        precision=both / max(1.0, n_played),
        recall=both / max(1.0, n_true),
    )


def scores_of_each(predicted: Pattern, truth: Pattern) -> Array:
    """Return the onset F1 of each window alone, [n]."""
    played = predicted[..., ONSET] >= 0.5
    true = truth[..., ONSET] >= 0.5
    both = (played & true).sum(axis=(1, 2))
    scores: Array = 2 * both / np.maximum(1, played.sum(axis=(1, 2)) + true.sum(axis=(1, 2)))
    return scores


def evaluate(vae: Vae, training: Split, evaluated: Split, split_name: str) -> Report:
    """Measure a model on a split's beats, beside the floors that ``training`` sets.

    Raises:
        UsageError: one of the two has no window of the model's bars.
    """
    bars = vae.config.bars
    windows = evaluated.windows(bars)
    known = training.windows(bars)
    if not len(windows) or not len(known):
        raise UsageError(f"the data has no window of {bars} bars to evaluate on")
    predicted, bits = reconstruct(vae, windows)
    hits = windows[..., ONSET] >= 0.5
    recordings = evaluated.recordings_of(evaluated.window_starts(bars))
    bpm = np.array([recording.bpm for recording in recordings])
    step_ms = np.broadcast_to((MS_PER_MINUTE / STEPS_PER_BEAT / bpm)[:, None, None], hits.shape)
    error = np.abs(predicted - windows)
    return Report(
        split=split_name,
        windows=len(windows),
        parameters=sum(parameter.numel() for parameter in vae.parameters()),
        onset=onset_scores(predicted, windows),
        onset_f1_by_voice={
            name: onset_scores(predicted[:, :, [voice]], windows[:, :, [voice]]).f1
            for voice, name in enumerate(VOICES)
        },
        bits=float(bits.mean()),
        velocity_mae=float(error[..., VELOCITY][hits].mean() * FULL_VELOCITY),
        timing_mae_ms=float((error[..., OFFSET] * step_ms)[hits].mean()),
        zero_offset_mae_ms=float((np.abs(windows[..., OFFSET]) * step_ms)[hits].mean()),
        floors={
            "thresholded training mean": Floor(_mean_floor(known, windows), 0.0),
            "nearest training window": _nearest_floor(known, windows, 1),
            "nearest training bar, bar by bar": _nearest_floor(
                training.windows(1), windows.reshape(-1, STEPS_PER_BAR, *windows.shape[2:]), bars
            ),
        },
    )


def _mean_floor(known: Pattern, windows: Pattern) -> float:
    """Score one pattern for all: the mean of ``known`` at the threshold that suits it best."""
    mean = known[..., ONSET].mean(axis=0)
    cells = known[..., ONSET].sum(axis=0)

    def f1_on_known(threshold: float) -> float:
        played = mean >= threshold
        both = cells[played].sum()
        return float(2 * both / max(1.0, played.sum() * len(known) + cells.sum()))

    best = max(MEAN_THRESHOLDS, key=f1_on_known)
    constant = np.broadcast_to((mean >= best)[..., None], windows.shape)
    return onset_scores(constant, windows).f1


def _nearest_floor(known: Pattern, wanted: Pattern, copies: int) -> Floor:
    """Score the copy of ``known`` [k, steps, 9, 3] with the best onset F1 for each wanted one.

    It takes log2(k) bits to name a copy, and each window needs ``copies`` of them.
    """
    have = known[..., ONSET].reshape(len(known), -1)
    want = wanted[..., ONSET].reshape(len(wanted), -1)
    sizes = have.sum(axis=1)
    nearest = np.empty(len(want), np.int64)
    for first in range(0, len(want), BATCH):
        rows = want[first : first + BATCH]
        f1 = 2 * rows @ have.T / np.maximum(1.0, sizes + rows.sum(axis=1, keepdims=True))
        nearest[first : first + BATCH] = f1.argmax(axis=1)
    f1 = onset_scores(known[nearest], wanted).f1
    return Floor(f1, copies * math.log2(len(known)))
