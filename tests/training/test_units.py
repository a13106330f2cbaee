"""A unit counts as used if it varies with the data, and as heard if the decode follows it."""

import numpy as np
import pytest
import torch

from livevae.model.vae import Vae
from livevae.training import units as subject
from tests.model.test_vae import beats, small


class Half(Vae):
    """A model of eight units: the first four vary, and the first two of those are heard."""

    def __init__(self) -> None:
        super().__init__(small().config)

    def encode(self, patterns: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        density = 10 * patterns[..., 0].mean((1, 2))[:, None]
        mu = torch.cat([density.expand(-1, 4), torch.zeros(len(patterns), 4)], dim=1)
        return mu, torch.ones_like(mu)

    def decode(self, z: torch.Tensor) -> torch.Tensor:
        decoded = torch.zeros(len(z), 32, 9, 3)
        decoded[:, 0, 0, 0] = 1
        decoded[:, 0, 0, 1] = 0.1 * z[:, 0]
        decoded[:, 0, 0, 2] = 0.1 * z[:, 1] + 0.0001 * z[:, 2]
        return decoded


def test_units_that_vary_are_active_and_those_that_change_the_decode_are_heard() -> None:
    """The third moves its hit by less than the tolerance, the fourth by nothing."""
    windows = beats(40, 2).numpy()
    windows[:20, ::2] = 0
    use = subject.latent_use(Half(), windows, seed=0)

    assert (use.units, use.active) == (8, 4)
    assert use.heard == use.heard_in_most == 0.5
    assert use.starts == subject.STARTS


def test_bits_are_listed_for_every_unit() -> None:
    """Those of a unit that says nothing are none."""
    use = subject.latent_use(Half(), beats(4, 2).numpy(), seed=0)
    assert len(use.bits_by_unit) == 8
    assert use.bits_by_unit[0] > 0
    assert use.bits_by_unit[7] == pytest.approx(0)


def test_a_silent_cell_may_change_unheard() -> None:
    """Velocity and offset of what is not played are no difference, a hit is."""
    before = np.zeros((2, 16, 9, 3), np.float32)
    after = before.copy()
    after[0, 3, 3] = (0.4, 0.9, 0.4)
    after[1, 3, 3] = (0.6, 0.0, 0.0)
    assert subject.differing(before, after).tolist() == [False, True]
