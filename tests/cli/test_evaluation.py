"""The command that measures a model."""

import json
from pathlib import Path

from livevae.cli import evaluation
from tests.cli.offline import call, refused


def test_eval_prints_nothing_but_json_on_stdout(work: Path) -> None:
    """A program can read it."""
    result = call(evaluation.eval_model, work / "model", work / "data", "--json")
    report = json.loads(result.stdout)

    assert report["split"] == "test"
    assert report["windows"] == 2 * 5
    assert 0 <= report["onset"]["f1"] <= 1
    assert len(report["floors"]) == 3


def test_eval_prints_a_table_for_people_on_stderr(work: Path) -> None:
    """And nothing on stdout."""
    result = call(evaluation.eval_model, work / "model", work / "data", "--split", "validation")

    assert result.stdout == ""
    assert "nearest training window" in result.stderr


def test_eval_refuses_unknown_models_and_splits(work: Path) -> None:
    """One sentence each."""
    refused(call(evaluation.eval_model, "no-such-model", work / "data"), "no-such-model")
    refused(call(evaluation.eval_model, work / "model", work / "data", "--split", "dev"), "dev")
