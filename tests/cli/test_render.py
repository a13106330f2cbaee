"""`livevae render`: equal bytes for equal settings; folders and paths that cannot be."""

import shutil
from dataclasses import replace
from pathlib import Path

import mido
import pytest
from click.testing import CliRunner

from livevae.cli.render import render
from livevae.errors import UsageError
from livevae.latent.grid import GRID_FILE, load_grid, save_grid
from livevae.resources import find_model
from tests.latent.test_space import space


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a copy of the shipped model, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return Path(shutil.copytree(find_model("groove-4bar"), tmp_path / "mine"))


def refusal(*arguments: object) -> str:
    """Return the sentence with which a render is refused."""
    result = CliRunner().invoke(render, [str(argument) for argument in arguments])
    assert isinstance(result.exception, UsageError), result.exception
    assert "\n" not in str(result.exception)
    assert result.output == ""
    return str(result.exception)


def test_a_folder_whose_grid_is_another_models_renders_the_same(model: Path) -> None:
    """Every bar is decoded exactly, so none comes from the grid."""

    def rendered() -> bytes:
        result = CliRunner().invoke(render, ["out.mid", "--bars", "2", "--model", str(model)])
        assert result.exception is None, result.exception
        return Path("out.mid").read_bytes()

    with_its_own = rendered()
    grid = load_grid(model)
    save_grid(replace(grid, cells=grid.cells[:, :, :32]), model)
    assert rendered() == with_its_own
    (model / GRID_FILE).unlink()
    assert rendered() == with_its_own


def test_a_folder_whose_space_is_another_models_is_refused_with_what_to_do(model: Path) -> None:
    """Not by torch."""
    space(8).save(model)
    assert "8 dimensions, its model 128; fetch" in refusal("out.mid", "--model", model)
    assert not Path("out.mid").exists()


def test_equal_settings_give_equal_bytes_and_another_seed_gives_others(tmp_path: Path) -> None:
    """The shipped model, through the very command: what a rehearsal relies on."""

    def rendered(name: str, *arguments: str) -> bytes:
        out = tmp_path / name
        result = CliRunner().invoke(render, [str(out), "--bars", "4", *arguments])
        assert result.exception is None, result.exception
        return out.read_bytes()

    once = rendered("once.mid", "--set", "x=0.3", "--set", "seed=1")
    assert rendered("again.mid", "--set", "x=0.3", "--set", "seed=1") == once
    assert rendered("other.mid", "--set", "x=0.3", "--set", "seed=2") != once
    assert rendered("elsewhere.mid", "--set", "x=0.4", "--set", "seed=1") != once


def test_a_script_is_rendered_to_the_same_bytes_each_time(tmp_path: Path) -> None:
    """With a change of tempo; how long it is says the script alone."""
    script = tmp_path / "performance.toml"
    script.write_text('bars = 3\nmove = [{ at = "2.1", set = { bpm = 90, x = 0.9 } }]')
    files = [tmp_path / f"{name}.mid" for name in ("once", "again")]
    for out in files:
        result = CliRunner().invoke(render, [str(out), "--script", str(script)])
        assert result.exception is None, result.exception
    assert files[0].read_bytes() == files[1].read_bytes()
    assert mido.MidiFile(files[0]).length == pytest.approx(2 + 2 * 4 * 60 / 90, abs=1e-3)
    assert "leave --bars out" in refusal(files[0], "--script", script, "--bars", 2)
    assert "is no script" in refusal(files[0], "--script", files[0])
