"""The rate-distortion curve: fewer bits for more beta, and points just within the budgets."""

import pytest
import torch

from livevae.training import curve as subject
from livevae.training.curve import RatePoint
from tests.model.test_vae import beats, small


def point(beta: float, bits: float) -> RatePoint:
    return RatePoint(beta, bits, 0.0, 0.0, 0.0, 0.0)


def test_beta_is_read_off_the_line_through_the_nearest_points() -> None:
    """Bits that halve as beta grows fourfold: beta 4 for 50 of them, and 16 for 25 beyond."""
    points = [point(1, 100), point(0.25, 200), point(16, 25)]
    assert subject.beta_for(50, points) == pytest.approx(4)
    assert subject.beta_for(12.5, points) == pytest.approx(64)


def test_a_curve_that_stands_still_gives_a_beta_all_the_same() -> None:
    """As a collapsed posterior does: no bits at any beta."""
    assert subject.beta_for(48, [point(2, 0.0), point(1, 0.0)]) in (1, 2)
    assert subject.beta_for(48, [point(2, 10.0), point(1, 10.001)]) >= subject.SMALLEST_BETA


def test_bits_fall_as_beta_rises_and_points_lie_within_their_budgets(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    torch.manual_seed(0)
    vae, windows = small(), beats(3, 2).numpy()
    monkeypatch.setattr(subject, "BUDGETS", (8,))
    step_ms = windows[:, 0, 0, 0] * 0 + 100
    figures = subject.rate_distortion(vae, windows, step_ms, betas=(0.01, 1.0))

    first, last = figures.curve
    assert (figures.windows, first.beta, last.beta) == (3, 0.01, 1.0)
    assert first.bits > last.bits
    assert first.f1 >= last.f1
    assert all(found.bits <= int(budget) for budget, found in figures.within.items())
