"""The commands that make a model."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from livevae.cli import training
from livevae.latent.grid import load_grid
from livevae.latent.space import Space
from livevae.model.checkpoint import load_model
from livevae.model.folder import weights_hash
from tests.cli.offline import CONFIG, call, refused
from tests.training.beats import groove


def test_prepare_says_what_is_in_each_split(tmp_path: Path) -> None:
    """And which files were left out, on stderr."""
    source = groove(tmp_path / "src")
    (source / "groove" / "bad.mid").write_text("no")
    result = call(training.prepare, source, tmp_path / "data")

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
    refused(call(training.train, work / "data", work / "model"), "already holds a model")


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
    refused(call(training.train, work / "data", tmp_path / "new", *arguments), sentence)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    "text", ["[model]\nbars = 99", "[model]\nlayers = 2", "[training]\nbatch = 0", "nonsense"]
)
def test_train_refuses_a_wrong_config_by_name(work: Path, tmp_path: Path, text: str) -> None:
    """Unknown keys, values out of bounds, and what is no TOML."""
    (tmp_path / "mine.toml").write_text(text)
    result = call(
        training.train, work / "data", tmp_path / "new", "--config", tmp_path / "mine.toml"
    )
    refused(result, "mine.toml")


def test_train_refuses_an_output_it_cannot_make_before_it_trains(work: Path) -> None:
    """A file in the way is found at once."""
    refused(call(training.train, work / "data", work / "tiny.toml" / "model"), "cannot be made")


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
