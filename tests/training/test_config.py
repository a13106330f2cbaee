"""Presets: those of the package, and the user's own files."""

from pathlib import Path

import pytest

from livevae.errors import UsageError
from livevae.model.vae import Vae
from livevae.training.config import load_preset, preset_names


@pytest.mark.parametrize("name", preset_names())
def test_every_preset_of_the_package_is_sound(name: str) -> None:
    """It loads by its name."""
    assert load_preset(name).model.bars >= 1


def test_the_shipped_shape_is_a_preset() -> None:
    """Its model builds."""
    assert Vae(load_preset("groove-4bar").model).config.bars == 4


def test_sixteen_bars_can_start_from_four() -> None:
    """A conductor has the same weights for any number of bars."""
    shapes = [
        {name: tensor.shape for name, tensor in Vae(load_preset(preset).model).state_dict().items()}
        for preset in ("groove-4bar", "groove-16bar")
    ]
    assert shapes[0] == shapes[1]


@pytest.mark.parametrize(
    "text",
    [
        "[model]\nbars = 99",
        "[model]\nlayers = 2",
        "[training]\nbatch = 0",
        "nonsense",
        "model = " + "[" * 20_000,
    ],
    ids=("bounds", "unknown", "zero", "no TOML", "nested"),
)
def test_a_wrong_file_is_refused_by_name(tmp_path: Path, text: str) -> None:
    """Unknown keys, values out of bounds, and what is no TOML."""
    (tmp_path / "mine.toml").write_text(text)
    with pytest.raises(UsageError, match=r"mine\.toml"):
        load_preset(str(tmp_path / "mine.toml"))


def test_what_is_neither_a_preset_nor_a_file_is_refused(tmp_path: Path) -> None:
    """The sentence names the presets there are."""
    with pytest.raises(UsageError, match="groove-4bar"):
        load_preset("groove-5bar")
    with pytest.raises(UsageError, match="cannot be read"):
        load_preset(str(tmp_path / "nowhere.toml"))
