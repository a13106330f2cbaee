"""The model: shapes, ranges, gradients and what each part depends on."""

import itertools

import msgspec
import pytest
import torch

from livevae.model.config import ModelConfig
from livevae.model.decoder import Conductor, as_input, initial_state
from livevae.model.vae import Vae, distorted, kl_nats

VARIANTS = list(
    itertools.product(("attention", "lstm"), ("hierarchical", "flat"), ("parallel", "lstm"))
)


def small(
    decoder: str = "hierarchical",
    bar_decoder: str = "parallel",
    bars: int = 2,
    **fields: object,
) -> Vae:
    """Return a small model with settled randomness."""
    torch.manual_seed(0)
    shape = {"z_dim": 8, "width": 16, "bar_width": 24, "bars": bars}
    shape |= {"decoder": decoder, "bar_decoder": bar_decoder, **fields}
    return Vae(msgspec.convert(shape, ModelConfig)).eval()


def beats(n: int, bars: int) -> torch.Tensor:
    """Return random patterns as the data has them."""
    torch.manual_seed(1)
    patterns = torch.rand(n, bars * 16, 9, 3)
    patterns[..., 2] -= 0.5
    hits = (torch.rand(n, bars * 16, 9, 1) < 0.2).float()
    return torch.cat([hits, patterns[..., 1:] * hits], dim=-1)


@pytest.mark.parametrize("bars", [1, 4, 16])
@pytest.mark.parametrize(("encoder", "decoder", "bar_decoder"), VARIANTS)
def test_every_variant_encodes_and_decodes(
    encoder: str, decoder: str, bar_decoder: str, bars: int
) -> None:
    """mu and sigma of z_dim; patterns of all steps in their ranges."""
    vae = small(decoder, bar_decoder, bars, encoder=encoder)
    mu, sigma = vae.encode(beats(3, bars))
    patterns = vae.decode(mu)

    assert mu.shape == sigma.shape == (3, 8)
    assert (sigma > 0).all()
    assert patterns.shape == (3, bars * 16, 9, 3)
    assert patterns[..., :2].min() >= 0
    assert patterns[..., :2].max() <= 1
    assert patterns[..., 2].abs().max() <= 0.5


@pytest.mark.parametrize(("encoder", "decoder", "bar_decoder"), VARIANTS)
def test_every_variant_learns_a_batch_by_heart(
    encoder: str, decoder: str, bar_decoder: str
) -> None:
    """The loss of a repeated batch falls, and every weight takes part."""
    deep = {"encoder_layers": 2, "conductor_layers": 2, "embedding_width": 10}
    vae = small(decoder, bar_decoder, encoder=encoder, **deep).train()
    batch = beats(2, 2)
    optimizer = torch.optim.Adam(vae.parameters(), lr=1e-2)
    totals = []
    for _ in range(30):
        loss = vae.loss(batch, beta=1, free_bits=0)
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


def test_an_lstm_that_hears_its_own_steps_only_decodes_as_it_does_freely() -> None:
    """Scheduled sampling at its end: the truth changes nothing; in between, it changes some."""
    vae = small(bar_decoder="lstm")
    z, truth = torch.randn(2, 8), beats(2, 2)
    free, taught = vae.decoder(z), vae.decoder(z, truth)

    torch.testing.assert_close(vae.decoder(z, truth, own_share=1.0), free)
    torch.testing.assert_close(vae.decoder(z, truth, own_share=1e-9), taught)
    mixed = vae.decoder(z, truth, own_share=0.5)
    assert not torch.allclose(mixed, free)
    assert not torch.allclose(mixed, taught)


def test_a_free_lstm_hears_its_own_hits_as_the_data_has_them() -> None:
    """Below a half nothing is fed back; above, onset 1 with velocity and offset."""
    step = torch.tensor([[[[0.4, 0.7, 0.1], [0.6, 0.7, 0.1]]]])

    assert as_input(step)[0, 0].tolist() == pytest.approx([0, 0, 0, 1, 0.7, 0.1])


def test_velocity_and_offset_errors_count_on_true_hits_only() -> None:
    """Silence has no velocity to be wrong about."""
    loss = small().loss(torch.zeros(2, 32, 9, 3), beta=1, free_bits=0)

    assert loss.velocity.item() == loss.offset.item() == 0
    assert loss.onset.item() > 0


