"""Standard MIDI files: drums in, as notes and as patterns, and patterns out."""

from __future__ import annotations

import io
import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import mido
import numpy as np
import numpy.typing as npt

from livevae.errors import UsageError
from livevae.files import write_atomically
from livevae.midi.kit import GM_FOLD, TD11_FOLD
from livevae.pattern.pattern import (
    BEATS_PER_BAR,
    N_VOICES,
    OFFSET,
    ONSET,
    STEPS_PER_BAR,
    STEPS_PER_BEAT,
    VELOCITY,
    Pattern,
    empty,
)

ANY_FOLD: Final[Mapping[int, int]] = MappingProxyType({**TD11_FOLD, **GM_FOLD})
"""Both folding tables at once: they agree wherever both have the note."""

# mido keeps some hundreds of bytes for each event of three: this bounds a hostile file's cost.
MAX_FILE_BYTES: Final = 2 * 1024 * 1024
MAX_FILE_BARS: Final = 4096
DRUM_CHANNEL: Final = 9
DEFAULT_BPM: Final = 120.0
SLOWEST_BPM, FASTEST_BPM = 10.0, 1000.0
US_PER_MINUTE: Final = 60_000_000
N_PITCHES: Final = 128

WRITTEN_TICKS_PER_BEAT: Final = 480
WRITTEN_TICKS_PER_STEP: Final = WRITTEN_TICKS_PER_BEAT // STEPS_PER_BEAT


@dataclass(frozen=True)
class Metre:
    """A time signature and the beat (quarter note) from which it holds."""

    beat: float
    numerator: int
    denominator: int


@dataclass(frozen=True)
class Drums:
    """The drum notes of one file, in time order.

    ``beats`` float64[n] in quarter notes from the start of the file, ``voices`` int64[n] as
    indices into ``pattern.VOICES``, ``velocities`` float32[n] in 0..1. ``bpm`` is the first tempo;
    ``metres`` are the time signatures in order, empty where the file names none (then it is 4-4).
    """

    beats: npt.NDArray[np.float64]
    voices: npt.NDArray[np.int64]
    velocities: npt.NDArray[np.float32]
    bpm: float
    metres: tuple[Metre, ...]

    @property
    def is_four_four(self) -> bool:
        """Whether every time signature of the file is 4-4."""
        return all((m.numerator, m.denominator) == (4, 4) for m in self.metres)


def read_drums(
    source: Path | bytes, fold: Mapping[int, int] = ANY_FOLD, name: str | None = None
) -> Drums:
    """Read the drum notes of a MIDI file, given as a path or as the file's bytes.

    Drums are the notes on channel 10; a file with none there but with notes on one single channel
    (a drum clip exported from a DAW) is taken as drums too. Notes outside ``fold`` are left out.

    Raises:
        UsageError: the file is missing, too large, too long, broken or not MIDI; the sentence
            names it as ``name`` (default: its path).
    """
    name = name or (str(source) if isinstance(source, Path) else "the MIDI data")
    midi = _parse(_bytes_of(source, name), name)
    by_channel: dict[int, list[tuple[int, int, int]]] = {}
    tempos = []
    metres = []
    for track in midi.tracks:
        tick = 0
        for message in track:
            tick += message.time
            if message.type == "note_on" and message.velocity > 0:
                notes = by_channel.setdefault(message.channel, [])
                notes.append((tick, message.note, message.velocity))
            elif message.type == "set_tempo" and message.tempo > 0:
                tempos.append((tick, message.tempo))
            elif message.type == "time_signature":
                beat = tick / midi.ticks_per_beat
                metres.append(Metre(beat, message.numerator, message.denominator))
    if DRUM_CHANNEL not in by_channel and len(by_channel) == 1:
        by_channel = {DRUM_CHANNEL: next(iter(by_channel.values()))}
    return drums_of(
        np.array(by_channel.get(DRUM_CHANNEL, []), np.int64).reshape(-1, 3),
        fold,
        midi.ticks_per_beat,
        min(tempos, key=lambda tempo: tempo[0])[1] if tempos else None,
        tuple(sorted(metres, key=lambda metre: metre.beat)),
        name,
    )


def drums_of(
    notes: npt.NDArray[np.int64],
    fold: Mapping[int, int],
    ticks_per_beat: int,
    tempo: int | None,
    metres: tuple[Metre, ...],
    name: str,
) -> Drums:
    """Fold the drum notes of a file: rows of (tick, pitch, MIDI velocity), in any order.

    ``tempo`` is in microseconds per beat; None is the default tempo.

    Raises:
        UsageError: the file is too long; the sentence names it as ``name``.
    """
    voice_of = np.full(N_PITCHES, -1)
    voice_of[list(fold)] = list(fold.values())
    notes = notes[voice_of[notes[:, 1]] >= 0]
    # By tick, then pitch, then velocity: of notes that are equally loud in a cell, the last stays.
    ticks, pitches, velocities = notes[np.lexsort(notes.T[::-1])].T
    beats = ticks / ticks_per_beat
    if beats.size and beats[-1] >= MAX_FILE_BARS * BEATS_PER_BAR:
        raise UsageError(f"{name} is longer than {MAX_FILE_BARS} bars; cut it shorter")
    bpm = DEFAULT_BPM if tempo is None else US_PER_MINUTE / tempo
    return Drums(
        beats=beats,
        voices=voice_of[pitches],
        velocities=(velocities / 127).astype(np.float32),
        bpm=min(max(bpm, SLOWEST_BPM), FASTEST_BPM),
        metres=metres,
    )


