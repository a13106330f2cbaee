"""Kept scenes: where all knobs of a beat stood, by name, as readable files, opened as hostile.

A scene of ``presets.py`` is a point of the latent space; one that a player has kept is the whole
of a moment: the place on the map, the axes and traits, density, feel and mutes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec

from livevae.errors import UsageError
from livevae.files import make_folder, write_atomically
from livevae.latent.presets import Line, file_name
from livevae.parameters import BEAT, PARAMETERS, Value, find

KEPT_FORMAT: Final = "livevae-kept-scene-1"
MAX_KEPT_BYTES: Final = 64 * 1024


class KeptScene(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The values of the controls in ``parameters.BEAT``; those not named are at their defaults.

    ``weights`` is the sha256 of the model's weights, ``corners`` are the scenes between which its
    map lay: with others the same knobs are another beat.
    """

    format: Literal["livevae-kept-scene-1"]
    name: Line
    model: Line
    weights: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]
    corners: tuple[Line, Line, Line, Line]
    controls: dict[str, float | bool | str]

    def changes(self) -> tuple[tuple[str, float], ...]:
        """Return every control of a beat and its float.

        Raises:
            UsageError: the scene sets a control that there is not, or to what it cannot be.
        """
        for name in self.controls:
            find(name)
            if name not in BEAT:
                raise UsageError(f"{name} is no part of a scene; remove its line")
        values = {name: PARAMETERS[name].to_float(value) for name, value in self.controls.items()}
        return tuple((name, values.get(name, PARAMETERS[name].default)) for name in BEAT)

    def check(self, model: str, weights: str, corners: Sequence[str]) -> None:
        """Make sure that the scene was kept on the model of this name, weights and map.

        Raises:
            UsageError: it was not; the sentence says on which it was.
        """
        if self.weights != weights:
            of = "other weights of it" if self.model == model else f"the model {self.model}"
            raise UsageError(
                f"the scene {self.name!r} was kept on {of}, and would be another beat on {model}; "
                f"say `livevae set model {self.model}` first, or save it anew"
            )
        if self.corners != tuple(corners):
            named = " ".join(json.dumps(corner, ensure_ascii=False) for corner in self.corners)
            raise UsageError(
                f"the scene {self.name!r} was kept on another map of {model}; "
                f"`livevae grid {model} --corners {named}` brings that back"
            )


def controls_of(values: Mapping[str, float]) -> dict[str, Value]:
    """Return what a scene keeps of the controls' floats, as people see it."""
    return {name: PARAMETERS[name].to_value(values[name]) for name in BEAT}


def save_kept(scene: KeptScene, folder: Path) -> Path:
    """Write a scene into ``folder``, which is made, over the one of its name; return the file.

    Raises:
        UsageError: another scene, whose name has the same words, is there.
        WorkError: the file cannot be written.
    """
    make_folder(folder)
    path = folder / file_name(scene.name)
    if path.exists() and (other := load_kept(path).name) != scene.name:
        raise UsageError(f"{path} holds the scene {other!r}; choose a name of other words")
    lines = [
        f"{field} = {json.dumps(getattr(scene, field), ensure_ascii=False)}"
        for field in ("format", "name", "model", "weights")
    ]
    corners = [f"  {json.dumps(corner, ensure_ascii=False)}," for corner in scene.corners]
    controls = [f"{json.dumps(name)} = {json.dumps(v)}" for name, v in scene.controls.items()]
    text = [
        *lines,
        "# The scenes at the corners of the map, between which x and y lie.",
        *("corners = [", *corners, "]"),
        *("", "[controls]", *controls, ""),
    ]
    write_atomically(path, "\n".join(text).encode())
    return path


def load_kept(path: Path) -> KeptScene:
    """Read a kept scene.

    Raises:
        UsageError: the file cannot be read, is too large, or is no kept scene.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_KEPT_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}") from None
    if len(content) > MAX_KEPT_BYTES:
        raise UsageError(f"{path} is larger than a kept scene can be")
    try:
        scene = msgspec.toml.decode(content, type=KeptScene)
        scene.changes()
    except (msgspec.MsgspecError, ValueError, RecursionError, UsageError) as error:
        sentence = str(error).splitlines()[0]
        raise UsageError(
            f"{path} is not a scene of the format {KEPT_FORMAT}: {sentence}; save it anew"
        ) from None
    return scene