def test_free_bits_are_free_on_the_total() -> None:
    """The KL costs nothing below them and beta for each nat above (Kingma et al. 2016)."""
    vae = small()
    batch, noise = beats(4, 2), torch.randn(4, 8)

    def total(beta: float, free_bits: float) -> tuple[float, float]:
        loss = vae.loss(batch, beta, free_bits, noise)
        return loss.total.item(), loss.bits.item()

    free, bits = total(1.0, 1000.0)
    paid, _ = total(0.5, bits - 1)
    assert free == total(0.0, 0.0)[0]
    assert paid - free == pytest.approx(0.5 * 0.6931, rel=1e-3)


def test_whether_bits_are_free_is_up_to_the_mean_of_all_processes() -> None:
    """A part of a batch with few bits pays where the whole has too many."""
    vae = small()
    batch, noise = beats(4, 2), torch.randn(4, 8)
    bits = vae.loss(batch, 0.0, 0.0, noise).bits.item()

    def total(everyone: float, free_bits: float) -> float:
        everyones = torch.tensor(everyone * 0.6931)
        loss = vae.loss(batch, 1.0, free_bits, noise, mean_of_all=lambda _: everyones)
        return loss.total.item()

    unpaid = vae.loss(batch, 0.0, 0.0, noise).total.item()
    assert total(bits + 2, bits + 1) == pytest.approx(unpaid - 0.6931, rel=1e-3)
    assert total(bits - 2, bits - 1) == pytest.approx(unpaid)


def test_the_noise_picks_z_from_the_posterior() -> None:
    """None at all is z = mu."""
    vae = small()
    batch = beats(4, 2)
    mu, _ = vae.encode(batch)
    expected = distorted(vae.decoder(mu), batch)

    loss = vae.loss(batch, 0.0, 0.0, noise=torch.zeros(4, 8))
    torch.testing.assert_close(loss.onset, expected.onset.mean())
    assert vae.loss(batch, 0.0, 0.0, torch.ones(4, 8)).onset != loss.onset


def test_the_kl_of_the_prior_with_itself_is_nothing() -> None:
    """And one standard deviation away in one dimension it is half a nat."""
    mu, sigma = torch.zeros(2, 8), torch.ones(2, 8)
    mu[1, 0] = 1

    assert kl_nats(mu, sigma).tolist() == pytest.approx([0, 0.5])


def test_a_config_of_an_older_model_means_what_it_meant() -> None:
    """Fields that came later have the values that models had before."""
    older = msgspec.json.decode('{"bars": 4, "z_dim": 128, "bar_width": 384}', type=ModelConfig)

    assert older == ModelConfig(encoder="attention", conductor_layers=1, embedding_width=None)


@pytest.mark.parametrize("layers", [1, 2])
def test_the_conductor_is_the_lstm_that_torch_would_run(layers: int) -> None:
    torch.manual_seed(0)
    config = ModelConfig(bars=3, z_dim=8, width=16, bar_width=24, conductor_layers=layers)
    conductor = Conductor(config).eval()
    z = torch.randn(5, 8)
    started = initial_state(conductor.start(z), layers)
    each_bar = conductor.z_input(z).unsqueeze(1).expand(-1, 3, -1)
    torch.testing.assert_close(conductor(z), conductor.over_bars(each_bar, started)[0])


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("decoder", ["hierarchical", "flat"])
def test_a_folded_decoder_decodes_the_same(decoder: str, layers: int) -> None:
    """With less to read, if a conductor is there."""
    vae = small(decoder, conductor_layers=layers)
    z = torch.randn(5, 8)
    before, weights = vae.decode(z), sum(w.numel() for w in vae.decoder.parameters())
    vae.decoder.fold()

    torch.testing.assert_close(vae.decode(z), before, atol=1e-5, rtol=0)
    fewer = sum(w.numel() for w in vae.decoder.parameters()) < weights
    assert fewer == (decoder == "hierarchical")


@pytest.mark.parametrize("encoder", ["attention", "lstm"])
def test_the_posterior_and_its_kl_are_float32_whatever_the_rest_is_computed_in(
    encoder: str,
) -> None:
    """Under autocast the rest is bfloat16, of which a KL would keep three digits."""
    vae = small(encoder=encoder)
    with torch.autocast("cpu", torch.bfloat16):
        mu, sigma = vae.encode(beats(4, 2))
        loss = vae.loss(beats(4, 2), beta=1.0, free_bits=0.0)

    assert mu.dtype == sigma.dtype == kl_nats(mu, sigma).dtype == torch.float32
    assert loss.bits.dtype == loss.total.dtype == torch.float32
