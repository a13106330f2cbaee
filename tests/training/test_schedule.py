"""What changes along a training."""

import pytest

from livevae.training.config import TrainingConfig
from livevae.training.schedule import moment


def test_the_learning_rate_warms_up_and_falls_along_a_cosine() -> None:
    """From a step's share of the warm-up to full, half way at a half, 2% at the end."""
    how = TrainingConfig(learning_rate=1.0, warmup_steps=100, final_rate=0.02)

    assert moment(how, 0, 0.0).learning_rate == pytest.approx(0.01)
    assert moment(how, 100, 0.0).learning_rate == pytest.approx(1)
    assert moment(how, 100, 0.5).learning_rate == pytest.approx(0.51)
    assert moment(how, 100, 1.0).learning_rate == pytest.approx(0.02)


def test_an_exponential_falls_by_the_same_factor_in_equal_parts() -> None:
    """A tenth half way, a hundredth at the end."""
    how = TrainingConfig(
        learning_rate=1.0, warmup_steps=1, rate_decay="exponential", final_rate=0.01
    )

    rates = [moment(how, 100, progress).learning_rate for progress in (0.0, 0.5, 1.0)]
    assert rates == pytest.approx([1, 0.1, 0.01])


def test_beta_warms_up_to_its_full_value() -> None:
    """The KL is free at first and never dearer than beta."""
    how = TrainingConfig(beta=0.2, beta_warmup_steps=100)

    assert [moment(how, step, 0.0).beta for step in (0, 50, 100, 500)] == [0, 0.1, 0.2, 0.2]


def test_cyclical_annealing_starts_again_from_nothing() -> None:
    """Two cycles: up over a quarter of the training, full for a quarter, and once more."""
    how = TrainingConfig(beta=0.2, beta_cycles=2)

    course = [moment(how, 0, part / 8).beta for part in range(8)]
    assert course == pytest.approx([0, 0.1, 0.2, 0.2, 0, 0.1, 0.2, 0.2])


def test_scheduled_sampling_gives_the_true_step_less_and_less_along_an_inverse_sigmoid() -> None:
    """k / (k + exp(step / k)) of the steps are true; without it, all (Bengio et al. 2015)."""
    how = TrainingConfig(scheduled_sampling=100)

    shares = [moment(how, step, 0.0).own_share for step in (0, 461, 100_000)]
    assert shares == pytest.approx([1 / 101, 0.5, 1.0], abs=2e-3)
    assert moment(TrainingConfig(), 461, 0.0).own_share == 0
