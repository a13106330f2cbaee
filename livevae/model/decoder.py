"""The decoder: z to one embedding per bar (the conductor), and those to steps (bar decoders)."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from livevae.model.config import ModelConfig
from livevae.model.layers import STEP_FEATURES, AttentionBlock, positions
from livevae.pattern.pattern import CHANNELS, N_VOICES, ONSET

# About one cell in eleven of human drumming is a hit: where the onset outputs start from.
BASE_RATE = 0.09


class Conductor(nn.Module):
    """An LSTM from z to the embeddings of the bars (Roberts et al. 2018): [n, segments, width]."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.segments = config.segments
        self.start = nn.Linear(config.z_dim, 2 * config.bar_width)
        self.z_input = nn.Linear(config.z_dim, config.bar_width)
        self.over_bars = nn.LSTM(config.bar_width, config.bar_width, batch_first=True)

    def forward(self, z: Tensor) -> Tensor:
        state, cell = torch.tanh(self.start(z)).unsqueeze(0).chunk(2, dim=2)
        each_bar = self.z_input(z).unsqueeze(1).expand(-1, self.segments, -1)
        embeddings, _ = self.over_bars(each_bar, (state.contiguous(), cell.contiguous()))
        return embeddings  # type: ignore[no-any-return]


class Direct(nn.Module):
    """The flat decoder's stand-in for a conductor: one embedding for all the steps."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.embed = nn.Sequential(nn.Linear(config.z_dim, config.bar_width), nn.Tanh())

    def forward(self, z: Tensor) -> Tensor:
        return self.embed(z).unsqueeze(1)  # type: ignore[no-any-return]


class ParallelBarDecoder(nn.Module):
    """All steps of a segment at once: one vector per step, then attention over the steps."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.steps = config.steps // config.segments
        self.unfold = nn.Linear(config.bar_width, self.steps * config.width)
        self.positions = positions(self.steps, config.width)
        self.blocks = nn.Sequential(
            *(
                AttentionBlock(config.width, config.heads, config.dropout)
                for _ in range(config.decoder_layers)
            )
        )
        self.out = nn.Sequential(nn.LayerNorm(config.width), StepOutput(config.width))

    def forward(self, embeddings: Tensor, _target: Tensor | None = None) -> Tensor:
        """Map [m, bar_width] to raw outputs [m, steps, 27]."""
        x = self.unfold(embeddings).view(len(embeddings), self.steps, -1) + self.positions
        return self.out(self.blocks(x))  # type: ignore[no-any-return]


class LstmBarDecoder(nn.Module):
    """Step after step: each step sees the embedding and the step before it (GrooVAE's decoder).

    In training it sees the true step before (teacher forcing); when it runs freely, its own.
    The first input is a start token of zeros, so segments never wait for one another.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.steps = config.steps // config.segments
        self.start = nn.Linear(config.bar_width, 2 * config.decoder_layers * config.bar_width)
        self.lstm = nn.LSTM(
            STEP_FEATURES + config.bar_width,
            config.bar_width,
            num_layers=config.decoder_layers,
            dropout=config.dropout if config.decoder_layers > 1 else 0.0,
            batch_first=True,
        )
        self.out = StepOutput(config.bar_width)

    def forward(self, embeddings: Tensor, target: Tensor | None = None) -> Tensor:
        """Map [m, bar_width], and in training the true steps [m, steps, 27], to raw outputs."""
        m = len(embeddings)
        started = torch.tanh(self.start(embeddings)).view(m, 2, self.lstm.num_layers, -1)
        state, cell = (part.transpose(0, 1).contiguous() for part in started.unbind(1))
        before = embeddings.new_zeros(m, 1, STEP_FEATURES)
        context = embeddings.unsqueeze(1)
        if target is not None:
            shifted = torch.cat([before, target[:, :-1]], dim=1)
            given = torch.cat([shifted, context.expand(-1, self.steps, -1)], dim=2)
            return self.out(self.lstm(given, (state, cell))[0])  # type: ignore[no-any-return]
        raw = []
        for _ in range(self.steps):
            x, (state, cell) = self.lstm(torch.cat([before, context], dim=2), (state, cell))
            raw.append(self.out(x))
            before = as_input(activated(raw[-1].view(m, 1, N_VOICES, CHANNELS)))
        return torch.cat(raw, dim=1)


class StepOutput(nn.Linear):
    """A linear layer to the 27 raw outputs of a step, starting at the base rate of onsets."""

    def __init__(self, width: int) -> None:
        super().__init__(width, STEP_FEATURES)
        with torch.no_grad():
            self.weight.mul_(0.5)
            self.bias.zero_()
            self.bias.view(N_VOICES, CHANNELS)[:, ONSET] = math.log(BASE_RATE / (1 - BASE_RATE))


class Decoder(nn.Module):
    """z to raw outputs [n, bars * 16, 9, 3], by the variant the config names."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.steps = config.steps
        hierarchical = config.decoder == "hierarchical"
        parallel = config.bar_decoder == "parallel"
        self.conductor = Conductor(config) if hierarchical else Direct(config)
        self.bar_decoder = ParallelBarDecoder(config) if parallel else LstmBarDecoder(config)

    def forward(self, z: Tensor, target: Tensor | None = None) -> Tensor:
        """Map z [n, z_dim] (and true patterns, for teacher forcing) to raw outputs."""
        embeddings = self.conductor(z).flatten(0, 1)
        if target is not None:
            target = target.reshape(len(embeddings), -1, STEP_FEATURES)
        raw = self.bar_decoder(embeddings, target)
        return raw.view(len(z), self.steps, N_VOICES, CHANNELS)  # type: ignore[no-any-return]


def activated(raw: Tensor) -> Tensor:
    """Turn raw outputs [..., 9, 3] into onset probability, velocity 0..1, offset -0.5..0.5."""
    onset, velocity, offset = raw.unbind(-1)
    return torch.stack(
        [torch.sigmoid(onset), torch.sigmoid(velocity), 0.5 * torch.tanh(offset)], dim=-1
    )


def as_input(patterns: Tensor) -> Tensor:
    """Turn decoded steps [m, steps, 9, 3] into hits as the data has them, [m, steps, 27]."""
    hits = (patterns[..., ONSET : ONSET + 1] >= 0.5).to(patterns.dtype)
    return torch.cat([hits, patterns[..., ONSET + 1 :] * hits], dim=-1).flatten(2)
