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
from livevae.latent.grid import (
    GRID_FILE,
    Grid,
    build_grid,
    dequantised,
    load_grid,
    positions,
    quantised,
    save_grid,
)
from livevae.latent.space import N_AXES
from livevae.parameters import AXES, POSITION
from livevae.pattern.pattern import MAX_GRID_SIZE, OFFSET, ONSET
from tests.latent.test_space import position, space

HASH = "0123456789abcdef" * 4


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
    np.testing.assert_allclose(built.patterns[1, 3], expected, atol=1e-6)


def test_positions_span_the_map_with_axes_at_rest() -> None:
    """The first is (0, 0), the last (1, 1), and x runs fastest."""
    points = positions(3)

    assert points.shape == (9, 16)
    assert points[:, 0].tolist() == [0, 0.5, 1] * 3
    assert points[-1, 1] == 1
    assert not points[:, 2:].any()


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
    """One byte a number on disk, float32 in memory, the hash kept."""
    it = grid()
    it.patterns[...] = np.random.default_rng(0).random(it.patterns.shape)
    it.patterns[..., OFFSET] -= 0.5
    save_grid(it, tmp_path)
    back = load_grid(tmp_path)

    assert (tmp_path / GRID_FILE).stat().st_size < it.patterns.size + 500
    assert back.patterns.dtype == np.float32
    assert back.weights_hash == HASH
    np.testing.assert_allclose(back.patterns, it.patterns, atol=1 / 508 + 1e-6)


def test_no_cell_starts_or_stops_sounding_in_a_byte() -> None:
    """The numbers around one half are as close as float32 has them."""
    below, above = np.full(50_000, 0.5, np.float32), np.full(50_000, 0.5, np.float32)
    below.view(np.int32)[:] -= np.arange(1, 50_001, dtype=np.int32)
    above.view(np.int32)[:] += np.arange(50_000, dtype=np.int32)
    patterns = np.zeros((2 * 50_000, 1, 1, 3), np.float32)
    patterns[:, 0, 0, ONSET] = np.concatenate([below, above])
    back = dequantised(quantised(patterns))

    assert ((back[..., ONSET] >= 0.5) == (patterns[..., ONSET] >= 0.5)).all()


def test_the_ends_of_every_range_and_a_hit_on_the_step_are_exact() -> None:
    """Silence is silent, full is full, and what is neither early nor late stays so."""
    patterns = np.zeros((1, 16, 9, 3), np.float32)
    patterns[0, 0], patterns[0, 1] = (1, 1, 0.5), (0, 0, -0.5)

    np.testing.assert_array_equal(dequantised(quantised(patterns)), patterns)


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
    save_file({"patterns": grid().patterns.astype(np.float16)}, tmp_path / GRID_FILE, metadata)
    with pytest.raises(UsageError, match="run livevae grid"):
        load_grid(tmp_path)
    save_file({"patterns": quantised(grid().patterns)}, tmp_path / GRID_FILE, metadata)
    with pytest.raises(UsageError, match="livevae-grid-2; run livevae grid"):
        load_grid(tmp_path)


def test_grids_of_other_shapes_are_refused(tmp_path: Path) -> None:
    """Steps that are no whole bars, too few voices, one row, no hash."""
    it = grid()
    wrong = [
        replace(it, patterns=it.patterns[:, :, :15]),
        replace(it, patterns=it.patterns[:, :, :0]),
        replace(it, patterns=it.patterns[:, :, :, :8]),
        replace(it, patterns=it.patterns[:1]),
        replace(it, weights_hash="unknown"),
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
    """A position has the registry's controls; bank and grid agree on the largest map."""
    assert positions(2).shape[1] == len(POSITION)
    assert len(AXES) == N_AXES
    Shape(16, MAX_GRID_SIZE, MAX_GRID_SIZE).checked()
    with pytest.raises(WorkError, match=f"2 to {MAX_GRID_SIZE}"):
        Shape(16, 2, MAX_GRID_SIZE + 1).checked()
    with pytest.raises(UsageError, match=f"2 to {MAX_GRID_SIZE}"):
        build_grid(space(), fake_decode, HASH, MAX_GRID_SIZE + 1)
