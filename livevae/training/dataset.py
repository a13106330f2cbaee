"""Drum recordings for training: MIDI collections in, one file per split out, windows from those."""

from __future__ import annotations

import csv
import hashlib
import io
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Annotated, Final

import msgspec
import numpy as np
import numpy.typing as npt
from safetensors.numpy import save

from livevae.errors import UsageError
from livevae.latent.files import read_tensors, write_atomically
from livevae.midi.kit import TD11_FOLD
from livevae.midi.smf import ANY_FOLD, MAX_FILE_BYTES, read_drums, to_pattern
from livevae.pattern.pattern import CHANNELS, N_VOICES, ONSET, STEPS_PER_BAR, Pattern

SPLITS: Final = ("train", "validation", "test")
SPLIT_SEED: Final = b"livevae"
HELD_OUT_SHARE: Final = 0.1
MAX_ZIP_ENTRIES: Final = 1_000_000
MAX_DATA_BYTES: Final = 64 * 1024**3
MAX_TABLE_BYTES: Final = 64 * 1024 * 1024

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
    """What ``prepare`` wrote: the recordings of each split and the files left out."""

    source: Text
    splits: dict[Text, list[Recording]]
    left_out: list[LeftOut]


@dataclass(frozen=True)
class Split:
    """The recordings of one split; ``bars`` float32[bars, 16, 9, 3] holds them end to end."""

    recordings: tuple[Recording, ...]
    bars: npt.NDArray[np.float32]

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


@dataclass(frozen=True)
class _Source:
    """One MIDI file to read and what its collection says of it."""

    name: str
    read: Callable[[], bytes]
    split: str | None = None
    style: str = ""
    fill: bool = False
    groove: bool = False


def prepare(
    sources: list[Path], out: Path, advance: Callable[[int, int], None] | None = None
) -> Manifest:
    """Read MIDI collections (folders or zips) and write one data file per split to ``out``.

    The Groove MIDI Dataset is known by its ``info.csv`` and split as that says; the files of any
    other collection are split by a hash of their content, a tenth each to validation and test, so
    that copies of a file never straddle two splits; a bad file is left out, with its
    reason. ``advance`` is told (files done, files).

    Raises:
        UsageError: a source is missing or not a folder or zip, or nothing usable is in it.
        WorkError: ``out`` cannot be written.
    """
    found: list[_Source] = []
    left_out: list[LeftOut] = []
    for path in sources:
        found.extend(_collection(path, left_out))
    read: list[tuple[Recording, Pattern]] = []
    splits: list[str | None] = []
    digests: list[bytes] = []
    for done, source in enumerate(found, 1):
        try:
            recording, pattern, digest = _read(source)
        except UsageError as error:
            left_out.append(LeftOut(_text(source.name), _text(str(error))))
        else:
            read.append((recording, pattern))
            splits.append(source.split)
            digests.append(digest)
        if advance is not None:
            advance(done, len(found))
    if not read:
        raise UsageError(
            f"no usable 4-4 drum file in {', '.join(map(str, sources))}; "
            f"{len(left_out)} files were left out"
        )
    own = iter(_split_by_file([d for d, split in zip(digests, splits, strict=True) if not split]))
    kept: dict[str, list[tuple[Recording, Pattern]]] = {split: [] for split in SPLITS}
    for item, split in zip(read, splits, strict=True):
        kept[split or next(own)].append(item)
    return _write(out, kept, left_out, ", ".join(path.name for path in sources))


def _collection(path: Path, left_out: list[LeftOut]) -> list[_Source]:
    if path.is_dir():
        files = sorted(p for p in path.rglob("*") if p.is_file())
        readers: dict[str, Callable[[], bytes]] = {
            p.relative_to(path).as_posix(): _capped_reader(p) for p in files
        }
    elif zipfile.is_zipfile(path):
        readers = _zip_readers(path, left_out)
    elif path.exists():
        raise UsageError(f"{path} is neither a folder nor a zip file")
    else:
        raise UsageError(f"{path} is not there; give a folder or zip of MIDI files")
    tables = [name for name in readers if PurePosixPath(name).name == "info.csv"]
    listed = dict(row for table in tables for row in _groove_rows(table, readers))
    return [
        listed.get(name) or _Source(name, read)
        for name, read in readers.items()
        if PurePosixPath(name).suffix.lower() in (".mid", ".midi")
    ]


def _capped_reader(path: Path) -> Callable[[], bytes]:
    def read() -> bytes:
        with path.open("rb") as file:
            return file.read(MAX_TABLE_BYTES if path.suffix == ".csv" else MAX_FILE_BYTES + 1)

    return read


