"""Reads a recording against the clock that was recorded beside it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tests.jack.peers import Recorder

TICKS_PER_STEP = 6
STEPS_PER_BAR = 16
PAUSE_TICKS = 20


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
    """The ideal grid: the recorded ticks, numbered from Start. ``tick_frames`` is their period."""

    frames: np.ndarray
    numbers: np.ndarray
    tick_frames: float

    @classmethod
    def of(cls, recording: Recorder) -> Grid:
        """Number the ticks since the clock last began: jack_midi_clock sends them while it rolls.

        The recorders may have lost some under load, the Start before them too.
        """
        frames = np.array([frame for frame, _ in recording.messages(0xF8)])
        period = float(np.median(np.diff(frames)))
        pauses = np.flatnonzero(np.diff(frames) > PAUSE_TICKS * period)
        frames = frames[pauses[-1] + 1 :] if len(pauses) else frames
        # A gap of whole ticks is ticks that were lost; any other, a clock that stood still.
        gaps = np.diff(frames) / period
        whole = np.abs(gaps - np.rint(gaps)) < 0.3
        steps = np.where(whole, np.rint(gaps), np.floor(gaps))
        numbers = np.concatenate([[0], np.cumsum(steps)])
        return cls(frames, numbers, period)

    def onset(self, frame: int, note: int) -> Onset:
        """Place a note-on by the tick nearest to it."""
        nearest = int(np.abs(self.frames - frame).argmin())
        ticks = self.numbers[nearest] + (frame - self.frames[nearest]) / self.tick_frames
        return Onset(frame, note, float(ticks / TICKS_PER_STEP))

    def error_frames(self, onset: Onset) -> float:
        """Return how far an onset lies from its step; positive is late."""
        return (onset.steps - onset.step) * TICKS_PER_STEP * self.tick_frames
