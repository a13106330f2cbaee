"""The variational autoencoder: encode, decode and the loss it is trained on."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from livevae.model.config import ModelConfig
from livevae.model.decoder import Decoder, activated
from livevae.model.encoder import Encoder
from livevae.pattern.pattern import OFFSET, ONSET, VELOCITY

NATS_PER_BIT = math.log(2)


@dataclass(frozen=True)
class LossWeights:
    """How the parts of the loss count against one nat of an example's onsets.

    ``velocity`` and ``offset`` weigh the squared error of each true hit; ``beta`` the KL beyond
    ``free_bits``.
    """

    velocity: float
    offset: float
    beta: float
    free_bits: float


@dataclass(frozen=True)
class Loss:
    """The loss of a batch and its parts, means over examples: nats, squared errors, bits."""

    total: Tensor
    onset: Tensor
    velocity: Tensor
    offset: Tensor
    bits: Tensor


class Vae(nn.Module):
    """A MusicVAE for drums (Roberts et al. 2018) with GrooVAE's outputs (Gillick et al. 2019)."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = Encoder(config)
        self.decoder = Decoder(config)

    def encode(self, patterns: Tensor) -> tuple[Tensor, Tensor]:
        """Return mu and sigma, [n, z_dim] each, of patterns [n, bars * 16, 9, 3]."""
        mu, sigma = self.encoder(patterns)
        return mu, sigma

    def decode(self, z: Tensor) -> Tensor:
        """Return patterns [n, bars * 16, 9, 3] of z [n, z_dim]: probability, velocity, offset."""
        return activated(self.decoder(z))

    def loss(self, patterns: Tensor, weights: LossWeights) -> Loss:
        """Return the loss of a batch of true patterns [n, bars * 16, 9, 3].

        Bernoulli cross-entropy on onsets, squared errors of velocity and offset on true hits, and
        the KL to a standard normal beyond free bits on its total (Kingma et al. 2016).
        """
        mu, sigma = self.encode(patterns)
        z = mu + sigma * torch.randn_like(sigma)
        raw = self.decoder(z, patterns)
        predicted = activated(raw)
        n = len(patterns)
        hits = patterns[..., ONSET]
        onset = functional.binary_cross_entropy_with_logits(raw[..., ONSET], hits, reduction="sum")
        errors = ((predicted - patterns).square() * hits.unsqueeze(-1)).sum(dim=(0, 1, 2))
        nats = kl_nats(mu, sigma).mean()
        beyond_free = functional.relu(nats - weights.free_bits * NATS_PER_BIT)
        total = (
            onset + weights.velocity * errors[VELOCITY] + weights.offset * errors[OFFSET]
        ) / n + weights.beta * beyond_free
        return Loss(
            total=total,
            onset=onset.detach() / n,
            velocity=errors[VELOCITY].detach() / n,
            offset=errors[OFFSET].detach() / n,
            bits=nats.detach() / NATS_PER_BIT,
        )


def kl_nats(mu: Tensor, sigma: Tensor) -> Tensor:
    """Return each example's KL divergence from the standard normal, [n], in nats."""
    return 0.5 * (mu.square() + sigma.square() - 1 - 2 * sigma.log()).sum(dim=1)
