"""Collections of MIDI files in, one data file per split out; a bad file stops nothing."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

import msgspec

from livevae.errors import UsageError, WorkError
from livevae.files import make_folder
from livevae.training.dataset import (
    BAR_BYTES,
    MANIFEST_FILE,
    SPLITS,
    LeftOut,
    Manifest,
    Recording,
    cells_file,
)
from livevae.training.readers import read_all
from livevae.training.reading import Reading, Unusable
from livevae.training.sources import Source, sources_in

HELD_OUT_SHARE: Final = 0.1
PRECEDENCE: Final = ("test", "validation", "train", None)
"""Of two files with the same cells, the one whose split comes first here is kept."""

STAGING: Final = ".partial"
FINGERPRINTS: Final = 2**64


@dataclass(frozen=True, slots=True)
class _Kept:
    """A recording, the bar at which it stands in the spool, and where it belongs."""

    recording: Recording
    spooled_at: int
    split: str | None
    fingerprint: bytes


def prepare(
    sources: list[Path],
    out: Path,
    watch: Callable[[int, int], None] = lambda _done, _all: None,
    processes: int | None = None,
) -> Manifest:
    """Read MIDI collections (folders or zips) and write one data file per split to ``out``.

    The Groove MIDI Dataset is known by its ``info.csv`` and split as that says. A file of any
    other collection goes by a hash of its cells, a tenth each to test and validation, so that it
    stays where it is when others are added; only a collection so small that a split were empty
    gives it one file. Of files with the same cells one is kept, by ``PRECEDENCE``: nothing held
    out is also trained on. A bad file is left out, with its reason.

    ``processes`` (default: one for each core) read at the same time. Cells go to disk as they are
    read, so memory holds names and places only. ``watch`` is given the number of files read and
    of all. What was in ``out`` stays until all is written beside it, and stays if that fails.

    Raises:
        UsageError: a source is missing or not a folder or zip, or nothing usable is in it.
        WorkError: ``out`` cannot be made or written, or no process to read files in started.
    """
    found = [source for path in sources for source in sources_in(path)]
    found.sort(key=lambda source: PRECEDENCE.index(source.split))
    left_out: list[LeftOut] = []
    if not found:
        raise _nothing_usable(sources, left_out)
    with _staged(out) as staging:
        spool = staging / "spool"
        with spool.open("wb") as file:
            kept = _read_into(file, found, left_out, watch, processes or os.cpu_count() or 1)
        if not kept:
            raise _nothing_usable(sources, left_out)
        manifest = Manifest(
            source=_text(", ".join(path.name for path in sources)),
            groove_midi=all(item.split for item in kept),
            splits={
                split: _write_split(staging / cells_file(split), spool, items)
                for split, items in _by_split(kept).items()
            },
            left_out=left_out,
        )
        encoded = msgspec.json.format(msgspec.json.encode(manifest), indent=1)
        with (staging / MANIFEST_FILE).open("wb") as file:
            _write_through(file, encoded)
        _put_in_place(staging, out)
    return manifest


def counted(left_out: list[LeftOut]) -> str:
    """Return how many files were left out for each reason: `` (12 other metre, 1 broken)``."""
    counts = Counter(left.reason for left in left_out).most_common()
    return f" ({', '.join(f'{count} {reason}' for reason, count in counts)})" if counts else ""


def _nothing_usable(sources: list[Path], left_out: list[LeftOut]) -> UsageError:
    return UsageError(
        f"no usable 4-4 drum file in {', '.join(map(str, sources))}; give one that has some; "
        f"{len(left_out)} were left out{counted(left_out)}"
    )


def _read_into(
    spool: BinaryIO,
    found: list[Source],
    left_out: list[LeftOut],
    watch: Callable[[int, int], None],
    processes: int,
) -> list[_Kept]:
    """Append the cells of each file that is new and usable; note the others in ``left_out``."""
    kept: list[_Kept] = []
    names: dict[bytes, str] = {}
    bars = 0

    def opened() -> Iterator[tuple[Source, bytes, bool]]:
        for source in found:
            try:
                yield source, source.read(), source.split is not None
            except Unusable as unusable:
                left_out.append(LeftOut(_text(source.name), unusable.reason))

    for source, reading in read_all(opened(), processes):
        name = _text(source.name)
        if not isinstance(reading, Reading):
            left_out.append(LeftOut(name, reading))
        elif reading.fingerprint in names:
            left_out.append(LeftOut(name, "duplicate", names[reading.fingerprint]))
        else:
            names[reading.fingerprint] = name
            spool.write(reading.cells)
            recording = Recording(
                name, 0, reading.bars, _text(source.style), reading.bpm, source.fill
            )
            kept.append(_Kept(recording, bars, source.split, reading.fingerprint))
            bars += reading.bars
        watch(len(kept) + len(left_out), len(found))
    left_out.sort(key=lambda left: left.name)
    return kept


def _text(text: str) -> str:
    """Return text as JSON can hold it: file names may be any bytes."""
    return text.encode("utf-8", "replace").decode()[:1024]


def _by_split(kept: list[_Kept]) -> dict[str, list[_Kept]]:
    """Put each recording where its table says, or its fingerprint."""
    splits: dict[str, list[_Kept]] = {split: [] for split in SPLITS}
    own: dict[str, list[_Kept]] = {split: [] for split in SPLITS}
    for item in kept:
        if item.split:
            splits[item.split].append(item)
        else:
            own[_drawn(item.fingerprint)].append(item)
    if sum(map(len, own.values())) >= len(SPLITS):
        for split in SPLITS:
            if not own[split]:
                most = max(own.values(), key=len)
                chosen = min(most, key=lambda item: item.fingerprint)
                most.remove(chosen)
                own[split].append(chosen)
    return {split: splits[split] + own[split] for split in SPLITS}


def _drawn(fingerprint: bytes) -> str:
    """Return the split that a fingerprint falls to."""
    share = int.from_bytes(fingerprint[:8]) / FINGERPRINTS
    if share < HELD_OUT_SHARE:
        return "test"
    return "validation" if share < 2 * HELD_OUT_SHARE else "train"


def _write_split(path: Path, spool: Path, items: list[_Kept]) -> list[Recording]:
    """Copy the cells of a split's recordings end to end; return the recordings in their places."""
    recordings = []
    bars = 0
    with spool.open("rb") as source, path.open("wb") as file:
        for item in items:
            source.seek(item.spooled_at * BAR_BYTES)
            file.write(source.read(item.recording.bars * BAR_BYTES))
            recordings.append(msgspec.structs.replace(item.recording, first_bar=bars))
            bars += item.recording.bars
        _write_through(file)
    return recordings


def _write_through(file: BinaryIO, data: bytes = b"") -> None:
    """Write and wait until what was written is on disk."""
    file.write(data)
    file.flush()
    os.fsync(file.fileno())


@contextmanager
def _staged(out: Path) -> Iterator[Path]:
    """Make ``out`` and an empty folder in it to write to; leave nothing of either on failure.

    Raises:
        WorkError: one of them cannot be made, or what is written there cannot.
    """
    is_new = not out.exists()
    make_folder(out)
    staging = out / STAGING
    try:
        shutil.rmtree(staging, ignore_errors=True)  # a killed run's
        staging.mkdir()
        yield staging
    except OSError as error:
        raise WorkError(f"{out} cannot be written: {error.strerror or error}") from None
    finally:
        shutil.rmtree(staging, ignore_errors=True)
        if is_new and not any(out.iterdir()):
            out.rmdir()


def _put_in_place(staging: Path, out: Path) -> None:
    """Move the files to ``out``, the manifest last: without one, nothing there is data."""
    (out / MANIFEST_FILE).unlink(missing_ok=True)
    for name in (*map(cells_file, SPLITS), MANIFEST_FILE):
        (staging / name).replace(out / name)
