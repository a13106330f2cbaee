"""Directions of the latent space that change one thing heard in a beat and leave the others."""

from __future__ import annotations

from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from livevae.latent.space import Array, Space
from livevae.model.vae import Vae
from livevae.pattern.descriptors import ATTRIBUTES, descriptors, measure
from livevae.pattern.pattern import ONSET, Pattern
from livevae.training.dataset import Split
from livevae.training.evaluate import decoded, encoded

N_ATTRIBUTES: Final = len(ATTRIBUTES)
FITTED_WINDOWS: Final = 4096
JACOBIAN_STARTS: Final = 64
STEPS: Final = 120
STARTS: Final = 8
"""Beats from which every knob is turned in each step of the fit."""
FIRST_RATE, LAST_RATE = 0.05, 0.001
WANTED_SWEEP: Final = 2.6
"""How far a knob's whole way should move its descriptor, in standard deviations over the data."""
CROSS_WEIGHT: Final = 0.7
LENGTH_WEIGHT: Final = 0.004
"""Of a direction's squared length: the shorter the way, the likelier the beats along it."""
LONGEST: Final = 0.75
"""The longest direction, as a share of the mean distance of a beat from the mean of all."""
SHARPNESS: Final = 3.0
"""Onset logits are multiplied by this: nearly hits or none, still with gradients."""
SMALLEST_SPREAD: Final = 0.005
"""Of a descriptor that hardly varies in the data, say of toms where nobody plays any."""

REPORT_STARTS: Final = 240
POSITIONS: Final = 9


class Knob(msgspec.Struct, frozen=True):
    """What one attribute knob does, turned from end to end.

    ``spearman`` is the rank correlation of knob and descriptor, of each start alone, then
    averaged (0 for one that does not move); ``spearman_of_mean`` that of the descriptor averaged
    over the starts. ``spearman_unfallen`` is what ``spearman`` would be if no descriptor ever fell:
    short of 1 by the ties of those that cannot move (a beat without open hats cannot have fewer).
    ``falling`` is the share of the eight steps of a sweep by which the
    descriptor falls, and ``unmoved`` the share of starts in which it never changes. ``sweep`` is
    the mean absolute change of the descriptor from end to end, in its standard deviations over
    the data, and ``cross_talk`` the same of each other descriptor, as a share of ``sweep``.
    """

    spearman: float
    spearman_of_mean: float
    spearman_unfallen: float
    falling: float
    unmoved: float
    sweep: float
    cross_talk: dict[str, float]


class AttributeReport(msgspec.Struct, frozen=True):
    """What the attribute knobs do to what is played from ``starts`` beats, nine positions each."""

    starts: int
    knobs: dict[str, Knob]


def fit_attributes(vae: Vae, split: Split, seed: int = 0) -> Array:
    """Return directions [6, z_dim], one for each of ``ATTRIBUTES``, fitted to a training set.

    A knob at k in -1..1 adds k times its direction to z. The fit begins with the pseudo-inverse
    of the descriptors' mean Jacobian, which moves each of them alone to first order, and goes
    down the gradient through the frozen decoder: from beats of the training set each knob's own
    descriptor should rise in proportion, by 2.6 standard deviations over the whole way, and the
    others stay. Averaged difference vectors (Roberts et al. 2018) and linear regression measured
    worse in cross-talk; shaping the space in training (AR-VAE, Pati and Lerch 2020) was not tried.
    """
    device = next(vae.parameters()).device
    rng = np.random.default_rng(seed)
    starts = rng.permutation(split.window_starts(vae.config.bars))[:FITTED_WINDOWS]
    windows = split.take(starts, vae.config.bars)
    mu = torch.from_numpy(encoded(vae, windows)[0]).to(device)
    spread = torch.from_numpy(_spread(windows)).to(device)
    longest = LONGEST * (mu - mu.mean(0)).norm(dim=1).mean()

    directions = _limited(_first_guess(vae, mu[:JACOBIAN_STARTS], spread), longest / 2)
    directions.requires_grad_()
    optimizer = torch.optim.Adam([directions])
    for step in range(STEPS):
        for group in optimizer.param_groups:
            group["lr"] = LAST_RATE + FIRST_RATE * (1 - step / STEPS)
        chosen = torch.from_numpy(rng.integers(len(mu), size=STARTS)).to(device)
        inner = np.array([-1 / 3, 1 / 3]) + rng.uniform(-0.25, 0.25, (N_ATTRIBUTES, STARTS, 2))
        turns = np.pad(inner, ((0, 0), (0, 0), (1, 1)), constant_values=(-1, 1))
        knobs = torch.from_numpy(turns.astype(np.float32)).to(device)
        loss = _missed(vae, mu[chosen], directions, knobs, spread)
        loss = loss + LENGTH_WEIGHT * directions.square().sum()
        (directions.grad,) = torch.autograd.grad(loss, [directions])
        optimizer.step()
        with torch.no_grad():
            directions.copy_(_limited(directions, longest))
    fitted: Array = directions.detach().cpu().numpy()
    return fitted


