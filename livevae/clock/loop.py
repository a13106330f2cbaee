"""Tempo and phase of a stream of clock ticks, whatever has happened to some of them.

The line through the ticks comes from a second-order delay-locked loop. Its gains are those of a
line fitted by least squares to as many ticks as it remembers (the expanding-memory polynomial
filter, Brookner, "Tracking and Kalman Filtering Made Easy", 1998). The memory grows by a tick
with each tick and shrinks by the evidence that the errors, which a true line leaves white, have
begun to lean to one side (innovation testing; Mehra, "On the identification of variances and
adaptive Kalman filtering", 1970). So one rule is wide on lock, narrow on a steady clock and
follows a ramp. Jitter is told from a lean by successive differences (von Neumann, "Distribution of
the ratio of the mean square successive difference to the variance", 1941).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from enum import Enum, auto
from typing import Final, NamedTuple

from livevae.clock.timeline import NS_PER_MS

ACQUIRE_TICKS: Final = 8
"""The line is fitted anew to all ticks until so many have come, which tells lost ones apart."""
LOCK_TICKS: Final = 24
MAX_MEMORY_TICKS: Final = 768
"""Eight bars: jitter of 1.5 ms leaves less than 0.1 ms of error."""
MIN_TICK_NS: Final = 4 * NS_PER_MS
MAX_TICK_NS: Final = 200 * NS_PER_MS
"""Ticks further apart than 12.5 BPM, or closer than 625 BPM, are no tempo."""
GATE_DEVIATIONS: Final = 5.0
MIN_GATE_NS: Final = 1.0 * NS_PER_MS
VARIANCE_TICKS: Final = 64
MIN_VARIANCE_NS2: Final = 20_000.0**2
"""One frame of audio: no clock is stamped more finely."""
LEAN_WINDOWS: Final = 4.0
"""Errors are averaged over a quarter of the memory to see whether they lean."""
LEAN_ALLOWED: Final = 1.5
LEAN_GAIN: Final = 2.0
"""Ticks forgotten for each unit by which the squared lean, over what white errors have, is more
than allowed. Found by simulation: within 1.25 of the Kalman filter that knows the drift, over
four decades of drift."""
WHOLE_WITHIN: Final = 0.15
"""Ticks; gaps further from whole ticks are jitter or another tempo."""
SLOWER_GAPS: Final = 4
"""Gaps of two ticks in a row that are half the tempo: so many losses in a row are none."""
STOOD_STILL: Final = 0.3
"""Ticks; the same where a gap is over and the tempo goes on as before."""


class TickLoop:
    """The line on which ticks fall.

    State: the line (``tick_ns``, ``_next_ns``, fitted to about ``_memory`` ticks), its errors (the
    last one, the variance of their jitter, their lean), the ticks it is being fitted to anew
    (``_heard``) and those that have strayed from it since one fell on it (``_strays``).
    """

    def __init__(self, tick_ns: float) -> None:
        """Wait for ticks; ``tick_ns`` is assumed until two have told the tempo."""
        self.tick_ns = tick_ns
        self._next_ns = 0.0
        self._forget()

    def _forget(self) -> None:
        self._last_ns: int | None = None
        self._ticks = 0
        self._memory = float(ACQUIRE_TICKS)
        self._variance = 0.0
        self._error_ns = 0.0
        self._lean = 0.0
        self._heard: list[int] = []
        self._heard_ticks = 0
        self._strays: list[int] = []

    @property
    def at_ns(self) -> float:
        """When the tick heard last was due on the line."""
        return self._next_ns - self.tick_ns

    @property
    def locked(self) -> bool:
        """Whether the line is known well enough to tell a stray tick from a new tempo."""
        return self._ticks >= LOCK_TICKS

    def lose(self) -> None:
        """Forget the phase: the source has gone silent. The tempo is kept."""
        self._forget()

    def begin(self, time_ns: int) -> None:
        """Expect a tick at ``time_ns``, unless one is due then as it is: a new phase begins."""
        if self._heard or self._last_ns is None:
            self._forget()
        elif abs(time_ns - self._next_ns) > self._gate_ns():
            self._move_to(time_ns)

    def hear(self, time_ns: int) -> int:
        """Take a tick; return by how many ticks the line has gone on with it.

        One, as a rule; 0 for a tick heard twice; more, now or with a tick to come, when ticks
        were lost.
        """
        last_ns = self._last_ns
        if last_ns is None or self._heard:
            return self._acquire(time_ns)
        error_ns = time_ns - self._next_ns
        if abs(error_ns) <= self._gate_ns():
            self._correct(time_ns, error_ns)
            return 1
        if time_ns - (self._strays or [last_ns])[-1] < self._bunch_ns():
            # Delivered in a burst with the tick before it, or that tick once more: JACK hands a
            # stale buffer over when the program upstream misses its cycle. The next will tell.
            return 0
        return self._stray(last_ns, time_ns)

    def _correct(self, time_ns: int, error_ns: float) -> None:
        """Bend the line towards a tick that is ``error_ns`` late."""
        self._last_ns = time_ns
        self._ticks += 1
        self._strays = []
        share = 1 / min(self._ticks, VARIANCE_TICKS)
        change_ns, self._error_ns = error_ns - self._error_ns, error_ns
        self._variance += (change_ns * change_ns / 2 - self._variance) * share
        share = min(LEAN_WINDOWS / self._memory, 0.5)
        self._lean += (error_ns - self._lean) * share
        white = max(self._variance, MIN_VARIANCE_NS2) * share / (2 - share)
        forgotten = LEAN_GAIN * max(self._lean * self._lean / white - LEAN_ALLOWED, 0.0)
        n = min(max(self._memory + 1 - forgotten, ACQUIRE_TICKS), MAX_MEMORY_TICKS)
        self._memory = n
        self.tick_ns += error_ns * 6 / (n * (n + 1))
        self._next_ns += error_ns * 2 * (2 * n - 1) / (n * (n + 1)) + self.tick_ns

    def _gate_ns(self) -> float:
        """How far a tick may stray before it is taken for a drop-out or a tempo jump.

        Never more than half a tick, beyond which a tick would be mistaken for its neighbour.
        """
        gate_ns = max(GATE_DEVIATIONS * math.sqrt(self._variance), MIN_GATE_NS)
        return min(gate_ns, self.tick_ns / 2)

    def _bunch_ns(self) -> float:
        """Ticks closer together than this are no tempo."""
        return min(MIN_TICK_NS, self.tick_ns / 4)

    def _stray(self, last_ns: int, time_ns: int) -> int:
        """Judge the ticks that have strayed since the one at ``last_ns``; one says nothing yet."""
        self._strays.append(time_ns)
        if len(self._strays) == 1:
            # It may be jitter that has grown: let the gate grow with it.
            self._variance *= 1 + GATE_DEVIATIONS**2 / VARIANCE_TICKS
            return self._ride_on()
        origin_ns = self._next_ns - self.tick_ns * len(self._strays)
        heard = [last_ns, *self._strays]
        verdict = _judge([(at_ns - origin_ns) / self.tick_ns for at_ns in heard])
        if verdict is _Verdict.OPEN:
            return self._ride_on()
        if verdict is _Verdict.OTHER_TEMPO:
            self._forget()
            self._heard = heard[:-1]
            self._heard_ticks = len(heard) - 2  # the ticks ridden over
            return self._acquire(time_ns)
        self._next_ns += verdict * self.tick_ns
        if abs(time_ns - self._next_ns) > self._gate_ns():
            self._move_to(time_ns)
        self._correct(time_ns, time_ns - self._next_ns)
        return verdict + 1

    def _ride_on(self) -> int:
        """Go on along the line as it is."""
        self._next_ns += self.tick_ns
        return 1

    def _move_to(self, time_ns: int) -> None:
        """Put the next tick at ``time_ns``; the tempo is kept until the ticks tell another."""
        self._next_ns = float(time_ns)
        self._memory = float(ACQUIRE_TICKS)
        self._lean = 0.0
        self._strays = []

    def _acquire(self, time_ns: int) -> int:
        """Fit a line to the few ticks heard so far."""
        heard = self._heard
        if heard and time_ns - heard[-1] < self._bunch_ns():
            return 0
        heard.append(time_ns)
        self._last_ns = time_ns
        self._ticks = len(heard)
        if self._ticks == 1:
            self._next_ns = time_ns + self.tick_ns
            return 1
        numbers, line = _best_line(heard)
        if not MIN_TICK_NS <= line.tick <= MAX_TICK_NS:
            self._forget()
            return self._acquire(time_ns)
        self.tick_ns = line.tick
        self._next_ns = line.last + line.tick
        gone = numbers[-1] - self._heard_ticks
        self._heard_ticks = numbers[-1]
        if self._ticks == ACQUIRE_TICKS:
            # The errors of what such a line predicts vary half as much again, and few are known.
            self._variance = 2 * line.errors / (ACQUIRE_TICKS - 2)
            self._heard, self._heard_ticks = [], 0
        return gone


class _Line(NamedTuple):
    """A line fitted to ticks: their distance, where the last one is due, the squared errors."""

    tick: float
    last: float
    errors: float


def _best_line(heard: Sequence[int]) -> tuple[Sequence[int], _Line]:
    """Return the numbers of the ticks heard and the line through them.

    They are numbered one by one, or by the whole numbers of their median distance that lie between
    them, which tells lost ones, once there are enough to know it and if that is far nearer a line.
    """
    one_by_one = range(len(heard))
    line = _fit(one_by_one, heard)
    gaps = [after - before for before, after in itertools.pairwise(heard)]
    median = sorted(gaps)[(len(gaps) - 1) // 2]
    numbers = [0, *itertools.accumulate(max(round(gap / median), 1) for gap in gaps)]
    if len(heard) < 4 or numbers[-1] == one_by_one[-1]:
        return one_by_one, line
    with_gaps = _fit(numbers, heard)
    return (numbers, with_gaps) if with_gaps.errors < line.errors / 4 else (one_by_one, line)


def _fit(numbers: Sequence[int], heard: Sequence[float]) -> _Line:
    """Fit a line by least squares to ticks of known numbers."""
    middle = sum(numbers) / len(numbers)
    after = [tick - heard[0] for tick in heard]
    mean = sum(after) / len(after)
    pairs = [(number - middle, tick - mean) for number, tick in zip(numbers, after, strict=True)]
    slope = sum(number * tick for number, tick in pairs) / sum(number**2 for number, _ in pairs)
    errors = sum((tick - number * slope) ** 2 for number, tick in pairs)
    return _Line(slope, heard[0] + mean + (numbers[-1] - middle) * slope, errors)


class _Verdict(Enum):
    """What strays can mean, ticks lost apart."""

    OPEN = auto()
    OTHER_TEMPO = auto()


def _judge(heard: Sequence[float]) -> int | _Verdict:
    """Return how many ticks were lost among strays, or what else they tell.

    Each reading leaves a sum of squared errors; the one that leaves least is believed.

    Args:
        heard: positions on the line, in ticks: of the last tick that fell on 0, give or take
            jitter, and of the strays since.
    """
    first, *strays = heard
    lost = sum((at - round(at)) ** 2 for at in heard)
    still = math.inf
    late = [at - number for number, at in enumerate(strays, 1)]
    mean_late = sum(late) / len(late)
    if strays[0] > 1.5:
        still = first**2 + sum((ticks - mean_late) ** 2 for ticks in late)
    other = _fit(range(len(heard)), heard)
    if other.errors <= min(lost, still):
        slower = other.tick > 1.5 and abs(other.tick - round(other.tick)) < WHOLE_WITHIN
        return _Verdict.OPEN if slower and len(strays) < SLOWER_GAPS else _Verdict.OTHER_TEMPO
    if lost <= still:
        return max(round(late[-1]), 0)
    # Ticks lost while the line was not known well leave a gap of nearly whole ticks.
    near = abs(mean_late - round(mean_late)) < STOOD_STILL
    return round(mean_late) if near else math.floor(mean_late)
