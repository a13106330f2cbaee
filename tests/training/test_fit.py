"""Fitting a playable space to a model's training set."""

from pathlib import Path

import numpy as np
import pytest

from livevae.latent.space import Space
from livevae.training import attributes
from livevae.training.dataset import Split, load_split
from livevae.training.evaluate import encoded
from livevae.training.fit import fit_space
from livevae.training.prepare import prepare
from livevae.training.scenes import points_of, typical_beats
from tests.latent.test_presets import scene
from tests.model.test_vae import small
from tests.training.beats import collection, every_window, groove


@pytest.fixture(autouse=True)
def _few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spend no time on attributes, which have tests of their own."""
    monkeypatch.setattr(attributes, "STEPS", 1)


@pytest.fixture
def split(tmp_path: Path) -> Split:
    """Return a training split that names styles."""
    prepare([groove(tmp_path / "src")], tmp_path / "out")
    return load_split(tmp_path / "out", "train")


def test_axes_are_orthogonal_and_widest_first(split: Split) -> None:
    """Both sides of an axis point opposite ways along one principal direction."""
    space = fit_space(small(), split)

    left, right = space.axes
    overlaps = right @ right.T
    np.testing.assert_allclose(overlaps - np.diag(np.diag(overlaps)), 0, atol=1e-4)
    lengths = np.linalg.norm(space.axes, axis=2)
    np.testing.assert_allclose((left * right).sum(axis=1), -lengths.prod(axis=0), rtol=1e-4)
    mu, _ = encoded(small(), every_window(split, 2))
    along = (mu - mu.mean(axis=0)) @ (right / lengths[1][:, None]).T
    assert (np.diff(along.std(axis=0)) <= 1e-5).all()


def test_a_full_turn_reaches_where_one_beat_in_twenty_lies_beyond(
    split: Split, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On each side, from the middle one; a lopsided space has longer right turns than left."""
    windows = len(every_window(split, 2))
    rng = np.random.default_rng(0)
    mu = rng.normal(size=(windows, 8)).astype(np.float32) * 0.1
    mu[:, 0] = 5 * np.linspace(0, 1, windows) ** 3
    answer = (mu, np.full_like(mu, 1e-6))
    monkeypatch.setattr("livevae.training.fit.encoded", lambda _vae, _windows: answer)
    space = fit_space(small(), split)

    low, middle, high = np.percentile(mu[:, 0], (5, 50, 95))
    turns = sorted(np.linalg.norm(space.axes[:, 0], axis=1))
    assert turns == pytest.approx([middle - low, high - middle], rel=0.05)
    assert np.abs(space.axes[:, 0, 1:]).max() < 0.5


def test_corners_are_beats_of_the_split_and_no_two_the_same(split: Split) -> None:
    """Where the model hears the most typical beat of a style."""
    vae = small()
    space = fit_space(vae, split)
    points = points_of(vae, typical_beats(split, 2))

    for corner in space.corners:
        assert np.abs(points - corner).max(axis=1).min() < 1e-5
    apart = np.linalg.norm(space.corners[:, None] - space.corners[None], axis=2)
    assert apart[~np.eye(4, dtype=bool)].min() > 0
    assert all(name.startswith("rock/half") for name in space.corner_names)


def test_corners_are_four_of_the_scenes_given(split: Split) -> None:
    """By name."""
    scenes = [scene(name="x" * length, z_dim=8) for length in range(1, 8)]
    space = fit_space(small(), split, scenes)

    by_name = {it.name: it.z for it in scenes}
    assert len(set(space.corner_names)) == 4
    for name, corner in zip(space.corner_names, space.corners, strict=True):
        np.testing.assert_allclose(corner, by_name[name], rtol=1e-6)


def test_a_collection_without_styles_has_corners_too(tmp_path: Path) -> None:
    """They are named by their files."""
    prepare([collection(tmp_path / "src")], tmp_path / "out")
    space = fit_space(small(), load_split(tmp_path / "out", "train"))

    assert all(name.startswith("beat") for name in space.corner_names)
    space.save(tmp_path)
    assert Space.load(tmp_path).corner_names == space.corner_names
