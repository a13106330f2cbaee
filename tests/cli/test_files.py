"""The commands that put a model to use on files."""

import shutil
from pathlib import Path

import mido
import pytest

from livevae.cli import files
from livevae.latent.grid import load_grid
from livevae.latent.space import Space
from livevae.midi.smf import read_drums, write_pattern
from livevae.model.checkpoint import save_model
from livevae.model.folder import weights_hash
from tests.cli.offline import call, refused
from tests.model.test_vae import small
from tests.training.beats import GM, beat


def test_grid_rebuilds_the_map_in_the_size_asked_for(work: Path, tmp_path: Path) -> None:
    """For the weights that are there."""
    model = tmp_path / "model"
    shutil.copytree(work / "model", model)
    (model / "grid.safetensors").unlink()
    assert call(files.grid, model, "--size", 9).exit_code == 0

    assert load_grid(model).patterns.shape[:2] == (9, 9)
    assert load_grid(model).weights_hash == weights_hash(model)


def test_grid_refuses_a_space_of_another_model(work: Path, tmp_path: Path) -> None:
    """Sizes must agree."""
    model = tmp_path / "model"
    shutil.copytree(work / "model", model)
    space = Space.load(model)
    wide = {
        name: getattr(space, name).repeat(2, axis=-1)
        for name in ("corners", "axes", "mean", "spread")
    }
    Space(corner_names=space.corner_names, **wide).save(model)
    refused(call(files.grid, model), "dimensions")


def test_reconstruct_keeps_tempo_and_length(work: Path, tmp_path: Path) -> None:
    """Five bars in, five bars out, though the model's windows are of two."""
    write_pattern(tmp_path / "in.mid", beat(1, bars=5), 87, GM)
    result = call(
        files.reconstruct, tmp_path / "in.mid", tmp_path / "out.mid", "--model", work / "model"
    )

    assert result.exit_code == 0, result.exception
    assert read_drums(tmp_path / "out.mid").bpm == pytest.approx(87, abs=0.01)
    seconds = 5 * 4 * 60 / 87
    assert mido.MidiFile(tmp_path / "out.mid").length == pytest.approx(seconds, rel=0.01)


def test_reconstruct_refuses_what_it_cannot_play(work: Path, tmp_path: Path) -> None:
    """No file, no MIDI, no drums, another metre, no folder for the output, no such kit."""
    good, silent, waltz = (tmp_path / f"{name}.mid" for name in ("good", "silent", "waltz"))
    write_pattern(good, beat(1, bars=2), 120, GM)
    write_pattern(silent, beat(1, bars=2) * 0, 120, GM)
    midi = mido.MidiFile(good)
    midi.tracks[0][1] = mido.MetaMessage("time_signature", numerator=3, denominator=4, time=0)
    midi.save(waltz)
    (tmp_path / "text.mid").write_text("hello")
    out = tmp_path / "out.mid"
    model = ["--model", work / "model"]

    refused(call(files.reconstruct, tmp_path / "no.mid", out, *model), "no.mid")
    refused(call(files.reconstruct, tmp_path / "text.mid", out, *model), "text.mid")
    refused(call(files.reconstruct, silent, out, *model), "no drum notes")
    refused(call(files.reconstruct, waltz, out, *model), "4-4")
    nowhere = tmp_path / "no" / "out.mid"
    refused(call(files.reconstruct, good, nowhere, *model), f"no folder {nowhere.parent}")
    assert not nowhere.parent.exists()
    refused(call(files.reconstruct, good, out, *model, "--kit", "spoons"), "spoons")
    assert not out.exists()


def test_a_model_without_space_or_with_damage_is_one_sentence(tmp_path: Path) -> None:
    """Whatever command meets it."""
    (tmp_path / "model").mkdir()
    save_model(small(), tmp_path / "model")
    refused(call(files.grid, tmp_path / "model"), "space.safetensors")
    (tmp_path / "model" / "model.safetensors").write_bytes(b"cut")
    refused(call(files.grid, tmp_path / "model"), "model.safetensors")
