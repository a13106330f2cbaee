"""The decoder: z to one embedding per bar (the conductor), and those to steps (bar decoders)."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from livevae.model.config import ModelConfig
from livevae.model.layers import STEP_FEATURES, AttentionBlock, positions
from livevae.pattern.pattern import CHANNELS, N_VOICES, ONSET

# About one cell in eleven of human drumming is a hit: where the onset outputs start from.
BASE_RATE = 0.09


class Conductor(nn.Module):
    """An LSTM from z to the embeddings of the bars (Roberts et al. 2018): [n, segments, width].

    z is its state to begin with, and what it hears at every bar.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.segments = config.segments
        self.start = nn.Linear(config.z_dim, 2 * config.conductor_layers * config.bar_width)
        self.z_input = nn.Linear(config.z_dim, config.bar_width)
        self.over_bars = nn.LSTM(
            config.bar_width,
            config.bar_width,
            num_layers=config.conductor_layers,
            dropout=config.dropout if config.conductor_layers > 1 else 0.0,
            batch_first=True,
        )
        narrowed = config.embedding_width is not None
        self.embed = nn.Linear(config.bar_width, config.embedding) if narrowed else nn.Identity()

    def forward(self, z: Tensor) -> Tensor:
        """Map z [n, z_dim] to embeddings [n, segments, width].

        The LSTM is run by hand: at a batch of one, torch's own takes 1.2 to 2.7 times as long for
        four bars.
        """
        started = initial_state(self.start(z), self.over_bars.num_layers)
        x = self.z_input(z).unsqueeze(1)
        for layer, (state, cell) in enumerate(zip(*started, strict=True)):
            if layer:
                x = functional.dropout(x, self.over_bars.dropout, self.training)
            x = self._layer(layer, x, state, cell)
        return self.embed(x)  # type: ignore[no-any-return]

    def fold(self) -> None:
        """Merge z_input and the first layer's input weights, both linear, into the latter for good.

        One decode waits for its weights to come from memory: with fewer, about a tenth less long.
        """
        lstm = self.over_bars
        weight, _, bias, _ = lstm.all_weights[0]
        with torch.no_grad():
            lstm.weight_ih_l0 = nn.Parameter(weight @ self.z_input.weight)
            lstm.bias_ih_l0 = nn.Parameter(weight @ self.z_input.bias + bias)
        self.z_input = nn.Identity()  # type: ignore[assignment]

    def _layer(self, layer: int, x: Tensor, state: Tensor, cell: Tensor) -> Tensor:
        """Run one layer over inputs [n, segments, width], or one that is the same at every bar."""
        input_weight, state_weight, input_bias, state_bias = self.over_bars.all_weights[layer]
        given = functional.linear(x, input_weight, input_bias + state_bias)
        bars = []
        for bar in given.expand(-1, self.segments, -1).unbind(1):
            enter, forget, new, leave = (bar + functional.linear(state, state_weight)).chunk(4, 1)
            cell = torch.sigmoid(forget) * cell + torch.sigmoid(enter) * torch.tanh(new)
            state = torch.sigmoid(leave) * torch.tanh(cell)
            bars.append(state)
        return torch.stack(bars, dim=1)


class Direct(nn.Module):
    """The flat decoder's stand-in for a conductor: one embedding for all the steps."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.embed = nn.Sequential(nn.Linear(config.z_dim, config.embedding), nn.Tanh())

    def forward(self, z: Tensor) -> Tensor:
        return self.embed(z).unsqueeze(1)  # type: ignore[no-any-return]


class ParallelBarDecoder(nn.Module):
    """All steps of a segment at once: one vector per step, then attention over the steps."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.steps = config.steps // config.segments
        self.unfold = nn.Linear(config.embedding, self.steps * config.width)
        self.positions = positions(self.steps, config.width)
        self.blocks = nn.Sequential(
            *(
                AttentionBlock(config.width, config.heads, config.dropout)
                for _ in range(config.decoder_layers)
            )
        )
        self.out = nn.Sequential(nn.LayerNorm(config.width), StepOutput(config.width))

    def forward(
        self, embeddings: Tensor, _target: Tensor | None = None, _own_share: float = 0.0
    ) -> Tensor:
        """Map embeddings [m, width] to raw outputs [m, steps, 27]."""
        x = self.unfold(embeddings).view(len(embeddings), self.steps, -1) + self.positions
        return self.out(self.blocks(x))  # type: ignore[no-any-return]


