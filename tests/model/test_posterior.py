"""Refined posteriors fit better than the encoder's, at the rate asked for, and touch no weight."""

import pytest
import torch

from livevae.model.posterior import Posterior, encoded, refined
from livevae.model.vae import Vae, distorted
from livevae.pattern.pattern import ONSET
from tests.model.test_vae import small


@pytest.fixture
def vae() -> Vae:
    torch.manual_seed(1)
    return small().eval()


@pytest.fixture
def patterns() -> torch.Tensor:
    torch.manual_seed(2)
    drawn = torch.rand(5, 32, 9, 3)
    drawn[..., ONSET] = (drawn[..., ONSET] < 0.2).float()
    drawn[..., 2] -= 0.5
    return drawn * drawn[..., :1]


@torch.no_grad()
def nats(vae: Vae, posterior: Posterior, patterns: torch.Tensor) -> float:
    return vae.nats(distorted(vae.decoder(posterior.mu), patterns)).sum().item()


def test_refinement_fits_better_than_the_encoder(vae: Vae, patterns: torch.Tensor) -> None:
    before, after = encoded(vae, patterns), refined(vae, patterns, beta=0.1)
    assert nats(vae, after, patterns) < nats(vae, before, patterns)


def test_more_beta_takes_fewer_bits(vae: Vae, patterns: torch.Tensor) -> None:
    costly, cheap = (refined(vae, patterns, beta).bits.mean() for beta in (0.01, 10.0))
    assert cheap < costly


def test_the_weights_stay_as_they_are(vae: Vae, patterns: torch.Tensor) -> None:
    before = {name: tensor.clone() for name, tensor in vae.state_dict().items()}
    refined(vae, patterns, beta=0.1)
    assert all(torch.equal(before[name], tensor) for name, tensor in vae.state_dict().items())
    assert all(p.grad is None for p in vae.parameters())


def test_the_same_seed_gives_the_same_posterior(vae: Vae, patterns: torch.Tensor) -> None:
    first, second = (refined(vae, patterns, 0.1, seed=3) for _ in range(2))
    assert torch.equal(first.mu, second.mu)
    assert torch.equal(first.sigma, second.sigma)


def test_no_step_of_refinement_is_what_the_encoder_says(vae: Vae, patterns: torch.Tensor) -> None:
    before, after = encoded(vae, patterns), refined(vae, patterns, 0.1, steps=0)
    assert torch.equal(before.mu, after.mu)


def test_the_prior_itself_takes_no_bits() -> None:
    standard = Posterior(torch.zeros(2, 8), torch.ones(2, 8))
    assert standard.bits.tolist() == [0.0, 0.0]


def test_refinement_can_begin_where_another_ended(vae: Vae, patterns: torch.Tensor) -> None:
    begun = Posterior(torch.full((5, 8), 0.5), torch.full((5, 8), 0.3))
    kept = refined(vae, patterns, 0.1, steps=0, start=begun)
    assert torch.equal(kept.mu, begun.mu)
    assert kept.sigma == pytest.approx(begun.sigma)


@torch.no_grad()
def test_without_touch_all_bits_go_to_the_onsets(vae: Vae, patterns: torch.Tensor) -> None:
    whole, onsets = (
        distorted(vae.decoder(refined(vae, patterns, 0.1, touch=touch).mu), patterns)
        for touch in (1.0, 0.0)
    )
    assert onsets.onset.sum() < whole.onset.sum()
    assert onsets.velocity.sum() > whole.velocity.sum()
