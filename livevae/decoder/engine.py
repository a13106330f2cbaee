"""The engine: a model's decoder on its device, warm, from points of latent space to patterns."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Protocol

import numpy as np
import torch

from livevae.decoder.graphs import GraphDecoder
from livevae.errors import WorkError
from livevae.model.checkpoint import load_model
from livevae.model.device import Array, resolve_device, side_by_side
from livevae.model.vae import Vae
from livevae.pattern.pattern import Pattern

_WARM_UP_DECODES: Final = 3


class _Decoder(Protocol):
    def decode(self, zs: Array) -> Pattern: ...

    def keep_warm(self) -> None: ...


class Engine:
    """Decodes points of a model's latent space; weights, buffers and threads stand ready."""

    def __init__(self, folder: Path, device: str, threads: int) -> None:
        """Load the model in ``folder`` and run it a few times.

        Args:
            folder: the model's.
            device: ``auto``, ``cpu``, ``cuda``, ``cuda:N`` or ``mps``.
            threads: how many the CPU may use.

        Raises:
            UsageError: the folder is no model, or the device is not there.
            WorkError: what it decodes to is no pattern, or the GPU is out of memory.
        """
        torch.set_num_threads(threads)
        self.device = resolve_device(device)
        self._folder = folder
        vae = load_model(folder)
        vae.decoder.fold()
        self.steps = vae.config.steps
        self._decoder: _Decoder
        with _faults_of(self.device):
            if self.device.startswith("cuda"):
                self._decoder = GraphDecoder(vae, self.device)
            else:
                self._decoder = _PlainDecoder(vae, self.device)
        for _ in range(_WARM_UP_DECODES):
            self.decode(np.zeros((1, vae.config.z_dim), np.float32))

    def decode(self, zs: Array) -> Pattern:
        """Return the patterns [n, steps, 9, 3] at points ``zs`` float32[n, z_dim].

        Raises:
            WorkError: what the model makes of them is no pattern, or the GPU fails.
        """
        with _faults_of(self.device):
            patterns = self._decoder.decode(zs)
        # Whatever is a number is in its range: the decoder ends in sigmoids and a tanh.
        if not np.isfinite(patterns).all():
            raise WorkError(
                f"the model in {self._folder} does not decode to a pattern: a pattern holds "
                "finite numbers only; fetch or train it again"
            )
        return patterns

    def keep_warm(self) -> None:
        """Give a GPU that would clock itself down something to do; to be called when idle.

        Raises:
            WorkError: the GPU fails.
        """
        with _faults_of(self.device):
            self._decoder.keep_warm()


class _PlainDecoder:
    """The model as it is, on a CPU or on Apple's GPU."""

    def __init__(self, vae: Vae, device: str) -> None:
        self._device = device
        self._vae = vae.to(device)

    def decode(self, zs: Array) -> Pattern:
        parts = side_by_side(self._vae.decode, zs, self._device)
        patterns: Pattern = torch.cat(parts).cpu().numpy()
        return patterns

    def keep_warm(self) -> None:
        """Nothing to do: a CPU is warm in a moment."""


@contextmanager
def _faults_of(device: str) -> Iterator[None]:
    """Turn what a GPU's driver raises into a sentence that says what to do."""
    try:
        yield
    except RuntimeError as error:
        if device == "cpu":
            raise
        said = str(error).partition("\n")[0]
        full = isinstance(error, torch.OutOfMemoryError) or "out of memory" in said
        fault = "is out of memory" if full else f"has failed ({said})"
        raise WorkError(
            f"the GPU {device} {fault}; close what else uses it, or decode on the CPU with "
            "`livevae run --set decoder.device=cpu`"
        ) from None
