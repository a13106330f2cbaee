"""The commands that make a model."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from livevae.cli import training
from livevae.model.checkpoint import load_model
from livevae.model.folder import (
    load_config,
    matching_grid,
    matching_prior,
    matching_space,
    weights_hash,
)
from livevae.training import metrics
from livevae.training.config import load_preset
from tests.cli.offline import CONFIG, call, refused
from tests.training.beats import collection, groove

PATIENCE_S = 60.0
FINISHED = [
    "README.md",
    "config.json",
    "grid.safetensors",
    "metrics.jsonl",
    "model.safetensors",
    "prior.safetensors",
    "space.safetensors",
]


def test_prepare_says_what_is_in_each_split(tmp_path: Path) -> None:
    """And which files were left out, on stderr."""
    source = groove(tmp_path / "src")
    (source / "groove" / "bad.mid").write_text("no")
    result = call(training.prepare, source, tmp_path / "data")

    assert result.stdout == ""
    assert "train: 7 files" in result.stderr
    assert "bad.mid" in result.stderr


def test_train_writes_a_whole_model_folder(work: Path) -> None:
    """Weights, config, space, grid, prior, card and the validations, fitting one another."""
    model = work / "model"

    assert sorted(path.name for path in model.iterdir()) == FINISHED
    assert load_model(model).config.z_dim == 8
    assert matching_space(model).z_dim == matching_prior(model).z_dim == 8
    grid = matching_grid(model)
    assert grid.patterns.shape == (33, 33, 32, 9, 3)
    assert grid.weights_hash == weights_hash(model)
    assert all(line.validation_f1 is not None for line in metrics.read(model))


def test_the_card_names_data_command_figures_and_floors_but_no_machine(work: Path) -> None:
    """Everything that a reader needs to judge and to make the model again."""
    card = (work / "model" / "README.md").read_text()

    command = "livevae train data --config tiny.toml --out model --steps 60"
    for wanted in ("CC BY 4.0", command, "nearest training window", "onset F1"):
        assert wanted in card
    assert str(work) not in card


def test_train_never_overwrites_a_model(work: Path) -> None:
    """Another name has to be given."""
    refused(call(training.train, work / "data", "--out", work / "model"), "already holds a model")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--config", "groove-5bar"], "groove-4bar"),
        (["--config", "nowhere.toml"], "nowhere.toml"),
        (["--device", "tpu"], "tpu"),
        (["--device", "cuda:99"], "the device cuda:99 is not there; choose auto or one of"),
        (["--minutes", "1", "--steps", "9"], "not both"),
        (["--from", "nowhere"], "there is no model 'nowhere'"),
    ],
)
def test_train_refuses_what_is_not_there(
    work: Path, tmp_path: Path, arguments: list[str], sentence: str
) -> None:
    """One sentence with what was given, and nothing is written."""
    refused(call(training.train, work / "data", "--out", tmp_path / "new", *arguments), sentence)
    assert not (tmp_path / "new").exists()


def test_train_refuses_a_start_of_another_shape(work: Path, tmp_path: Path) -> None:
    """The weights of a model fit that model only."""
    config = tmp_path / "wider.toml"
    config.write_text(CONFIG.replace("width = 16", "width = 24"))
    arguments = ["--out", tmp_path / "new", "--config", config, "--from", work / "model"]

    result = call(training.train, work / "data", *arguments)
    refused(result, f"{work / 'model'} has weights of another shape than {config} describes")
    assert not (tmp_path / "new").exists()


def test_a_start_may_have_fewer_bars_and_another_likelihood(work: Path, tmp_path: Path) -> None:
    """Two bars for four: the weights go on where they were, the config says all else."""
    config, out = tmp_path / "longer.toml", tmp_path / "longer"
    shape = "bars = 4\ndropout = 0.3\nvelocity_weight = 12.0\noffset_weight = 9.0"
    config.write_text(CONFIG.replace("bars = 2", shape))
    arguments = ["--out", out, "--config", config, "--from", work / "model", "--steps", 1]
    result = call(training.train, work / "data", *arguments, "--device", "cpu")

    assert result.exit_code == 0, result.exception
    assert load_config(out) == load_preset(str(config)).model
    before, after = (load_model(path).state_dict() for path in (work / "model", out))
    assert all((before[name] - after[name]).abs().max() < 1e-3 for name in before)


def test_train_refuses_an_output_it_cannot_make_before_it_trains(work: Path) -> None:
    """A file in the way is found at once."""
    out = work / "tiny.toml" / "model"
    refused(call(training.train, work / "data", "--out", out), "cannot be made")


def test_fine_tuning_on_loops_starts_where_the_model_is(work: Path, tmp_path: Path) -> None:
    """On a recording alone it says what it validates on; one careful step changes little."""
    loops = collection(tmp_path / "loops", files=1)
    assert call(training.prepare, loops, tmp_path / "data").exit_code == 0
    out = tmp_path / "tuned"
    arguments = ["--out", out, "--from", work / "model", "--steps", 1, "--device", "cpu"]
    result = call(training.train, tmp_path / "data", *arguments)

    assert result.exit_code == 0, result.exception
    assert "validating on the training windows" in result.stderr
    card = (out / "README.md").read_text()
    assert "livevae train data --out tuned --from model --steps 1" in card
    assert "## Figures: train split" in card
    before, after = (load_model(path).state_dict() for path in (work / "model", out))
    assert all((before[name] - after[name]).abs().max() < 1e-3 for name in before)


def test_ctrl_c_stops_after_the_step_and_says_how_to_go_on(work: Path, tmp_path: Path) -> None:
    """A real process, hours from its end: the folder is loadable, and of this training only."""
    config, out = tmp_path / "long.toml", tmp_path / "model"
    config.write_text(CONFIG + "minutes = 600\nsteps_between_metrics = 1\n")
    code = "from livevae.cli import main; main()"
    options = ["--config", config, "--out", out, "--threads", "1", "--device", "cpu"]
    process = subprocess.Popen(
        [sys.executable, "-c", code, "train", *map(str, [work / "data", *options])],
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        deadline = time.monotonic() + PATIENCE_S
        while process.poll() is None and len(metrics.read(out)) < 3:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=PATIENCE_S)
    finally:
        process.kill()

    assert process.returncode == 0, errors
    assert "Give the same command again" in errors
    load_model(out)
    refused(call(training.train, work / "data", *options, "--seed", 1), "unfinished training")
