"""What was sent, as a type-1 MIDI file: the exact messages at their exact times."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

import mido
import msgspec

from livevae.files import write_atomically
from livevae.pattern.pattern import BEATS_PER_BAR

TICKS_PER_BEAT: Final = 9600
"""At 120 BPM a tick is 52 microseconds: finer than any listener, and exact in 16ths."""


class Take(msgspec.Struct, frozen=True):
    """Bars as they were heard: how long each was, and (beats from the first line, message)s."""

    bar_ns: tuple[int, ...]
    events: tuple[tuple[float, bytes], ...]


def write_take(path: Path, take: Take) -> None:
    """Write a take, with the tempo of each of its bars.

    Played at those tempi every message comes when it came; where a tempo of whole microseconds is
    not quite that of a bar, the next bars make up for it.

    Args:
        path: the file, replaced in one step.
        take: at least one bar, its events in time order.

    Raises:
        WorkError: the file cannot be written.
    """
    events = ((round(beats * TICKS_PER_BEAT), message) for beats, message in take.events)
    end = len(take.bar_ns) * BEATS_PER_BAR * TICKS_PER_BEAT
    _write(path, _tempi(take.bar_ns), events, end)


def _tempi(bar_ns: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield where a tempo begins, in ticks, and the tempo, in microseconds a beat."""
    heard_us = written_us = 0.0
    last = 0
    for bar, length_ns in enumerate(bar_ns):
        heard_us += length_ns / 1000
        tempo = max(1, round((heard_us - written_us) / BEATS_PER_BAR))
        written_us += tempo * BEATS_PER_BAR
        if tempo != last:
            yield bar * BEATS_PER_BAR * TICKS_PER_BEAT, tempo
            last = tempo


def write_recording(
    path: Path, events: Sequence[tuple[int, bytes]], bpm: float, beats: float
) -> None:
    """Write ``events``, pairs of nanoseconds from beat 0 and a message, in time order.

    Args:
        path: the file, replaced in one step.
        events: what was sent; nothing before time 0.
        bpm: the tempo, steady.
        beats: where the tracks end, so that the file loops in time.

    Raises:
        WorkError: the file cannot be written.
    """
    ticks_per_ns = TICKS_PER_BEAT * bpm / 60e9
    ticks = ((round(time_ns * ticks_per_ns), message) for time_ns, message in events)
    _write(path, [(0, mido.bpm2tempo(bpm))], ticks, round(beats * TICKS_PER_BEAT))


def _write(
    path: Path, tempi: Iterable[tuple[int, int]], events: Iterable[tuple[int, bytes]], end: int
) -> None:
    """Write messages at their ticks, and tempi; the tracks end at the tick ``end``, or later."""
    drums = mido.MidiTrack([mido.MetaMessage("track_name", name="LiveVAE")])
    at = 0
    for tick, message in events:
        drums.append(mido.Message.from_bytes(message, time=tick - at))
        at = tick
    end = max(end, at)
    drums.append(mido.MetaMessage("end_of_track", time=end - at))
    signature = mido.MetaMessage("time_signature", numerator=BEATS_PER_BAR, denominator=4)
    conductor = mido.MidiTrack([signature])
    at = 0
    for tick, tempo in tempi:
        conductor.append(mido.MetaMessage("set_tempo", tempo=tempo, time=tick - at))
        at = tick
    conductor.append(mido.MetaMessage("end_of_track", time=end - at))
    file = mido.MidiFile(type=1, ticks_per_beat=TICKS_PER_BEAT, tracks=[conductor, drums])
    content = io.BytesIO()
    file.save(file=content)
    write_atomically(path, content.getvalue())
