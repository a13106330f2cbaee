"""Scenes: points of a model's latent space with a name, as readable files, opened as hostile."""

from __future__ import annotations

import json
import math
import re
import zlib
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec

from livevae.errors import UsageError
from livevae.files import make_folder, write_atomically

SCENE_FORMAT: Final = "livevae-scene-1"
MAX_SCENE_BYTES: Final = 256 * 1024
MAX_SCENES: Final = 1000
MAX_COORDINATE: Final = 1000.0
"""No posterior mean is anywhere near as far out."""
SLOWEST_BPM, FASTEST_BPM = 20.0, 400.0
DIGITS: Final = 3
NUMBERS_A_LINE: Final = 8

MAX_LINE: Final = 200
ONE_LINE: Final = r"^[^\x00-\x1f\x7f]*\Z"

Line = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_LINE, pattern=ONE_LINE)]
Coordinate = Annotated[float, msgspec.Meta(ge=-MAX_COORDINATE, le=MAX_COORDINATE)]


class Scene(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A beat to start from: the point ``z`` of a model's latent space, and what it sounds like.

    ``model`` is the name of the model and ``weights`` the sha256 of its weights: with others the
    same point is another beat. ``style`` is the data's word for it, ``source`` the recording
    it was taken from, ``bpm`` the tempo it was played at.
    """

    format: Literal["livevae-scene-1"]
    name: Line
    model: Line
    weights: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]
    style: Line
    description: Line
    bpm: Annotated[float, msgspec.Meta(ge=SLOWEST_BPM, le=FASTEST_BPM)]
    z: Annotated[tuple[Coordinate, ...], msgspec.Meta(min_length=1, max_length=4096)]
    source: Annotated[str, msgspec.Meta(max_length=MAX_LINE, pattern=ONE_LINE)] = ""

    def check(self, model: str, weights: str, z_dim: int) -> None:
        """Make sure that the scene is one of the model's of this name, weights and z.

        Raises:
            UsageError: it is not; the sentence says whose it is.
        """
        if (self.weights, len(self.z)) != (weights, z_dim):
            of = "other weights of it" if self.model == model else f"the model {self.model}"
            raise UsageError(
                f"the scene {self.name!r} cannot be played by {model}: it was made for {of}; "
                f"run livevae scenes on {model} to write its own"
            )


def file_name(scene_name: str) -> str:
    """Return the name of a scene's file: its words in small letters, joined by hyphens."""
    words = re.findall(r"\w+", scene_name.lower())
    return "-".join(words or ["scene"]) + ".toml"


def save_scene(scene: Scene, folder: Path) -> Path:
    """Write a scene into the folder of its model's scenes, which is made; return the file.

    It replaces the scene of its name, and none of another name with the same words.

    Raises:
        UsageError: a file of these words is there that is no scene.
        WorkError: the file cannot be written.
    """
    make_folder(folder)
    path = folder / file_name(scene.name)
    if path.exists() and load_scene(path).name != scene.name:
        path = path.with_stem(f"{path.stem}-{zlib.crc32(scene.name.encode()):08x}")
    write_atomically(path, _toml(scene).encode())
    return path


def load_scene(path: Path) -> Scene:
    """Read a scene.

    Raises:
        UsageError: the file cannot be read, is too large, or is no scene.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_SCENE_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}") from None
    if len(content) > MAX_SCENE_BYTES:
        raise UsageError(f"{path} is larger than a scene can be")
    try:
        scene = msgspec.toml.decode(content, type=Scene)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        sentence = str(error).splitlines()[0]
        raise UsageError(
            f"{path} is not a scene of the format {SCENE_FORMAT}: {sentence}"
        ) from None
    # A bound holds for a number that is none.
    if not all(math.isfinite(number) for number in (scene.bpm, *scene.z)):
        raise UsageError(f"{path} holds numbers that are not finite")
    return scene


def load_scenes(folder: Path) -> dict[str, Scene]:
    """Return the scenes of a folder by name, in alphabetical order; none if it is not there.

    Raises:
        UsageError: a file of it is no scene, or there are too many.
    """
    paths = sorted(folder.glob("*.toml"))
    if len(paths) > MAX_SCENES:
        raise UsageError(f"{folder} holds more than {MAX_SCENES} scenes; remove some")
    scenes = [load_scene(path) for path in paths]
    return {scene.name: scene for scene in sorted(scenes, key=lambda scene: scene.name)}


def _toml(scene: Scene) -> str:
    """Return a scene as a person would write it; JSON's strings are TOML's too."""
    lines = [
        f"{field} = {json.dumps(getattr(scene, field), ensure_ascii=False)}"
        for field in scene.__struct_fields__
        if field != "z"
    ]
    numbers = [f"{number:.{DIGITS}f}" for number in scene.z]
    rows = [
        "  " + ", ".join(numbers[first : first + NUMBERS_A_LINE]) + ","
        for first in range(0, len(numbers), NUMBERS_A_LINE)
    ]
    return "\n".join([*lines, "# The point of the latent space.", "z = [", *rows, "]"]) + "\n"