def _missed(vae: Vae, z: Tensor, directions: Tensor, knobs: Tensor, spread: Tensor) -> Tensor:
    """Return by how much sweeps of ``knobs`` [6, n, k] from z [n, z_dim] miss what is wanted."""
    points = z[:, None] + knobs[..., None] * directions[:, None, None]
    heard = _heard(vae, points.flatten(0, 2)) / spread
    heard = heard.view(*knobs.shape, N_ATTRIBUTES)
    own = torch.stack([heard[attribute, ..., attribute] for attribute in range(N_ATTRIBUTES)])
    missing = torch.relu(WANTED_SWEEP / 2 * knobs.diff(dim=2) - own.diff(dim=2))
    changes = (heard[:, :, -1] - heard[:, :, 0]).abs().mean(1)
    others = 1 - torch.eye(N_ATTRIBUTES, device=z.device)
    cross = (changes * others).sum() / (N_ATTRIBUTES - 1)
    loss: Tensor = missing.mean((1, 2)).sum() + CROSS_WEIGHT * cross
    return loss


def _heard(vae: Vae, z: Tensor) -> Tensor:
    """Return the descriptors [n, 6] of z [n, z_dim], onsets nearly all or nothing."""
    patterns = vae.decode(z)
    hits = torch.sigmoid(SHARPNESS * torch.logit(patterns[..., ONSET], eps=1e-6))
    return torch.stack(measure(torch.cat([hits[..., None], patterns[..., 1:]], dim=-1)), dim=-1)


def _first_guess(vae: Vae, z: Tensor, spread: Tensor) -> Tensor:
    """Return the pseudo-inverse of the mean Jacobian: each direction moves one descriptor."""
    z = z.clone().requires_grad_()
    totals = (_heard(vae, z) / spread).sum(0)
    rows = [torch.autograd.grad(total, z, retain_graph=True)[0].mean(0) for total in totals]
    inverse: Tensor = torch.linalg.pinv(torch.stack(rows))
    return inverse.T


def _limited(directions: Tensor, longest: Tensor) -> Tensor:
    """Shorten the directions that lead farther than beats are apart."""
    lengths = directions.norm(dim=1, keepdim=True).clamp(min=1e-9)
    limited: Tensor = directions * (longest / lengths).clamp(max=1)
    return limited


def attribute_report(vae: Vae, space: Space, windows: Pattern, seed: int = 0) -> AttributeReport:
    """Turn each attribute knob from the posterior means of windows [n, steps, 9, 3].

    Of more than 240 windows a seeded draw is taken. Descriptors are of what is played: onsets of
    probability 0.5 and more.
    """
    chosen = np.random.default_rng(seed).permutation(len(windows))[:REPORT_STARTS]
    mu, _ = encoded(vae, windows[chosen])
    spread = _spread(windows)
    turns = np.linspace(-1, 1, POSITIONS, dtype=np.float32)
    knobs = {}
    for attribute, name in enumerate(ATTRIBUTES):
        points = mu[:, None] + turns[:, None] * space.attributes[attribute]
        heard = np.stack([descriptors(decoded(vae, z)) for z in points]) / spread
        own = heard[..., attribute]
        changes = np.abs(heard[:, -1] - heard[:, 0]).mean(axis=0)
        sweep = float(changes[attribute])
        knobs[name] = Knob(
            spearman=float(_spearman(own).mean()),
            spearman_of_mean=float(_spearman(own.mean(axis=0)[None])[0]),
            spearman_unfallen=float(_spearman(np.maximum.accumulate(own, axis=1)).mean()),
            falling=float((np.diff(own, axis=1) < 0).mean()),
            unmoved=float((np.ptp(own, axis=1) == 0).mean()),
            sweep=sweep,
            cross_talk={
                other: float(change) / max(sweep, SMALLEST_SPREAD)
                for other, change in zip(ATTRIBUTES, changes, strict=True)
                if other != name
            },
        )
    return AttributeReport(len(chosen), knobs)


def _spread(windows: Pattern) -> Array:
    """Return the standard deviation of each descriptor over windows, [6]."""
    spread: Array = np.maximum(descriptors(windows).std(axis=0), SMALLEST_SPREAD)
    return spread


def _spearman(sweeps: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Return the rank correlation of each row [n, positions] with its order; 0 if it is flat."""
    below = (sweeps[:, None, :] < sweeps[:, :, None]).sum(axis=2)
    equal = (sweeps[:, None, :] == sweeps[:, :, None]).sum(axis=2)
    ranks = below + (equal - 1) / 2
    ranks -= ranks.mean(axis=1, keepdims=True)
    order = np.arange(sweeps.shape[1]) - (sweeps.shape[1] - 1) / 2
    length = np.sqrt((ranks**2).sum(axis=1) * (order**2).sum())
    rho: npt.NDArray[np.float64] = (ranks @ order) / np.where(length > 0, length, 1)
    return rho
