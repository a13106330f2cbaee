"""The models that travel with the package are whole, small and musical."""

from pathlib import Path

import numpy as np
import pytest

from livevae.latent.grid import load_grid
from livevae.latent.space import Space
from livevae.model.checkpoint import load_model
from livevae.model.folder import (
    matching_grid,
    matching_prior,
    matching_scenes,
    matching_space,
    weights_hash,
)
from livevae.parameters import POSITION
from livevae.pattern.pattern import ONSET, VELOCITY, VOICES, empty
from livevae.resources import SHARE
from livevae.training.evaluate import decoded, onset_scores, reconstruct

SHIPPED = sorted(path.parent for path in (SHARE / "models").glob("*/config.json"))
MAX_SHIPPED_BYTES = 30_000_000


def test_the_default_model_is_shipped() -> None:
    """``livevae run`` plays it with no further question."""
    assert "groove-4bar" in [folder.name for folder in SHIPPED]


def test_all_shipped_models_together_are_small() -> None:
    """They travel inside the wheel."""
    files = [path for folder in SHIPPED for path in folder.iterdir()]

    assert sum(path.stat().st_size for path in files) < MAX_SHIPPED_BYTES


@pytest.mark.parametrize("folder", SHIPPED, ids=lambda folder: folder.name)
class TestEachModel:
    """Every folder under models/."""

    def test_its_scenes_are_its_own_and_four_of_them_are_the_corners(self, folder: Path) -> None:
        """At least 24, for all the styles there are."""
        scenes = matching_scenes(folder)

        assert len(scenes) >= 24
        assert set(Space.load(folder).corner_names) <= set(scenes)

    def test_scenes_sound_as_they_are_called(self, folder: Path) -> None:
        """House has a kick on every beat, a half-time beat one snare a bar, on three."""
        vae, scenes = load_model(folder), matching_scenes(folder)
        names = ("four on the floor house", "half-time dubstep")
        z = np.array([scenes[name].z for name in names], np.float32)
        house, half_time = decoded(vae, z)[..., ONSET] >= 0.5

        assert house[::4, VOICES.index("kick")].mean() > 0.9
        snare = half_time[:, VOICES.index("snare")].reshape(-1, 16)
        assert snare[:, 8].mean() > 0.9
        assert snare.sum(axis=1).mean() < 1.6

    def test_weights_space_and_grid_fit_one_another(self, folder: Path) -> None:
        """The grid is what these weights decode along this space."""
        vae, space, grid = load_model(folder), matching_space(folder), matching_grid(folder)
        rows, columns = grid.patterns.shape[:2]
        position = np.zeros(len(POSITION), np.float32)
        row, column = 5 * rows // 8, columns // 4
        position[:2] = column / (columns - 1), row / (rows - 1)

        assert grid.weights_hash == weights_hash(folder)
        expected = decoded(vae, space.z(position)[None])[0]
        np.testing.assert_allclose(grid.patterns[row, column], expected, atol=2e-3)

    def test_its_prior_makes_up_beats_as_dense_as_people_play(self, folder: Path) -> None:
        """About one cell in eight is a hit in the data."""
        zs = matching_prior(folder).sample(64, 1.0, np.random.default_rng(0))
        density = (decoded(load_model(folder), zs)[..., ONSET] >= 0.5).mean()

        assert 0.11 < density < 0.15

    def test_a_plain_rock_beat_comes_back(self, folder: Path) -> None:
        """Eighths on the hat, kick on one and three, snare on two and four."""
        vae = load_model(folder)
        beat = empty(1)
        beat[::2, VOICES.index("closed_hat")] = (1, 0.6, 0)
        beat[::8, VOICES.index("kick")] = (1, 0.8, 0)
        beat[4::8, VOICES.index("snare")] = (1, 0.9, 0)
        beats = np.tile(beat, (vae.config.bars, 1, 1))[None]
        predicted, _ = reconstruct(vae, beats)

        assert onset_scores(predicted, beats).f1 > 0.9
        hits = beats[..., ONSET] == 1
        error = np.abs(predicted - beats)[..., VELOCITY][hits].mean()
        assert error < 0.15

    def test_every_point_of_the_map_plays(self, folder: Path) -> None:
        """No silent spots, and no wall of noise."""
        density = (load_grid(folder).patterns[..., ONSET] >= 0.5).mean(axis=(2, 3))

        assert 0.03 < density.min() <= density.max() < 0.35

    def test_the_map_is_worth_turning_a_knob_for(self, folder: Path) -> None:
        """Neighbouring points are much alike, and the corners are not."""
        hits = load_grid(folder).patterns[..., ONSET] >= 0.5

        def unlike(a: np.ndarray, b: np.ndarray) -> float:
            return float((a != b).sum() / (a.sum() + b.sum()))

        rows, columns = hits.shape[:2]
        neighbours = [
            unlike(hits[row, column], hits[row, column + 1])
            for row in (0, rows // 2, rows - 1)
            for column in range(columns - 1)
        ]
        corners = [hits[r, c] for r in (0, -1) for c in (0, -1)]
        apart = [unlike(a, b) for i, a in enumerate(corners) for b in corners[:i]]
        assert np.mean(neighbours) < 3.3 / columns
        assert min(apart) > 0.4

    def test_full_knob_turns_of_an_axis_stay_musical(self, folder: Path) -> None:
        """Each axis alone, at its ends, still plays a beat and a different one."""
        vae, space = load_model(folder), Space.load(folder)
        centre = np.zeros((1, len(POSITION)), np.float32)
        centre[0, :2] = 0.5
        ends = np.repeat(centre, 16, axis=0)
        ends[np.arange(16), 2 + np.arange(16) // 2] = np.tile([-1, 1], 8)
        hits = decoded(vae, space.zs(ends))[..., ONSET] >= 0.5

        density = hits.mean(axis=(1, 2))
        assert 0.02 < density.min() <= density.max() < 0.4
        changed = (hits[::2] != hits[1::2]).mean(axis=(1, 2))
        assert changed.min() > 0.01

    def test_the_card_has_data_licence_and_floors(self, folder: Path) -> None:
        """And no path of the machine that made it."""
        card = (folder / "README.md").read_text()

        for wanted in ("CC BY 4.0", "Gillick", "livevae train", "test split", "(floor)", "Limits"):
            assert wanted in card
        assert "/work" not in card
        assert "/home" not in card
