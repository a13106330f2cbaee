"""Where the patterns of a map lie."""

import numpy as np
import pytest

from livevae.latent.lattice import REST, Lattice
from livevae.parameters import PARAMETERS, POSITION

AXIS, FILL = POSITION.index("axis.3"), POSITION.index("attribute.fill")


def test_rows_and_columns_span_the_ranges_and_the_rest_is_the_context() -> None:
    """Row after row, x runs fastest."""
    context = np.linspace(0.1, 0.9, 16, dtype=np.float32)
    points = Lattice(2, 3, AXIS, FILL).positions(np.arange(6), context)

    assert points[:, AXIS].tolist() == [-1, 0, 1] * 2
    assert points[:, FILL].tolist() == [-1] * 3 + [1] * 3
    others = np.delete(points, [AXIS, FILL], axis=1)
    assert (others == np.delete(context, [AXIS, FILL])).all()


def test_the_place_of_a_cell_is_its_row_and_column_and_between_cells_a_fraction() -> None:
    """Whatever the two controls are."""
    lattice = Lattice(3, 5, AXIS, 1)
    for number, point in enumerate(lattice.positions(np.arange(lattice.count), REST)):
        assert lattice.place(point) == divmod(number, 5)
    between = REST.copy()
    between[[AXIS, 1]] = 0.25, 0.25
    assert lattice.place(between) == (0.5, 2.5)


@pytest.mark.parametrize("control", [0, AXIS])
def test_a_knob_stands_on_the_cells_of_a_map_of_its_size_to_the_last_bit(control: int) -> None:
    """128 values of a control change, 128 columns."""
    lattice = Lattice(2, 128, control, 1)
    cells = lattice.positions(np.arange(128), REST)[:, control]
    parameter = PARAMETERS[POSITION[control]]
    turned = [np.float32(parameter.from_unit(value / 127)) for value in range(128)]
    np.testing.assert_array_equal(cells, turned)


def test_a_context_is_the_other_fourteen_controls() -> None:
    """The map's own do not count, the smallest turn of any other does; zero has no sign."""
    lattice = Lattice(3, 3, AXIS, FILL)
    moved = REST.copy()
    moved[[AXIS, FILL]] = 0.3, -0.7
    assert lattice.context(moved) == lattice.context(REST)
    seen = {lattice.context(REST)}
    for control in set(range(16)) - {AXIS, FILL}:
        turned = REST.copy()
        turned[control] = np.nextafter(turned[control], np.float32(1))
        seen.add(lattice.context(turned))
    assert len(seen) == 15
    negative = np.where(REST == 0, np.float32(-0.0), REST)
    assert lattice.context(negative) == lattice.context(REST)
