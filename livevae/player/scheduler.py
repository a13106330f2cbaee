"""Position-indexed scheduling: which notes sound between two moments of a Timeline.

Everything is indexed by position: a hit is due when its position, not a count of ticks, enters
the window. So seeks, tempo changes and drop-outs need no case of their own.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

from livevae.clock.timeline import Timeline
from livevae.pattern.pattern import STEPS_PER_BAR, STEPS_PER_BEAT, VOICES
from livevae.pattern.render import MAX_SHIFT_STEPS, Feel, Hit
from livevae.player.bar import SOURCES, Bar, Choice, Source
from livevae.player.notes import NoteBook

RINGING: Final = {"open_hat": 4.0, "crash": 8.0, "ride": 4.0}
NOTE_STEPS: Final = tuple(RINGING.get(voice, 1.0) for voice in VOICES)
"""How long each voice's notes last, unless the next of its pitch or a choke ends them: cymbals
ring, for instruments that cut a sound off with its note."""
CHOKES: Final = {VOICES.index("closed_hat"): VOICES.index("open_hat")}
"""Which voice a voice stops: one hi-hat cannot be open and closed."""
LATE_JUMP_STEPS: Final = 0.5
"""A jump at a bar line may be heard of this much after the line."""


class Scheduler:
    """Sends the notes of successive bars, each hit once, in the order of their positions.

    What plays from a step on is asked anew until that step is reached, and stands then.
    """

    def __init__(
        self, notes: NoteBook, kit: tuple[int, ...], seed: int, choose: Callable[[int], Choice]
    ) -> None:
        """Play ``kit`` (nine notes in voice order).

        Args:
            notes: where notes go.
            kit: output note of each voice.
            seed: of the small variations.
            choose: returns what shall be played from a step of the song on; the same object while
                nothing changed.
        """
        self.counts: dict[Source, int] = dict.fromkeys(SOURCES, 0)
        self.notes_played = 0
        self._notes = notes
        self._kit = kit
        self._seed = seed
        self._choose = choose
        self._cursor = 0.0
        self._counted = -1
        self._bars: list[Bar] = []
        self._timeline: Timeline | None = None
        self._anticipated: dict[int, int] = {}

    def next_step(self) -> int:
        """Return the first step of the song that can still be played otherwise."""
        return math.ceil(self.next_change(1))

    def next_change(self, quantum: int) -> float:
        """Return from which multiple of ``quantum`` on something else can be played."""
        for bar in self._bars:
            if bar.decided < STEPS_PER_BAR:
                return max(_boundary(bar.start + bar.decided, quantum), self._cursor)
        if self._bars:
            return _boundary(self._bars[-1].start + STEPS_PER_BAR, quantum)
        return self._cursor

    def next_due(self) -> float:
        """Return up to which step of the song, as chosen by now, there is nothing to send."""
        ahead = [bar.start + bar.ahead[0].at for bar in self._bars if bar.ahead]
        opened = self._bars[-1].start + STEPS_PER_BAR if self._bars else self._cursor
        return min([opened - MAX_SHIFT_STEPS, *ahead])

    def last_heard(self, beats: float) -> Choice | None:
        """Return what plays the last bar once more that has been heard to its end at ``beats``."""
        ends = [bar for bar in self._bars if bar.start + STEPS_PER_BAR <= beats * STEPS_PER_BEAT]
        return ends[-1].again() if ends else None

    def jump(self, beats: float, now_ns: int) -> None:
        """Fall silent and go on from ``beats``."""
        if self._bars and self._timeline is not None:
            self._anticipated = self._heard_early(self._timeline, now_ns)
        self._notes.silence(now_ns)
        self._cursor = beats * STEPS_PER_BEAT
        self._counted = math.floor(self._cursor / STEPS_PER_BAR) - 1
        self._bars = []

    def advance(self, timeline: Timeline, now_ns: int, until_ns: int, feel: Feel) -> None:
        """Send every hit due before ``until_ns``."""
        self._timeline = timeline
        horizon = timeline.beats_at(until_ns) * STEPS_PER_BEAT
        if horizon <= self._cursor:
            return
        self._skip_stall(timeline.beats_at(now_ns) * STEPS_PER_BEAT)
        news = False
        # Step by step: after a pass that came late each step is still asked for before the next.
        while self._cursor < horizon:
            edge = min(math.floor(self._cursor) + 1, horizon)
            self._open_bars(edge, feel)
            news = self._send(timeline, now_ns, edge)
            self._cursor = edge
        if news:
            self._open_bars(horizon, feel)  # what the next step plays is known by now

    def _send(self, timeline: Timeline, now_ns: int, horizon: float) -> bool:
        """Send every hit due before ``horizon``, which is no further than the next step.

        Returns whether a step was decided.
        """
        news = False
        due: list[tuple[float, Hit]] = []
        for bar in self._bars:
            taken = self._take(bar, timeline, horizon)
            due += taken
            if bar.decide(max([horizon - bar.start, *(hit.step for _, hit in taken)])):
                news = True
                self._count(bar, timeline, now_ns)
        if self._bars and self._bars[0].start + 2 * STEPS_PER_BAR <= horizon:
            del self._bars[0]
        step_ns = timeline.beat_ns / STEPS_PER_BEAT
        for at, hit in sorted(due):
            on_ns = timeline.time_at(at / STEPS_PER_BEAT)
            if hit.voice in CHOKES:
                self._notes.choke(on_ns, self._kit[CHOKES[hit.voice]])
            length_ns = round(NOTE_STEPS[hit.voice] * step_ns)
            self._notes.play(on_ns, self._kit[hit.voice], hit.velocity, length_ns)
        self.notes_played += len(due)
        return news

    def _skip_stall(self, present: float) -> None:
        """After a stall of more than a beat (the machine slept), go on from the present."""
        if present - self._cursor > STEPS_PER_BEAT:
            begun = math.floor(present / STEPS_PER_BAR)
            self.counts["missed"] += max(begun - self._counted, 0)
            self._counted = max(begun, self._counted)
            self._cursor = present

    def _open_bars(self, horizon: float, feel: Feel) -> None:
        """Have every bar ready whose hits, early ones included, may be due before ``horizon``."""
        first = math.floor(self._cursor / STEPS_PER_BAR)
        last = math.floor((horizon + MAX_SHIFT_STEPS) / STEPS_PER_BAR)
        opened = self._bars[-1].number if self._bars else -1
        for bar in self._bars:
            choice = bar.choice
            if bar.decided < STEPS_PER_BAR:
                choice = self._choose(bar.start + bar.decided)
            over = bar.start + STEPS_PER_BAR + MAX_SHIFT_STEPS <= self._cursor
            if not over and (choice is not bar.choice or feel is not bar.feel):
                bar.update(choice, feel)
        for number in range(max(first, opened + 1), last + 1):
            choice = self._choose(number * STEPS_PER_BAR)
            self._bars.append(Bar(number, choice, feel, self._seed))

    def _heard_early(self, timeline: Timeline, now_ns: int) -> dict[int, int]:
        """Return the voices that have sounded ahead of a step still to come, and its time.

        A loop leaves just before that step, to begin with one that may be early on the same voice.
        """
        present = timeline.beats_at(now_ns) * STEPS_PER_BEAT
        return {
            hit.voice: timeline.time_at((bar.start + hit.step) / STEPS_PER_BEAT)
            for bar in self._bars
            for hit in bar.hits
            if (hit.step, hit.voice) in bar.played
            and hit.at < hit.step
            and bar.start + hit.at <= present <= bar.start + hit.step + LATE_JUMP_STEPS
        }

    def _take(self, bar: Bar, timeline: Timeline, horizon: float) -> list[tuple[float, Hit]]:
        """Return the hits of ``bar`` now due, at their positions in steps; each is taken once.

        A hit found behind the cursor is played at once if its step is still ahead (it is early,
        and playing began within its lead) or if it lay ahead before the feel changed; else it is
        past. An early one that has sounded already, on its way to where a loop ends, is not
        played again.
        """
        begins_ns = timeline.time_at(self._cursor / STEPS_PER_BEAT)
        step_ns = timeline.beat_ns / STEPS_PER_BEAT
        taken = []
        while bar.ahead and bar.start + bar.ahead[0].at < horizon:
            hit = bar.ahead.pop(0)
            at = bar.start + hit.at
            cell = (hit.step, hit.voice)
            bar.played.add(cell)
            line_ns = self._anticipated.get(hit.voice)
            sounded = line_ns is not None and abs(begins_ns - line_ns) < step_ns
            if at < self._cursor and sounded:
                continue
            if max(at, bar.start + hit.step) >= self._cursor or cell in bar.owed:
                taken.append((max(at, self._cursor), hit))
        return taken

    def _count(self, bar: Bar, timeline: Timeline, now_ns: int) -> None:
        """Count a bar once, by the worst of its choices."""
        source = bar.choice.source
        if bar.counted is not None:
            if SOURCES.index(source) > SOURCES.index(bar.counted):
                self.counts[bar.counted] -= 1
                self.counts[source] += 1
                bar.counted = source
            return
        if bar.number <= self._counted:
            return
        self._counted = bar.number
        begins = max(bar.start, self._cursor) / STEPS_PER_BEAT
        late_ns = now_ns - timeline.time_at(begins)
        missed = late_ns > timeline.beat_ns / STEPS_PER_BEAT  # a whole step late is no bar
        bar.counted = "missed" if missed else source
        self.counts[bar.counted] += 1


def _boundary(step: int, quantum: int) -> int:
    """Return the first multiple of ``quantum`` at or after ``step``."""
    return -(-step // quantum) * quantum
