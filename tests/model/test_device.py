"""The device a model runs on is there, or the sentence says what is; its threads come back."""

import numpy as np
import pytest
import torch

from livevae.errors import UsageError
from livevae.model.device import resolve_device, side_by_side, threads, why


@pytest.fixture
def one_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand before a machine with one CUDA device."""
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.mps, "is_available", lambda: False)


@pytest.fixture
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand before a machine with a CPU alone."""
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    monkeypatch.setattr(torch.mps, "is_available", lambda: False)


def test_auto_takes_cuda_then_apples_gpu_then_the_cpu(
    no_gpu: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As livevae.toml promises."""
    assert resolve_device("auto") == "cpu"
    monkeypatch.setattr(torch.mps, "is_available", lambda: True)
    assert resolve_device("auto") == "mps"
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert resolve_device("auto") == "cuda"


def test_the_choice_has_a_reason(no_gpu: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """That tells a machine without a GPU from a torch that could not use one."""
    assert why("cpu") == why("cuda") == "as decoder.device says"
    monkeypatch.setattr(torch.version, "cuda", None)
    assert why("auto") == "since this torch is without CUDA"
    monkeypatch.setattr(torch.version, "cuda", "12.8")
    assert why("auto") == "since torch finds no CUDA device"
    monkeypatch.setattr(torch.mps, "is_available", lambda: True)
    assert why("auto") == "since torch finds no CUDA device but Apple's GPU"
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda _: "NVIDIA H200")
    assert why("auto") == "since torch finds NVIDIA H200"


def test_a_device_that_is_there_stays_as_it_was_given(one_gpu: None) -> None:
    """With its number or without."""
    for device in ("cpu", "cuda", "cuda:0"):
        assert resolve_device(device) == device


@pytest.mark.parametrize("device", ["cuda:1", "cuda:7", "cuda:99", "cuda:256", "mps", "meta"])
def test_a_device_that_is_not_there_is_refused_with_those_that_are(
    one_gpu: None, device: str
) -> None:
    """By its number, not its kind alone."""
    with pytest.raises(UsageError, match=f"{device} is not there.*: cuda, cpu$"):
        resolve_device(device)


def test_several_devices_of_a_kind_are_named_by_their_numbers(
    no_gpu: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the first to the last."""
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 4)
    with pytest.raises(UsageError, match="cuda:0 to cuda:3"):
        resolve_device("cuda:4")


@pytest.mark.parametrize("device", ["", "gpu", "tpu", "cuda:", "cuda:x", "cuda:-1"])
def test_what_is_no_device_at_all_is_refused_with_the_names_of_those_that_are(device: str) -> None:
    """torch's own message is a paragraph."""
    with pytest.raises(UsageError, match="choose auto, cpu, cuda, cuda:N or mps"):
        resolve_device(device)


def test_threads_are_as_before_afterwards() -> None:
    before = torch.get_num_threads()
    with threads(before + 1):
        assert torch.get_num_threads() == before + 1
    assert torch.get_num_threads() == before


@pytest.mark.parametrize(
    ("n", "count", "sizes"),
    [(1, 2, [1]), (3, 4, [1, 1, 1]), (16, 1, [16]), (16, 2, [8, 8]), (81, 2, [21, 20, 20, 20])],
)
def test_the_batches_are_as_many_as_the_threads_can_share(
    n: int, count: int, sizes: list[int]
) -> None:
    """No thread waits while another has a whole batch more to do."""
    zs = np.arange(n, dtype=np.float32)[:, None]
    with threads(count):
        batches = side_by_side(lambda part: part, zs, "cpu")
    assert [len(batch) for batch in batches] == sizes
    np.testing.assert_array_equal(torch.cat(batches).numpy(), zs)
