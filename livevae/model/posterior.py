"""The posterior of given patterns, refined beyond what the encoder says of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from livevae.model.vae import NATS_PER_BIT, Vae, distorted, kl_nats

REFINEMENT_STEPS: Final = 60
_FIRST_RATE, _LAST_RATE = 0.1, 0.005


@dataclass(frozen=True)
class Posterior:
    """A normal distribution for each of n patterns: ``mu`` and ``sigma`` [n, z_dim]."""

    mu: Tensor
    sigma: Tensor

    @property
    def bits(self) -> Tensor:
        """The KL divergence from the standard normal prior, [n], in bits."""
        return kl_nats(self.mu, self.sigma) / NATS_PER_BIT


@torch.no_grad()
def encoded(vae: Vae, patterns: Tensor) -> Posterior:
    """Return what the encoder says of patterns [n, bars * 16, 9, 3]."""
    return Posterior(*vae.encode(patterns))


@torch.enable_grad()
def refined(
    vae: Vae,
    patterns: Tensor,
    beta: float,
    steps: int = REFINEMENT_STEPS,
    seed: int = 0,
    start: Posterior | None = None,
    touch: float = 1.0,
) -> Posterior:
    """Return posteriors that fit patterns [n, bars * 16, 9, 3] better than the encoder's.

    An encoder trained on few recordings reads new ones less well than the decoder could play
    them. So its answer (or ``start``) is only where a search begins: ``steps`` of Adam on each
    pattern's own mu and sigma, down the model's loss with the KL weighed by ``beta``; more of it
    takes fewer bits. ``touch`` says how much velocity and offset count beside the onsets: at 0
    all bits go to what is hit when. This is semi-amortised inference (Kim et al. 2018; on the
    encoder's share of the generalisation gap, Zhang et al. 2022). The weights stay as they are.
    """
    start = start or encoded(vae, patterns)
    mu = start.mu.clone().requires_grad_()
    log_sigma = start.sigma.log().requires_grad_()
    optimizer = torch.optim.Adam([mu, log_sigma])
    generator = torch.Generator(patterns.device).manual_seed(seed)
    noise = torch.empty_like(mu)
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = _LAST_RATE + _FIRST_RATE * (1 - step / steps)
        z = mu + log_sigma.exp() * noise.normal_(generator=generator)
        distortion = distorted(vae.decoder(z), patterns)
        loss = (vae.nats(distortion, touch) + beta * kl_nats(mu, log_sigma.exp())).sum()
        mu.grad, log_sigma.grad = torch.autograd.grad(loss, [mu, log_sigma])
        optimizer.step()
    return Posterior(mu.detach(), log_sigma.detach().exp())
