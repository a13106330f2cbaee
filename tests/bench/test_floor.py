"""What a decode cannot be faster than."""

import pytest
import torch

from livevae.bench import floor as subject
from livevae.bench.floor import Floor, floor_of
from livevae.model.config import ModelConfig
from livevae.model.vae import Vae


def test_the_work_is_that_of_the_matrices(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two operations for each weight and each vector that meets it, counted by hand."""
    monkeypatch.setattr(subject, "_SIDES", {"cpu": 64})
    monkeypatch.setattr(subject, "_COPIED_BYTES", 1 << 16)
    vae = Vae(ModelConfig(bars=2, z_dim=8, decoder="flat", width=16, bar_width=24)).eval()
    floor = floor_of(vae, "cpu")

    for_z = 8 * 24 + 24 * 32 * 16
    a_step = 2 * (16 * 48 + 16 * 16 + 2 * 16 * 32) + 16 * 27
    without_attention = 2 * (for_z + 32 * a_step)
    # Whether torch counts the two products of attention depends on how it carries them out.
    assert floor.decode_flops - without_attention in (0, 2 * 2 * 2 * 32 * 32 * 16)
    assert floor.weight_bytes == 4 * sum(w.numel() for w in vae.decoder.parameters())
    assert floor.gflops > 0
    assert floor.gigabytes_per_s > 0
    assert torch.is_grad_enabled()


def test_a_floor_is_work_over_peak() -> None:
    """In milliseconds."""
    floor = Floor(50_000_000, 8_000_000, gflops=100, gigabytes_per_s=16)
    assert floor.arithmetic_ms(1) == pytest.approx(0.5)
    assert floor.arithmetic_ms(1000) == pytest.approx(500)
    assert floor.weights_ms == pytest.approx(0.5)
