"""Changes to a batch of beats that leave them beats, so that few recordings teach more."""

from __future__ import annotations

from typing import Annotated

import msgspec
import torch
from torch import Tensor

from livevae.pattern.pattern import ONSET, VELOCITY

Probability = Annotated[float, msgspec.Meta(ge=0, le=1)]


class Augmentation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How often each change is made to an example.

    ``rotate``: the bars of the window move round by some number of bars. ``exchange``: each bar
    gives way to any bar of the training set, with probability ``exchanged_bars``. ``swap_voices``:
    some voices are taken from another example. ``drop_voices``: each voice falls silent with
    probability ``dropped_voices``. ``scale_velocity``: all velocities times 0.7..1.2.
    """

    rotate: Probability = 0.5
    exchange: Probability = 0.3
    exchanged_bars: Probability = 0.4
    swap_voices: Probability = 0.1
    drop_voices: Probability = 0.2
    dropped_voices: Probability = 0.2
    scale_velocity: Probability = 0.5


def augmented(batch: Tensor, pool: Tensor, how: Augmentation) -> Tensor:
    """Return a changed copy of a batch [n, bars, 16, 9, 3]; ``pool`` [m, 16, 9, 3] lends bars."""
    n, bars, _, voices, _ = batch.shape

    turns = torch.randint(bars, (n,)) * (torch.rand(n) < how.rotate)
    order = (torch.arange(bars) + turns[:, None]) % bars
    batch = batch[torch.arange(n)[:, None], order]

    replaced = (torch.rand(n, 1) < how.exchange) & (torch.rand(n, bars) < how.exchanged_bars)
    batch[replaced] = pool[torch.randint(len(pool), (int(replaced.sum()),))]

    swapped = (torch.rand(n, 1) < how.swap_voices) & (torch.rand(n, voices) < 0.5)
    batch = torch.where(swapped[:, None, None, :, None], batch[torch.randperm(n)], batch)

    dropped = (torch.rand(n, 1) < how.drop_voices) & (torch.rand(n, voices) < how.dropped_voices)
    batch = batch * ~dropped[:, None, None, :, None]

    scale = torch.where(torch.rand(n) < how.scale_velocity, 0.7 + 0.5 * torch.rand(n), 1.0)
    batch[..., VELOCITY] = (batch[..., VELOCITY] * scale[:, None, None, None]).clamp(max=1.0)
    return batch


def occupied(bars: Tensor) -> Tensor:
    """Return those of ``bars`` [m, 16, 9, 3] in which anything is played."""
    return bars[bars[..., ONSET].flatten(1).any(dim=1)]
