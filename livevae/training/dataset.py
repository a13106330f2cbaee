"""Drum recordings for training, as ``prepare`` wrote them, and the windows cut from them.

A cell of a recording is two bytes: the MIDI velocity 1..127, 0 where nothing is played, and the
timing offset as a code, offset = (code - 127) / 254 sixteenths. Those of a split lie in one file,
bar after bar, and are mapped into memory: a corpus larger than it can be trained on.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import msgspec
import numpy as np
import numpy.typing as npt

from livevae.errors import UsageError
from livevae.pattern.pattern import (
    CHANNELS,
    N_VOICES,
    OFFSET,
    ONSET,
    STEPS_PER_BAR,
    VELOCITY,
    Pattern,
)

Cells = npt.NDArray[np.uint8]

MANIFEST_FILE: Final = "manifest.json"
SPLITS: Final = ("train", "validation", "test")
MAX_MANIFEST_BYTES: Final = 256 * 1024 * 1024
MAX_BARS: Final = 200_000_000

FULL_VELOCITY: Final = 127
ON_THE_GRID: Final = 127
"""The code of a note with no offset."""
CODES_PER_STEP: Final = 254
CELL_BYTES: Final = 2
BAR_BYTES: Final = STEPS_PER_BAR * N_VOICES * CELL_BYTES

Text = Annotated[str, msgspec.Meta(max_length=1024)]
Count = Annotated[int, msgspec.Meta(ge=0, le=MAX_BARS)]


class Recording(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file of a split: its name, its bars in the split's tensor, style, tempo and kind."""

    name: Text
    first_bar: Count
    bars: Count
    style: Text = ""
    bpm: Annotated[float, msgspec.Meta(gt=0, le=1000)] = 120.0
    fill: bool = False


class LeftOut(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file that is not in the data, and why; of a duplicate, the file that is."""

    name: Text
    reason: Text
    twin: Text = ""


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What ``prepare`` wrote: the recordings of each split and the files left out.

    ``groove_midi`` says that all of them are the Groove MIDI Dataset's, split as it says.
    """

    source: Text
    groove_midi: bool
    splits: dict[Text, list[Recording]]
    left_out: list[LeftOut]


def pack(patterns: Pattern) -> Cells:
    """Return the cells uint8[..., 9, 2] of patterns [..., 9, 3]; an onset is 0.5 or more."""
    cells = np.zeros((*patterns.shape[:-1], CELL_BYTES), np.uint8)
    played = patterns[..., ONSET] >= 0.5
    hits = patterns[played]
    velocities = np.rint(hits[:, VELOCITY] * FULL_VELOCITY).clip(1, FULL_VELOCITY)
    codes = np.rint(hits[:, OFFSET] * CODES_PER_STEP + ON_THE_GRID).clip(0, CODES_PER_STEP)
    cells[played] = np.stack([velocities, codes], axis=1)
    return cells


def unpack(cells: Cells) -> Pattern:
    """Return the patterns float32[..., 9, 3] of cells [..., 9, 2]: 0 where nothing is played.

    Bytes that no cell can hold are read as the nearest that it can.
    """
    patterns = np.zeros((*cells.shape[:-1], CHANNELS), np.float32)
    velocities = np.minimum(cells[..., 0], FULL_VELOCITY).astype(np.float32)
    codes = np.minimum(cells[..., 1], CODES_PER_STEP).astype(np.float32)
    played = velocities > 0
    patterns[..., ONSET] = played
    patterns[..., VELOCITY] = velocities / FULL_VELOCITY
    patterns[..., OFFSET] = np.where(played, (codes - ON_THE_GRID) / CODES_PER_STEP, 0.0)
    return patterns


@dataclass(frozen=True)
class Split:
    """The recordings of one split; ``cells`` uint8[bars, 16, 9, 2] holds them end to end."""

    recordings: tuple[Recording, ...]
    cells: Cells
    groove_midi: bool = False

    def window_starts(self, bars: int) -> npt.NDArray[np.int64]:
        """Return the first bar of every window of ``bars`` bars, hop one bar.

        Windows stay inside one recording; those of fills are left out.
        """
        starts = [
            np.arange(r.first_bar, r.first_bar + r.bars - bars + 1)
            for r in self.recordings
            if not r.fill
        ]
        return np.concatenate([np.empty(0, np.int64), *starts])

    def some_starts(self, bars: int, most: int, seed: int = 0) -> npt.NDArray[np.int64]:
        """Return ``window_starts`` of beats, or of a larger split ``most``, drawn by the seed."""
        starts = self.window_starts(bars)
        return np.sort(np.random.default_rng(seed).permutation(starts)[:most])

    def take(self, starts: npt.NDArray[np.int64], bars: int) -> Pattern:
        """Return the windows of ``bars`` bars from ``starts`` [n]: float32[n, bars * 16, 9, 3]."""
        cells = self.cells[starts[:, None] + np.arange(bars)]
        return unpack(cells.reshape(-1, bars * STEPS_PER_BAR, N_VOICES, CELL_BYTES))

    def recordings_of(self, starts: npt.NDArray[np.int64]) -> list[Recording]:
        """Return the recording that holds each of the bars ``starts`` [n]."""
        first_bars = np.array([r.first_bar for r in self.recordings])
        return [self.recordings[i] for i in np.searchsorted(first_bars, starts, side="right") - 1]


def cells_file(split: str) -> str:
    """Return the name of the file that holds a split's cells."""
    return f"{split}.cells"


def load_split(folder: Path, split: str) -> Split:
    """Open one split that ``prepare`` wrote; its cells stay on disk until they are taken.

    Raises:
        UsageError: a file is missing, broken, or does not fit the manifest.
    """
    if split not in SPLITS:
        raise UsageError(f"there is no split {split!r}; choose one of {', '.join(SPLITS)}")
    manifest = _read_manifest(folder / MANIFEST_FILE)
    recordings = tuple(manifest.splits.get(split, ()))
    ends = [0, *(r.first_bar + r.bars for r in recordings)]
    path = folder / cells_file(split)
    try:
        size = path.stat().st_size
        if [r.first_bar for r in recordings] != ends[:-1] or size != ends[-1] * BAR_BYTES:
            raise UsageError(f"{path} does not fit {MANIFEST_FILE}; prepare the data again")
        # Nothing can be mapped of an empty file.
        flat = np.memmap(path, np.uint8, "r") if size else np.empty(0, np.uint8)
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read: {error.strerror or error}; prepare the data again"
        ) from None
    cells = flat.reshape(-1, STEPS_PER_BAR, N_VOICES, CELL_BYTES)
    return Split(recordings, cells, manifest.groove_midi)


def _read_manifest(path: Path) -> Manifest:
    try:
        if path.stat().st_size > MAX_MANIFEST_BYTES:
            raise UsageError(f"{path} is larger than it can be; prepare the data again")
        return msgspec.json.decode(path.read_bytes(), type=Manifest)
    except OSError:
        raise UsageError(
            f"{path.parent} holds no prepared data; run livevae prepare first"
        ) from None
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is broken ({error}); prepare the data again") from None
