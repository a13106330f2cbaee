"""The offline commands, from a collection to a model to a file."""

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import click
import mido
import pytest
from click.testing import CliRunner, Result

from livevae.cli import offline
from livevae.errors import LiveVAEError
from livevae.latent.grid import load_grid
from livevae.latent.space import Space
from livevae.midi.smf import read_drums, write_pattern
from livevae.model.checkpoint import load_model, save_model
from livevae.model.folder import weights_hash
from tests.model.test_vae import small
from tests.training.beats import GM, beat, groove

CONFIG = """
[model]
bars = 2
z_dim = 8
width = 16
heads = 2
bar_width = 32

[training]
batch = 8
"""


def call(command: click.Command, *arguments: object) -> Result:
    """Run a command in this process."""
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


def refused(result: Result, sentence: str) -> None:
    """Check that a command ended with one sentence for the user."""
    assert isinstance(result.exception, LiveVAEError), result.exception
    assert sentence in str(result.exception)
    assert "\n" not in str(result.exception)


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with prepared data and a model trained for two seconds."""
    folder = tmp_path_factory.mktemp("work")
    prepared = call(offline.prepare, groove(folder / "src"), folder / "data")
    assert prepared.exit_code == 0, prepared.output
    (folder / "tiny.toml").write_text(CONFIG)
    arguments = ["--config", folder / "tiny.toml", "--minutes", 0.03, "--device", "cpu"]
    trained = call(offline.train, folder / "data", folder / "model", *arguments)
    assert trained.exit_code == 0, (trained.output, trained.exception)
    return folder


def test_prepare_says_what_is_in_each_split(tmp_path: Path) -> None:
    """And which files were left out, on stderr."""
    source = groove(tmp_path / "src")
    (source / "groove" / "bad.mid").write_text("no")
    result = call(offline.prepare, source, tmp_path / "data")

    assert result.stdout == ""
    assert "train: 7 files" in result.stderr
    assert "bad.mid" in result.stderr


def test_train_writes_a_whole_model_folder(work: Path) -> None:
    """Weights, config, space, grid and card, fitting one another."""
    model = work / "model"

    assert sorted(path.name for path in model.iterdir()) == [
        "README.md",
        "config.json",
        "grid.safetensors",
        "model.safetensors",
        "space.safetensors",
    ]
    assert Space.load(model).z_dim == load_model(model).config.z_dim == 8
    grid = load_grid(model)
    assert grid.patterns.shape == (33, 33, 32, 9, 3)
    assert grid.weights_hash == weights_hash(model)


def test_the_card_names_data_command_figures_and_floors_but_no_machine(work: Path) -> None:
    """Everything that a reader needs to judge and to make the model again."""
    card = (work / "model" / "README.md").read_text()

    for wanted in ("CC BY 4.0", "livevae train data model", "nearest training window", "onset F1"):
        assert wanted in card
    assert str(work) not in card


def test_train_never_overwrites_a_model(work: Path) -> None:
    """Another name has to be given."""
    refused(call(offline.train, work / "data", work / "model"), "already holds a model")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--preset", "groove-5bar"], "groove-4bar"),
        (["--config", "nowhere.toml"], "nowhere.toml"),
        (["--device", "tpu"], "tpu"),
        (["--device", "cuda:99"], "the device cuda:99 is not there; choose auto or one of"),
    ],
)
def test_train_refuses_what_is_not_there(
    work: Path, tmp_path: Path, arguments: list[str], sentence: str
) -> None:
    """One sentence with what was given, and nothing is written."""
    refused(call(offline.train, work / "data", tmp_path / "new", *arguments), sentence)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    "text", ["[model]\nbars = 99", "[model]\nlayers = 2", "[training]\nbatch = 0", "nonsense"]
)
def test_train_refuses_a_wrong_config_by_name(work: Path, tmp_path: Path, text: str) -> None:
    """Unknown keys, values out of bounds, and what is no TOML."""
    (tmp_path / "mine.toml").write_text(text)
    result = call(
        offline.train, work / "data", tmp_path / "new", "--config", tmp_path / "mine.toml"
    )
    refused(result, "mine.toml")


def test_train_refuses_an_output_it_cannot_make_before_it_trains(work: Path) -> None:
    """A file in the way is found at once."""
    refused(call(offline.train, work / "data", work / "tiny.toml" / "model"), "cannot be made")


def test_ctrl_c_ends_the_training_with_a_whole_model(work: Path, tmp_path: Path) -> None:
    """The real process, hours from its end, finishes the folder with the best so far."""
    config = tmp_path / "long.toml"
    config.write_text(CONFIG + "minutes = 600\nseconds_between_validations = 0.1\n")
    code = "from livevae.cli import main; main()"
    arguments = ["train", work / "data", tmp_path / "model", "--config", config, "--threads", "1"]
    process = subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)], stderr=subprocess.PIPE, text=True
    )
    weights = tmp_path / "model" / "model.safetensors"
    while process.poll() is None and not weights.exists():
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)

    assert process.returncode == 0, errors
    assert len(list((tmp_path / "model").iterdir())) == 5
    load_model(tmp_path / "model")


def test_eval_prints_nothing_but_json_on_stdout(work: Path) -> None:
    """A program can read it."""
    result = call(offline.eval_model, work / "model", work / "data", "--json")
    report = json.loads(result.stdout)

    assert report["split"] == "test"
    assert report["windows"] == 2 * 5
    assert 0 <= report["onset"]["f1"] <= 1
    assert len(report["floors"]) == 3


def test_eval_prints_a_table_for_people_on_stderr(work: Path) -> None:
    """And nothing on stdout."""
    result = call(offline.eval_model, work / "model", work / "data", "--split", "validation")

    assert result.stdout == ""
    assert "nearest training window" in result.stderr


def test_eval_refuses_unknown_models_and_splits(work: Path) -> None:
    """One sentence each."""
    refused(call(offline.eval_model, "no-such-model", work / "data"), "no-such-model")
    refused(call(offline.eval_model, work / "model", work / "data", "--split", "dev"), "dev")


def test_grid_rebuilds_the_map_in_the_size_asked_for(work: Path, tmp_path: Path) -> None:
    """For the weights that are there."""
    model = tmp_path / "model"
    shutil.copytree(work / "model", model)
    (model / "grid.safetensors").unlink()
    assert call(offline.grid, model, "--size", 9).exit_code == 0

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
    refused(call(offline.grid, model), "dimensions")


def test_reconstruct_keeps_tempo_and_length(work: Path, tmp_path: Path) -> None:
    """Five bars in, five bars out, though the model's windows are of two."""
    write_pattern(tmp_path / "in.mid", beat(1, bars=5), 87, GM)
    result = call(
        offline.reconstruct, tmp_path / "in.mid", tmp_path / "out.mid", "--model", work / "model"
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

    refused(call(offline.reconstruct, tmp_path / "no.mid", out, *model), "no.mid")
    refused(call(offline.reconstruct, tmp_path / "text.mid", out, *model), "text.mid")
    refused(call(offline.reconstruct, silent, out, *model), "no drum notes")
    refused(call(offline.reconstruct, waltz, out, *model), "4-4")
    nowhere = tmp_path / "no" / "out.mid"
    refused(call(offline.reconstruct, good, nowhere, *model), f"no folder {nowhere.parent}")
    assert not nowhere.parent.exists()
    refused(call(offline.reconstruct, good, out, *model, "--kit", "spoons"), "spoons")
    assert not out.exists()


def test_a_model_without_space_or_with_damage_is_one_sentence(tmp_path: Path) -> None:
    """Whatever command meets it."""
    (tmp_path / "model").mkdir()
    save_model(small(), tmp_path / "model")
    refused(call(offline.grid, tmp_path / "model"), "space.safetensors")
    (tmp_path / "model" / "model.safetensors").write_bytes(b"cut")
    refused(call(offline.grid, tmp_path / "model"), "model.safetensors")
