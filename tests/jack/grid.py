"""Reads a recording against the clock that was recorded beside it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tests.jack.peers import Recorder

TICKS_PER_STEP = 6
STEPS_PER_BAR = 16


@dataclass(frozen=True)
class Onset:
    """A note-on at ``steps`` 16ths from the first clock after Start."""

    frame: int
    note: int
    steps: float

    @property
    def step(self) -> int:
        """The nearest step of the grid."""
        return round(self.steps)

    @property
    def bar(self) -> int:
        """The bar of that step."""
        return self.step // STEPS_PER_BAR


@dataclass(frozen=True)
class Grid:
    """The ideal grid: the frames of the recorded ticks; ``tick_frames`` is their period."""

    frames: np.ndarray
    tick_frames: float

    @classmethod
    def of(cls, recording: Recorder) -> Grid:
        """Take all ticks: jack_midi_clock sends them only while it rolls, and none is lost."""
        frames = np.array([frame for frame, _ in recording.messages(0xF8)])
        return cls(frames, float(np.median(np.diff(frames))))

    def onset(self, frame: int, note: int) -> Onset:
        """Place a note-on by the tick nearest to it."""
        nearest = int(np.abs(self.frames - frame).argmin())
        ticks = nearest + (frame - self.frames[nearest]) / self.tick_frames
        return Onset(frame, note, float(ticks / TICKS_PER_STEP))

    def error_frames(self, onset: Onset) -> float:
        """Return how far an onset lies from its step; positive is late."""
        return (onset.steps - onset.step) * TICKS_PER_STEP * self.tick_frames
