# ruff: noqa: PLC0415 - torch and its like are imported by the command that needs them only
"""The command that chooses a model's starting scenes, and its map between four of them."""

from __future__ import annotations

from pathlib import Path

import click

from livevae.cli.console import say
from livevae.cli.files import write_grid
from livevae.latent.grid import DEFAULT_SIZE


@click.command()
@click.argument("model")
@click.argument("data", type=click.Path(path_type=Path))
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="The folder of presets to write into.  [default: your own]",
)
def scenes(model: str, data: Path, out: Path | None) -> None:
    """Choose MODEL's starting scenes from the training beats in DATA.

    Each is a file in OUT/MODEL, named by what it sounds like. The model's space is fitted again,
    its map spans four of the scenes, and its grid is decoded anew. Scenes there that were made for
    other weights, and can be played no more, are removed.
    """
    from livevae.files import make_folder
    from livevae.latent.presets import load_scene, save_scene
    from livevae.model.checkpoint import load_model
    from livevae.model.folder import weights_hash
    from livevae.resources import find_model, user_data
    from livevae.training.dataset import load_split
    from livevae.training.fit import fit_space
    from livevae.training.scenes import starting_scenes

    folder = find_model(model)
    name = folder.resolve().name
    vae = load_model(folder)
    training = load_split(data, "train")
    shelf = (out or user_data() / "presets") / name
    make_folder(shelf)
    weights = weights_hash(folder)
    # One that is no scene is told of before minutes of choosing.
    outdated = [path for path in shelf.glob("*.toml") if load_scene(path).weights != weights]
    chosen = starting_scenes(vae, training, name, weights)
    for path in outdated:
        path.unlink()
    for scene in chosen:
        save_scene(scene, shelf)
    write_grid(vae, folder, DEFAULT_SIZE, fit_space(vae, training, chosen))
    say(f"{len(chosen)} scenes written to {shelf}, space and grid to {folder}")
