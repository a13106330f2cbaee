"""The command that measures a model."""

import json
from pathlib import Path

import pytest

from livevae.cli import evaluation
from tests.cli.offline import call, refused

QUICK = ("--refined", 1, "--pairs", 1)


def test_eval_prints_nothing_but_json_on_stdout(work: Path) -> None:
    """A program can read it."""
    result = call(evaluation.eval_model, work / "model", work / "data", "--json", *QUICK)
    report = json.loads(result.stdout)

    assert report["split"] == "test"
    assert report["windows"] == 2 * 5
    assert 0 <= report["onset"]["f1"] <= 1
    assert len(report["floors"]) == 3
    assert report["refined"]["windows"] == report["interpolation"]["pairs"] == 1
    assert report["attributes"]
    assert bool(report["realism"]) == (work / "model" / "prior.safetensors").exists()


def test_eval_prints_a_table_for_people_on_stderr_and_draws(work: Path, tmp_path: Path) -> None:
    """And nothing on stdout."""
    arguments = ("--split", "validation", *QUICK, "--plots", tmp_path / "plots")
    result = call(evaluation.eval_model, work / "model", work / "data", *arguments)

    assert result.stdout == ""
    assert "nearest training window" in result.stderr
    assert (tmp_path / "plots" / "training.png").exists()


def test_eval_says_at_once_that_pictures_need_matplotlib(
    work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before anything is measured."""
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    arguments = (work / "model", work / "data", "--plots", work / "plots")
    refused(call(evaluation.eval_model, *arguments), "livevae[plots]")
    assert not (work / "plots").exists()


def test_eval_refuses_unknown_models_and_splits(work: Path) -> None:
    """One sentence each."""
    refused(call(evaluation.eval_model, "no-such-model", work / "data"), "no-such-model")
    refused(call(evaluation.eval_model, work / "model", work / "data", "--split", "dev"), "dev")
