"""What changes along a training: the learning rate, the weight of the KL, whose steps are heard."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from livevae.training.config import TrainingConfig

RISING_PART: Final = 0.5
"""Of a cycle of annealing, the part in which beta rises (R in Fu et al. 2019)."""

LARGEST_EXPONENT: Final = 700.0


@dataclass(frozen=True)
class Moment:
    """What holds at one step of a training."""

    step: int
    learning_rate: float
    beta: float
    own_share: float


def moment(how: TrainingConfig, step: int, progress: float) -> Moment:
    """Return what holds at a step; ``progress`` 0..1 is how far the training is."""
    return Moment(
        step=step,
        learning_rate=_learning_rate(how, step, progress),
        beta=_beta(how, step, progress),
        own_share=_own_share(how.scheduled_sampling, step),
    )


def _learning_rate(how: TrainingConfig, step: int, progress: float) -> float:
    warmup = min(1.0, (step + 1) / how.warmup_steps)
    if how.rate_decay == "cosine":
        falling = 0.5 * (1 + math.cos(math.pi * progress))
        left = how.final_rate + (1 - how.final_rate) * falling
    else:
        left = how.final_rate**progress
    return how.learning_rate * warmup * left


def _beta(how: TrainingConfig, step: int, progress: float) -> float:
    risen = min(1.0, step / how.beta_warmup_steps)
    if how.beta_cycles:
        in_cycle = progress * how.beta_cycles % 1.0
        risen = min(1.0, in_cycle / RISING_PART)
    return how.beta * risen


def _own_share(k: float, step: int) -> float:
    if k == 0:
        return 0.0
    return 1 - k / (k + math.exp(min(step / k, LARGEST_EXPONENT)))
