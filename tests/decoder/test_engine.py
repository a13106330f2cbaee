"""The engine against the plain model, and what becomes of a GPU's faults."""

from pathlib import Path

import numpy as np
import pytest
import torch

from livevae.decoder.engine import Engine
from livevae.decoder.graphs import SIZES, parts, sufficient_precision
from livevae.errors import WorkError
from livevae.model.checkpoint import load_model, save_model
from livevae.model.device import threads
from livevae.pattern.pattern import Pattern, same_onsets
from livevae.resources import find_model
from tests.model.test_vae import small

MODEL = find_model("groove-4bar")
needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA")


@pytest.fixture(autouse=True)
def threads_as_before() -> object:
    """An engine sets torch's threads for its whole process."""
    with threads(torch.get_num_threads()):
        yield


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """Return the folder of a small model."""
    save_model(small(), tmp_path)
    return tmp_path


def points(n: int, z_dim: int = 128) -> np.ndarray:
    """Return random points of latent space."""
    return np.random.default_rng(0).standard_normal((n, z_dim), np.float32)


def plain(zs: np.ndarray, folder: Path = MODEL) -> Pattern:
    """Decode as the model is trained."""
    with torch.inference_mode():
        return load_model(folder).decode(torch.from_numpy(zs)).numpy()


@pytest.mark.parametrize("count", [1, 2])
def test_the_engine_decodes_what_the_plain_model_decodes(count: int) -> None:
    """Folded, in batches, on more threads than one: a thousand points, up to rounding."""
    zs = points(1000)
    decoded, expected = Engine(MODEL, "cpu", count).decode(zs), plain(zs)

    assert decoded.dtype == np.float32
    assert same_onsets(decoded, expected)
    np.testing.assert_allclose(decoded, expected, atol=1e-4)


def test_one_point_decodes_as_it_does_among_others(model: Path) -> None:
    """The hand's point is the map's."""
    engine, zs = Engine(model, "cpu", 1), points(5, 8)
    np.testing.assert_allclose(engine.decode(zs[2:3])[0], engine.decode(zs)[2], atol=1e-5)
    assert engine.steps == 32


def test_points_are_shared_out_to_the_graphs_that_fit_them() -> None:
    """Each point once, in order; the largest graph as often as need be, then the smallest left."""
    for n, numbers in ((1, [0]), (2, [1]), (81, [2]), (364, [3, 0]), (1089, [3, 3, 3])):
        shared = list(parts(n, SIZES))
        assert [number for _, number in shared] == numbers
        assert np.concatenate([np.arange(n)[part] for part, _ in shared]).tolist() == list(range(n))
        assert all(part.stop - part.start <= SIZES[number] for part, number in shared)


@pytest.mark.parametrize(("error", "chosen"), [(4e-4, "high"), (6e-4, "highest")])
def test_tf32_is_taken_where_it_moves_no_onset(
    monkeypatch: pytest.MonkeyPatch, error: float, chosen: str
) -> None:
    """Measured, by how far it moves the likeliest to turn; torch's own setting stays as it was."""
    vae, before = small(), torch.get_float32_matmul_precision()
    decode = vae.decode

    def rounded(z: torch.Tensor) -> torch.Tensor:
        return decode(z) + error * (torch.get_float32_matmul_precision() == "high")

    monkeypatch.setattr(vae, "decode", rounded)
    assert sufficient_precision(vae, "cpu") == chosen
    assert torch.get_float32_matmul_precision() == before


class FaultyDecoder:
    """Stands for a GPU whose driver gives up, at once or at the first decode."""

    def __init__(self, error: Exception, at_once: bool) -> None:
        self.error = error
        if at_once:
            raise error

    def decode(self, _zs: np.ndarray) -> Pattern:
        """Fail."""
        raise self.error


@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.parametrize(
    ("error", "said"),
    [
        (torch.OutOfMemoryError("Tried to allocate 20 MiB\nof 80"), "GPU cuda is out of memory"),
        (RuntimeError("MPS backend out of memory (of 8 GB)"), "GPU cuda is out of memory"),
        (
            RuntimeError("CUDA error: lost\nCompile with"),
            r"GPU cuda has failed \(CUDA error: lost\)",
        ),
    ],
)
def test_a_fault_of_the_gpu_is_a_sentence_that_says_what_to_do(
    model: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, said: str, at_once: bool
) -> None:
    """Not the driver's paragraphs; the supervisor then goes to the CPU."""
    monkeypatch.setattr("livevae.decoder.engine.resolve_device", lambda device: device)
    monkeypatch.setattr(
        "livevae.decoder.engine.GraphDecoder", lambda *_: FaultyDecoder(error, at_once)
    )
    with pytest.raises(WorkError, match=rf"{said}; close .*decoder\.device=cpu"):
        Engine(model, "cuda", 1)


def test_a_fault_on_the_cpu_is_no_fault_of_a_gpu(model: Path) -> None:
    """It is a bug, and shows as one."""
    with pytest.raises(RuntimeError, match="shapes"):
        Engine(model, "cpu", 1).decode(points(1, 9))


@needs_cuda
def test_a_gpu_plays_every_onset_of_the_cpu() -> None:
    """Ten thousand points, at the precision that was chosen; doubtful onsets left aside."""
    zs = points(10_000)
    assert same_onsets(Engine(MODEL, "cuda", 1).decode(zs), Engine(MODEL, "cpu", 2).decode(zs))


@needs_cuda
@pytest.mark.parametrize("n", [1, 2, 16, 17, 81, 100, 363, 400])
def test_every_graph_decodes_the_same(n: int) -> None:
    """What is left in the buffers from before does not matter, and results are the caller's."""
    engine, zs = Engine(MODEL, "cuda", 1), points(400)
    decoded = engine.decode(zs[:n])
    kept = decoded.copy()
    engine.decode(zs[::-1].copy())
    engine.keep_warm()
    np.testing.assert_array_equal(decoded, kept)
    np.testing.assert_allclose(decoded, plain(zs[:n]), atol=1e-3)
