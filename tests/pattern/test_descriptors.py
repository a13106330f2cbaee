"""Each descriptor answers to what it is named after, and to nothing else."""

import numpy as np
import pytest
import torch

from livevae.pattern.descriptors import ATTRIBUTES, descriptors, measure
from livevae.pattern.pattern import OFFSET, ONSET, VELOCITY, VOICES, Pattern, empty

ROCK = {"kick": (0, 8), "snare": (4, 12), "closed_hat": range(0, 16, 2)}


def played(beat: dict[str, tuple[int, ...] | range], velocity: float = 0.5) -> Pattern:
    """Return two equal bars of a beat."""
    pattern = empty(2)
    for voice, steps in beat.items():
        for step in steps:
            pattern[[step, step + 16], VOICES.index(voice), :2] = (1.0, velocity)
    return pattern


def measured(pattern: Pattern) -> dict[str, float]:
    return dict(zip(ATTRIBUTES, descriptors(pattern[None])[0].tolist(), strict=True))


def test_a_silent_pattern_has_descriptors_of_zero() -> None:
    np.testing.assert_allclose(descriptors(empty(4)[None]), 0, atol=1e-4)


def test_density_is_the_share_of_cells_that_are_hit() -> None:
    assert measured(played(ROCK))["density"] == pytest.approx(12 / 144, abs=1e-4)


def test_hits_on_the_beat_are_not_syncopated() -> None:
    assert measured(played(ROCK))["syncopation"] == pytest.approx(0.0, abs=1e-4)


@pytest.mark.parametrize(("step", "strength"), [(15, 4), (7, 3), (3, 2), (14, 3), (6, 2), (2, 1)])
def test_a_hit_held_over_a_stronger_rest_is_syncopated_by_the_difference(
    step: int, strength: int
) -> None:
    syncopation = measured(played({"kick": (step,)}))["syncopation"]
    assert syncopation == pytest.approx(strength, rel=0.01)


def test_a_hit_before_a_hit_on_the_stronger_step_is_not_syncopated() -> None:
    beat = {"snare": (3,), "kick": (4, 8, 0)}
    assert measured(played(beat))["syncopation"] == pytest.approx(0, abs=0.01)


def test_the_last_step_is_followed_by_the_first_of_the_loop() -> None:
    once = empty(2)
    once[31, 0, ONSET] = once[0, 0, ONSET] = 1
    assert measured(once)["syncopation"] == pytest.approx(0.0, abs=1e-3)


def test_energy_is_the_mean_velocity_of_the_hits() -> None:
    assert measured(played(ROCK, velocity=0.8))["energy"] == pytest.approx(0.8, rel=1e-3)


def test_laid_back_is_the_mean_offset_of_the_hits_and_late_is_positive() -> None:
    late = played(ROCK)
    late[..., OFFSET] = 0.2
    assert measured(late)["laid_back"] == pytest.approx(0.2, rel=1e-3)


def test_hat_openness_is_the_share_of_open_hats() -> None:
    beat = played({"closed_hat": (0, 4, 8), "open_hat": (12,)})
    assert measured(beat)["hat_openness"] == pytest.approx(0.25, rel=1e-2)


def test_fill_is_the_share_of_toms_and_crashes() -> None:
    beat = played({"kick": (0, 8), "low_tom": (4,), "crash": (0,)})
    assert measured(beat)["fill"] == pytest.approx(0.5, rel=1e-2)


def test_probabilities_below_a_half_are_not_heard() -> None:
    beat = played(ROCK)
    beat[:, VOICES.index("ride"), ONSET] = 0.49
    assert measured(beat)["density"] == measured(played(ROCK))["density"]


def test_in_torch_the_same_numbers_come_with_gradients() -> None:
    generator = np.random.default_rng(0)
    pattern = generator.random((3, 32, 9, 3), np.float32)
    tensor = torch.from_numpy(pattern).requires_grad_()
    for ours, theirs in zip(measure(pattern), measure(tensor), strict=True):
        np.testing.assert_allclose(ours, theirs.detach().numpy(), rtol=1e-4)
    measure(tensor)[1].sum().backward()
    assert tensor.grad is not None
    assert tensor.grad[..., ONSET].abs().sum() > 0
    assert tensor.grad[..., VELOCITY].abs().sum() == 0
