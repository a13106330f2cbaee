"""Several processes that train one model together, as torchrun starts them."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor, distributed


@dataclass(frozen=True)
class Ranks:
    """This process among ``world`` of them; number 0 validates, saves and shows."""

    rank: int = 0
    world: int = 1

    @property
    def first(self) -> bool:
        """Whether this is the process that validates, saves and shows."""
        return self.rank == 0

    def share(self, batch: Tensor) -> Tensor:
        """Return this process's part of a batch that all of them drew: [n, ...] to [n/world, ...].

        The processes must divide the batch evenly.
        """
        return batch[self.rank :: self.world]

    def mean(self, value: Tensor) -> Tensor:
        """Return the mean of every process's value, without a gradient."""
        if self.world == 1:
            return value.detach()
        total = value.detach().clone()
        distributed.all_reduce(total)
        return total / self.world

    def agreed(self, values: list[float], device: str) -> list[float]:
        """Return the first process's values: clocks and signals differ from one to another."""
        if self.world == 1:
            return values
        theirs = torch.tensor(values, dtype=torch.float32, device=device)
        distributed.broadcast(theirs, src=0)
        return [float(value) for value in theirs]


ALONE: Final = Ranks()
"""The place of a process that trains by itself."""


@contextmanager
def joined(device: str) -> Iterator[tuple[Ranks, str]]:
    """Join the processes that torchrun started, if it did; yield this one's place and device.

    ``RANK``, ``WORLD_SIZE`` and ``LOCAL_RANK`` are what torchrun says in the environment. CUDA
    devices are given out by local rank and speak NCCL; all else speaks gloo.
    """
    world = int(os.environ.get("WORLD_SIZE", "1"))
    if world == 1:
        yield ALONE, device
        return
    cuda = torch.device(device).type == "cuda"
    if cuda:
        device = f"cuda:{os.environ['LOCAL_RANK']}"
        torch.cuda.set_device(device)
    distributed.init_process_group("nccl" if cuda else "gloo")
    try:
        yield Ranks(distributed.get_rank(), world), device
        distributed.barrier()
    finally:
        # A wrapped model that lingers in a cycle keeps gloo's threads alive, and when they are
        # there at the interpreter's end, the process aborts.
        gc.collect()
        distributed.destroy_process_group()
