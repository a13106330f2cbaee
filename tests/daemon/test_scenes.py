"""Scenes of the running daemon, on a shipped model and a player that is not there."""

import asyncio
from pathlib import Path
from types import SimpleNamespace

import pytest

from livevae.daemon import scenes
from livevae.daemon.scenes import Scenes
from livevae.errors import UsageError, WorkError
from livevae.latent.kept import load_kept
from livevae.player.memory import Change
from livevae.player.performance import Performance
from livevae.resources import find_model


class FakePerformer:
    """Knows a model and values, and keeps what it is told."""

    def __init__(self, model: str) -> None:
        """Play ``model``."""
        self.instrument = SimpleNamespace(model=find_model(model))
        self.values = Performance({"x": 0.3, "ride.mute": 1.0}).values
        self.told: tuple[Change, ...] = ()
        self.numbered: list[tuple[Change, ...]] = []

    def status(self) -> SimpleNamespace:
        """Say what the controls are at."""
        return SimpleNamespace(values=self.values)

    async def set(self, *changes: Change) -> None:
        """Take changes."""
        self.told = changes

    def give_scenes(self, numbered: list[tuple[Change, ...]]) -> None:
        """Take scenes with numbers."""
        self.numbered = numbered


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder for the user's own scenes."""
    monkeypatch.setattr(scenes, "user_data", lambda: tmp_path)
    return tmp_path / "presets" / "groove-2bar" / "kept"


def ask(performer: FakePerformer, order: str, name: str = "", *listed: str) -> object:
    """Do as `livevae scene` says."""
    served = Scenes(performer, listed)  # type: ignore[arg-type]
    return asyncio.run(served.answer(order, name))


def test_a_saved_scene_is_recalled_by_name_all_at_once(shelf: Path) -> None:
    """And listed."""
    performer = FakePerformer("groove-2bar")
    path = ask(performer, "save", "verse")
    assert path == str(shelf / "verse.toml")
    assert load_kept(Path(str(path))).model == "groove-2bar"
    ask(performer, "recall", "verse")
    assert dict(performer.told)["x"] == 0.3
    assert dict(performer.told)["ride.mute"] == 1
    assert "bpm" not in dict(performer.told)
    assert ask(performer, "list") == ["verse"]


def test_a_scene_that_is_not_there_is_named_beside_those_that_are(shelf: Path) -> None:
    """Nothing is set."""
    performer = FakePerformer("groove-2bar")
    with pytest.raises(UsageError, match="no scene 'verse'; there are: none yet; `livevae scene"):
        ask(performer, "recall", "verse")
    ask(performer, "save", "chorus")
    with pytest.raises(UsageError, match="there are: chorus"):
        ask(performer, "recall", "verse")
    assert performer.told == ()


def test_a_scene_of_another_model_is_refused_even_if_it_lies_in_this_ones_folder(
    shelf: Path,
) -> None:
    """Never noise."""
    ask(FakePerformer("groove-2bar"), "save", "verse")
    other = shelf.parent.parent / "groove-4bar" / "kept"
    other.mkdir(parents=True)
    (shelf / "verse.toml").rename(other / "verse.toml")
    performer = FakePerformer("groove-4bar")
    with pytest.raises(UsageError, match="kept on the model groove-2bar, and would be another"):
        ask(performer, "recall", "verse")
    assert performer.told == ()


def test_scenes_in_the_list_have_numbers_and_one_that_cannot_be_had_does_nothing(
    shelf: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is named at the terminal."""
    performer = FakePerformer("groove-2bar")
    ask(performer, "save", "verse", "intro", "verse")
    assert performer.numbered[0] == ()
    assert dict(performer.numbered[1])["x"] == 0.3
    assert "scene 1 does nothing: groove-2bar has no scene 'intro'" in capsys.readouterr().err


def test_a_folder_that_cannot_be_written_and_a_name_that_is_none_are_refused(shelf: Path) -> None:
    """In a sentence."""
    shelf.parent.parent.write_text("")
    with pytest.raises(WorkError, match="cannot be made"):
        ask(FakePerformer("groove-2bar"), "save", "verse")
    with pytest.raises(UsageError, match="one line of 1 to 200"):
        ask(FakePerformer("groove-2bar"), "save", "two\nlines")
