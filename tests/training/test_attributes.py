"""Attribute knobs: each moves what it is called after, and the report tells if it does not."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from livevae.latent.space import Array
from livevae.model.vae import Vae
from livevae.pattern.descriptors import ATTRIBUTES
from livevae.training import attributes as subject
from livevae.training.dataset import Split, load_split
from livevae.training.prepare import prepare
from tests.latent.test_space import space
from tests.model.test_vae import small
from tests.training.beats import every_window, groove

DENSITY, ENERGY, LAID_BACK = (ATTRIBUTES.index(a) for a in ("density", "energy", "laid_back"))


class Dials(Vae):
    """A model whose first three dimensions are density (of closed hats), energy and lateness."""

    def __init__(self) -> None:
        super().__init__(small().config)
        self._threshold = torch.linspace(-3, 3, self.config.steps)

    def encode(self, patterns: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        generator = torch.Generator().manual_seed(0)
        mu = torch.randn(len(patterns), 8, generator=generator)
        return mu, torch.full_like(mu, 0.5)

    def decode(self, z: torch.Tensor) -> torch.Tensor:
        patterns = z.new_zeros(len(z), self.config.steps, 9, 3)
        patterns[:, :, 2, 0] = torch.sigmoid(z[:, :1] - self._threshold)
        patterns[..., 1] = torch.sigmoid(z[:, 1, None, None])
        patterns[..., 2] = torch.tanh(z[:, 2, None, None]) / 2
        return patterns


@pytest.fixture
def split(tmp_path: Path) -> Split:
    """Return a small training split."""
    prepare([groove(tmp_path / "src")], tmp_path / "out")
    return load_split(tmp_path / "out", "train")


def directions(**dimensions: int) -> Array:
    """Return directions that turn the dimensions given, one for each attribute, and no other."""
    them = np.zeros((len(ATTRIBUTES), 8), np.float32)
    for attribute, dimension in dimensions.items():
        them[ATTRIBUTES.index(attribute), dimension] = 1
    return them


def report(windows: np.ndarray, attributes: Array) -> subject.AttributeReport:
    """Measure these directions on the model of dials."""
    return subject.attribute_report(Dials(), replace(space(8), attributes=attributes), windows)


def test_a_fitted_knob_turns_the_dimension_that_is_heard(
    split: Split, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Energy is the second dimension and lateness the third, whatever the others do."""
    monkeypatch.setattr(subject, "STEPS", 6)
    fitted = subject.fit_attributes(Dials(), split)

    assert fitted.shape == (6, 8)
    assert fitted.dtype == np.float32
    for attribute, dimension in ((DENSITY, 0), (ENERGY, 1), (LAID_BACK, 2)):
        along = fitted[attribute] / np.linalg.norm(fitted[attribute])
        assert along[dimension] > 0.95


def test_the_fit_is_the_same_for_the_same_seed_and_never_too_long(
    split: Split, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A beat stays among beats."""
    monkeypatch.setattr(subject, "STEPS", 2)
    fitted = subject.fit_attributes(small(), split, seed=1)

    np.testing.assert_array_equal(fitted, subject.fit_attributes(small(), split, seed=1))
    mu, _ = subject.encoded(small(), every_window(split, 2))
    longest = subject.LONGEST * np.linalg.norm(mu - mu.mean(axis=0), axis=1).mean()
    assert np.linalg.norm(fitted, axis=1).max() <= longest * 1.001


def test_a_knob_that_moves_its_own_descriptor_alone_has_no_cross_talk(split: Split) -> None:
    """Rank correlation 1, nothing falls, the others stand still."""
    knob = report(every_window(split, 2), directions(energy=1)).knobs["energy"]

    assert knob.spearman == knob.spearman_of_mean == knob.spearman_unfallen == pytest.approx(1)
    assert knob.falling == knob.unmoved == 0
    assert knob.sweep > 0
    assert max(knob.cross_talk.values()) == pytest.approx(0, abs=1e-5)
    assert set(knob.cross_talk) == set(ATTRIBUTES) - {"energy"}


def test_a_knob_turned_the_wrong_way_or_not_at_all_is_told(split: Split) -> None:
    """-1 and always falling; 0 and always unmoved."""
    them = -directions(energy=1)
    knobs = report(every_window(split, 2), them).knobs

    assert knobs["energy"].spearman == pytest.approx(-1)
    assert knobs["energy"].spearman_unfallen == 0
    assert knobs["energy"].falling == 1
    assert knobs["laid_back"].spearman == 0
    assert knobs["laid_back"].unmoved == 1
    assert knobs["laid_back"].sweep == 0


def test_cross_talk_is_in_spreads_of_each_descriptor_over_the_data(split: Split) -> None:
    """Turning energy and lateness at once: the ratio of their sweeps, each in its own unit."""
    windows = every_window(split, 2)
    both = directions(energy=1)
    both[ENERGY, 2] = 1
    alone = report(windows, directions(energy=1, laid_back=2)).knobs

    knob = report(windows, both).knobs["energy"]
    expected = alone["laid_back"].sweep / alone["energy"].sweep
    assert knob.cross_talk["laid_back"] == pytest.approx(expected, rel=1e-3)


def test_half_a_sweep_that_stands_still_is_worth_what_its_ties_are() -> None:
    """Five of nine positions tied at the floor: the root of five sixths."""
    sweep = np.array([[0, 0, 0, 0, 0, 1, 2, 3, 4]], np.float32)

    assert subject._spearman(sweep)[0] == pytest.approx((5 / 6) ** 0.5)
