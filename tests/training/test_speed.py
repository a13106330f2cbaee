"""The decodes of a model are timed on the threads asked for, which are given back."""

import pytest
import torch

from livevae.training import speed as subject
from tests.model.test_vae import small


def test_threads_are_as_before_afterwards() -> None:
    before = torch.get_num_threads()
    with subject.threads(before + 1):
        assert torch.get_num_threads() == before + 1
    assert torch.get_num_threads() == before


def test_one_decode_and_a_map_of_them_are_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    """In milliseconds and seconds."""
    monkeypatch.setattr(subject, "MAP_POINTS", 64)
    monkeypatch.setattr(subject, "DECODES", 3)
    times = subject.decode_time(small())

    assert times.map_points == 64
    assert 0 < times.one_ms <= times.slowest_ms < 1000 * 64 * times.map_s
