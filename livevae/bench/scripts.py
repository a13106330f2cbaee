"""Scripts of MIDI clock: what a source sends and when, and where the ideal grid lies.

A script is known exactly before it is played: the error of a note is its distance from the
script's grid, never from what a follower took for the tempo. Frames are JACK's, at ``RATE``; the
first clock of a script is ideally at frame 0.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt

from livevae.pattern.pattern import BEATS_PER_BAR, STEPS_PER_BAR

RATE: Final = 48_000
BPM: Final = 120.0
TICKS_PER_BEAT: Final = 24
TICKS_PER_STEP: Final = 6
TICKS_PER_BAR: Final = TICKS_PER_BEAT * BEATS_PER_BAR
FEWEST_BARS: Final = 4
"""What every script has room in."""

CLOCK, START, STOP = b"\xf8", b"\xfa", b"\xfc"

JITTER_MS: Final = 1.5
DROPOUT_MS: Final = 150.0
DROPOUT_EVERY_BARS: Final = 3
JUMP: Final = 1.5
RAMP_TO_BPM: Final = 160.0
BARS_PER_START: Final = 2

_START_BEFORE: Final = RATE // 1000
"""MIDI asks for a millisecond at least between Start and the first clock."""
_STOP_TICKS: Final = 3
"""Stop comes half a step before the end, so that the step after the last is nobody's duty."""
_PAUSE_FRAMES: Final = RATE + 17
"""Between two starts; no multiple of a period, so that each falls elsewhere in JACK's cycle."""
SWEEPS_PER_S: Final = 250

Frames: TypeAlias = npt.NDArray[np.float64]
Event: TypeAlias = tuple[int, bytes]


class Script(msgspec.Struct, frozen=True, eq=False):
    """What is sent, and where the notes belong.

    ``grid`` are the frames of the steps and ``song_steps`` their positions in the song, in 16ths;
    ``watched`` are the indices of those steps that the case is about.
    """

    events: tuple[Event, ...]
    grid: Frames
    song_steps: npt.NDArray[np.int64]
    watched: frozenset[int] = frozenset()

    @property
    def seconds(self) -> float:
        """From frame 0 to the last message."""
        return self.events[-1][0] / RATE


Clock: TypeAlias = Callable[[int], Script]
"""Makes a script of so many bars."""


def steady(bars: int, bpm: float = BPM) -> Script:
    """Return one tempo, every tick on its frame."""
    return _script(_ticks(bars) * (BPM / bpm))


def jitter(bars: int, seed: int = 1) -> Script:
    """Return 120 BPM with Gaussian jitter of 1.5 ms on every tick, which does not add up."""
    ideal = _ticks(bars)
    deviation = np.random.default_rng(seed).normal(0, JITTER_MS * RATE / 1000, len(ideal))
    return _script(ideal, ideal + deviation)


def ramp(bars: int) -> Script:
    """Return a tempo that rises from 120 to 160 BPM, linearly in beats, in the middle half."""
    beats = np.arange(bars * TICKS_PER_BAR + 1) / TICKS_PER_BEAT
    begin, end = bars * BEATS_PER_BAR / 4, bars * BEATS_PER_BAR * 3 / 4
    slope = (RAMP_TO_BPM - BPM) / (end - begin)
    rising = np.clip(beats, begin, end) - begin
    minutes = (
        np.minimum(beats, begin) / BPM
        + np.log1p(slope * rising / BPM) / slope
        + np.maximum(beats - end, 0) / RAMP_TO_BPM
    )
    return _script(minutes * 60 * RATE)


def dropout(bars: int) -> Script:
    """Return 120 BPM that is silent for 150 ms in every third bar; watched is the beat after."""
    ideal = _ticks(bars)
    kept = np.ones(len(ideal), bool)
    watched: set[int] = set()
    for bar in range(DROPOUT_EVERY_BARS - 1, bars, DROPOUT_EVERY_BARS):
        # From the second half of the second beat, so that steps and a beat lie in the gap.
        first = bar * TICKS_PER_BAR + TICKS_PER_BEAT * 3 // 2
        lost = (ideal >= ideal[first]) & (ideal < ideal[first] + DROPOUT_MS * RATE / 1000)
        kept &= ~lost
        returned = first + int(lost.sum())
        step = -(-returned // TICKS_PER_STEP)
        watched.update(range(step, step + TICKS_PER_BEAT // TICKS_PER_STEP))
    return _script(ideal, kept=kept, watched=frozenset(watched))


def jump(bars: int) -> Script:
    """Return 120 BPM that is 180 from a bar line on; watched is all from one beat after."""
    ticks = np.arange(bars * TICKS_PER_BAR + 1)
    at = bars // 2 * TICKS_PER_BAR
    before, after = np.minimum(ticks, at), np.maximum(ticks - at, 0)
    first = (at + TICKS_PER_BEAT) // TICKS_PER_STEP
    watched = frozenset(range(first, bars * STEPS_PER_BAR))
    return _script((before + after / JUMP) * _tick_frames(), watched=watched)


def start(bars: int) -> Script:
    """Return a Start for every two bars, out of silence; watched are the first downbeats."""
    one = steady(BARS_PER_START)
    length = one.events[-1][0] + _PAUSE_FRAMES
    times = bars // BARS_PER_START
    return Script(
        tuple(
            (frame + turn * length, message)
            for turn in range(times)
            for frame, message in one.events
        ),
        np.concatenate([one.grid + turn * length for turn in range(times)]),
        np.tile(one.song_steps, times),
        frozenset(range(0, times * len(one.grid), len(one.grid))),
    )


def with_sweep(
    script: Script, values: Mapping[int, Sequence[int]], per_second: int = SWEEPS_PER_S
) -> Script:
    """Return the script with knobs that go through their values without pause.

    Args:
        script: what they are added to.
        values: of each controller.
        per_second: messages of each controller.
    """
    first = script.events[0][0] - RATE // 2
    moves = [
        (frame, bytes((0xB0, controller, sweep[number % len(sweep)])))
        for number, frame in enumerate(range(first, script.events[-1][0], RATE // per_second))
        for controller, sweep in values.items()
    ]
    events = sorted((*script.events, *moves), key=lambda event: event[0])
    return msgspec.structs.replace(script, events=tuple(events))


def _tick_frames() -> float:
    return RATE * 60 / BPM / TICKS_PER_BEAT


def _ticks(bars: int) -> Frames:
    """Return the frames of all ticks of so many bars, and of the bar line after them."""
    return np.arange(bars * TICKS_PER_BAR + 1, dtype=np.float64) * _tick_frames()


def _script(
    ideal: Frames,
    sent: Frames | None = None,
    kept: npt.NDArray[np.bool_] | None = None,
    watched: frozenset[int] = frozenset(),
) -> Script:
    """Return the script of a song whose ticks ideally lie at ``ideal``, the end included.

    Args:
        ideal: frame of every tick; the last is that of the end, at which nothing is sent.
        sent: where the ticks come instead, if not there.
        kept: which ticks are sent at all.
        watched: indices of steps.
    """
    last = len(ideal) - 1 - _STOP_TICKS
    frames = np.rint(ideal if sent is None else sent).astype(np.int64)[:last]
    clocks = frames if kept is None else frames[kept[:last]]
    events = [(int(frame), CLOCK) for frame in np.sort(clocks)]
    grid = ideal[:-1:TICKS_PER_STEP]
    return Script(
        ((events[0][0] - _START_BEFORE, START), *events, (round(float(ideal[last])), STOP)),
        grid,
        np.arange(len(grid)),
        watched,
    )