class LstmBarDecoder(nn.Module):
    """Step after step: each step sees the embedding and the step before it (GrooVAE's decoder).

    In training it sees the true step before (teacher forcing), or its own at a share of the steps
    (scheduled sampling, Bengio et al. 2015); when it runs freely, its own. The first input is a
    start token of zeros, so segments never wait for one another.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.steps = config.steps // config.segments
        self.start = nn.Linear(config.embedding, 2 * config.decoder_layers * config.bar_width)
        self.lstm = nn.LSTM(
            STEP_FEATURES + config.embedding,
            config.bar_width,
            num_layers=config.decoder_layers,
            dropout=config.dropout if config.decoder_layers > 1 else 0.0,
            batch_first=True,
        )
        self.out = StepOutput(config.bar_width)

    def forward(
        self, embeddings: Tensor, target: Tensor | None = None, own_share: float = 0.0
    ) -> Tensor:
        """Map embeddings [m, width], and in training the true steps [m, steps, 27], to raw outputs.

        ``own_share`` is the chance of a step to be given the decoder's own step before instead of
        the true one.
        """
        started = initial_state(self.start(embeddings), self.lstm.num_layers)
        if target is None:
            return self._step_by_step(embeddings, started, target, own_share=1.0)
        if own_share > 0:
            return self._step_by_step(embeddings, started, target, own_share)
        first = embeddings.new_zeros(len(embeddings), 1, STEP_FEATURES)
        before = torch.cat([first, target[:, :-1]], dim=1)
        context = embeddings.unsqueeze(1).expand(-1, self.steps, -1)
        outputs, _ = self.lstm(torch.cat([before, context], dim=2), started)
        return self.out(outputs)  # type: ignore[no-any-return]

    def _step_by_step(
        self,
        embeddings: Tensor,
        state: tuple[Tensor, Tensor],
        target: Tensor | None,
        own_share: float,
    ) -> Tensor:
        m = len(embeddings)
        before = embeddings.new_zeros(m, 1, STEP_FEATURES)
        raw: list[Tensor] = []
        for step in range(self.steps):
            x, state = self.lstm(torch.cat([before, embeddings.unsqueeze(1)], dim=2), state)
            raw.append(self.out(x))
            before = as_input(activated(raw[-1].detach().view(m, 1, N_VOICES, CHANNELS)))
            if target is not None:
                own = torch.rand(m, 1, 1, device=before.device) < own_share
                before = torch.where(own, before, target[:, step : step + 1])
        return torch.cat(raw, dim=1)


def initial_state(raw: Tensor, layers: int) -> tuple[Tensor, Tensor]:
    """Turn raw outputs [n, 2 * layers * width] into a state and cell [layers, n, width]."""
    state, cell = torch.tanh(raw).view(len(raw), 2, layers, -1).unbind(1)
    return state.transpose(0, 1).contiguous(), cell.transpose(0, 1).contiguous()


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

    def forward(self, z: Tensor, target: Tensor | None = None, own_share: float = 0.0) -> Tensor:
        """Map z [n, z_dim] to raw outputs; in training the true patterns teach an LSTM's steps.

        ``own_share`` of those steps, by chance, are given the decoder's own step before.
        """
        embeddings = self.conductor(z).flatten(0, 1)
        if target is not None:
            target = target.reshape(len(embeddings), -1, STEP_FEATURES)
        raw = self.bar_decoder(embeddings, target, own_share)
        return raw.view(len(z), self.steps, N_VOICES, CHANNELS)  # type: ignore[no-any-return]

    def fold(self) -> None:
        """Decode faster one by one, the same up to rounding; no more to be trained or saved."""
        if isinstance(self.conductor, Conductor):
            self.conductor.fold()


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
