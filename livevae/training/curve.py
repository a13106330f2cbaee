"""How well a model can play given patterns for how many bits: its rate-distortion curve."""

from __future__ import annotations

import math
from typing import Final

import msgspec
import torch
from torch import Tensor

from livevae.model.device import BATCH
from livevae.model.posterior import REFINEMENT_STEPS, Posterior, refined
from livevae.model.vae import Vae
from livevae.pattern.pattern import Pattern
from livevae.training.evaluate import (
    Array,
    decoded,
    hit_errors,
    onset_scores,
    step_accuracy,
)

BETAS: Final = (0.03, 0.1, 0.25, 0.5, 1.0, 2.0)
BUDGETS: Final = (48, 150)
"""Bits that points of their own are looked for at."""
NEXT_STEPS: Final = 20
"""Steps from one beta's posteriors to the next one's."""
TRIES: Final = 5
JUST_BELOW: Final = 0.98
SMALLEST_BETA, LARGEST_BETA = 1e-4, 1e3


class RatePoint(msgspec.Struct, frozen=True):
    """What posteriors refined at ``beta`` score at their mean, and the bits that they take."""

    beta: float
    bits: float
    f1: float
    step_accuracy: float
    velocity_mae: float
    timing_mae_ms: float


class RateDistortion(msgspec.Struct, frozen=True):
    """Points of the curve on a number of windows, and those just within budgets of bits.

    ``within`` has no point for a budget that no beta that was tried stays in.
    """

    windows: int
    curve: list[RatePoint]
    within: dict[str, RatePoint]


def rate_distortion(
    vae: Vae,
    windows: Pattern,
    step_ms: Array,
    touch: float = 1.0,
    betas: tuple[float, ...] = BETAS,
) -> RateDistortion:
    """Refine the posteriors of windows [n, steps, 9, 3] at rising betas and measure each.

    Each beta starts from the posteriors of the one before: to give up bits takes fewer steps than
    to find them. ``step_ms`` [n] is the length of a 16th in each window; ``touch`` is how much
    velocity and offset count beside the onsets, as in `refined`.
    """
    device = next(vae.parameters()).device
    patterns = torch.from_numpy(windows).to(device)

    def measured(beta: float, posterior: Posterior) -> RatePoint:
        predicted = decoded(vae, posterior.mu.cpu().numpy())
        errors = hit_errors(predicted, windows, step_ms)
        return RatePoint(
            beta=beta,
            bits=float(posterior.bits.mean()),
            f1=onset_scores(predicted, windows).f1,
            step_accuracy=step_accuracy(predicted, windows),
            velocity_mae=errors.velocity_mae,
            timing_mae_ms=errors.timing_mae_ms,
        )

    posteriors = [_in_batches(vae, patterns, betas[0], touch, None)]
    for beta in betas[1:]:
        posteriors.append(_in_batches(vae, patterns, beta, touch, posteriors[-1]))
    curve = [measured(*point) for point in zip(betas, posteriors, strict=True)]

    within = {}
    for budget in BUDGETS:
        points = list(curve)
        for _ in range(TRIES):
            beta = beta_for(JUST_BELOW * budget, points)
            nearest = min(range(len(betas)), key=lambda i: abs(math.log(betas[i] / beta)))
            point = measured(beta, _in_batches(vae, patterns, beta, touch, posteriors[nearest]))
            if point.bits <= budget:
                within[str(budget)] = point
                break
            points.append(point)
    return RateDistortion(len(windows), curve, within)


def beta_for(bits: float, points: list[RatePoint]) -> float:
    """Return the beta at which refined posteriors should take so many bits.

    It is read off the line through the two points nearest to it, both on logarithmic scales.
    """
    near = sorted(points, key=lambda point: abs(point.bits - bits))[:2]
    (beta_0, bits_0), (beta_1, bits_1) = ((point.beta, max(point.bits, 1e-3)) for point in near)
    if bits_0 == bits_1:
        return beta_0
    slope = math.log(beta_1 / beta_0) / math.log(bits_1 / bits_0)
    exponent = slope * math.log(bits / bits_0) + math.log(beta_0)
    return math.exp(min(max(exponent, math.log(SMALLEST_BETA)), math.log(LARGEST_BETA)))


def _in_batches(
    vae: Vae, patterns: Tensor, beta: float, touch: float, start: Posterior | None
) -> Posterior:
    """Refine the posteriors of patterns from ``start``, or from the encoder's, in small batches."""
    parts = []
    for first in range(0, len(patterns), BATCH):
        rows = slice(first, first + BATCH)
        if start is None:
            part = refined(vae, patterns[rows], beta, REFINEMENT_STEPS, touch=touch)
        else:
            begun = Posterior(start.mu[rows], start.sigma[rows])
            part = refined(vae, patterns[rows], beta, NEXT_STEPS, start=begun, touch=touch)
        parts.append(part)
    return Posterior(torch.cat([p.mu for p in parts]), torch.cat([p.sigma for p in parts]))
