"""What is played from the map while nothing is exact."""

import numpy as np

from livevae.latent.lattice import REST
from livevae.parameters import POSITION
from tests.player.stage import PITCH, Stage, beat


def test_a_turned_axis_is_heard_from_the_map_as_soon_as_that_is_decoded_there() -> None:
    """Until then the map as it was; both count as grid."""
    stage = Stage(beat({"kick": [0, 8]}), controls={"axis.1": 0.5})
    stage.lock()
    stage.bars(0.9)
    turned = REST.copy()
    turned[POSITION.index("axis.1")] = 0.5
    numbers, positions = stage.bank.stale(turned, 1)
    stage.bank.write_map(numbers, positions, np.array([beat({"crash": [4]})]))
    stage.bars(1)
    assert [note.pitch for note in stage.finish()] == [PITCH[v] for v in ("kick", "kick", "crash")]
    assert stage.counts() == {"grid": 2}


def test_a_cell_under_the_hand_is_exact() -> None:
    """Where the knobs lie on it to the last bit."""
    stage = Stage(beat({"kick": [0]}), controls={"x": 1.0, "y": 0.0, "axis.1": 0.5})
    stage.lock()
    turned = REST.copy()
    turned[[0, 1, POSITION.index("axis.1")]] = 1.0, 0.0, 0.5
    numbers, positions = stage.bank.stale(turned, 1)
    stage.bank.write_map(numbers, positions, np.array([beat({"crash": [4]})]))
    stage.bars(1.9)
    assert PITCH["crash"] in [note.pitch for note in stage.finish()]
    assert stage.counts()["exact"] >= 1
