"""Collections of MIDI files, as folders or zips, opened as hostile."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final, Protocol

from livevae.errors import UsageError
from livevae.midi.smf import MAX_FILE_BYTES
from livevae.training.dataset import SPLITS
from livevae.training.reading import Unusable

MAX_ZIP_ENTRIES: Final = 1_000_000
MAX_TABLE_BYTES: Final = 64 * 1024 * 1024
UNPACKED_IN_PARTS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""What zipfile unpacks no further than it is asked to, whatever size the entry claims."""
SUFFIXES: Final = (".mid", ".midi")
TABLE: Final = "info.csv"


class Collection(Protocol):
    """Files by name, names as paths with ``/``."""

    @property
    def names(self) -> list[str]:
        """Return the names of all files, sorted."""

    def read(self, name: str, limit: int) -> bytes:
        """Return the bytes of a file, and one more than ``limit`` at most.

        Raises:
            Unusable: it is larger than ``limit`` or cannot be read.
        """


@dataclass(frozen=True, slots=True)
class Source:
    """One MIDI file and what its collection says of it; ``split`` only for Groove MIDI's."""

    name: str
    collection: Collection
    split: str | None = None
    style: str = ""
    fill: bool = False

    def read(self) -> bytes:
        """Return its bytes.

        Raises:
            Unusable: it is too large or cannot be read.
        """
        return self.collection.read(self.name, MAX_FILE_BYTES)


def sources_in(path: Path) -> list[Source]:
    """Return the MIDI files of a folder or zip, any nesting, in the order of their names.

    The Groove MIDI Dataset is known by its ``info.csv``: its files come with split and style.

    Raises:
        UsageError: the path is not there, is neither a folder nor a zip, or the zip is broken.
    """
    collection: Collection
    if path.is_dir():
        collection = _Folder(path)
    elif zipfile.is_zipfile(path):
        collection = _Zip(path)
    elif path.exists():
        raise UsageError(f"{path} is neither a folder nor a zip file")
    else:
        raise UsageError(f"{path} is not there; give a folder or zip of MIDI files")
    tables = [name for name in collection.names if PurePosixPath(name).name == TABLE]
    listed = {source.name: source for table in tables for source in _listed(table, collection)}
    return [
        listed.get(name) or Source(name, collection)
        for name in collection.names
        if PurePosixPath(name).suffix.lower() in SUFFIXES
    ]


class _Folder:
    def __init__(self, path: Path) -> None:
        self._path = path
        self.names = sorted(
            file.relative_to(path).as_posix() for file in path.rglob("*") if file.is_file()
        )

    def read(self, name: str, limit: int) -> bytes:
        try:
            with (self._path / name).open("rb") as file:
                data = file.read(limit + 1)
        except OSError:
            raise Unusable("unreadable") from None
        if len(data) > limit:
            raise Unusable("too large")
        return data


class _Zip:
    """Entries are read into memory and never written, so their names lead nowhere."""

    def __init__(self, path: Path) -> None:
        try:
            self._archive = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, OSError, ValueError):
            raise UsageError(f"{path} is a broken zip file; fetch it again") from None
        self._entries = {e.filename: e for e in self._archive.infolist() if not e.is_dir()}
        if len(self._entries) > MAX_ZIP_ENTRIES:
            raise UsageError(f"{path} has more than {MAX_ZIP_ENTRIES} entries; split it")
        self.names = sorted(self._entries)

    def read(self, name: str, limit: int) -> bytes:
        entry = self._entries[name]
        if entry.file_size > limit:
            raise Unusable("too large")
        if entry.compress_type not in UNPACKED_IN_PARTS:
            raise Unusable("unreadable")
        try:
            with self._archive.open(entry) as file:
                return file.read(limit + 1)
        except Exception:  # zlib, bz2 and lzma each raise their own kinds on a broken entry
            raise Unusable("unreadable") from None


def _listed(table: str, collection: Collection) -> Iterator[Source]:
    """Yield the files that Groove MIDI's table lists; none if it is some other table."""
    try:
        text = collection.read(table, MAX_TABLE_BYTES).decode()
        rows = list(csv.DictReader(io.StringIO(text)))
    except (Unusable, UnicodeDecodeError, csv.Error):
        return
    root, names = PurePosixPath(table).parent, set(collection.names)
    for row in rows:
        name = str(root / (row.get("midi_filename") or ""))
        if row.get("split") in SPLITS and name in names:
            yield Source(
                name,
                collection,
                row["split"],
                row.get("style") or "",
                row.get("beat_type") == "fill",
            )
