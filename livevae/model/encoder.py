"""The encoder: a pattern to the mean and spread of its posterior."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from livevae.model.config import ModelConfig
from livevae.model.layers import STEP_FEATURES, AttentionBlock, positions
from livevae.pattern.pattern import STEPS_PER_BAR


class Encoder(nn.Module):
    """Attention over the steps of each bar, then a bidirectional LSTM over the bars.

    MusicVAE (Roberts et al. 2018) runs its bidirectional LSTM over all steps; reading the bars
    side by side first makes the recurrence ``bars`` long instead of ``bars * 16``.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.bars = config.bars
        self.step = nn.Linear(STEP_FEATURES, config.width)
        self.positions = positions(STEPS_PER_BAR, config.width)
        self.blocks = nn.Sequential(
            *(
                AttentionBlock(config.width, config.heads, config.dropout)
                for _ in range(config.encoder_layers)
            )
        )
        self.bar = nn.Linear(STEPS_PER_BAR * config.width, config.bar_width)
        self.over_bars = nn.LSTM(
            config.bar_width, config.bar_width // 2, batch_first=True, bidirectional=True
        )
        self.posterior = nn.Linear(2 * config.bar_width, 2 * config.z_dim)

    def forward(self, patterns: Tensor) -> tuple[Tensor, Tensor]:
        """Map [n, bars * 16, 9, 3] to mu and sigma, [n, z_dim] each."""
        n = len(patterns)
        steps = patterns.reshape(n * self.bars, STEPS_PER_BAR, STEP_FEATURES)
        x = self.blocks(self.step(steps) + self.positions)
        bars = functional.gelu(self.bar(x.flatten(1))).view(n, self.bars, -1)
        outputs, (last, _) = self.over_bars(bars)
        summary = torch.cat([last[0], last[1], outputs.mean(1)], dim=1)
        mu, spread = self.posterior(summary).chunk(2, dim=1)
        return mu, functional.softplus(spread) + 1e-4
