"""Fitting a playable space to a model's training set."""

from pathlib import Path

import numpy as np
import pytest

from livevae.latent.space import Space
from livevae.training.dataset import Split, load_split
from livevae.training.evaluate import encoded
from livevae.training.fit import KNOB_SPREADS, fit_space
from livevae.training.prepare import prepare
from tests.model.test_vae import small
from tests.training.beats import collection, groove


@pytest.fixture
def split(tmp_path: Path) -> Split:
    """Return a training split that names styles."""
    prepare([groove(tmp_path / "src")], tmp_path / "out")
    return load_split(tmp_path / "out", "train")


def test_axes_are_orthogonal_and_as_long_as_the_posterior_is_wide(split: Split) -> None:
    """Each principal direction is two standard deviations of the means along it."""
    vae = small()
    space = fit_space(vae, split)
    mu, _ = encoded(vae, split.windows(2))

    overlaps = space.axes @ space.axes.T
    np.testing.assert_allclose(overlaps - np.diag(np.diag(overlaps)), 0, atol=1e-4)
    first = space.axes[0] / np.linalg.norm(space.axes[0])
    deviation = ((mu - mu.mean(axis=0)) @ first).std(ddof=1)
    assert np.linalg.norm(space.axes[0]) == pytest.approx(KNOB_SPREADS * deviation, rel=1e-3)
    lengths = np.linalg.norm(space.axes, axis=1)
    assert (np.diff(lengths) <= 1e-5).all()


def test_corners_are_different_windows_of_the_training_set(split: Split) -> None:
    """Each corner is some window's mu, and no two are the same beat."""
    vae = small()
    space = fit_space(vae, split)
    mu, _ = encoded(vae, split.windows(2))

    for corner in space.corners:
        assert np.abs(mu - corner).max(axis=1).min() < 1e-5
    apart = np.linalg.norm(space.corners[:, None] - space.corners[None], axis=2)
    assert apart[~np.eye(4, dtype=bool)].min() > 0
    assert space.corner_names[0].startswith("sparse rock: rock/half")


def test_a_collection_without_styles_has_corners_too(tmp_path: Path) -> None:
    """They are named by their files."""
    prepare([collection(tmp_path / "src")], tmp_path / "out")
    space = fit_space(small(), load_split(tmp_path / "out", "train"))

    assert all(name.startswith("beat") for name in space.corner_names)
    space.save(tmp_path)
    assert Space.load(tmp_path).corner_names == space.corner_names
