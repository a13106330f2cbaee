"""The performance state."""

import numpy as np
import pytest

from livevae.parameters import PARAMETERS, POSITION
from livevae.pattern.pattern import VOICES
from livevae.player.performance import Performance


def test_a_new_performance_stands_at_the_defaults_and_what_it_is_told() -> None:
    """Told values win."""
    performance = Performance({"x": 0.25})
    assert performance.values["x"] == 0.25
    assert performance.values["bpm"] == PARAMETERS["bpm"].default
    # A name is no number: the supervisor keeps it.
    assert performance.values.keys() == PARAMETERS.keys() - {"model"}


def test_the_position_vector_is_in_the_order_of_the_registry() -> None:
    """float32[16]."""
    performance = Performance({name: number / 16 for number, name in enumerate(POSITION)})
    np.testing.assert_array_equal(performance.position, np.arange(16, dtype=np.float32) / 16)
    assert performance.position.dtype == np.float32


def test_only_what_changed_is_a_new_object() -> None:
    """Position and feel are told apart by identity."""
    performance = Performance({})
    position, feel = performance.position, performance.feel
    assert not performance.set("x", 0.5)
    assert performance.position is position
    assert performance.set("x", 0.6)
    assert performance.position is not position
    assert performance.feel is feel
    position, parts = performance.position, performance.parts
    assert performance.set("swing", 60.0)
    assert performance.position is position
    assert performance.parts is parts
    assert performance.feel is not feel
    feel = performance.feel
    assert performance.set("ride.mute", 1.0)
    assert performance.position is position
    assert performance.feel is feel
    assert performance.parts is not parts
    assert performance.parts.silent[VOICES.index("ride")]


def test_solo_silences_all_that_are_not_and_a_muted_soloist_stays_mute() -> None:
    """And a break everyone."""
    performance = Performance({"snare.solo": 1.0, "kick.solo": 1.0, "kick.mute": 1.0})
    assert performance.parts.silent == tuple(voice != "snare" for voice in VOICES)
    performance.set("break", 1.0)
    assert all(performance.parts.silent)
    for name in ("break", "snare.solo", "kick.solo"):
        performance.set(name, 0.0)
    assert performance.parts.silent == tuple(voice == "kick" for voice in VOICES)


def test_freeze_keeps_the_position_until_it_is_off() -> None:
    """Then it is where the knobs are."""
    performance = Performance({"freeze": 1.0, "x": 0.2})
    frozen = performance.position
    performance.set("x", 0.9)
    assert performance.position is frozen
    performance.set("freeze", 0.0)
    assert performance.position[0] == np.float32(0.9)


@pytest.mark.parametrize("overall", [0.0, 0.2, 0.5, 0.8, 1.0])
def test_a_voices_density_bends_the_global_one_which_rules_at_its_ends(overall: float) -> None:
    """At 0 all is silent and at 1 all is full, whatever the voice; in between it moves freely."""
    densities = []
    for voice in (0.0, 0.5, 1.0):
        feel = Performance({"density": overall, "kick.density": voice}).feel
        densities.append(feel.density[0])
        assert feel.density[1] == overall
    assert densities == sorted(densities)
    assert densities[1] == overall
    assert 0 <= densities[0] <= densities[2] <= 1
    assert (densities[0] < densities[2]) == (0 < overall < 1)


def test_per_cent_become_factors_and_choices_names() -> None:
    """What render and the player are told."""
    performance = Performance({"humanize": 150.0, "swing": 60.0, "clock": 1.0})
    assert performance.feel.humanize == 1.5
    assert performance.feel.swing == 60
    assert performance.choice("clock") == "internal"
