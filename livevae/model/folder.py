"""A model folder as a whole, without torch: its config, and files that belong together."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

import msgspec

from livevae.errors import UsageError
from livevae.latent.grid import GRID_FILE, Grid, load_grid
from livevae.latent.presets import Scene, load_scenes
from livevae.latent.prior import PRIOR_FILE, Prior
from livevae.latent.space import SPACE_FILE, Space
from livevae.model.config import ModelConfig
from livevae.resources import SHARE, user_data

WEIGHTS_FILE: Final = "model.safetensors"
CONFIG_FILE: Final = "config.json"
MAX_CONFIG_BYTES: Final = 64 * 1024


def load_config(folder: Path) -> ModelConfig:
    """Read and check the config of a model folder.

    Raises:
        UsageError: it is missing, too large, or not a config this version can build.
    """
    path = folder / CONFIG_FILE
    try:
        with path.open("rb") as file:
            data = file.read(MAX_CONFIG_BYTES + 1)
    except OSError:
        raise UsageError(f"{folder} is not a model folder: {CONFIG_FILE} cannot be read") from None
    if len(data) > MAX_CONFIG_BYTES:
        raise UsageError(f"{path} is larger than a config can be; fetch the model again")
    try:
        return msgspec.json.decode(data, type=ModelConfig)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is not a config this version can build: {error}") from None


def matching_grid(folder: Path) -> Grid:
    """Read the grid of a model folder; its patterns are as long as the model's.

    Raises:
        UsageError: config or grid is missing, broken, or one is not the other's.
    """
    wanted = load_config(folder).steps
    grid = load_grid(folder)
    steps = grid.cells.shape[2]
    if steps != wanted:
        raise UsageError(
            f"{folder / GRID_FILE} has patterns of {steps} steps, its model of {wanted}; "
            f"rebuild it with `livevae grid {folder}`"
        )
    return grid


def matching_space(folder: Path) -> Space:
    """Read the space of a model folder; it has as many dimensions as the model's z.

    Raises:
        UsageError: config or space is missing, broken, or one is not the other's.
    """
    wanted = load_config(folder).z_dim
    space = Space.load(folder)
    if space.z_dim != wanted:
        raise UsageError(
            f"{folder / SPACE_FILE} has {space.z_dim} dimensions, its model {wanted}; "
            "fetch or train the model again"
        )
    return space


def matching_prior(folder: Path) -> Prior:
    """Read the prior of a model folder; it has as many dimensions as the model's z.

    Raises:
        UsageError: config or prior is missing, broken, or one is not the other's.
    """
    wanted = load_config(folder).z_dim
    if not (folder / PRIOR_FILE).exists():
        raise UsageError(
            f"{folder} has no {PRIOR_FILE} to draw beats from; it is fitted when a model is "
            "trained, so fetch or train the model again"
        )
    prior = Prior.load(folder)
    if prior.z_dim != wanted:
        raise UsageError(
            f"{folder / PRIOR_FILE} has {prior.z_dim} dimensions, its model {wanted}; "
            "fetch or train the model again"
        )
    return prior


def matching_scenes(folder: Path) -> dict[str, Scene]:
    """Read the scenes of a model by name: those that come with it, and the user's own over them.

    They lie in the folders of presets that are named like the model's folder.

    Raises:
        UsageError: a file there is no scene, or is another model's.
    """
    name, z_dim, weights = folder.resolve().name, load_config(folder).z_dim, weights_hash(folder)
    scenes: dict[str, Scene] = {}
    for shelf in (SHARE, user_data()):
        scenes |= load_scenes(shelf / "presets" / name)
    for scene in scenes.values():
        scene.check(name, weights, z_dim)
    return scenes


def weights_hash(folder: Path) -> str:
    """Return the sha256 of a folder's weights file, in hexadecimal.

    Raises:
        UsageError: the file cannot be read.
    """
    path = folder / WEIGHTS_FILE
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}") from None
