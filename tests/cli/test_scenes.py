"""The command that chooses a model's starting scenes."""

from pathlib import Path

import pytest

from livevae.cli import scenes as subject
from livevae.latent.grid import load_grid
from livevae.latent.presets import load_scenes, save_scene
from livevae.latent.space import Space
from livevae.model.folder import matching_scenes, weights_hash
from livevae.training import scenes
from livevae.training.prepare import prepare
from tests.cli.offline import call, refused
from tests.latent.test_presets import scene
from tests.training.beats import groove


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Return prepared data."""
    prepare([groove(tmp_path / "src")], tmp_path / "data")
    return tmp_path / "data"


@pytest.fixture(autouse=True)
def _undemanding(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Ask no more of a small model than there is to it, and keep away from the user's presets."""
    monkeypatch.setattr(scenes, "FAITHFUL", 0.0)
    monkeypatch.setattr("livevae.model.folder.user_data", lambda: tmp_path)
    monkeypatch.setattr("livevae.model.folder.SHARE", tmp_path / "share")


def test_scenes_are_written_and_the_map_spans_four_of_them(
    data: Path, model: Path, tmp_path: Path
) -> None:
    """And the grid is decoded anew for the new map."""
    result = call(subject.scenes, model, data, "--out", tmp_path / "presets")
    assert result.exit_code == 0, result.exception

    chosen = load_scenes(tmp_path / "presets" / "model")
    assert chosen == matching_scenes(model)
    assert "half-time trap" in chosen
    assert set(Space.load(model).corner_names) <= set(chosen)
    assert load_grid(model).weights_hash == weights_hash(model)


def test_scenes_of_other_weights_are_not_the_models(
    data: Path, model: Path, tmp_path: Path
) -> None:
    """They would sound otherwise."""
    assert not call(subject.scenes, model, data, "--out", tmp_path / "presets").exit_code
    with (model / "model.safetensors").open("ab") as file:
        file.write(b" ")
    with pytest.raises(Exception, match="other weights"):
        matching_scenes(model)


def test_scenes_that_can_be_played_no_more_make_room(
    data: Path, model: Path, tmp_path: Path
) -> None:
    """Those of the same weights stay, whoever saved them."""
    shelf = tmp_path / "presets" / "model"
    save_scene(scene("old", 8, weights="f" * 64), shelf)
    save_scene(scene("mine", 8, weights=weights_hash(model)), shelf)
    assert not call(subject.scenes, model, data, "--out", tmp_path / "presets").exit_code

    assert "mine" in matching_scenes(model)
    assert not (shelf / "old.toml").exists()


def test_what_cannot_be_done_is_one_sentence(data: Path, model: Path, tmp_path: Path) -> None:
    """No model, no data, no folder to write into; nothing is changed."""
    before = (model / "space.safetensors").read_bytes()
    (tmp_path / "file").write_text("")
    refused(call(subject.scenes, tmp_path / "none", data), "no model")
    refused(call(subject.scenes, model, tmp_path / "none"), "prepare")
    refused(call(subject.scenes, model, data, "--out", tmp_path / "file"), "cannot be made")
    assert (model / "space.safetensors").read_bytes() == before
