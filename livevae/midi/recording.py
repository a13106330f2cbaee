"""What was sent, as a type-1 MIDI file: the exact messages at their exact times."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import mido

from livevae.files import write_atomically
from livevae.pattern.pattern import BEATS_PER_BAR

TICKS_PER_BEAT: Final = 9600
"""At 120 BPM a tick is 52 microseconds: finer than any listener, and exact in 16ths."""


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
    conductor = mido.MidiTrack(
        [
            mido.MetaMessage("time_signature", numerator=BEATS_PER_BAR, denominator=4),
            mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(bpm)),
        ]
    )
    drums = mido.MidiTrack([mido.MetaMessage("track_name", name="LiveVAE")])
    at = 0
    for time_ns, message in events:
        tick = round(time_ns * ticks_per_ns)
        drums.append(mido.Message.from_bytes(message, time=tick - at))
        at = tick
    end = max(round(beats * TICKS_PER_BEAT), at)
    conductor.append(mido.MetaMessage("end_of_track", time=end))
    drums.append(mido.MetaMessage("end_of_track", time=end - at))
    file = mido.MidiFile(type=1, ticks_per_beat=TICKS_PER_BEAT, tracks=[conductor, drums])
    content = io.BytesIO()
    file.save(file=content)
    write_atomically(path, content.getvalue())
