"""The encoders: a pattern to the mean and spread of its posterior."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from livevae.model.config import ModelConfig
from livevae.model.layers import STEP_FEATURES, AttentionBlock, positions
from livevae.pattern.pattern import STEPS_PER_BAR

SMALLEST_SIGMA: Final = 1e-4


class AttentionEncoder(nn.Module):
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
        return mean_and_spread(self.posterior(summary))


class LstmEncoder(nn.Module):
    """A bidirectional LSTM over all steps (Roberts et al. 2018; Gillick et al. 2019).

    The last states of the last layer's two directions are what the posterior is told from.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.over_steps = nn.LSTM(
            STEP_FEATURES,
            config.width,
            num_layers=config.encoder_layers,
            dropout=config.dropout if config.encoder_layers > 1 else 0.0,
            batch_first=True,
            bidirectional=True,
        )
        self.posterior = nn.Linear(2 * config.width, 2 * config.z_dim)

    def forward(self, patterns: Tensor) -> tuple[Tensor, Tensor]:
        """Map [n, bars * 16, 9, 3] to mu and sigma, [n, z_dim] each."""
        _, (last, _) = self.over_steps(patterns.flatten(2))
        return mean_and_spread(self.posterior(torch.cat([last[-2], last[-1]], dim=1)))


def mean_and_spread(raw: Tensor) -> tuple[Tensor, Tensor]:
    """Turn raw outputs [n, 2 * z_dim] into mu and a sigma above nothing, [n, z_dim] each.

    They are float32 under autocast too: a KL of bfloat16 has three digits.
    """
    mu, spread = raw.float().chunk(2, dim=1)
    return mu, functional.softplus(spread) + SMALLEST_SIGMA
