"""Which device a model runs on, and on how many threads."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from typing import Final, TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from livevae.errors import UsageError

Array = npt.NDArray[np.float32]
T = TypeVar("T")

BATCH: Final = 32
"""Patterns at once: what lies between the layers of so many still fits a core's cache."""


def resolve_device(wanted: str) -> str:
    """Return the device that ``auto`` stands for here, or ``wanted`` if it is there.

    Raises:
        UsageError: it is not; the sentence says what to choose.
    """
    counts = {
        "cuda": torch.cuda.device_count(),
        "mps": int(torch.mps.is_available()),
        "cpu": 1,
    }
    if wanted == "auto":
        return next(kind for kind, count in counts.items() if count)
    try:
        device = torch.device(wanted)
    except RuntimeError:
        raise UsageError(
            f"there is no device {wanted!r}; choose auto, cpu, cuda, cuda:N or mps"
        ) from None
    wrapped = str(device) != wanted  # torch keeps a number's last 8 bits: 256 would be 0
    if wrapped or (device.index or 0) >= counts.get(device.type, 0):
        there = [kind for kind, count in counts.items() if count == 1]
        there += [f"{kind}:0 to {kind}:{n - 1}" for kind, n in counts.items() if n > 1]
        raise UsageError(
            f"the device {wanted} is not there; choose auto or one of: {', '.join(there)}"
        )
    return wanted


def why(wanted: str) -> str:
    """Say in half a sentence why ``resolve_device(wanted)`` is what it is."""
    if wanted != "auto":
        return "as decoder.device says"
    if torch.cuda.device_count():
        return f"since torch finds {torch.cuda.get_device_name(0)}"
    no_cuda = "torch finds no CUDA device" if torch.version.cuda else "this torch is without CUDA"
    return f"since {no_cuda}" + (" but Apple's GPU" if torch.mps.is_available() else "")


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Have torch use so many threads for a while."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def side_by_side(run: Callable[[Tensor], T], examples: Array, device: str) -> list[T]:
    """Run ``run`` on ``examples`` [n, ...] batch by batch; return what it makes of each batch.

    On a CPU as many batches run side by side as torch has threads, and each has one to itself:
    the threads of one batch would wait for one another after every operation, and for the slowest
    if a core has something else to do.
    """
    at_once = torch.get_num_threads() if device == "cpu" else 1
    count = at_once * math.ceil(len(examples) / (BATCH * at_once))
    batches = np.array_split(examples, max(1, min(count, len(examples))))

    @torch.inference_mode()
    def part(batch: Array) -> T:
        return run(torch.from_numpy(batch).to(device))

    if at_once == 1 or len(batches) == 1:
        return [part(batch) for batch in batches]
    with threads(1):  # torch gives new threads what was set last
        return list(_workers(at_once).map(part, batches))


@cache
def _workers(count: int) -> ThreadPoolExecutor:
    """Return so many threads that stay: new ones take milliseconds to get memory of their own."""
    return ThreadPoolExecutor(count, initializer=torch.set_num_threads, initargs=(1,))
