"""Prepared data and a small trained model, for the tests of the offline commands."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from livevae.cli import training
from livevae.model.checkpoint import save_model
from livevae.model.config import ModelConfig
from livevae.model.vae import Vae
from livevae.training import attributes, discriminator
from tests.cli.offline import CONFIG, call
from tests.latent.test_space import space
from tests.training.beats import beat, groove


@pytest.fixture(scope="package", autouse=True)
def _quick_figures() -> Iterator[None]:
    """Spend no seconds on attributes and realism of models that have hardly learned."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(attributes, "STEPS", 1)
        patch.setattr(discriminator, "HALVINGS", 1)
        patch.setattr(discriminator, "EPOCHS", 1)
        yield


@pytest.fixture(scope="session")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with prepared data and a model trained for two seconds."""
    folder = tmp_path_factory.mktemp("work")
    prepared = call(training.prepare, groove(folder / "src"), folder / "data")
    assert prepared.exit_code == 0, prepared.output
    (folder / "tiny.toml").write_text(CONFIG)
    arguments = ["--config", folder / "tiny.toml", "--steps", 60, "--device", "cpu"]
    trained = call(training.train, folder / "data", "--out", folder / "model", *arguments)
    assert trained.exit_code == 0, (trained.output, trained.exception)
    return folder


@pytest.fixture(scope="session")
def learned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a small model of two bars and eight dimensions that knows eight beats by heart."""
    folder = tmp_path_factory.mktemp("learned")
    torch.manual_seed(0)
    vae = Vae(ModelConfig(bars=2, z_dim=8, width=16, heads=2, bar_width=32, dropout=0))
    beats = torch.from_numpy(np.stack([beat(seed, bars=2) for seed in range(8)]))
    optimizer = torch.optim.Adam(vae.parameters(), lr=0.01)
    for _ in range(80):
        optimizer.zero_grad()
        vae.loss(beats, beta=0.1, free_bits=0).total.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    save_model(vae, folder)
    space(8).save(folder)
    return folder


@pytest.fixture
def model(learned: Path, tmp_path: Path) -> Path:
    """Return a copy of the small model, to change at will."""
    return Path(shutil.copytree(learned, tmp_path / "model"))
