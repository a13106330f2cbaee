"""Model folders, opened as hostile."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from livevae.errors import UsageError, WorkError
from livevae.model.checkpoint import load_model, save_model
from livevae.model.folder import weights_hash
from tests.model.test_vae import small


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a saved small model."""
    (tmp_path / "model").mkdir()
    save_model(small(), tmp_path / "model")
    return tmp_path / "model"


def test_a_saved_model_decodes_the_same_to_half_precision(folder: Path) -> None:
    """float16 on disk, float32 in memory, ready to play."""
    z = torch.randn(3, 8)
    back = load_model(folder)

    torch.testing.assert_close(back.decode(z), small().decode(z), atol=2e-3, rtol=0)
    assert {p.dtype for p in back.parameters()} == {torch.float32}
    assert not back.training
    assert back.config == small().config


def test_nothing_but_the_two_files_is_left_behind(folder: Path) -> None:
    """Partial files are renamed or removed."""
    assert sorted(p.name for p in folder.iterdir()) == ["config.json", "model.safetensors"]


def test_a_failed_save_leaves_the_last_good_model(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk while saving is one sentence, and the old weights still load."""
    before = weights_hash(folder)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(WorkError, match="No space left"):
        save_model(small(), folder)
    assert weights_hash(folder) == before
    load_model(folder)


def test_the_hash_is_that_of_the_weights(folder: Path) -> None:
    """sha256, in hexadecimal, and another for other weights."""
    before = weights_hash(folder)
    torch.manual_seed(9)
    other = small()
    other.decoder.load_state_dict({k: v + 1 for k, v in other.decoder.state_dict().items()})
    save_model(other, folder)

    assert len(before) == 64
    assert weights_hash(folder) != before


def test_a_folder_without_a_model_is_named(tmp_path: Path) -> None:
    """The sentence says that it is not a model folder."""
    with pytest.raises(UsageError, match="not a model folder"):
        load_model(tmp_path)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"bars": 0}, "bars"),
        ({"bars": 17}, "bars"),
        ({"width": 1 << 40}, "width"),
        ({"dropout": "much"}, "dropout"),
        ({"decoder": "diffusion"}, "diffusion"),
        ({"bar_decoder": "tree"}, "tree"),
        ({"surprise": 1}, "surprise"),
        ({"width": 24, "heads": 2, "bar_width": 24}, "shape"),
        ({"decoder": "flat"}, "other tensors"),
    ],
)
def test_a_config_that_does_not_fit_is_one_sentence(
    folder: Path, change: dict[str, object], sentence: str
) -> None:
    """Out of bounds, of another type, unknown, or of another model than the weights."""
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(UsageError, match=sentence) as raised:
        load_model(folder)
    assert str(folder) in str(raised.value)


def test_config_bytes_that_are_no_json_are_one_sentence(folder: Path) -> None:
    """Binary, empty or endless."""
    for data in (b"", b"\xff\xfe", b"[]", b"{" * 70_000):
        (folder / "config.json").write_bytes(data)
        with pytest.raises(UsageError, match=r"config\.json"):
            load_model(folder)


def test_weights_cut_short_are_one_sentence(folder: Path) -> None:
    """At any length."""
    path = folder / "model.safetensors"
    whole = path.read_bytes()
    for length in (0, 4, 8, 1000, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(UsageError, match=r"model\.safetensors"):
            load_model(folder)
    path.unlink()
    with pytest.raises(UsageError, match=r"model\.safetensors"):
        load_model(folder)


def test_a_pickle_is_never_opened(folder: Path) -> None:
    """torch.save files are refused, whatever their name."""
    torch.save(small().state_dict(), folder / "model.safetensors")
    with pytest.raises(UsageError, match="broken"):
        load_model(folder)


def test_weights_that_are_not_finite_are_refused(folder: Path) -> None:
    """NaN would be heard."""
    path = folder / "model.safetensors"
    weights = load_file(path)
    weights["encoder.step.bias"][0] = float("nan")
    save_file(weights, path)
    with pytest.raises(UsageError, match="finite"):
        load_model(folder)


def test_weights_missing_or_left_over_are_refused(folder: Path) -> None:
    """The file holds the tensors of its config, no more and no fewer."""
    path = folder / "model.safetensors"
    weights = load_file(path)
    save_file(weights | {"extra": torch.zeros(1)}, path)
    with pytest.raises(UsageError, match="other tensors"):
        load_model(folder)
