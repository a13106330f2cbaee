"""Scenes of the running daemon: kept and recalled by name, or by a number that pads can say."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from livevae.daemon.performer import Performer
from livevae.daemon.terminal import say
from livevae.errors import LiveVAEError, UsageError, WorkError
from livevae.latent.kept import KEPT_FORMAT, KeptScene, controls_of, load_kept, save_kept
from livevae.latent.presets import file_name
from livevae.model.folder import matching_space, weights_hash
from livevae.player.memory import Change
from livevae.resources import SHARE, user_data

KEPT: Final = "kept"
"""The folder of kept scenes, beside the starting scenes of their model."""


class Scenes:
    """The kept scenes of whatever model plays; files are read and written off the event loop."""

    def __init__(self, performer: Performer, listed: Sequence[str]) -> None:
        """Serve ``performer``; ``listed`` are the names that have numbers, from 1."""
        self._performer = performer
        self._listed = listed

    async def answer(self, order: str, name: str) -> object:
        """Do as `livevae scene` says: ``save`` and ``recall`` a name, or ``list`` them all.

        Raises:
            UsageError: the scene is not there, is broken, or is of another model or map.
            WorkError: it cannot be written.
        """
        model = self._performer.instrument.model
        if order == "list":
            return await asyncio.to_thread(kept_names, model)
        if order == "save":
            status = self._performer.status()
            if status is None:
                raise WorkError("the player is starting; ask again in a second")
            path = await asyncio.to_thread(keep, name, model, status.values)
            await self.publish()
            return str(path)
        if order == "recall":
            await self._performer.set(*await asyncio.to_thread(recalled, name, model))
            return name
        raise UsageError(f"a scene can be saved, recalled or listed, not {order!r}")

    async def publish(self) -> None:
        """Give the player the scenes that have numbers; say which of them cannot be had."""
        model = self._performer.instrument.model
        scenes: list[tuple[Change, ...]] = []
        for number, name in enumerate(self._listed, 1):
            try:
                scenes.append(await asyncio.to_thread(recalled, name, model))
            except LiveVAEError as error:
                say(f"scene {number} does nothing: {error}")
                scenes.append(())
        self._performer.give_scenes(tuple(scenes))


def kept_names(model: Path) -> list[str]:
    """Return the names of a model's kept scenes, in alphabetical order.

    Raises:
        UsageError: a file among them is none.
    """
    paths = [path for folder in _folders(model) for path in folder.glob("*.toml")]
    return sorted({load_kept(path).name for path in paths})


def keep(name: str, model: Path, values: dict[str, float]) -> Path:
    """Write the ``values`` of the controls down as a scene of a model; return the file.

    Raises:
        UsageError: the name is none.
        WorkError: the file cannot be written.
    """
    if not name.isprintable() or not 0 < len(name) <= 200:
        raise UsageError("the name of a scene is one line of 1 to 200 characters")
    weights, corners = _identity(model)
    a, b, c, d = corners
    scene = KeptScene(
        KEPT_FORMAT, name, model.resolve().name, weights, (a, b, c, d), controls_of(values)
    )
    return save_kept(scene, _folders(model)[0])


def recalled(name: str, model: Path) -> tuple[Change, ...]:
    """Return the changes that bring a scene back.

    Raises:
        UsageError: the scene is not there, is broken, or is of another model or map.
    """
    paths = [folder / file_name(name) for folder in _folders(model)]
    path = next((path for path in paths if path.is_file()), None)
    if path is None:
        known = ", ".join(kept_names(model)) or "none yet; `livevae scene save NAME` keeps one"
        raise UsageError(f"{model.name} has no scene {name!r}; there are: {known}")
    scene = load_kept(path)
    weights, corners = _identity(model)
    scene.check(model.resolve().name, weights, corners)
    return scene.changes()


def _identity(model: Path) -> tuple[str, tuple[str, ...]]:
    """Return what a model's knobs mean: its weights' hash, and the corners of its map."""
    return weights_hash(model), matching_space(model).corner_names


def _folders(model: Path) -> tuple[Path, Path]:
    """Return where a model's kept scenes lie: the user's own, then those that come with it."""
    own, shipped = (
        shelf / "presets" / model.resolve().name / KEPT for shelf in (user_data(), SHARE)
    )
    return own, shipped
