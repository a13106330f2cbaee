"""The wheel carries models, presets and settings, and an installed LiveVAE finds them there."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel and unpack it, as pip does, into a folder far from the repository."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    site = folder / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    return site


def test_an_installed_livevae_finds_its_model_in_the_package(installed: Path) -> None:
    script = (
        "from livevae.latent.grid import load_grid; from livevae.resources import find_model; "
        "folder = find_model('groove-4bar'); load_grid(folder); print(folder)"
    )
    environment = os.environ | {"PYTHONPATH": str(installed)}
    found = subprocess.run(
        [sys.executable, "-P", "-c", script],
        env=environment,
        cwd=installed.parent,
        check=True,
        capture_output=True,
        text=True,
    )
    assert Path(found.stdout.strip()).is_relative_to(installed)


def test_the_wheel_carries_presets_and_settings(installed: Path) -> None:
    share = installed / "livevae" / "share"
    assert list((share / "presets" / "groove-4bar").glob("*.toml"))
    assert (share / "livevae.toml").read_text() == (REPOSITORY / "livevae.toml").read_text()


@pytest.mark.parametrize("folder", ["grammar/styles", "midi/maps", "training/presets"])
def test_the_wheel_carries_the_data_of_the_package(installed: Path, folder: str) -> None:
    """The electronic styles, the ready maps, and the configurations to train with."""
    inside = Path("livevae", folder)
    shipped = {path.name for path in (installed / inside).iterdir()}
    assert shipped == {path.name for path in (REPOSITORY / inside).glob("*.toml")}
