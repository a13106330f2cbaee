"""The variational autoencoder: encode, decode and the loss it is trained on."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from livevae.model.config import ModelConfig
from livevae.model.decoder import Decoder, activated
from livevae.model.encoder import AttentionEncoder, LstmEncoder
from livevae.pattern.pattern import OFFSET, ONSET, VELOCITY

NATS_PER_BIT = math.log(2)


@dataclass(frozen=True)
class Distortion:
    """How far each example's decoded pattern is from the true one, [n] each.

    ``onset`` is the Bernoulli cross-entropy of all cells in nats; ``velocity`` and ``offset`` are
    the summed absolute errors over the true hits.
    """

    onset: Tensor
    velocity: Tensor
    offset: Tensor


@dataclass(frozen=True)
class Loss:
    """The loss of a batch and its parts, means over examples: nats, absolute errors, bits."""

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
        attention = config.encoder == "attention"
        self.encoder = AttentionEncoder(config) if attention else LstmEncoder(config)
        self.decoder = Decoder(config)

    def encode(self, patterns: Tensor) -> tuple[Tensor, Tensor]:
        """Return mu and sigma, [n, z_dim] each, of patterns [n, bars * 16, 9, 3]."""
        mu, sigma = self.encoder(patterns)
        return mu, sigma

    def decode(self, z: Tensor) -> Tensor:
        """Return patterns [n, bars * 16, 9, 3] of z [n, z_dim]: probability, velocity, offset."""
        return activated(self.decoder(z))

    def nats(self, distortion: Distortion, touch: float = 1.0) -> Tensor:
        """Return each example's negative log-likelihood up to a constant, [n], in nats.

        Onsets are Bernoulli; velocity and offset of a true hit are Laplace, so that the decoder
        learns their medians, at the config's weights times ``touch``.
        """
        return distortion.onset + touch * (
            self.config.velocity_weight * distortion.velocity
            + self.config.offset_weight * distortion.offset
        )

    def loss(
        self,
        patterns: Tensor,
        beta: float,
        free_bits: float,
        noise: Tensor | None = None,
        own_share: float = 0.0,
        mean_of_all: Callable[[Tensor], Tensor] = Tensor.detach,
    ) -> Loss:
        """Return the loss of a batch of true patterns [n, bars * 16, 9, 3].

        Its negative log-likelihood, and ``beta`` times the KL to a standard normal beyond free
        bits on its total (Kingma et al. 2016). ``noise`` [n, z_dim] from a standard normal picks
        z from the posterior; it is drawn if it is not given. ``own_share`` is that of the steps at
        which an LSTM decoder is given its own step before (scheduled sampling).

        Where several processes each have a part of a batch, ``mean_of_all`` returns the mean of
        their values: whether the KL is beyond the free bits is the whole batch's affair.
        """
        mu, sigma = self.encode(patterns)
        z = mu + sigma * (torch.randn_like(sigma) if noise is None else noise)
        distortion = distorted(self.decoder(z, patterns, own_share).float(), patterns)
        kl = kl_nats(mu, sigma).mean()
        free = free_bits * NATS_PER_BIT
        beyond_free = (kl - free) * (mean_of_all(kl) > free)
        return Loss(
            total=self.nats(distortion).mean() + beta * beyond_free,
            onset=distortion.onset.detach().mean(),
            velocity=distortion.velocity.detach().mean(),
            offset=distortion.offset.detach().mean(),
            bits=kl.detach() / NATS_PER_BIT,
        )

    forward = loss
    """What torch calls a module by, and what its wrappers for several processes wrap."""


def distorted(raw: Tensor, patterns: Tensor) -> Distortion:
    """Compare raw outputs of the decoder with true patterns, [n, steps, 9, 3] both."""
    hits = patterns[..., ONSET]
    onset = functional.binary_cross_entropy_with_logits(raw[..., ONSET], hits, reduction="none")
    errors = (activated(raw) - patterns).abs() * hits.unsqueeze(-1)
    return Distortion(
        onset=onset.sum((1, 2)),
        velocity=errors[..., VELOCITY].sum((1, 2)),
        offset=errors[..., OFFSET].sum((1, 2)),
    )


def kl_nats(mu: Tensor, sigma: Tensor) -> Tensor:
    """Return each example's KL divergence from the standard normal, [n], in nats."""
    return 0.5 * (mu.square() + sigma.square() - 1 - 2 * sigma.log()).sum(dim=1)
