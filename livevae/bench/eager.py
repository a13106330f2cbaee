"""The reference of `livevae bench decode`: the same weights in plain eager PyTorch.

Bar after bar, as MusicVAE's own decoder does it (Roberts et al. 2018): ``nn.LSTM`` makes one
embedding, the bar decoder plays it, then comes the next. Nothing is folded, captured or shared out.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor

from livevae.model.checkpoint import load_model
from livevae.model.decoder import Conductor, activated, initial_state
from livevae.model.device import Array
from livevae.pattern.pattern import CHANNELS, N_VOICES, Pattern


class EagerDecoder:
    """A model's decoder, called module by module."""

    def __init__(self, folder: Path, device: str) -> None:
        """Load the model in ``folder``.

        Raises:
            UsageError: the folder is no model.
        """
        self._decoder = load_model(folder, device).decoder
        self._device = device

    @torch.no_grad()
    def decode(self, zs: Array) -> Pattern:
        """Return the patterns [n, steps, 9, 3] at points [n, z_dim]."""
        z = torch.from_numpy(zs).to(self._device)
        steps = torch.cat([self._decoder.bar_decoder(bar) for bar in self._embeddings(z)], dim=1)
        raw = steps.view(len(zs), -1, N_VOICES, CHANNELS)
        patterns: Pattern = activated(raw).cpu().numpy()
        return patterns

    def _embeddings(self, z: Tensor) -> Iterator[Tensor]:
        """Yield the embedding of one bar after another; a flat decoder has one for all."""
        conductor = self._decoder.conductor
        if not isinstance(conductor, Conductor):
            yield conductor(z)[:, 0]
            return
        state = initial_state(conductor.start(z), conductor.over_bars.num_layers)
        heard = conductor.z_input(z).unsqueeze(1)
        for _ in range(conductor.segments):
            embedding, state = conductor.over_bars(heard, state)
            yield conductor.embed(embedding[:, 0])
