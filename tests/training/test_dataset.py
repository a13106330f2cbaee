"""Prepared data, opened as hostile, and the windows cut from it."""

import shutil
from pathlib import Path

import pytest

from livevae.errors import UsageError
from livevae.training.dataset import load_split
from livevae.training.prepare import prepare
from tests.training.beats import groove


def test_windows_hop_by_one_bar_inside_one_recording_and_skip_fills(tmp_path: Path) -> None:
    """Six bars hold three windows of four; the fill holds none unless asked for."""
    prepare([groove(tmp_path / "src")], tmp_path / "out")
    split = load_split(tmp_path / "out", "train")

    starts = split.window_starts(4)
    assert len(starts) == 6 * 3
    for start, recording in zip(starts, split.recordings_of(starts), strict=True):
        assert recording.first_bar <= start <= recording.first_bar + recording.bars - 4
    assert split.windows(4).shape == (18, 64, 9, 3)
    assert len(split.window_starts(1, fills=True)) == len(split.window_starts(1)) + 1


def test_data_that_is_not_there_or_damaged_is_one_sentence(tmp_path: Path) -> None:
    """No manifest, no split of that name, a cut file, bars that do not fit."""
    with pytest.raises(UsageError, match="prepare"):
        load_split(tmp_path, "train")
    out = tmp_path / "out"
    prepare([groove(tmp_path / "src")], out)
    with pytest.raises(UsageError, match="no split"):
        load_split(out, "dev")
    shutil.copy(out / "test.safetensors", out / "train.safetensors")
    with pytest.raises(UsageError, match="does not fit"):
        load_split(out, "train")
    (out / "test.safetensors").write_bytes(b"short")
    with pytest.raises(UsageError, match=r"test\.safetensors"):
        load_split(out, "test")
    (out / "manifest.json").write_text("{}")
    with pytest.raises(UsageError, match=r"manifest\.json"):
        load_split(out, "test")
