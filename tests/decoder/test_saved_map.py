"""A model's saved map on its way into the bank."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from livevae.decoder.bank import Bank, Shape
from livevae.decoder.saved_map import SavedMap
from livevae.errors import UsageError
from livevae.latent.grid import DEFAULT_SIZE, GRID_FILE, Grid, load_grid, save_grid
from livevae.latent.lattice import REST
from livevae.model.checkpoint import save_model
from livevae.model.folder import weights_hash
from livevae.parameters import POSITION
from tests.model.test_vae import small


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """Return a model of two bars whose saved map is all of one byte."""
    save_model(small(), tmp_path)
    cells = np.full((3, 5, 32, 9, 3), 102, np.uint8)
    save_grid(Grid(cells, weights_hash(tmp_path), ("axis.1", "y")), tmp_path)
    return tmp_path


def filled(folder: Path) -> tuple[Bank, str]:
    """Return a bank with the map of a model folder, and what is to be said of it."""
    saved = SavedMap.of(folder)
    bank = Bank.in_memory(saved.shape)
    return bank, saved.fill(bank)


def test_a_map_of_the_models_weights_is_in_the_bank_and_nothing_is_to_be_decoded(
    model: Path,
) -> None:
    """Over the controls it was made for, and without a word."""
    bank, said = filled(model)
    assert said == ""
    assert bank.shape == Shape(32, 3, 5, POSITION.index("axis.1"), POSITION.index("y"))
    pattern = bank.nearest(REST)
    assert pattern is not None
    assert pattern[0, 0, 0] == pytest.approx(0.4)
    assert len(bank.stale(REST, 100)[0]) == 0


def test_a_map_of_other_weights_is_played_and_decoded_anew(model: Path) -> None:
    """One sentence says so, and what to run."""
    save_grid(replace(load_grid(model), weights_hash="0" * 64), model)
    bank, said = filled(model)
    assert "of other weights" in said
    assert f"`livevae grid {model}`" in said
    assert bank.nearest(REST) is not None
    assert len(bank.stale(REST, 100)[0]) == 15


@pytest.mark.parametrize("cut", [0, 100])
def test_without_a_map_that_fits_the_decoder_makes_one(model: Path, cut: int) -> None:
    """The file is broken, of another length of patterns, or not there: none stops the music."""
    whole = load_grid(model)
    shape = Shape(32, DEFAULT_SIZE, DEFAULT_SIZE)
    (model / GRID_FILE).write_bytes((model / GRID_FILE).read_bytes()[:cut])
    bank, said = filled(model)
    assert (bank.shape, bank.nearest(REST)) == (shape, None)
    assert said.startswith("there is no map to begin with")
    assert "\n" not in said
    save_grid(replace(whole, cells=whole.cells.repeat(2, axis=2)), model)
    assert filled(model)[0].shape == shape
    (model / GRID_FILE).unlink()
    assert filled(model)[0].shape == shape


def test_a_folder_that_is_no_model_is_refused(tmp_path: Path) -> None:
    """There would be nothing to decode with either."""
    with pytest.raises(UsageError, match="not a model folder"):
        SavedMap.of(tmp_path)
