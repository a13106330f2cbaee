"""Changes to a batch of beats that leave them beats, so that few recordings teach more."""

from __future__ import annotations

from typing import Annotated

import msgspec
import torch
from torch import Generator, Tensor

from livevae.pattern.pattern import MAX_OFFSET, ONSET, SOFTEST, VELOCITY

Probability = Annotated[float, msgspec.Meta(ge=0, le=1)]


class Augmentation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How often each change is made to an example.

    ``rotate``: the bars of the window move round by some number of bars. ``exchange``: each bar
    gives way to any bar of the batch, with probability ``exchanged_bars``. ``swap_voices``:
    some voices are taken from another example. ``transfer_groove``: the beat stays, but is played
    with the velocities and offsets of another example. ``drop_voices``: each voice falls silent
    with probability ``dropped_voices``. ``scale_velocity``: all velocities times 0.7..1.2.
    """

    rotate: Probability = 0.5
    exchange: Probability = 0.3
    exchanged_bars: Probability = 0.4
    swap_voices: Probability = 0.1
    transfer_groove: Probability = 0.0
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

    transferred = chance(n) < how.transfer_groove
    others = torch.randperm(n, generator=generator)
    played = _played_as(batch, batch[others])
    batch = torch.where(transferred[:, None, None, None, None], played, batch)

    dropped = (chance(n, 1) < how.drop_voices) & (chance(n, voices) < how.dropped_voices)
    batch = batch * ~dropped[:, None, None, :, None]

    scale = torch.where(chance(n) < how.scale_velocity, 0.7 + 0.5 * chance(n), 1.0)
    batch[..., VELOCITY] = (batch[..., VELOCITY] * scale[:, None, None, None]).clamp(max=1.0)
    return batch


def _played_as(beats: Tensor, others: Tensor) -> Tensor:
    """Return ``beats`` [n, bars, 16, 9, 3] with the velocities and offsets of ``others``.

    Where both have a hit, it is played as the other is. A hit that the other has not is moved by
    what lies between the mean hits of that voice in the two; if the other has none, it stays.
    """
    hits, other_hits = beats[..., :1] > 0, others[..., :1] > 0
    touch, other_touch = beats[..., VELOCITY:], others[..., VELOCITY:]
    between = _mean_hit(other_touch, other_hits) - _mean_hit(touch, hits)
    known = other_hits.any(dim=(1, 2), keepdim=True)
    moved = torch.where(known, touch + between, touch)
    played = torch.where(other_hits, other_touch, moved)
    velocity = played[..., :1].clamp(SOFTEST, 1.0)
    offset = played[..., 1:].clamp(-MAX_OFFSET, MAX_OFFSET)
    return torch.cat([beats[..., :1], velocity * hits, offset * hits], dim=-1)


def _mean_hit(touch: Tensor, hits: Tensor) -> Tensor:
    """Return the mean velocity and offset of each voice's hits, [n, 1, 1, 9, 2]."""
    total = (touch * hits).sum(dim=(1, 2), keepdim=True)
    mean: Tensor = total / hits.sum(dim=(1, 2), keepdim=True).clamp(min=1)
    return mean


def _occupied(bars: Tensor) -> Tensor:
    """Return those of ``bars`` [m, 16, 9, 3] in which anything is played; all, if none is."""
    played = bars[bars[..., ONSET].flatten(1).any(dim=1)]
    return played if len(played) else bars
