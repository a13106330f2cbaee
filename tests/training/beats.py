"""Small made-up collections of drum files for the tests of training."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np

from livevae.midi.kit import kit_notes
from livevae.midi.smf import write_pattern
from livevae.pattern.pattern import ONSET, VELOCITY, Pattern, empty
from livevae.training.dataset import Split

GM = kit_notes("gm")


def beat(seed: int, bars: int = 6) -> Pattern:
    """Return a simple beat: four to the floor, backbeat, and hats that differ by seed."""
    rng = np.random.default_rng(seed)
    bar = empty(1)
    bar[::4, 0, ONSET] = 1
    bar[[4, 12], 1, ONSET] = 1
    bar[rng.random(16) < 0.6, 2, ONSET] = 1
    bar[..., VELOCITY] = bar[..., ONSET] * rng.uniform(0.4, 1.0)
    return np.tile(bar, (bars, 1, 1))


def every_window(split: Split, bars: int) -> Pattern:
    """Return all windows of a split's beats: float32[n, bars * 16, 9, 3]."""
    return split.take(split.window_starts(bars), bars)


def collection(folder: Path, files: int = 12, bars: int = 6) -> Path:
    """Write a folder of beats without any table."""
    folder.mkdir(parents=True)
    for seed in range(files):
        write_pattern(folder / f"beat{seed}.mid", beat(seed, bars), 100 + seed, GM)
    return folder


def groove(folder: Path) -> Path:
    """Write a folder as Groove MIDI is laid out: info.csv beside the drummers' folders."""
    rows = ["style,bpm,beat_type,time_signature,midi_filename,split"]
    splits = ["train"] * 6 + ["validation"] * 2 + ["test"] * 2
    for seed, split in enumerate(splits):
        name = f"drummer1/{seed}_beat.mid"
        (folder / "groove" / "drummer1").mkdir(parents=True, exist_ok=True)
        write_pattern(folder / "groove" / name, beat(seed), 100, GM)
        rows.append(f"rock/half{seed},100,beat,4-4,{name},{split}")
    write_pattern(folder / "groove" / "drummer1" / "fill.mid", beat(99, 1), 100, GM)
    rows.append("rock,100,fill,4-4,drummer1/fill.mid,train")
    (folder / "groove" / "info.csv").write_text("\n".join(rows) + "\n")
    return folder


def zipped(folder: Path, archive: Path) -> Path:
    """Pack a folder into a zip."""
    with zipfile.ZipFile(archive, "w") as file:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                file.write(path, path.relative_to(folder))
    return archive
