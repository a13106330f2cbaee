"""The precomputed map."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from livevae.decoder.bank import Shape
from livevae.errors import UsageError, WorkError
from livevae.latent.grid import GRID_FILE, Grid, build_grid, load_grid, save_grid
from livevae.latent.space import N_AXES
from livevae.parameters import AXES, POSITION
from livevae.pattern.pattern import MAX_GRID_SIZE, OFFSET
from livevae.pattern.quantised import quantised
from tests.latent.test_space import position, space

HASH = "0123456789abcdef" * 4
BYTE = 1 / 508 + 1e-6
"""How far a number and its byte may be apart."""


def fake_decode(z: np.ndarray) -> np.ndarray:
    """Return one-bar patterns that hold z itself, squashed into probabilities."""
    patterns = np.zeros((len(z), 16, 9, 3), np.float32)
    patterns[:, :, 0, 0] = 1 / (1 + np.exp(-z[:, :16]))
    return patterns


def grid(size: int = 5) -> Grid:
    """Return a small grid over a random space."""
    return build_grid(space(), fake_decode, HASH, size)


def test_row_is_y_and_column_is_x() -> None:
    """patterns[r, c] is what the decoder makes of (c / (cols - 1), r / (rows - 1))."""
    it = space()
    built = build_grid(it, fake_decode, HASH, 5)

    expected = fake_decode(it.z(position(0.75, 0.25))[None])[0]
    np.testing.assert_allclose(built.patterns[1, 3], expected, atol=BYTE)


def test_a_grid_lies_over_any_two_controls_and_the_others_rest() -> None:
    """Each over its whole range; x and y rest in the middle of the map."""
    it = space()
    axes = ("axis.2", "attribute.fill")
    built = build_grid(it, fake_decode, HASH, 5, axes)

    turned = np.zeros(16, np.float32)
    turned[[0, 1, POSITION.index("axis.2"), POSITION.index("attribute.fill")]] = 0.5, 0.5, 0.5, -1
    np.testing.assert_allclose(built.patterns[0, 3], fake_decode(it.zs(turned[None]))[0], atol=BYTE)
    assert built.axes == axes


@pytest.mark.parametrize("axes", [("x", "x"), ("x", "swing"), ("", "y")])
def test_a_grid_over_what_is_no_two_controls_of_a_position_is_refused(
    axes: tuple[str, str],
) -> None:
    """With the names of those that are."""
    with pytest.raises(UsageError, match=r"two different controls of: x, y, axis\.1"):
        build_grid(space(), fake_decode, HASH, 5, axes)


def test_large_grids_are_decoded_in_parts() -> None:
    """No call of the decoder sees more than 256 points."""
    sizes = []

    def counting(z: np.ndarray) -> np.ndarray:
        sizes.append(len(z))
        return fake_decode(z)

    assert build_grid(space(), counting, HASH, 33).patterns.shape == (33, 33, 16, 9, 3)
    assert max(sizes) <= 256
    assert sum(sizes) == 33 * 33


def test_a_saved_grid_is_loaded_to_the_byte(tmp_path: Path) -> None:
    """One byte a number, the hash and the controls kept."""
    it = grid()
    it.cells[...] = np.random.default_rng(0).integers(0, 255, it.cells.shape)
    turned = replace(it, axes=("axis.1", "y"))
    save_grid(turned, tmp_path)
    back = load_grid(tmp_path)

    assert (tmp_path / GRID_FILE).stat().st_size < it.cells.size + 500
    assert (back.weights_hash, back.axes) == (HASH, ("axis.1", "y"))
    np.testing.assert_array_equal(back.cells, it.cells)
    assert back.patterns.dtype == np.float32
    np.testing.assert_array_equal(quantised(back.patterns), it.cells)


def test_a_grid_that_does_not_name_its_controls_is_over_x_and_y(tmp_path: Path) -> None:
    """As the first ones that were saved."""
    metadata = {"format": "livevae-grid-2", "rows": "5", "columns": "5", "weights_sha256": HASH}
    save_file({"patterns": grid().cells}, tmp_path / GRID_FILE, metadata)
    assert load_grid(tmp_path).axes == ("x", "y")


def test_a_grid_of_one_point_or_too_many_is_refused() -> None:
    """A map needs two points a side, and memory is finite."""
    for size in (0, 1, 130):
        with pytest.raises(UsageError, match="2 to 129"):
            build_grid(space(), fake_decode, HASH, size)


def test_a_decoder_that_makes_no_patterns_makes_no_grid() -> None:
    """A grid of NaN would be written, and then never load."""
    with pytest.raises(WorkError, match="finite"):
        build_grid(space(), lambda z: fake_decode(z) * np.nan, HASH, 2)


def test_a_missing_or_cut_grid_is_one_sentence(tmp_path: Path) -> None:
    """The sentence names the file."""
    with pytest.raises(UsageError, match=GRID_FILE):
        load_grid(tmp_path)
    save_grid(grid(), tmp_path)
    whole = (tmp_path / GRID_FILE).read_bytes()
    for length in (0, 8, 200, len(whole) - 1):
        (tmp_path / GRID_FILE).write_bytes(whole[:length])
        with pytest.raises(UsageError, match=GRID_FILE):
            load_grid(tmp_path)


def test_an_offset_beyond_half_a_step_is_refused(tmp_path: Path) -> None:
    """The one byte that stands for nothing."""
    it = grid()
    save_grid(it, tmp_path)
    path = tmp_path / GRID_FILE
    data = bytearray(path.read_bytes())
    data[-1] = 254
    path.write_bytes(data)
    assert load_grid(tmp_path).patterns[-1, -1, -1, -1, OFFSET] == 0.5
    data[-1] = 255
    path.write_bytes(data)
    with pytest.raises(UsageError, match="out of range; run livevae grid"):
        load_grid(tmp_path)


def test_a_grid_of_an_earlier_format_is_refused_with_what_to_do(tmp_path: Path) -> None:
    """Its numbers took two bytes each."""
    metadata = {"format": "livevae-grid-1", "rows": "5", "columns": "5", "weights_sha256": HASH}
    save_file({"patterns": grid().cells.astype(np.float16)}, tmp_path / GRID_FILE, metadata)
    with pytest.raises(UsageError, match="run livevae grid"):
        load_grid(tmp_path)
    save_file({"patterns": grid().cells}, tmp_path / GRID_FILE, metadata)
    with pytest.raises(UsageError, match="livevae-grid-2; run livevae grid"):
        load_grid(tmp_path)


def test_grids_of_other_shapes_are_refused(tmp_path: Path) -> None:
    """Steps that are no whole bars, too few voices, one row, no hash, no two controls."""
    it = grid()
    wrong = [
        replace(it, cells=it.cells[:, :, :15]),
        replace(it, cells=it.cells[:, :, :0]),
        replace(it, cells=it.cells[:, :, :, :8]),
        replace(it, cells=it.cells[:1]),
        replace(it, weights_hash="unknown"),
        replace(it, axes=("x", "x")),
        replace(it, axes=("x", "swing")),
    ]
    for bad in wrong:
        save_grid(bad, tmp_path)
        with pytest.raises(UsageError, match=GRID_FILE):
            load_grid(tmp_path)


def test_the_map_is_read_without_torch_or_mido() -> None:
    """The player imports space and grid, and must start at once."""
    code = (
        "import sys, livevae.latent.space, livevae.latent.grid;"
        "sys.exit(bool({'torch', 'mido'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_sizes_are_those_of_the_registry_and_listed_once() -> None:
    """Bank and grid agree on the largest map."""
    assert len(AXES) == N_AXES
    Shape(16, MAX_GRID_SIZE, MAX_GRID_SIZE).checked()
    with pytest.raises(WorkError, match=f"2 to {MAX_GRID_SIZE}"):
        Shape(16, 2, MAX_GRID_SIZE + 1).checked()
    with pytest.raises(UsageError, match=f"2 to {MAX_GRID_SIZE}"):
        build_grid(space(), fake_decode, HASH, MAX_GRID_SIZE + 1)
