"""Where models are found."""

from pathlib import Path

import pytest

from livevae import resources
from livevae.errors import UsageError


@pytest.fixture
def shelves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with the user's own shelf, the shipped one and a current folder."""
    monkeypatch.setattr(resources, "user_data", lambda: tmp_path / "own")
    monkeypatch.setattr(resources, "SHARE", tmp_path / "shipped")
    for model in ("own/models/a", "shipped/models/a", "shipped/models/b", "here/c"):
        (tmp_path / model).mkdir(parents=True)
        (tmp_path / model / "config.json").write_text("{}")
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path


def test_a_model_is_a_folder_else_ones_own_else_a_shipped_one(shelves: Path) -> None:
    """In this order."""
    assert resources.find_model("c").resolve() == shelves / "here" / "c"
    assert resources.find_model(str(shelves / "here" / "c")) == shelves / "here" / "c"
    assert resources.find_model("a") == shelves / "own" / "models" / "a"
    assert resources.find_model("b") == shelves / "shipped" / "models" / "b"


@pytest.mark.parametrize(
    "name", ["z", "", "/", ".", "a/config.json", "x" * 5000, "~nobody-of-that-name", "a\0b"]
)
def test_a_model_that_is_not_there_is_refused_with_those_that_are(shelves: Path, name: str) -> None:
    """Each once."""
    with pytest.raises(UsageError, match=r"give a model folder or one of: a, b$"):
        resources.find_model(name)


def test_without_any_model_the_sentence_says_so(
    shelves: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An empty list would puzzle."""
    monkeypatch.setattr(resources, "user_data", lambda: shelves / "x")
    monkeypatch.setattr(resources, "SHARE", shelves / "x")
    with pytest.raises(UsageError, match="none is installed"):
        resources.find_model("a")
