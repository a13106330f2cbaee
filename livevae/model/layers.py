"""Self-attention over steps, shared by the encoder and the parallel bar decoder."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from livevae.pattern.pattern import CHANNELS, N_VOICES

STEP_FEATURES: Final = N_VOICES * CHANNELS


class AttentionBlock(nn.Module):
    """Pre-norm attention and feed-forward over the steps of a segment: [n, steps, width]."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.before_attention = nn.LayerNorm(width)
        self.query_key_value = nn.Linear(width, 3 * width)
        self.attended = nn.Linear(width, width)
        self.feed_forward = nn.Sequential(
            nn.LayerNorm(width),
            nn.Linear(width, 2 * width),
            nn.ReLU(),
            nn.Linear(2 * width, width),
        )
        self.dropout = SharedDropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        n, steps, width = x.shape
        qkv = self.query_key_value(self.before_attention(x))
        qkv = qkv.float().view(n, steps, 3, self.heads, width // self.heads)
        query, key, value = qkv.transpose(1, 3).unbind(2)
        # torch's attention over few steps is many times slower in bfloat16 on a CPU.
        with torch.autocast(x.device.type, enabled=False):
            mixed = functional.scaled_dot_product_attention(query, key, value)
        x = x + self.dropout(self.attended(mixed.transpose(1, 2).reshape(n, steps, width)))
        fed: Tensor = self.dropout(self.feed_forward(x))
        return x + fed


class SharedDropout(nn.Module):
    """Dropout that leaves out the same features at every step of a segment."""

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.share == 0:
            return x
        return x * functional.dropout(x.new_ones(len(x), 1, x.shape[2]), self.share)


def positions(steps: int, width: int) -> nn.Parameter:
    """Return one learned vector per step."""
    return nn.Parameter(0.02 * torch.randn(steps, width))
