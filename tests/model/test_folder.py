"""The files of a model folder belong together, or the sentence says which does not."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from livevae.errors import UsageError
from livevae.latent.grid import build_grid, save_grid
from livevae.model.checkpoint import save_model
from livevae.model.folder import matching_grid, matching_space
from livevae.training.evaluate import decoded
from tests.latent.test_space import space
from tests.model.test_vae import small


def model(folder: Path, bars: int, z_dim: int = 8) -> Path:
    """Write a whole small model, its space of ``z_dim`` dimensions."""
    vae, it = small(bars=bars), space(8)
    folder.mkdir()
    save_model(vae, folder)
    space(z_dim).save(folder)
    save_grid(build_grid(it, lambda z: decoded(vae, z), "0" * 64, 2), folder)
    return folder


def test_the_files_of_one_model_belong_together(tmp_path: Path) -> None:
    """Grid and space are read."""
    folder = model(tmp_path / "mine", 2)
    assert matching_grid(folder).patterns.shape == (2, 2, 32, 9, 3)
    assert matching_space(folder).z_dim == 8


@pytest.mark.parametrize("bars", [1, 4])
def test_a_grid_of_longer_or_shorter_patterns_is_refused_with_what_to_do(
    tmp_path: Path, bars: int
) -> None:
    """The folder is named and so is the command."""
    folder = model(tmp_path / "mine", 2)
    other = model(tmp_path / "other", bars)
    shutil.copy(other / "grid.safetensors", folder)
    sentence = rf"{16 * bars} steps, its model of 32; rebuild it with `livevae grid {folder}`"
    with pytest.raises(UsageError, match=sentence):
        matching_grid(folder)


def test_a_space_of_other_dimensions_is_refused_with_what_to_do(tmp_path: Path) -> None:
    """No command mends it but another model."""
    folder = model(tmp_path / "mine", 2, z_dim=16)
    with pytest.raises(UsageError, match=rf"{folder}.*16 dimensions, its model 8; fetch or train"):
        matching_space(folder)


def test_a_folder_without_a_config_is_no_model(tmp_path: Path) -> None:
    """Before anything else is looked at."""
    for read in (matching_grid, matching_space):
        with pytest.raises(UsageError, match="not a model folder"):
            read(tmp_path)


def test_a_folder_is_looked_at_without_torch() -> None:
    """The supervisor does so at every start."""
    code = "import sys, livevae.model.folder; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
