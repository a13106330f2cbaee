"""How long a decode takes on the processor at hand."""

from __future__ import annotations

import copy
import os
import time
from typing import Final

import msgspec
import numpy as np

from livevae.latent.grid import DEFAULT_SIZE
from livevae.model.device import threads
from livevae.model.vae import Vae
from livevae.training.evaluate import Array, decoded

DECODES: Final = 100
MAP_POINTS: Final = DEFAULT_SIZE**2
MAP_THREADS: Final = 2


class DecodeTime(msgspec.Struct, frozen=True):
    """``one_ms`` is the median of 100 decodes of one z on one thread, ``slowest_ms`` their 95%.

    ``map_s`` is the time that a map of ``map_points`` takes on ``map_threads`` threads.
    """

    one_ms: float
    slowest_ms: float
    map_points: int
    map_threads: int
    map_s: float


def decode_time(vae: Vae) -> DecodeTime:
    """Time the decodes of a model that is on the CPU; one by one it is folded, as when played."""
    rng = np.random.default_rng(0)
    points: Array = rng.normal(size=(MAP_POINTS, vae.config.z_dim)).astype(np.float32)
    live = copy.deepcopy(vae)
    live.decoder.fold()
    with threads(1):
        decoded(live, points[:1])
        single = [_seconds(live, points[[i]]) for i in range(DECODES)]
    map_threads = min(MAP_THREADS, os.cpu_count() or 1)
    with threads(map_threads):
        decoded(vae, points[:1])
        whole = _seconds(vae, points)
    return DecodeTime(
        one_ms=float(np.median(single) * 1000),
        slowest_ms=float(np.quantile(single, 0.95) * 1000),
        map_points=MAP_POINTS,
        map_threads=map_threads,
        map_s=whole,
    )


def _seconds(vae: Vae, z: Array) -> float:
    began = time.perf_counter()
    decoded(vae, z)
    return time.perf_counter() - began
