"""Prepared data and a small trained model, for the tests of the offline commands."""

from pathlib import Path

import pytest

from livevae.cli import training
from tests.cli.offline import CONFIG, call
from tests.training.beats import groove


@pytest.fixture(scope="session")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with prepared data and a model trained for two seconds."""
    folder = tmp_path_factory.mktemp("work")
    prepared = call(training.prepare, groove(folder / "src"), folder / "data")
    assert prepared.exit_code == 0, prepared.output
    (folder / "tiny.toml").write_text(CONFIG)
    arguments = ["--config", folder / "tiny.toml", "--minutes", 0.03, "--device", "cpu"]
    trained = call(training.train, folder / "data", folder / "model", *arguments)
    assert trained.exit_code == 0, (trained.output, trained.exception)
    return folder
