"""The decodes of a model are timed, one by one and a map of them."""

import pytest

from livevae.training import speed as subject
from tests.model.test_vae import small


def test_one_decode_and_a_map_of_them_are_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    """In milliseconds and seconds."""
    monkeypatch.setattr(subject, "MAP_POINTS", 64)
    monkeypatch.setattr(subject, "DECODES", 3)
    times = subject.decode_time(small())

    assert times.map_points == 64
    assert 0 < times.one_ms <= times.slowest_ms < 1000 * 64 * times.map_s
