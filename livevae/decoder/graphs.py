"""The unrolled decode on an NVIDIA GPU, captured as CUDA graphs for a few numbers of points.

One decode is some hundred small kernels, which take the GPU less time than it takes Python to ask
for them. A graph is asked for once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import numpy as np
import torch

from livevae.model.device import Array, side_by_side
from livevae.model.vae import Vae
from livevae.pattern.pattern import CHANNELS, DOUBTFUL, N_VOICES, ONSET, Pattern

SIZES: Final = (1, 16, 81, 363)
"""Points of each graph: the knobs, their neighbours, a square around them, a third of a map."""
PRECISIONS: Final = ("high", "highest")
"""What torch calls TF32 and float32, in the order in which they are tried; the last needs no proof.
TF32 has as many digits as half precision, which is what weights are stored at."""
TRIED_ON: Final = 256
NEARLY: Final = DOUBTFUL / 2
"""How far a probability may be from that of float32 on a CPU. Points that were not tried may have
a little more, and still only doubtful onsets turn."""
_WARM_UPS: Final = 3


class GraphDecoder:
    """A decoder whose weights and buffers lie on the GPU for good.

    ``precision`` is the one of ``PRECISIONS`` at which it decodes.
    """

    def __init__(self, vae: Vae, device: str) -> None:
        """Capture the decode of a folded model that is still on the CPU.

        Raises:
            RuntimeError: as CUDA raises it, its being out of memory included.
        """
        self._device = device
        self._shape = (vae.config.steps, N_VOICES, CHANNELS)
        self.precision = sufficient_precision(vae, device)
        with _matmul_precision(self.precision), torch.cuda.device(device):
            stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
            pool = torch.cuda.graph_pool_handle()
            self._graphs = [_Graph(vae, points, stream, pool) for points in SIZES]

    def decode(self, zs: Array) -> Pattern:
        """Return the patterns [n, steps, 9, 3] at points [n, z_dim]."""
        patterns = np.empty((len(zs), *self._shape), np.float32)
        with torch.cuda.device(self._device):
            for part, number in parts(len(zs), SIZES):
                patterns[part] = self._graphs[number].decode(zs[part])
        return patterns

    def keep_warm(self) -> None:
        """Decode something, so that the GPU does not clock itself down."""
        with torch.cuda.device(self._device):
            self._graphs[0].replay()


class _Graph:
    """One decode of ``points`` points, from a pinned input to a pinned output.

    The graphs of a ``pool`` share their memory; on one ``stream`` they run one after the other.
    """

    @torch.inference_mode()
    def __init__(self, vae: Vae, points: int, stream: torch.cuda.Stream, pool: Any) -> None:
        self._stream = stream
        self._given = torch.zeros(points, vae.config.z_dim, pin_memory=True)
        with torch.cuda.stream(stream):
            self._z = self._given.to(stream.device)
            for _ in range(_WARM_UPS):  # libraries choose their kernels, which cannot be captured
                vae.decode(self._z)
        stream.synchronize()
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph, pool, stream, "thread_local"):
            self._decoded = vae.decode(self._z)
        self._taken = torch.empty(self._decoded.shape, pin_memory=True)

    @torch.inference_mode()
    def replay(self) -> None:
        """Decode what lies in the pinned input into the pinned output."""
        with torch.cuda.stream(self._stream):
            self._z.copy_(self._given, non_blocking=True)
            self._graph.replay()
            self._taken.copy_(self._decoded, non_blocking=True)
        self._stream.synchronize()

    def decode(self, zs: Array) -> Pattern:
        """Return the patterns at up to ``points`` points; they hold until the next decode."""
        self._given.numpy()[: len(zs)] = zs
        self.replay()
        patterns: Pattern = self._taken.numpy()[: len(zs)]
        return patterns


def parts(n: int, sizes: Sequence[int]) -> Iterator[tuple[slice, int]]:
    """Share ``n`` points out: yield each part, and which of the ascending ``sizes`` it fits."""
    start = 0
    while start < n:
        number = next((i for i, size in enumerate(sizes) if size >= n - start), len(sizes) - 1)
        stop = min(n, start + sizes[number])
        yield slice(start, stop), number
        start = stop


def sufficient_precision(vae: Vae, device: str) -> str:
    """Take a model to the GPU; return the first precision at which it plays what the CPU does."""
    zs = np.random.default_rng(0).standard_normal((TRIED_ON, vae.config.z_dim), np.float32)
    expected = torch.cat(side_by_side(vae.decode, zs, "cpu"))
    vae.to(device)
    for precision in PRECISIONS[:-1]:
        with _matmul_precision(precision):
            decoded = torch.cat(side_by_side(vae.decode, zs, device)).cpu()
        if (decoded - expected)[..., ONSET].abs().max() <= NEARLY:
            return precision
    return PRECISIONS[-1]


@contextmanager
def _matmul_precision(name: str) -> Iterator[None]:
    """Have torch multiply matrices at a precision for a while; a graph keeps what it began with."""
    before = torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32
    torch.set_float32_matmul_precision(name)
    torch.backends.cudnn.allow_tf32 = name != "highest"
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before[0])
        torch.backends.cudnn.allow_tf32 = before[1]
