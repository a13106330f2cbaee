"""Scenes as files."""

import math
from dataclasses import replace as with_fields
from pathlib import Path

import msgspec
import numpy as np
import pytest

from livevae.errors import UsageError
from livevae.latent.presets import (
    MAX_SCENE_BYTES,
    SCENE_FORMAT,
    Scene,
    file_name,
    load_scene,
    load_scenes,
    save_scene,
)
from tests.latent.test_space import space

HASH = "0123456789abcdef" * 4


def scene(name: str = 'deep house, "4" am', z_dim: int = 16, **fields: object) -> Scene:
    """Return a scene at a random point."""
    z = np.random.default_rng(len(name)).normal(size=z_dim).astype(np.float32)
    values = {"model": "m", "weights": HASH, "style": "house", "description": "Kicks; no rest."}
    values |= {"source": "x.mid, bar 3", "bpm": 123.5, "z": tuple(z.tolist())}
    return Scene(format=SCENE_FORMAT, name=name, **(values | fields))


def test_a_saved_scene_is_loaded_the_same_to_three_digits(tmp_path: Path) -> None:
    """Words with quotes and accents survive too."""
    it = scene(name='baião "à la" C:\\drums')
    back = load_scene(save_scene(it, tmp_path / "m"))

    assert msgspec.structs.replace(back, z=()) == msgspec.structs.replace(it, z=())
    np.testing.assert_allclose(back.z, it.z, atol=5.1e-4)
    nameless = msgspec.structs.replace(it, source="")
    assert load_scene(save_scene(nameless, tmp_path)).source == ""


def test_files_are_named_by_their_words_and_read_in_alphabetical_order(tmp_path: Path) -> None:
    """No name leads out of the folder."""
    for name in ("Techno / 1", "../../acid", "bossa"):
        assert save_scene(scene(name=name), tmp_path).parent == tmp_path

    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "acid.toml",
        "bossa.toml",
        "techno-1.toml",
    ]
    assert file_name("Techno / 1") == "techno-1.toml"
    assert list(load_scenes(tmp_path)) == ["../../acid", "Techno / 1", "bossa"]
    assert load_scenes(tmp_path / "none") == {}


def test_no_scene_takes_the_file_of_another(tmp_path: Path) -> None:
    """Names may have the same words, or none; a scene saved again replaces itself alone."""
    names = ["lo-fi", "lo fi", "Lo / Fi", "!!", "???"]
    for bpm in (100.0, 120.0):
        for name in names:
            save_scene(scene(name=name, bpm=bpm), tmp_path)

    scenes = load_scenes(tmp_path)
    assert sorted(scenes) == sorted(names)
    assert {one.bpm for one in scenes.values()} == {120.0}
    files = {path.name for path in tmp_path.iterdir()}
    assert len(files) == len(names)
    assert {"lo-fi.toml", "scene.toml"} < files


def test_a_scene_of_other_weights_or_another_model_is_refused_by_name() -> None:
    """The same point is another beat there."""
    it = scene(name="deep")
    it.check("m", HASH, 16)
    it.check("renamed", HASH, 16)
    with pytest.raises(UsageError, match=r"'deep' .*other weights.*livevae scenes"):
        it.check("m", "f" * 64, 16)
    with pytest.raises(
        UsageError, match="'deep' cannot be played by other: it was made for the model m;"
    ):
        it.check("other", "f" * 64, 16)
    with pytest.raises(UsageError, match="cannot be played"):
        it.check("m", HASH, 17)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (SCENE_FORMAT, "livevae-scene-0"),
        ("bpm = 123.5", "bpm = nan"),
        ("bpm = 123.5", "bpm = inf"),
        ("bpm = 123.5", "bpm = 5"),
        ("z = [", "z = [nan,"),
        ("z = [", "z = [1e9,"),
        ("z = [", "z = [" + "1," * 5000),
        ("z = [", "y = ["),
        ("z = [", "extra = 1\nz = ["),
        ('style = "house"', 'style = ""'),
        ('style = "house"', f'style = "{"a" * 201}"'),
        ('style = "house"', 'style = "a\\u001b[2J"'),
        (HASH, "../" + HASH[3:]),
        ("z = [", "z = " + "[" * 5000),
        ("bpm = 123.5", "bpm = 1" + "0" * 5000),
    ],
)
def test_what_is_no_scene_is_one_sentence(tmp_path: Path, old: str, new: str) -> None:
    """Another format, numbers that are none or too large, too many, fields too few or too many."""
    path = save_scene(scene(), tmp_path)
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))

    with pytest.raises(UsageError, match=path.name) as refusal:
        load_scene(path)
    assert "\n" not in str(refusal.value)


def test_a_file_that_cannot_be_a_scene_is_not_read(tmp_path: Path) -> None:
    """Too large, not text, not there, a folder."""
    path = tmp_path / "a.toml"
    for content in (b"#" * (MAX_SCENE_BYTES + 1), b"\xff\xfe", b""):
        path.write_bytes(content)
        with pytest.raises(UsageError, match=r"a\.toml"):
            load_scene(path)
    (tmp_path / "b.toml").mkdir()
    for name in ("b.toml", "c.toml"):
        with pytest.raises(UsageError, match="cannot be read"):
            load_scene(tmp_path / name)


def test_a_map_can_be_spanned_between_four_scenes() -> None:
    """Corners and their names are the scenes'; other sizes are refused."""
    it, four = space(), [scene(name=f"scene {number}") for number in range(4)]
    spanned = it.with_corners(four)

    np.testing.assert_allclose(spanned.corners, [one.z for one in four], rtol=1e-6)
    assert spanned.corner_names == ("scene 0", "scene 1", "scene 2", "scene 3")
    assert with_fields(spanned, corners=it.corners, corner_names=it.corner_names) == it
    with pytest.raises(UsageError, match="4 corners"):
        it.with_corners(four[:3])
    with pytest.raises(UsageError, match="dimensions"):
        it.with_corners([*four[:3], scene(z_dim=17)])
    assert math.isfinite(spanned.corners.sum())
