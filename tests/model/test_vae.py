"""The model: shapes, ranges, gradients and what each part depends on."""

import itertools

import pytest
import torch

from livevae.errors import UsageError
from livevae.model.config import ModelConfig
from livevae.model.decoder import as_input
from livevae.model.vae import LossWeights, Vae, kl_nats

WEIGHTS = LossWeights(velocity=1, offset=1, beta=1, free_bits=0)
VARIANTS = list(itertools.product(("hierarchical", "flat"), ("parallel", "lstm"), (1, 4)))


def small(decoder: str = "hierarchical", bar_decoder: str = "parallel", bars: int = 2) -> Vae:
    """Return a small model with settled randomness."""
    torch.manual_seed(0)
    config = ModelConfig(
        bars=bars,
        z_dim=8,
        decoder=decoder,  # type: ignore[arg-type]
        bar_decoder=bar_decoder,  # type: ignore[arg-type]
        width=16,
        bar_width=24,
    )
    return Vae(config).eval()


def beats(n: int, bars: int) -> torch.Tensor:
    """Return random patterns as the data has them."""
    torch.manual_seed(1)
    patterns = torch.rand(n, bars * 16, 9, 3)
    patterns[..., 2] -= 0.5
    hits = (torch.rand(n, bars * 16, 9, 1) < 0.2).float()
    return torch.cat([hits, patterns[..., 1:] * hits], dim=-1)


@pytest.mark.parametrize(("decoder", "bar_decoder", "bars"), VARIANTS)
def test_every_variant_encodes_and_decodes(decoder: str, bar_decoder: str, bars: int) -> None:
    """mu and sigma of z_dim; patterns of all steps in their ranges."""
    vae = small(decoder, bar_decoder, bars)
    mu, sigma = vae.encode(beats(3, bars))
    patterns = vae.decode(mu)

    assert mu.shape == sigma.shape == (3, 8)
    assert (sigma > 0).all()
    assert patterns.shape == (3, bars * 16, 9, 3)
    assert patterns[..., :2].min() >= 0
    assert patterns[..., :2].max() <= 1
    assert patterns[..., 2].abs().max() <= 0.5


@pytest.mark.parametrize("bar_decoder", ["parallel", "lstm"])
@pytest.mark.parametrize("decoder", ["hierarchical", "flat"])
def test_every_variant_learns_a_batch_by_heart(decoder: str, bar_decoder: str) -> None:
    """The loss of a repeated batch falls, and every weight takes part."""
    vae = small(decoder, bar_decoder).train()
    batch = beats(2, 2)
    optimizer = torch.optim.Adam(vae.parameters(), lr=1e-2)
    totals = []
    for _ in range(30):
        loss = vae.loss(batch, WEIGHTS)
        optimizer.zero_grad()
        loss.total.backward()
        optimizer.step()
        totals.append(loss.total.item())

    assert totals[-1] < 0.9 * totals[0]
    silent = [n for n, p in vae.named_parameters() if p.grad is None or not p.grad.any()]
    assert not silent


@pytest.mark.parametrize("bar_decoder", ["parallel", "lstm"])
def test_bars_decode_without_seeing_one_another(bar_decoder: str) -> None:
    """A bar decoder's output depends on its own embedding and on no other's."""
    vae = small(bar_decoder=bar_decoder)
    embeddings = torch.randn(2, 24)
    both = vae.decoder.bar_decoder(embeddings)
    alone = vae.decoder.bar_decoder(embeddings[1:])

    torch.testing.assert_close(both[1:], alone)


def test_the_encoder_sees_both_directions() -> None:
    """A change in the first or in the last bar moves mu."""
    vae = small(bars=4)
    batch = beats(1, 4)
    mu, _ = vae.encode(batch)
    for bar in (0, 3):
        changed = batch.clone()
        changed[:, bar * 16 : bar * 16 + 16] = 0
        assert not torch.allclose(vae.encode(changed)[0], mu)


def test_the_order_of_bars_is_heard() -> None:
    """The same bars in another order are another point."""
    vae = small(bars=2)
    batch = beats(1, 2)

    assert not torch.allclose(vae.encode(batch)[0], vae.encode(batch.roll(16, dims=1))[0])


def test_decoding_is_deterministic_and_independent_of_the_batch() -> None:
    """A point decodes alone as it does among others."""
    vae = small()
    z = torch.randn(5, 8)

    torch.testing.assert_close(vae.decode(z)[2:3], vae.decode(z[2:3]))


def test_an_lstm_in_training_sees_the_true_steps_before_and_none_after() -> None:
    """Teacher forcing is causal: a later true step changes nothing earlier."""
    vae = small(bar_decoder="lstm", bars=1)
    embeddings = torch.randn(1, 24)
    truth = beats(1, 1).flatten(2)
    changed = truth.clone()
    changed[:, 8] = 1 - changed[:, 8]
    before = vae.decoder.bar_decoder(embeddings, truth)
    after = vae.decoder.bar_decoder(embeddings, changed)

    torch.testing.assert_close(before[:, :9], after[:, :9])
    assert not torch.allclose(before[:, 9], after[:, 9])


def test_a_free_lstm_hears_its_own_hits_as_the_data_has_them() -> None:
    """Below a half nothing is fed back; above, onset 1 with velocity and offset."""
    step = torch.tensor([[[[0.4, 0.7, 0.1], [0.6, 0.7, 0.1]]]])

    assert as_input(step)[0, 0].tolist() == pytest.approx([0, 0, 0, 1, 0.7, 0.1])


def test_velocity_and_offset_errors_count_on_true_hits_only() -> None:
    """Silence has no velocity to be wrong about."""
    loss = small().loss(torch.zeros(2, 32, 9, 3), WEIGHTS)

    assert loss.velocity.item() == loss.offset.item() == 0
    assert loss.onset.item() > 0


def test_free_bits_are_free_on_the_total() -> None:
    """The KL costs nothing below them and beta for each nat above (Kingma et al. 2016)."""
    vae = small()
    batch = beats(4, 2)

    def total(beta: float, free_bits: float) -> tuple[float, float]:
        torch.manual_seed(2)
        loss = vae.loss(batch, LossWeights(1, 1, beta, free_bits))
        return loss.total.item(), loss.bits.item()

    free, bits = total(1.0, 1000.0)
    paid, _ = total(0.5, bits - 1)
    assert free == total(0.0, 0.0)[0]
    assert paid - free == pytest.approx(0.5 * 0.6931, rel=1e-3)


def test_the_kl_of_the_prior_with_itself_is_nothing() -> None:
    """And one standard deviation away in one dimension it is half a nat."""
    mu, sigma = torch.zeros(2, 8), torch.ones(2, 8)
    mu[1, 0] = 1

    assert kl_nats(mu, sigma).tolist() == pytest.approx([0, 0.5])


def test_heads_that_do_not_divide_the_width_are_one_sentence() -> None:
    """A config is checked before a model is built from it."""
    with pytest.raises(UsageError, match="heads"):
        ModelConfig(width=12, heads=8).check("mine.toml")
