"""The decoder process when torch fails: a sentence, in its status and as an error."""

from pathlib import Path

import msgspec
import pytest
import torch

from livevae.decoder import service
from livevae.decoder.bank import Bank, Shape
from livevae.decoder.process import Orders, Status, run
from livevae.errors import UsageError, WorkError
from livevae.resources import find_model

SHAPE = Shape(64, 2, 2)
OUT_OF_MEMORY = torch.OutOfMemoryError(
    "CUDA out of memory. Tried to allocate 20.00 MiB. GPU 0 has a total capacity of\n1 GiB."
)


def failed(folder: Path, device: str = "cuda") -> tuple[type[Exception], str]:
    """Return what a decoder that fails raises; its status says the same."""
    bank = Bank.create(folder / "bank", SHAPE)
    orders = Orders(str(folder / "bank"), str(find_model("groove-4bar")), device, 1)
    with pytest.raises((UsageError, WorkError)) as caught:
        run(orders)
    record = bank.decoder_status.read()
    assert record is not None
    assert msgspec.json.decode(record, type=Status) == Status("failed", reason=str(caught.value))
    return caught.type, str(caught.value)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OUT_OF_MEMORY, "CUDA out of memory"),
        (RuntimeError("CUDA error: out of memory\nCUDA kernel errors might be ..."), "out of mem"),
        (RuntimeError(), "RuntimeError"),
        (MemoryError(), "MemoryError"),
    ],
)
@pytest.mark.parametrize("where", ["WarmModel", "Service"])
def test_a_failure_of_torch_becomes_one_sentence_wherever_it_happens(
    where: str,
    error: Exception,
    words: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """It may get better, so it is no wrong use."""

    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(service, where, fail)
    kind, sentence = failed(tmp_path, "cpu")
    assert kind is WorkError
    assert sentence.startswith("the decoder fails on the device cpu (")
    assert words in sentence
    assert "\n" not in sentence


def test_a_model_that_is_not_there_keeps_its_own_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """And stays wrong use."""

    def refuse(*_: object) -> None:
        raise UsageError("fetch it again")

    monkeypatch.setattr(service.WarmModel, "__init__", refuse)
    assert failed(tmp_path) == (UsageError, "fetch it again")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA")
def test_a_gpu_without_memory_is_a_failure_in_one_sentence(tmp_path: Path) -> None:
    """Real torch, a real device, and next to nothing of its memory."""
    torch.cuda.set_per_process_memory_fraction(1e-6)
    try:
        kind, sentence = failed(tmp_path)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert kind is WorkError
    assert "out of memory" in sentence
