"""`livevae doctor` on a model folder: what it finds, and how to mend it."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from livevae.cli.setup import doctor
from livevae.latent.grid import build_grid, load_grid, save_grid
from livevae.model.checkpoint import save_model
from livevae.model.folder import weights_hash
from livevae.training.evaluate import decoded
from tests.latent.test_space import space
from tests.model.test_vae import small


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a whole small model, in a home of its own."""
    monkeypatch.setenv("LIVEVAE_RUNTIME_DIR", str(tmp_path / "run"))
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "mine"
    folder.mkdir()
    save_model(small(), folder)
    space(8).save(folder)
    vae = small()
    save_grid(build_grid(space(8), lambda z: decoded(vae, z), weights_hash(folder), 3), folder)
    return folder


def finding(name: str, model: Path, *settings: str) -> dict[str, object]:
    """Return one of the doctor's findings."""
    arguments = [part for s in (f"model={model}", *settings) for part in ("--set", s)]
    result = CliRunner().invoke(doctor, ["--json", *arguments])
    found: dict[str, dict[str, object]] = {f["name"]: f for f in json.loads(result.stdout)}
    assert result.exit_code == 0 or not all(f["well"] for f in found.values())
    return found[name]


def test_a_whole_model_is_well(model: Path) -> None:
    """With its bars and the size of its map."""
    assert finding("model", model) == {
        "name": "model",
        "well": True,
        "found": "mine, 2 bars, a map of 3 x 3 over x and y",
        "mend": "",
    }


def test_a_map_of_other_weights_is_found_stale(model: Path) -> None:
    """It would play another model's beats wherever no decode is there in time."""
    save_grid(replace(load_grid(model), weights_hash="0" * 64), model)
    it = finding("model", model)
    assert not it["well"]
    assert it["found"] == f"the map of mine is stale; rebuild it with `livevae grid {model}`"


def test_a_map_of_another_length_is_found_with_what_to_do(model: Path) -> None:
    """It would end the player."""
    grid = load_grid(model)
    save_grid(replace(grid, cells=grid.cells.repeat(2, axis=2)), model)
    it = finding("model", model)
    assert not it["well"]
    assert f"rebuild it with `livevae grid {model}`" in str(it["found"])


def test_a_space_or_a_device_that_does_not_fit_is_found_where_the_model_is_decoded(
    model: Path,
) -> None:
    """In a sentence of its own, and the doctor goes on."""
    assert finding("device", model, "decoder.device=cpu")["well"]
    there = finding("device", model, "decoder.device=cuda:77")
    assert "the device cuda:77 is not there" in str(there["found"])
    space(16).save(model)
    mixed = finding("device", model, "decoder.device=cpu")
    assert not mixed["well"]
    assert "16 dimensions, its model 8" in str(mixed["found"])


def test_the_device_is_named_with_the_reason(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And on a CPU with its threads."""
    monkeypatch.setattr("torch.cuda.device_count", lambda: 0)
    monkeypatch.setattr("torch.mps.is_available", lambda: False)
    asked = finding("device", model, "decoder.device=cpu")
    assert asked["found"] == "cpu, as decoder.device says (1 thread); the model decodes on it"
    auto = finding("device", model, "decoder.device=auto", "decoder.threads=2")
    assert re.match(r"cpu, since .* CUDA.* \(2 threads\);", str(auto["found"]))
