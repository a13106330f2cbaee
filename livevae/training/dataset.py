"""Drum recordings for training, as ``prepare`` wrote them, and the windows cut from them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import msgspec
import numpy as np
import numpy.typing as npt

from livevae.errors import UsageError
from livevae.latent.files import read_tensors
from livevae.pattern.pattern import CHANNELS, N_VOICES, ONSET, STEPS_PER_BAR, Pattern

MANIFEST_FILE: Final = "manifest.json"
SPLITS: Final = ("train", "validation", "test")
MAX_DATA_BYTES: Final = 64 * 1024**3

Text = Annotated[str, msgspec.Meta(max_length=1024)]
Count = Annotated[int, msgspec.Meta(ge=0, le=10_000_000)]


class Recording(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file of a split: its name, its bars in the split's tensor, style, tempo and kind."""

    name: Text
    first_bar: Count
    bars: Count
    style: Text = ""
    bpm: Annotated[float, msgspec.Meta(gt=0, le=1000)] = 120.0
    fill: bool = False


class LeftOut(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file that is not in the data, and why."""

    name: Text
    reason: Text


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What ``prepare`` wrote: the recordings of each split and the files left out.

    ``groove_midi`` says that all of them are the Groove MIDI Dataset's, split as it says.
    """

    source: Text
    groove_midi: bool
    splits: dict[Text, list[Recording]]
    left_out: list[LeftOut]


@dataclass(frozen=True)
class Split:
    """The recordings of one split; ``bars`` float32[bars, 16, 9, 3] holds them end to end."""

    recordings: tuple[Recording, ...]
    bars: npt.NDArray[np.float32]
    groove_midi: bool = False

    def window_starts(self, bars: int, fills: bool = False) -> npt.NDArray[np.int64]:
        """Return the first bar of every window of ``bars`` bars, hop one bar.

        Windows stay inside one recording; those of fills are left out unless asked for.
        """
        starts = [
            np.arange(r.first_bar, r.first_bar + r.bars - bars + 1)
            for r in self.recordings
            if fills or not r.fill
        ]
        return np.concatenate([np.empty(0, np.int64), *starts])

    def windows(self, bars: int) -> Pattern:
        """Return every window of the beats: ``float32[n, bars * 16, 9, 3]``."""
        index = self.window_starts(bars)[:, None] + np.arange(bars)
        windows: Pattern = self.bars[index]
        return windows.reshape(-1, bars * STEPS_PER_BAR, N_VOICES, CHANNELS)

    def recordings_of(self, bars: npt.NDArray[np.int64]) -> list[Recording]:
        """Return the recording that holds each of ``bars`` [n]."""
        first_bars = np.array([r.first_bar for r in self.recordings])
        return [self.recordings[i] for i in np.searchsorted(first_bars, bars, side="right") - 1]


def load_split(folder: Path, split: str) -> Split:
    """Read one split that ``prepare`` wrote.

    Raises:
        UsageError: a file is missing, broken, or does not fit the manifest.
    """
    if split not in SPLITS:
        raise UsageError(f"there is no split {split!r}; choose one of {', '.join(SPLITS)}")
    manifest_path = folder / MANIFEST_FILE
    path = folder / f"{split}.safetensors"
    try:
        manifest = msgspec.json.decode(manifest_path.read_bytes(), type=Manifest)
    except OSError:
        raise UsageError(f"{folder} holds no prepared data; run livevae prepare first") from None
    except msgspec.MsgspecError as error:
        raise UsageError(f"{manifest_path} is broken ({error}); prepare the data again") from None
    bars = read_tensors(
        path,
        {"bars": (None, STEPS_PER_BAR, N_VOICES, CHANNELS)},
        MAX_DATA_BYTES,
        "prepare the data again",
    )[0]["bars"]
    recordings = tuple(manifest.splits.get(split, ()))
    ends = [0, *(r.first_bar + r.bars for r in recordings)]
    if (
        [r.first_bar for r in recordings] != ends[:-1]
        or ends[-1] != len(bars)
        or not np.isin(bars[..., ONSET], (0.0, 1.0)).all()
    ):
        raise UsageError(f"{path} does not fit {manifest_path.name}; prepare the data again")
    return Split(recordings, bars, manifest.groove_midi)
