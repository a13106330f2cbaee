"""What changes along a training: the learning rate and the weight of the KL."""

from __future__ import annotations

import math
from typing import Final

from livevae.training.config import TrainingConfig

RISING_PART: Final = 0.5
"""Of a cycle of annealing, the part in which beta rises (R in Fu et al. 2019)."""


def learning_rate(how: TrainingConfig, step: int, progress: float) -> float:
    """Return the learning rate at a step; ``progress`` 0..1 is how far the training is."""
    warmup = min(1.0, (step + 1) / how.warmup_steps)
    if how.rate_decay == "cosine":
        falling = 0.5 * (1 + math.cos(math.pi * progress))
        left = how.final_rate + (1 - how.final_rate) * falling
    else:
        left = how.final_rate**progress
    return how.learning_rate * warmup * left


def beta(how: TrainingConfig, step: int, progress: float) -> float:
    """Return the weight of the KL at a step; ``progress`` as for the learning rate."""
    risen = min(1.0, step / how.beta_warmup_steps)
    if how.beta_cycles:
        in_cycle = progress * how.beta_cycles % 1.0
        risen = min(1.0, in_cycle / RISING_PART)
    return how.beta * risen