def _zip_readers(path: Path, left_out: list[LeftOut]) -> dict[str, Callable[[], bytes]]:
    """Return readers by entry name; entries are read in memory, so their paths lead nowhere."""
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError, ValueError):
        raise UsageError(f"{path} is a broken zip file; fetch it again") from None
    entries = archive.infolist()
    if len(entries) > MAX_ZIP_ENTRIES:
        raise UsageError(f"{path} has more than {MAX_ZIP_ENTRIES} entries; split it")
    readers: dict[str, Callable[[], bytes]] = {}
    for entry in entries:
        limit = MAX_TABLE_BYTES if entry.filename.endswith(".csv") else MAX_FILE_BYTES
        if entry.is_dir():
            continue
        if entry.file_size > limit:
            left_out.append(LeftOut(_text(entry.filename), f"larger than {limit >> 20} MiB"))
            continue

        def read(entry: zipfile.ZipInfo = entry, limit: int = limit) -> bytes:
            with archive.open(entry) as file:
                return file.read(limit + 1)

        readers[entry.filename] = read
    return readers


def _groove_rows(
    table: str, readers: dict[str, Callable[[], bytes]]
) -> Iterator[tuple[str, _Source]]:
    """Yield (file name, source) for each row of Groove MIDI's table; nothing if it is another."""
    root = PurePosixPath(table).parent
    try:
        rows = list(csv.DictReader(io.StringIO(readers[table]().decode())))
    except (OSError, ValueError, csv.Error, zipfile.BadZipFile):
        return
    for row in rows:
        if row.get("split") not in SPLITS or not row.get("midi_filename"):
            continue
        name = str(root / row["midi_filename"])
        if name in readers:
            yield (
                name,
                _Source(
                    name=name,
                    read=readers[name],
                    split=row["split"],
                    style=_text(row.get("style") or ""),
                    fill=row.get("beat_type") == "fill",
                    groove=True,
                ),
            )


def _read(source: _Source) -> tuple[Recording, Pattern, bytes]:
    """Return what a file holds and a digest of its bytes."""
    try:
        data = source.read()
    except (OSError, ValueError, RuntimeError, NotImplementedError, zipfile.BadZipFile, EOFError):
        raise UsageError("cannot be read") from None
    except Exception as error:  # zlib and lzma raise their own kinds on a broken entry
        raise UsageError(f"cannot be unpacked ({type(error).__name__})") from None
    fold = TD11_FOLD if source.groove else ANY_FOLD
    drums = read_drums(data, fold, PurePosixPath(source.name).name)
    if not drums.is_four_four:
        raise UsageError("not in 4-4 throughout")
    if not drums.beats.size:
        raise UsageError("no drum notes")
    pattern = to_pattern(drums)
    recording = Recording(
        name=_text(source.name),
        first_bar=0,
        bars=len(pattern) // STEPS_PER_BAR,
        style=source.style,
        bpm=drums.bpm,
        fill=source.fill,
    )
    return recording, pattern, hashlib.sha256(SPLIT_SEED + data).digest()


def _text(text: str) -> str:
    """Return text as JSON can hold it: file names may be any bytes."""
    return text.encode("utf-8", "replace").decode()[:1024]


def _split_by_file(digests: list[bytes]) -> list[str]:
    """Give a tenth of the distinct files to test and validation each, at least one of three."""
    order = {digest: rank for rank, digest in enumerate(sorted(set(digests)))}
    held_out = max(1, round(HELD_OUT_SHARE * len(order))) if len(order) >= 3 else 0
    names = {
        digest: "test" if rank < held_out else "validation" if rank < 2 * held_out else "train"
        for digest, rank in order.items()
    }
    return [names[digest] for digest in digests]


def _write(
    out: Path,
    kept: dict[str, list[tuple[Recording, Pattern]]],
    left_out: list[LeftOut],
    source: str,
) -> Manifest:
    splits: dict[str, list[Recording]] = {}
    for split, files in kept.items():
        first_bars = np.cumsum([0, *(recording.bars for recording, _ in files)])
        splits[split] = [
            msgspec.structs.replace(recording, first_bar=int(first))
            for (recording, _), first in zip(files, first_bars[:-1], strict=True)
        ]
        bars = np.concatenate(
            [
                np.empty((0, STEPS_PER_BAR, N_VOICES, CHANNELS), np.float32),
                *(p.reshape(-1, STEPS_PER_BAR, N_VOICES, CHANNELS) for _, p in files),
            ]
        )
        write_atomically(out / f"{split}.safetensors", save({"bars": bars}))
    manifest = Manifest(source=_text(source), splits=splits, left_out=left_out)
    encoded = msgspec.json.format(msgspec.json.encode(manifest), indent=1)
    write_atomically(out / "manifest.json", encoded)
    return manifest


def load_split(folder: Path, split: str) -> Split:
    """Read one split that ``prepare`` wrote.

    Raises:
        UsageError: a file is missing, broken, or does not fit the manifest.
    """
    if split not in SPLITS:
        raise UsageError(f"there is no split {split!r}; choose one of {', '.join(SPLITS)}")
    manifest_path = folder / "manifest.json"
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
    return Split(recordings, bars)
