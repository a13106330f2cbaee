"""From knob positions to latent points."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from livevae.errors import UsageError
from livevae.latent.space import SPACE_FILE, Space, slerp

RNG = np.random.default_rng(0)


def space(z_dim: int = 16) -> Space:
    """Return a random space."""
    return Space(
        corners=RNG.normal(size=(4, z_dim)).astype(np.float32),
        corner_names=("a", "b", "c", "d"),
        axes=RNG.normal(size=(2, 8, z_dim)).astype(np.float32),
        attributes=RNG.normal(size=(6, z_dim)).astype(np.float32),
        mean=np.zeros(z_dim, np.float32),
        spread=np.ones(z_dim, np.float32),
    )


def position(x: float, y: float, *turns: float) -> np.ndarray:
    """Return a position with the first axes and attributes given and the others at rest."""
    return np.array([x, y, *turns, *[0.0] * (14 - len(turns))], np.float32)


def test_the_four_corners_of_the_map_are_the_four_scenes() -> None:
    """(0,0), (1,0), (0,1), (1,1) in that order."""
    it = space()
    for corner, (x, y) in enumerate(((0, 0), (1, 0), (0, 1), (1, 1))):
        np.testing.assert_allclose(it.z(position(x, y)), it.corners[corner], atol=1e-5)


def test_an_axis_adds_what_lies_on_the_side_it_is_turned_to() -> None:
    """The sides may differ; axes add up."""
    it = space()
    moved = it.z(position(0.3, 0.6, 0.5, -1.0)) - it.z(position(0.3, 0.6))

    np.testing.assert_allclose(moved, 0.5 * it.axes[1, 0] + it.axes[0, 1], atol=1e-5)


def test_an_attribute_adds_its_direction_times_its_value() -> None:
    """They follow the eight axes in the position, and are linear."""
    it = space()
    turned = it.z(position(0.3, 0.6, *[0] * 8, 0.5, 0, 0, 0, 0, -1.0))

    expected = 0.5 * it.attributes[0] - it.attributes[5]
    np.testing.assert_allclose(turned - it.z(position(0.3, 0.6)), expected, atol=1e-5)


def test_many_positions_at_once_are_the_same_as_one_by_one() -> None:
    """The vectorised form agrees, in float32."""
    it = space()
    positions = RNG.uniform(-1, 1, (50, 16)).astype(np.float32)

    together = it.zs(positions)
    assert together.dtype == np.float32
    np.testing.assert_allclose(together, [it.z(p) for p in positions], atol=1e-6)


@pytest.mark.parametrize("corner", ["another", "the same", "the opposite", "nothing"])
def test_the_map_is_an_arc_between_arcs(corner: str) -> None:
    """z is a weighted sum of corners; it is that of the two rows' arcs and the arc between them."""
    it = space()
    factor = {"another": None, "the same": 1.0, "the opposite": -1.0, "nothing": 0.0}[corner]
    if factor is not None:
        it.corners[1] = factor * it.corners[0]
    positions = np.array([position(*xy) for xy in RNG.uniform(0, 1, (50, 2))])
    x, y = positions[:, 0:1], positions[:, 1:2]
    first, last = (slerp(*it.corners[row : row + 2], x) for row in (0, 2))

    np.testing.assert_allclose(it.zs(positions), slerp(first, last, y), atol=1e-5)


def test_the_arc_between_two_points_keeps_their_length() -> None:
    """Half way between two equally long points is as long as they are."""
    a, b = np.eye(4, dtype=np.float32)[:2] * 3
    middle = slerp(a, b, np.array([[0.5]], np.float32))

    assert np.linalg.norm(middle) == pytest.approx(3, rel=1e-5)


@pytest.mark.parametrize("factor", [1.0, -1.0, 0.0, 2.0])
def test_points_in_line_are_joined_straight(factor: float) -> None:
    """Same, opposite and zero directions have no arc, and yield no NaN."""
    a = np.array([1.0, 2.0], np.float32)
    middle = slerp(a, factor * a, np.array([[0.5]], np.float32))

    np.testing.assert_allclose(middle[0], (1 + factor) / 2 * a, atol=1e-5)


def test_a_small_knob_turn_is_a_small_move() -> None:
    """The map has no jumps."""
    it = space()
    x = np.linspace(0, 1, 1001, dtype=np.float32)
    points = it.zs(np.array([position(at, 0.37) for at in x]))

    assert np.linalg.norm(np.diff(points, axis=0), axis=1).max() < 0.02


def test_a_saved_space_is_loaded_the_same(tmp_path: Path) -> None:
    """All tensors and the names survive."""
    it = space()
    it.save(tmp_path)
    back = Space.load(tmp_path)

    assert back.corner_names == it.corner_names
    assert back.z_dim == it.z_dim == 16
    for name in ("corners", "axes", "attributes", "mean", "spread"):
        np.testing.assert_array_equal(getattr(back, name), getattr(it, name))


def test_a_missing_space_is_named(tmp_path: Path) -> None:
    """The sentence says which file."""
    with pytest.raises(UsageError, match=SPACE_FILE):
        Space.load(tmp_path)


def test_a_broken_space_is_refused(tmp_path: Path) -> None:
    """Cut at any length, it is one sentence."""
    space().save(tmp_path)
    whole = (tmp_path / SPACE_FILE).read_bytes()
    for length in (0, 7, 8, 100, len(whole) - 1):
        (tmp_path / SPACE_FILE).write_bytes(whole[:length])
        with pytest.raises(UsageError, match=SPACE_FILE):
            Space.load(tmp_path)


def test_a_space_of_other_shapes_or_numbers_is_refused(tmp_path: Path) -> None:
    """Too few axes, mixed sizes, NaN, too few names, another format."""
    it = space()
    wrong = [
        replace(it, axes=it.axes[:, :7]),
        replace(it, axes=it.axes[0]),
        replace(it, attributes=it.attributes[:5]),
        replace(it, mean=it.mean[:-1]),
        replace(it, mean=it.mean * np.nan),
        replace(it, corner_names=("a", "b")),
    ]
    for bad in wrong:
        bad.save(tmp_path)
        with pytest.raises(UsageError, match=SPACE_FILE):
            Space.load(tmp_path)


def test_a_space_of_another_format_is_refused_with_what_mends_it(tmp_path: Path) -> None:
    """One without a format, and that of before, which had no attributes."""
    it = space()
    tensors = {
        name: getattr(it, name) for name in ("corners", "axes", "attributes", "mean", "spread")
    }
    save_file(tensors, tmp_path / SPACE_FILE)
    with pytest.raises(UsageError, match="format"):
        Space.load(tmp_path)
    old = {**tensors, "axes": it.axes[0]}
    del old["attributes"]
    save_file(old, tmp_path / SPACE_FILE, {"format": "livevae-space-1"})
    with pytest.raises(UsageError, match="livevae scenes"):
        Space.load(tmp_path)
