"""Prepared data, opened as hostile, and the windows cut from it."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from livevae.errors import UsageError
from livevae.pattern.pattern import STEPS_PER_BAR
from livevae.training.dataset import Recording, Split, load_split, pack, unpack
from livevae.training.prepare import prepare
from tests.training.beats import groove


def played(velocity: int, offset: float) -> np.ndarray:
    """Return a bar with a kick on its first step and nothing else."""
    bar = np.zeros((STEPS_PER_BAR, 9, 3), np.float32)
    bar[0, 0] = (1.0, velocity / 127, offset)
    return bar


@pytest.mark.parametrize("velocity", range(1, 128))
def test_every_velocity_survives_packing(velocity: int) -> None:
    """A cell holds the MIDI velocity itself."""
    cells = pack(played(velocity, 0.0))

    assert cells[0, 0].tolist() == [velocity, 127]
    np.testing.assert_array_equal(unpack(cells), played(velocity, 0.0))


@pytest.mark.parametrize("ticks", [-60, -59, -1, 0, 1, 30, 59])
def test_every_tick_of_timing_survives_packing(ticks: int) -> None:
    """The 120 ticks of a step at 480 a beat have codes of their own, half a step either way."""
    cells = pack(played(100, ticks / 120))

    assert round(float(unpack(cells)[0, 0, 2]) * 120) == ticks
    assert unpack(cells)[0, 0, 2] == pytest.approx(ticks / 120, abs=0.5 / 254)


def test_the_softest_hit_is_a_hit_and_what_is_not_played_is_all_zero() -> None:
    """Silence keeps no velocity and no offset, and a hit of none is the softest."""
    bar = played(0, 0.25)
    bar[1, 1] = (0.0, 0.8, 0.4)
    cells = pack(bar)

    assert cells[0, 0, 0] == 1
    assert not cells[1:].any()
    assert not unpack(cells)[1:].any()


def test_bytes_that_no_cell_can_hold_are_read_as_the_nearest() -> None:
    """A damaged file gives patterns in their declared ranges."""
    pattern = unpack(np.full((1, 9, 2), 255, np.uint8))

    assert pattern[0, 0].tolist() == [1.0, 1.0, 0.5]


def test_windows_are_those_that_were_asked_for() -> None:
    """Any bar may start one, in any order, and more than once."""
    bars = np.stack([played(velocity, 0.0) for velocity in range(1, 9)])
    split = Split((Recording("all", 0, 8),), pack(bars))
    windows = split.take(np.array([5, 0, 5]), 2)

    assert windows.shape == (3, 32, 9, 3)
    assert (windows[:, ::16, 0, 1] * 127).round().tolist() == [[6, 7], [1, 2], [6, 7]]


def test_windows_hop_by_one_bar_inside_one_recording_and_skip_fills(tmp_path: Path) -> None:
    """Six bars hold three windows of four; the fill holds none."""
    prepare([groove(tmp_path / "src")], tmp_path / "out")
    split = load_split(tmp_path / "out", "train")

    starts = split.window_starts(4)
    assert len(starts) == 6 * 3
    for start, recording in zip(starts, split.recordings_of(starts), strict=True):
        assert recording.first_bar <= start <= recording.first_bar + recording.bars - 4
    assert any(recording.fill for recording in split.recordings)
    assert len(split.window_starts(1)) == 6 * 6


def test_of_a_large_split_windows_are_drawn_by_a_seed() -> None:
    """In order, the same ones every time; a small split gives all."""
    split = Split((Recording("all", 0, 40),), pack(np.zeros((40, 16, 9, 3), np.float32)))
    some = split.some_starts(4, 10)

    assert len(set(some)) == 10
    assert (np.diff(some) > 0).all()
    assert (some == split.some_starts(4, 10)).all()
    assert set(some) != set(split.some_starts(4, 10, seed=1))
    assert (split.some_starts(4, 100) == split.window_starts(4)).all()


def test_recordings_stay_on_disk_until_they_are_taken(tmp_path: Path) -> None:
    """What is loaded is a view of the file that nobody can write to."""
    prepare([groove(tmp_path / "src")], tmp_path / "out")
    cells = load_split(tmp_path / "out", "train").cells

    assert isinstance(cells, np.memmap)
    assert not cells.flags.writeable


def test_data_that_is_not_there_or_damaged_is_one_sentence(tmp_path: Path) -> None:
    """No manifest, no split of that name, a cut file, bars that do not fit."""
    with pytest.raises(UsageError, match="prepare"):
        load_split(tmp_path, "train")
    out = tmp_path / "out"
    prepare([groove(tmp_path / "src")], out)
    with pytest.raises(UsageError, match="no split"):
        load_split(out, "dev")
    shutil.copy(out / "test.cells", out / "train.cells")
    with pytest.raises(UsageError, match="does not fit"):
        load_split(out, "train")
    (out / "test.cells").write_bytes(b"short")
    with pytest.raises(UsageError, match=r"test\.cells"):
        load_split(out, "test")
    (out / "test.cells").unlink()
    with pytest.raises(UsageError, match="cannot be read"):
        load_split(out, "test")
    for damage in (b"{}", b'{"source": "\xff"}'):
        (out / "manifest.json").write_bytes(damage)
        with pytest.raises(UsageError, match=r"manifest\.json"):
            load_split(out, "test")
