"""What a decode cannot be faster than: its arithmetic and its weights, and what the machine does.

Both are measured in the same run by what does little else: a product of large matrices, and a copy.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

import msgspec
import torch
from torch.utils.flop_counter import FlopCounterMode

from livevae.model.vae import Vae

_SIDES: Final = {"cpu": 2048, "cuda": 8192, "mps": 4096}
"""Of the square matrices: large enough for every core, small enough for a moment."""
_COPIED_BYTES: Final = 256 << 20
_TRIES: Final = 20
"""The best of so many is a peak, whatever else the machine does meanwhile."""


class Floor(msgspec.Struct, frozen=True):
    """One decode's work, and the device's peaks.

    ``decode_flops`` are its multiplications and additions in matrix products, ``weight_bytes`` what
    is read once at least, ``gflops`` float32 arithmetic per second in thousand millions, and
    ``gigabytes_per_s`` what a copy reads and writes in memory.
    """

    decode_flops: int
    weight_bytes: int
    gflops: float
    gigabytes_per_s: float

    def arithmetic_ms(self, points: int) -> float:
        """Return how long the arithmetic of so many decodes takes at the peak."""
        return points * self.decode_flops / self.gflops / 1e6

    @property
    def weights_ms(self) -> float:
        """How long it takes to read the weights from memory; from a cache they come faster."""
        return self.weight_bytes / self.gigabytes_per_s / 1e6


def floor_of(vae: Vae, device: str) -> Floor:
    """Count one decode of a folded model on the CPU, and measure the device's peaks."""
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        vae.decode(torch.zeros(1, vae.config.z_dim))
    side = _SIDES[torch.device(device).type]
    a, b, product = torch.rand(3, side, side, device=device)
    source, copied = torch.zeros(2, _COPIED_BYTES // 4, device=device)
    return Floor(
        decode_flops=counter.get_total_flops(),
        weight_bytes=sum(w.numel() * w.element_size() for w in vae.decoder.parameters()),
        gflops=2 * side**3 / _best_s(lambda: torch.mm(a, b, out=product), device) / 1e9,
        gigabytes_per_s=2 * _COPIED_BYTES / _best_s(lambda: copied.copy_(source), device) / 1e9,
    )


def _best_s(work: Callable[[], object], device: str) -> float:
    """Return the seconds of the fastest of some runs; what the first prepares is left aside."""
    seconds = []
    for _ in range(_TRIES + 1):
        begun = time.perf_counter()
        work()
        if device != "cpu":
            torch.accelerator.synchronize(device)
        seconds.append(time.perf_counter() - begun)
    return min(seconds[1:])
