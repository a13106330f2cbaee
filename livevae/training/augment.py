"""Changes to a batch of beats that leave them beats, so that few recordings teach more."""

from __future__ import annotations

from typing import Annotated

import msgspec
import torch
from torch import Generator, Tensor

from livevae.pattern.pattern import ONSET, VELOCITY

Probability = Annotated[float, msgspec.Meta(ge=0, le=1)]


class Augmentation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How often each change is made to an example.

    ``rotate``: the bars of the window move round by some number of bars. ``exchange``: each bar
    gives way to any bar of the batch, with probability ``exchanged_bars``. ``swap_voices``:
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


def augmented(batch: Tensor, how: Augmentation, generator: Generator) -> Tensor:
    """Return a changed copy of a batch [n, bars, 16, 9, 3]; ``generator`` is all its chance."""
    n, bars, _, voices, _ = batch.shape

    def chance(*shape: int) -> Tensor:
        return torch.rand(shape, generator=generator)

    def below(limit: int, count: int) -> Tensor:
        return torch.randint(limit, (count,), generator=generator)

    lent = _occupied(batch.flatten(0, 1))
    turns = below(bars, n) * (chance(n) < how.rotate)
    order = (torch.arange(bars) + turns[:, None]) % bars
    batch = batch[torch.arange(n)[:, None], order]

    replaced = (chance(n, 1) < how.exchange) & (chance(n, bars) < how.exchanged_bars)
    batch[replaced] = lent[below(len(lent), int(replaced.sum()))]

    swapped = (chance(n, 1) < how.swap_voices) & (chance(n, voices) < 0.5)
    others = torch.randperm(n, generator=generator)
    batch = torch.where(swapped[:, None, None, :, None], batch[others], batch)

    dropped = (chance(n, 1) < how.drop_voices) & (chance(n, voices) < how.dropped_voices)
    batch = batch * ~dropped[:, None, None, :, None]

    scale = torch.where(chance(n) < how.scale_velocity, 0.7 + 0.5 * chance(n), 1.0)
    batch[..., VELOCITY] = (batch[..., VELOCITY] * scale[:, None, None, None]).clamp(max=1.0)
    return batch


def _occupied(bars: Tensor) -> Tensor:
    """Return those of ``bars`` [m, 16, 9, 3] in which anything is played; all, if none is."""
    played = bars[bars[..., ONSET].flatten(1).any(dim=1)]
    return played if len(played) else bars
