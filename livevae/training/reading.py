"""One file of a corpus in, its cells out, by symusic: a hundred times as fast as mido.

What symusic reads goes through the folding and the note-to-cell rule of ``midi.smf``, so that a
file gives the same pattern here as there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
from symusic.core import ScoreTick

from livevae.errors import UsageError
from livevae.midi.kit import TD11_FOLD
from livevae.midi.smf import (
    ANY_FOLD,
    DRUM_CHANNEL,
    MAX_FILE_BYTES,
    Drums,
    Metre,
    drums_of,
    read_drums,
    to_pattern,
)
from livevae.pattern.pattern import bars_of
from livevae.training.dataset import pack

Reason = Literal[
    "broken",
    "crashes the reader",
    "duplicate",
    "empty",
    "no drums",
    "other metre",
    "too large",
    "too long",
    "unreadable",
]
"""Why a file is left out."""

SEED: Final = b"livevae"
"""Goes into every fingerprint, and so decides which files are held out."""

_HEADER_BYTES: Final = 14
_CHUNK_HEAD_BYTES: Final = 8
_END_OF_TRACK: Final = b"\xff\x2f\x00"
_NOTE_OFF: Final = 0x80 | DRUM_CHANNEL
_ROUNDS: Final = 2
_ALL_NOTES_OFF: Final = b"\x00".join(
    bytes((_NOTE_OFF, pitch, 0)) for _ in range(_ROUNDS) for pitch in sorted(ANY_FOLD)
)


@dataclass(frozen=True)
class Reading:
    """The drums of one file: packed cells of ``bars`` bars, their fingerprint, the first tempo."""

    cells: bytes
    bars: int
    fingerprint: bytes
    bpm: float


class Unusable(Exception):  # noqa: N818 - a verdict on a file, not an error of the program
    """A file is left out, for the ``reason`` given."""

    def __init__(self, reason: Reason) -> None:
        """Keep the reason."""
        super().__init__(reason)
        self.reason: Reason = reason


def read(data: bytes, groove: bool) -> Reading | Reason:
    """Return the drums of a MIDI file, or why they cannot be used; ``groove``: played on a TD-11.

    The fingerprint is that of the cells: two files have the same one if they are the same beat.
    """
    try:
        drums = read_fast(data, TD11_FOLD if groove else ANY_FOLD)
        if not drums.is_four_four:
            raise Unusable("other metre")
        if not drums.beats.size:
            raise Unusable("no drums")
    except Unusable as unusable:
        return unusable.reason
    pattern = to_pattern(drums)
    cells = pack(pattern).tobytes()
    fingerprint = hashlib.blake2b(cells, digest_size=16, key=SEED).digest()
    return Reading(cells, bars_of(pattern), fingerprint, drums.bpm)


def read_fast(data: bytes, fold: Mapping[int, int] = ANY_FOLD) -> Drums:
    """Read the drum notes of a MIDI file as ``midi.smf.read_drums`` does, by symusic.

    mido reads the few files that symusic does not tell enough of: those without notes on channel
    10 whose notes may all be on one other channel (symusic keeps no channels, so they are known
    by their one program), and those with several drum notes that never end (symusic drops them).
    So one single channel that changes its program is drums to mido alone.

    Raises:
        Unusable: the file is too large, too long, empty, broken, or not a MIDI file.
    """
    _check_header(data)
    try:
        score = ScoreTick.from_midi(_with_all_notes_ended(data))
    except (RuntimeError, ValueError, MemoryError):  # what the C++ exceptions of symusic become
        raise Unusable("broken") from None
    tracks = [track for track in score.tracks if len(track.notes)]
    drums = [track.notes.numpy() for track in tracks if track.is_drum]
    may_be_one_channel = len({track.program for track in tracks}) <= 1
    if any(map(_may_lack_notes, drums)) or (not drums and may_be_one_channel):
        found = _read_thoroughly(data, fold)
        if not tracks and not found.beats.size:
            raise Unusable("empty")
        return found
    tempos = [tempo.mspq for tempo in score.tempos if tempo.mspq > 0]
    metres = tuple(
        Metre(metre.time / score.ticks_per_quarter, metre.numerator, metre.denominator)
        for metre in score.time_signatures
    )
    notes = _table(drums)
    if notes.size and notes[:, 0].min() < 0:  # more ticks than symusic can count
        raise Unusable("too long")
    try:
        return drums_of(
            notes, fold, score.ticks_per_quarter, tempos[0] if tempos else None, metres, "the file"
        )
    except UsageError:
        raise Unusable("too long") from None


def _read_thoroughly(data: bytes, fold: Mapping[int, int]) -> Drums:
    try:
        return read_drums(data, fold)
    except UsageError:
        raise Unusable("broken") from None


def _check_header(data: bytes) -> None:
    """Refuse what symusic would take and LiveVAE does not: see ``midi.smf``."""
    if not data:
        raise Unusable("empty")
    if len(data) > MAX_FILE_BYTES:
        raise Unusable("too large")
    if len(data) < _HEADER_BYTES or not data.startswith(b"MThd"):
        raise Unusable("broken")
    kind, division = int.from_bytes(data[8:10]), int.from_bytes(data[12:14])
    if kind > 1 or not 0 < division < 0x8000:
        raise Unusable("broken")


def _with_all_notes_ended(data: bytes) -> bytes:
    """Return the file with note-offs for every drum at the end of each track.

    symusic keeps a note only if it ends, and many a drum machine never ends one.
    """
    parts = [data[: _CHUNK_HEAD_BYTES + int.from_bytes(data[4:8])]]
    at = len(parts[0])
    while at + _CHUNK_HEAD_BYTES <= len(data):
        start = at + _CHUNK_HEAD_BYTES
        end = start + int.from_bytes(data[at + 4 : start])
        body = data[start:end]
        if data[at : at + 4] == b"MTrk" and end <= len(data):
            # The time of the end of the track becomes that of the first note-off.
            events = body.removesuffix(_END_OF_TRACK)
            events += b"" if len(events) < len(body) else b"\x00"
            body = events + _ALL_NOTES_OFF + b"\x00" + _END_OF_TRACK
            parts.append(b"MTrk" + len(body).to_bytes(4) + body)
        else:
            parts.append(data[at:end])
        at = end
    return b"".join(parts)


def _may_lack_notes(notes: Mapping[str, npt.NDArray[np.int32]]) -> bool:
    """Say whether some pitch may have needed more note-offs than were added to its track."""
    ends = notes["time"].astype(np.int64) + notes["duration"]
    pitches = notes["pitch"][ends == ends.max()]
    return bool((np.bincount(pitches) >= _ROUNDS).any())


def _table(tracks: Sequence[Mapping[str, npt.NDArray[np.int32]]]) -> npt.NDArray[np.int64]:
    """Return rows of (tick, pitch, velocity)."""
    rows = [
        np.stack([notes[key].astype(np.int64) for key in ("time", "pitch", "velocity")], axis=1)
        for notes in tracks
    ]
    return np.concatenate([np.empty((0, 3), np.int64), *rows])
