"""The command that measures a model."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from livevae.cli import evaluation
from livevae.model.vae import Vae
from livevae.training.report import Report, evaluate
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
    assert all(curve["windows"] == 1 for curve in report["refined"].values())
    assert len(report["refined"]) == 2
    assert report["interpolation"]["pairs"] == 1
    assert report["attributes"]
    assert report["realism"]


def test_eval_prints_a_table_for_people_on_stderr_and_draws(work: Path, tmp_path: Path) -> None:
    """And nothing on stdout."""
    arguments = ("--split", "validation", *QUICK, "--plots", tmp_path / "plots")
    result = call(evaluation.eval_model, work / "model", work / "data", *arguments)

    assert result.stdout == ""
    assert "nearest training window" in result.stderr
    assert (tmp_path / "plots" / "training.png").exists()


def test_eval_keeps_a_split_s_figures_in_the_card_and_leaves_the_rest(
    work: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Measured twice, they are there once; what training and a person wrote stays."""

    def measured(vae: Vae, *splits: Any, **_: object) -> Report:
        return evaluate(vae, *splits[:3])

    monkeypatch.setattr("livevae.training.report.evaluate_fully", measured)
    model = Path(shutil.copytree(work / "model", tmp_path / "model"))
    by_hand = "## What was tried\n\nMore toms.\n"
    trained = (model / "README.md").read_text()
    (model / "README.md").write_text(trained + "\n" + by_hand)
    for _ in range(2):
        result = call(evaluation.eval_model, model, work / "data", "--card")
        assert result.exit_code == 0, result.exception
    card = (model / "README.md").read_text()

    assert card.startswith(trained)
    assert card.endswith(by_hand)
    assert card.count("## Figures: test split") == 1
    assert card.count("## Figures: validation split") == 1
    assert str(tmp_path) not in card
    assert str(work) not in card


def test_eval_refuses_a_card_that_is_no_text_before_it_measures(
    work: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = Path(shutil.copytree(work / "model", tmp_path / "model"))
    (model / "README.md").write_bytes(b"\xff\xfe")
    monkeypatch.setattr("livevae.training.report.evaluate_fully", None)
    refused(call(evaluation.eval_model, model, work / "data", "--card"), "not UTF-8")


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
