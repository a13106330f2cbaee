"""A saved map that does not fit its model, on a real JACK server: it plays all the same."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from livevae.latent.grid import GRID_FILE, load_grid, save_grid
from livevae.resources import find_model
from tests.jack.peers import daemon, eventually, recorder

pytestmark = pytest.mark.jack


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """Return a copy of a shipped model."""
    return Path(shutil.copytree(find_model("groove-2bar"), tmp_path / "mine"))


def arguments(model: Path, output: str) -> tuple[str, ...]:
    """Return what starts a daemon on a model and connects it."""
    play = ("--model", str(model), "--clock", "internal", "--bpm", "200")
    return (*play, "--set", f'midi.outputs=["{output}"]')


def test_a_map_of_other_weights_is_played_until_the_decoder_has_made_its_own(model: Path) -> None:
    save_grid(replace(load_grid(model), weights_hash="0" * 64), model)
    with recorder() as recording, daemon(*arguments(model, recording.port)) as running:
        eventually(lambda: len(recording.onsets()) > 10)
        assert running.status().player.bars["grid"]
        assert "the map of mine is of other weights" in running.log.read_text()
        eventually(lambda: running.status().player.bars["exact"], within_s=60)


def test_without_a_map_it_plays_as_soon_as_the_decoder_does(model: Path) -> None:
    (model / GRID_FILE).unlink()
    with recorder() as recording, daemon(*arguments(model, recording.port)) as running:
        eventually(lambda: "there is no map to begin with" in running.log.read_text())
        assert running.process.poll() is None
        eventually(lambda: running.status().player.bars["exact"], within_s=60)
        eventually(lambda: len(recording.onsets()) > 10)
        running.set("axis.1", 0.5)
        before = running.status().player.bars
        eventually(lambda: sum(running.status().player.bars.values()) > sum(before.values()) + 2)
        assert running.status().player.bars["missed"] == 0
