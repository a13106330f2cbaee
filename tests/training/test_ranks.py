"""Several processes that train together: real ones, over gloo on the CPU."""

import multiprocessing
import os
import socket
from pathlib import Path

import msgspec
import pytest
import torch

from livevae.errors import UsageError
from livevae.model.config import ModelConfig
from livevae.model.vae import Vae
from livevae.training import learner, loop, metrics
from livevae.training.checkpoints import Origin
from livevae.training.config import Preset, TrainingConfig
from livevae.training.dataset import load_split
from livevae.training.prepare import prepare
from livevae.training.ranks import ALONE, Ranks, joined
from tests.training.beats import groove

TINY = Preset(
    model=ModelConfig(bars=2, z_dim=8, width=16, heads=2, bar_width=32, dropout=0.0),
    training=TrainingConfig(
        steps=25,
        batch=16,
        warmup_steps=5,
        beta=1.0,
        beta_warmup_steps=10,
        free_bits=1.0,
        styles_share=0.0,
        steps_between_metrics=1,
    ),
)


def test_processes_share_a_batch_without_overlap() -> None:
    """Every example is one process's."""
    batch = torch.arange(12)
    parts = [Ranks(rank, 3).share(batch) for rank in range(3)]

    assert all(len(part) == 4 for part in parts)
    assert torch.cat(parts).sort().values.equal(batch)


def test_a_process_alone_agrees_with_itself() -> None:
    """Nothing is sent anywhere, and the mean has no gradient."""
    value = torch.ones(2, requires_grad=True)

    assert ALONE.agreed([1.5, True], "cpu") == [1.5, True]
    assert not ALONE.mean(value).requires_grad


def in_float32(_device: str) -> bool:
    """Stand in for what a device is best at."""
    return False


def train(folder: Path, name: str, ranks: Ranks) -> None:
    """Train a small model."""
    training = load_split(folder / "data", "train")
    out = folder / name
    out.mkdir(exist_ok=True)
    torch.manual_seed(0)
    loop.train(
        folder=out,
        origin=Origin(TINY, seed=0, data="", start=""),
        training=training,
        held_out=loop.held_out_windows(load_split(folder / "data", "validation"), 2),
        vae=Vae(TINY.model),
        device="cpu",
        watch=lambda _: None,
        stopped=lambda: False,
        ranks=ranks,
    )


def one_of(folder: Path, name: str, rank: int, world: int, port: int) -> None:
    """Be one of the processes that torchrun starts; in float32, where sums are nearly the same."""
    torch.set_num_threads(1)
    learner._computes_in_bfloat16 = in_float32
    place = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": world}
    meeting = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    os.environ.update({key: str(value) for key, value in (place | meeting).items()})
    with joined("cpu") as (ranks, _):
        train(folder, name, ranks)


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return int(server.getsockname()[1])


def curve(folder: Path) -> list[float]:
    """Return every part of the loss at every step."""
    lines = [msgspec.structs.asdict(line) for line in metrics.read(folder)]
    parts = ("loss", "onset", "velocity", "offset", "bits")
    return [line[part] for line in lines for part in parts]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with prepared data."""
    folder = tmp_path_factory.mktemp("ranks")
    prepare([groove(folder / "src")], folder / "data")
    return folder


def test_two_processes_follow_the_curve_of_one_with_the_doubled_batch(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each takes 8 of the 16 examples; KL and free bits are those of all."""
    context, port = multiprocessing.get_context("spawn"), free_port()
    workers = [
        context.Process(target=one_of, args=(folder, "two", rank, 2, port)) for rank in (0, 1)
    ]
    for worker in workers:
        worker.start()
    monkeypatch.setattr(learner, "_computes_in_bfloat16", in_float32)
    train(folder, "one", ALONE)
    for worker in workers:
        worker.join(120)
    assert [worker.exitcode for worker in workers] == [0, 0]

    expected = curve(folder / "one")
    assert len(expected) == 25 * 5
    assert curve(folder / "two") == pytest.approx(expected, rel=1e-3)
    assert (
        min(line.bits for line in metrics.read(folder / "one"))
        < 1
        < max(line.bits for line in metrics.read(folder / "one"))
    )


def test_a_batch_that_cannot_be_shared_evenly_is_one_sentence(folder: Path) -> None:
    """Sixteen examples by three."""
    with pytest.raises(UsageError, match="3 processes cannot share a batch of 16 evenly"):
        train(folder, "three", Ranks(0, 3))