def _bytes_of(source: Path | bytes, name: str) -> bytes:
    if isinstance(source, bytes):
        data = source
    else:
        try:
            with source.open("rb") as file:
                data = file.read(MAX_FILE_BYTES + 1)
        except OSError as error:
            raise UsageError(f"{name} cannot be read: {error.strerror or error}") from None
    if len(data) > MAX_FILE_BYTES:
        raise UsageError(f"{name} is larger than {MAX_FILE_BYTES >> 20} MiB; give a smaller file")
    return data


def _parse(data: bytes, name: str) -> Any:
    if not data.startswith(b"MThd"):
        raise UsageError(f"{name} is not a MIDI file; give a .mid file")
    try:
        midi = mido.MidiFile(file=io.BytesIO(data))
    except Exception:  # mido lets through whatever a broken byte sets off: seven kinds at least
        raise UsageError(f"{name} is a broken MIDI file; export it again") from None
    if not midi.tracks:
        raise UsageError(f"{name} is a broken MIDI file: it has no tracks; export it again")
    if midi.type not in (0, 1):
        raise UsageError(f"{name} is a type-{midi.type} MIDI file; export it as type 0 or 1")
    if midi.ticks_per_beat <= 0:
        raise UsageError(f"{name} counts time in SMPTE frames; export it with ticks per beat")
    return midi


def to_pattern(drums: Drums, bars: int | None = None) -> Pattern:
    """Quantise notes to 16ths: ``float32[bars * 16, 9, 3]``, onsets 0 or 1.

    Each note goes to its nearest step and keeps the rest as an offset in [-0.5, 0.5) steps,
    positive late; a note exactly half a step early belongs to the step that follows it. Where two
    notes share a cell the loudest stays. ``bars`` defaults to those up to the last note.
    """
    position = drums.beats * STEPS_PER_BEAT
    steps = np.floor(position + 0.5).astype(np.int64)
    if bars is None:
        bars = int(steps.max()) // STEPS_PER_BAR + 1 if steps.size else 1
    pattern = empty(bars)
    # Written from the softest to the loudest, so that the loudest is what a cell ends with.
    order = np.argsort(drums.velocities, kind="stable")
    order = order[steps[order] < len(pattern)]
    cells = (steps[order], drums.voices[order])
    pattern[(*cells, ONSET)] = 1.0
    pattern[(*cells, VELOCITY)] = drums.velocities[order]
    pattern[(*cells, OFFSET)] = (position - steps)[order]
    return pattern


def write_pattern(
    path: Path,
    pattern: Pattern,
    bpm: float,
    notes: tuple[int, ...],
    markers: Mapping[int, str] = MappingProxyType({}),
) -> None:
    """Write a pattern as a type-1 MIDI file: a tempo and metre track, and drums on channel 10.

    Cells with a probability of at least 0.5 sound, at their offset (the first step cannot be
    early), for half a step or up to the next note of the same pitch. ``notes`` are the nine
    output pitches in voice order (``kit_notes``). ``markers`` are texts by the bar, from 0, at
    whose line they stand.

    Raises:
        WorkError: the file cannot be written; what it held before is untouched.
    """
    conductor = mido.MidiTrack(
        [
            mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(bpm), time=0),
            mido.MetaMessage("time_signature", numerator=4, denominator=4, time=0),
        ]
    )
    now = 0
    for bar, text in sorted(markers.items()):
        tick = bar * STEPS_PER_BAR * WRITTEN_TICKS_PER_STEP
        conductor.append(mido.MetaMessage("marker", text=text, time=tick - now))
        now = tick
    conductor.append(mido.MetaMessage("end_of_track", time=0))
    drums = mido.MidiTrack()
    now = 0
    for tick, _, kind, pitch, velocity in _events(pattern, notes):
        drums.append(
            mido.Message(kind, channel=DRUM_CHANNEL, note=pitch, velocity=velocity, time=tick - now)
        )
        now = tick
    end = max(now, len(pattern) * WRITTEN_TICKS_PER_STEP)
    drums.append(mido.MetaMessage("end_of_track", time=end - now))
    midi = mido.MidiFile(
        type=1, ticks_per_beat=WRITTEN_TICKS_PER_BEAT, tracks=[conductor, drums], charset="utf-8"
    )
    content = io.BytesIO()
    midi.save(file=content)
    write_atomically(path, content.getvalue())


def _events(pattern: Pattern, notes: tuple[int, ...]) -> list[tuple[int, int, str, int, int]]:
    """Return (tick, order, kind, pitch, velocity) with offs before ons at the same tick."""
    loudest: dict[tuple[int, int], int] = {}
    for step, voice in np.argwhere(pattern[:, :N_VOICES, ONSET] >= 0.5):
        offset = float(pattern[step, voice, OFFSET])
        tick = max(0, round((int(step) + offset) * WRITTEN_TICKS_PER_STEP))
        velocity = min(127, max(1, math.floor(float(pattern[step, voice, VELOCITY]) * 127 + 0.5)))
        key = (notes[voice], tick)
        loudest[key] = max(velocity, loudest.get(key, 0))
    events = []
    starts = sorted(loudest)
    for (pitch, tick), following in itertools.pairwise([*starts, (-1, 0)]):
        off = tick + WRITTEN_TICKS_PER_STEP // 2
        if following[0] == pitch:
            off = min(off, following[1])
        events.append((tick, 1, "note_on", pitch, loudest[pitch, tick]))
        events.append((off, 0, "note_off", pitch, 0))
    return sorted(events)
