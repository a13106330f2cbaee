"""Collections of MIDI files in, one data file per split out; a bad file stops nothing."""

from __future__ import annotations

import csv
import hashlib
import io
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

import msgspec
import numpy as np

from livevae.errors import UsageError
from livevae.latent.files import make_folder, write_atomically
from livevae.midi.kit import TD11_FOLD
from livevae.midi.smf import ANY_FOLD, MAX_FILE_BYTES, read_drums, to_pattern
from livevae.pattern.pattern import Pattern, bars_of
from livevae.training.dataset import (
    MANIFEST_FILE,
    SPLITS,
    LeftOut,
    Manifest,
    Recording,
    cells_file,
    pack,
)

SPLIT_SEED: Final = b"livevae"
HELD_OUT_SHARE: Final = 0.1
MAX_ZIP_ENTRIES: Final = 1_000_000
MAX_TABLE_BYTES: Final = 64 * 1024 * 1024


@dataclass(frozen=True)
class Source:
    """One MIDI file to read and what its collection says of it."""

    name: str
    read: Callable[[], bytes]
    split: str | None = None
    style: str = ""
    fill: bool = False
    groove: bool = False


def prepare(
    sources: list[Path],
    out: Path,
    track: Callable[[list[Source]], Iterable[Source]] = iter,
) -> Manifest:
    """Read MIDI collections (folders or zips) and write one data file per split to ``out``.

    The Groove MIDI Dataset is known by its ``info.csv`` and split as that says; the files of any
    other collection are split by a hash of their content, a tenth each to validation and test, so
    that copies of a file never straddle two splits; a bad file is left out, with its
    reason. ``track`` is given the files once all sources are found good, and may show how the
    reading goes on.

    Raises:
        UsageError: a source is missing or not a folder or zip, or nothing usable is in it.
        WorkError: ``out`` cannot be made or written.
    """
    found: list[Source] = []
    left_out: list[LeftOut] = []
    for path in sources:
        found.extend(_collection(path, left_out))
    if not found:
        raise _nothing_usable(sources, left_out)
    make_folder(out)
    read: list[tuple[Recording, Pattern]] = []
    splits: list[str | None] = []
    digests: list[bytes] = []
    for source in track(found):
        try:
            recording, pattern, digest = _read(source)
        except UsageError as error:
            left_out.append(LeftOut(_text(source.name), _text(str(error))))
        else:
            read.append((recording, pattern))
            splits.append(source.split)
            digests.append(digest)
    if not read:
        raise _nothing_usable(sources, left_out)
    own = iter(_split_by_file([d for d, split in zip(digests, splits, strict=True) if not split]))
    kept: dict[str, list[tuple[Recording, Pattern]]] = {split: [] for split in SPLITS}
    for item, split in zip(read, splits, strict=True):
        kept[split or next(own)].append(item)
    manifest = Manifest(
        source=_text(", ".join(path.name for path in sources)),
        groove_midi=all(splits),
        splits={
            split: _write_split(out / cells_file(split), files) for split, files in kept.items()
        },
        left_out=left_out,
    )
    encoded = msgspec.json.format(msgspec.json.encode(manifest), indent=1)
    write_atomically(out / MANIFEST_FILE, encoded)
    return manifest


def _nothing_usable(sources: list[Path], left_out: list[LeftOut]) -> UsageError:
    return UsageError(
        f"no usable 4-4 drum file in {', '.join(map(str, sources))}; "
        f"{len(left_out)} files were left out"
    )


def _collection(path: Path, left_out: list[LeftOut]) -> list[Source]:
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
        listed.get(name) or Source(name, read)
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
) -> Iterator[tuple[str, Source]]:
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
                Source(
                    name=name,
                    read=readers[name],
                    split=row["split"],
                    style=_text(row.get("style") or ""),
                    fill=row.get("beat_type") == "fill",
                    groove=True,
                ),
            )


def _read(source: Source) -> tuple[Recording, Pattern, bytes]:
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
        bars=bars_of(pattern),
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


def _write_split(path: Path, files: list[tuple[Recording, Pattern]]) -> list[Recording]:
    """Write the bars of all files end to end; return the recordings with their places."""
    first_bars = np.cumsum([0, *(recording.bars for recording, _ in files)])
    write_atomically(path, b"".join(pack(pattern).tobytes() for _, pattern in files))
    return [
        msgspec.structs.replace(recording, first_bar=int(first))
        for (recording, _), first in zip(files, first_bars[:-1], strict=True)
    ]
