"""The prior of a model, fitted to its training set."""

import numpy as np
import pytest
import torch

from livevae.model.vae import Vae
from livevae.pattern.pattern import OFFSET, ONSET
from livevae.training import fit_prior as subject
from livevae.training.dataset import Recording, Split, pack
from livevae.training.evaluate import decoded, played
from tests.model.test_vae import small
from tests.training.beats import beat, every_window


def split(recordings: int) -> Split:
    """Return a split of beats of six bars."""
    beats = np.concatenate([beat(seed).reshape(6, 16, 9, 3) for seed in range(recordings)])
    return Split(tuple(Recording(str(i), 6 * i, 6) for i in range(recordings)), pack(beats))


class Shy(Vae):
    """A model that plays so many hits as z's first number says, less one in five."""

    def __init__(self) -> None:
        super().__init__(small(bars=2).config)
        self.encoded_windows = 0

    def encode(self, patterns: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        self.encoded_windows += len(patterns)
        mu = torch.zeros(len(patterns), 8)
        mu[:, 0] = patterns[..., ONSET].sum((1, 2)) / 10
        return mu, torch.full_like(mu, 0.1)

    def decode(self, z: torch.Tensor) -> torch.Tensor:
        cells = torch.arange(32 * 9).view(1, 32, 9)
        onsets = (cells < 8 * z[:, 0].view(-1, 1, 1)).float()
        return torch.stack([onsets, onsets, torch.zeros_like(onsets)], dim=-1)


def test_samples_are_as_dense_as_the_training_windows() -> None:
    """Though the decoder plays fewer hits than were encoded."""
    training = split(20)
    prior = subject.fit_prior(Shy(), training, every_window(split(4), 2), seed=0)
    samples = decoded(Shy(), prior.sample(2000, 1.0, np.random.default_rng(7)))

    wanted = every_window(training, 2)[..., ONSET].mean()
    assert played(samples).mean() == pytest.approx(wanted, rel=0.02)


def test_windows_that_are_all_equally_dense_leave_the_prior_where_it_was_fitted() -> None:
    """There is no denser direction, and no number that is not finite."""
    prior = subject.fit_prior(Shy(), split(1), every_window(split(1), 2), seed=0)

    np.testing.assert_allclose(
        prior.means.mean(axis=0),
        Shy().encode(torch.from_numpy(every_window(split(1), 2)))[0].mean(dim=0),
        atol=0.2,
    )


def test_of_a_large_corpus_some_windows_are_fitted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rest are not even encoded."""
    monkeypatch.setattr(subject, "MOST_WINDOWS", 10)
    model = Shy()
    subject.fit_prior(model, split(20), every_window(split(1), 2), seed=0)

    assert model.encoded_windows == 10 + len(every_window(split(1), 2))


def test_the_touch_is_that_of_the_windows_held_out() -> None:
    """Not of those that were trained on, which are played like a machine here."""
    chance = np.random.default_rng(0)
    held_out = np.zeros((60, 32 * 9, 3), np.float32)
    held_out[:, :40, ONSET] = 1
    held_out[:, :40, OFFSET] = 0.1 * chance.laplace(size=(60, 40))

    touch = subject.fit_prior(Shy(), split(4), held_out.reshape(60, 32, 9, 3), seed=0).touch
    beats = decoded(Shy(), np.full((200, 8), 4, np.float32))
    strayed = touch.drawn(beats, 1.0, chance) - beats

    assert np.abs(strayed[..., OFFSET]).mean() == pytest.approx(0.1, rel=0.2)
