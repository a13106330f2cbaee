"""The map around the cursor: which cell is played, which are decoded next."""

import numpy as np
import pytest

from livevae.decoder.bank import Bank, Shape
from livevae.latent.lattice import REST
from livevae.parameters import POSITION

SHAPE = Shape(16, 9, 17)


def position(x: float, y: float, **turned: float) -> np.ndarray:
    """Return a position; ``axis_1=0.5`` turns an axis."""
    point = REST.copy()
    point[:2] = x, y
    for name, value in turned.items():
        point[POSITION.index(name.replace("_", "."))] = value
    return point


def saved(number: int) -> np.ndarray:
    """Return a saved grid all of one byte."""
    return np.full((9, 17, 16, 9, 3), number, np.uint8)


def played(pattern: np.ndarray | None) -> float:
    """Return the one probability that a pattern has."""
    assert pattern is not None
    assert (pattern[..., 0] == pattern[0, 0, 0]).all()
    return float(pattern[0, 0, 0])


def decode_around(bank: Bank, where: np.ndarray, count: int) -> np.ndarray:
    """Decode stale cells as the decoder does; each holds its own x. Return their positions."""
    numbers, positions = bank.stale(where, count)
    patterns = np.zeros((len(numbers), 16, 9, 3), np.float32)
    patterns += positions[:, 0].reshape(-1, 1, 1, 1)
    bank.write_map(numbers, positions, patterns)
    return positions


def test_stale_cells_come_outward_from_the_cursor() -> None:
    """The nearest first, counted in cells, each once."""
    bank = Bank.in_memory(SHAPE)
    where = position(0.26, 0.49)
    _, positions = bank.stale(where, 1000)
    assert len(positions) == 9 * 17
    away = np.hypot((positions[:, 0] - 0.26) * 16, (positions[:, 1] - 0.49) * 8)
    assert (np.diff(away) >= -1e-5).all()
    assert len(bank.stale(where, 7)[0]) == 7


def test_a_cell_once_decoded_is_not_stale_until_another_control_moves() -> None:
    """On the map the hand may go where it likes."""
    bank = Bank.in_memory(SHAPE)
    decode_around(bank, position(0.5, 0.5, axis_1=0.5), 1000)
    assert len(bank.stale(position(0.1, 0.9, axis_1=0.5), 1000)[0]) == 0
    assert len(bank.stale(position(0.1, 0.9, axis_1=0.51), 1000)[0]) == 9 * 17
    assert len(bank.stale(position(0.1, 0.9, attribute_fill=1), 1000)[0]) == 9 * 17


def test_cells_are_decoded_in_the_context_of_the_cursor() -> None:
    """Fourteen controls as they stand, x and y the cell's own."""
    bank = Bank.in_memory(SHAPE)
    _, positions = bank.stale(position(0.5, 0.5, axis_3=-0.25), 20)
    assert (positions[:, POSITION.index("axis.3")] == np.float32(-0.25)).all()
    assert (positions[0] == position(0.5, 0.5, axis_3=-0.25)).all()


def test_a_saved_grid_is_of_controls_at_rest() -> None:
    """Nothing is stale until one is turned."""
    bank = Bank.in_memory(SHAPE)
    bank.write_grid(saved(51))
    assert len(bank.stale(position(0.2, 0.3), 1000)[0]) == 0
    assert len(bank.stale(position(0.2, 0.3, axis_1=0.1), 1000)[0]) == 9 * 17


def test_a_grid_of_other_weights_is_played_and_decoded_anew() -> None:
    """It is of beats too."""
    bank = Bank.in_memory(SHAPE)
    bank.write_grid(saved(51), outdated=True)
    assert played(bank.nearest(position(0.2, 0.3))) == pytest.approx(0.2)
    assert len(bank.stale(position(0.2, 0.3), 1000)[0]) == 9 * 17


def test_the_nearest_cell_of_the_cursors_context_is_played_before_a_nearer_of_another() -> None:
    """Within reach: what the hand has turned is heard."""
    bank = Bank.in_memory(SHAPE)
    bank.write_grid(saved(51))
    turned = decode_around(bank, position(0.5, 0.5, axis_1=0.5), 1)
    assert turned[0, 0] == 0.5
    assert played(bank.nearest(position(0.5 + 3 / 16, 0.5, axis_1=0.5))) == 0.5
    assert played(bank.nearest(position(0.5 + 3 / 16, 0.5))) == pytest.approx(0.2)


def test_out_of_reach_the_nearest_of_any_context_is_played() -> None:
    """What lies under the hand is closer than what was turned far away."""
    bank = Bank.in_memory(SHAPE)
    bank.write_grid(saved(51))
    decode_around(bank, position(0.0, 0.0, axis_1=0.5), 1)
    assert played(bank.nearest(position(1.0, 1.0, axis_1=0.5))) == pytest.approx(0.2)


def test_the_nearest_of_several_is_played() -> None:
    """Cells hold their x here."""
    bank = Bank.in_memory(SHAPE)
    decode_around(bank, position(0.5, 0.5, axis_1=0.5), 40)
    assert played(bank.nearest(position(0.57, 0.5, axis_1=0.5))) == pytest.approx(9 / 16)
    assert played(bank.nearest(position(0.59, 0.5, axis_1=0.5))) == pytest.approx(9 / 16)


def test_of_a_map_just_begun_any_cell_is_played() -> None:
    """However far away it is."""
    bank = Bank.in_memory(SHAPE)
    decode_around(bank, position(0.0, 0.0), 1)
    assert played(bank.nearest(position(1.0, 1.0, axis_1=0.5))) == 0.0


def test_a_decoded_cell_is_exact_where_it_lies_and_a_saved_one_is_not() -> None:
    """Saved bytes are a little off what the model decodes."""
    bank = Bank.in_memory(SHAPE)
    bank.write_grid(saved(51))
    assert bank.exact(position(0.5, 0.5)) is None
    decode_around(bank, position(0.5, 0.5, axis_1=0.5), 3)
    assert played(bank.exact(position(0.5, 0.5, axis_1=0.5))) == 0.5
    assert bank.exact(position(0.5, 0.5)) is None
    beside = np.nextafter(np.float32(0.5), np.float32(1))
    assert bank.exact(position(beside, 0.5, axis_1=0.5)) is None


class Deadly:
    """In place of a cell's prefix: its writer dies as it is about to write one."""

    size = 16

    def pack_into(self, *_: object) -> None:
        """Die."""
        raise KeyboardInterrupt


def test_where_a_writer_has_died_the_neighbours_are_played_until_the_next_has_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The cell under the hand is half old, half new: nobody may hear it."""
    bank = Bank.in_memory(SHAPE)
    bank.write_grid(saved(51))
    where = position(0.5, 0.5, axis_1=0.5)
    with monkeypatch.context() as patched:
        patched.setattr("livevae.decoder.cell._PREFIX", Deadly())
        with pytest.raises(KeyboardInterrupt):
            decode_around(bank, where, 1)
    assert played(bank.nearest(where)) == pytest.approx(0.2)
    assert bank.exact(where) is None
    decode_around(bank, where, 1)
    assert played(bank.nearest(where)) == 0.5
