"""Position-indexed scheduling: which notes sound between two moments of a Timeline.

Everything is indexed by position: a hit is due when its position, not a count of ticks, enters
the window. So seeks, tempo changes and drop-outs need no case of their own.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final, Literal

import msgspec

from livevae.clock.timeline import NS_PER_MS, Timeline
from livevae.midi.ports import (
    ALL_NOTES_OFF,
    ALL_SOUND_OFF,
    CONTROL_CHANGE,
    NOTE_OFF,
    NOTE_ON,
    MidiPort,
)
from livevae.pattern.pattern import STEPS_PER_BAR, STEPS_PER_BEAT, VOICES, Pattern
from livevae.pattern.render import MAX_SHIFT_STEPS, Feel, Hit, render

Source = Literal["exact", "grid", "held", "missed"]

RINGING: Final = {"open_hat": 4.0, "crash": 8.0, "ride": 4.0}
NOTE_STEPS: Final = tuple(RINGING.get(voice, 1.0) for voice in VOICES)
"""How long each voice's notes last, unless the next of its pitch or a choke ends them: cymbals
ring, for instruments that cut a sound off with its note."""
CHOKES: Final = {VOICES.index("closed_hat"): VOICES.index("open_hat")}
"""Which voice a voice stops: one hi-hat cannot be open and closed."""
LATE_JUMP_STEPS: Final = 0.5
"""A jump at a bar line may be heard of this much after the line."""
REST_NS: Final = NS_PER_MS
"""Silence between two notes of one pitch, so that no receiver merges them."""


class Choice(msgspec.Struct, frozen=True, eq=False):
    """The pattern a bar shall play, and where it came from."""

    pattern: Pattern
    source: Source


class Bar:
    """A bar being played or about to be. Once committed its pattern stays; its feel may change."""

    def __init__(self, number: int, choice: Choice, feel: Feel, seed: int) -> None:
        """Render bar ``number`` of the song from ``choice``."""
        self.number = number
        self.start = number * STEPS_PER_BAR
        self.committed = False
        self.hits: list[Hit] = []
        self.played: set[tuple[int, int]] = set()
        self._seed = seed
        self.update(choice, feel)

    def update(self, choice: Choice, feel: Feel) -> None:
        """Render again from another pattern or with another feel.

        ``owed`` are the cells whose hits lay ahead before: they must not be lost by moving back.
        """
        self.owed = {(hit.step, hit.voice) for hit in self.hits} - self.played
        self.choice = choice
        self.feel = feel
        self.hits = render(choice.pattern, feel, self.number, self._seed)


class Note(msgspec.Struct):
    """The latest note of one pitch; ``released`` once its note-off is with the port."""

    began_ns: int
    end_ns: int
    released: bool = False


class NoteBook:
    """The latest note of every pitch, and when it ends: what a note-off is owed to.

    A note stays in the book after its note-off is with the port, which may yet be told to cancel
    it, or to send another note-on first.
    """

    def __init__(self, port: MidiPort, channel: int) -> None:
        """Write notes to ``port`` on ``channel`` (1..16)."""
        self._port = port
        self._channel = channel - 1
        self._notes: dict[int, Note] = {}

    def play(self, on_ns: int, note: int, velocity: int, length_ns: int) -> None:
        """Sound ``note``; one that is still on ends first, one that has just begun goes on."""
        last = self._notes.get(note)
        if last is not None and last.released:
            on_ns = max(on_ns, last.end_ns)
        elif last is not None:
            if on_ns - last.began_ns < 2 * REST_NS:
                return
            self._port.send(min(last.end_ns, on_ns - REST_NS), bytes((self._off, note, 0)))
        self._port.send(on_ns, bytes((NOTE_ON | self._channel, note, velocity)))
        began_ns = max(on_ns, self._port.now_ns())  # what is late is sent now
        self._notes[note] = Note(began_ns, began_ns + length_ns)

    def choke(self, on_ns: int, note: int) -> None:
        """End ``note`` at ``on_ns``, if it has begun by then and still rings."""
        last = self._notes.get(note)
        if last is not None and not last.released and on_ns - last.began_ns >= REST_NS:
            last.end_ns = min(last.end_ns, on_ns)

    def release(self, until_ns: int) -> None:
        """End the notes whose time is up before ``until_ns``."""
        for note, last in self._notes.items():
            if last.end_ns < until_ns and not last.released:
                self._port.send(last.end_ns, bytes((self._off, note, 0)))
                last.released = True

    def silence(self, now_ns: int) -> None:
        """Unsend what has not sounded and end every note, one that is just being sent included."""
        self._port.cancel(now_ns)
        for note, last in self._notes.items():
            if not last.released or last.end_ns > now_ns:
                last.end_ns = max(now_ns, min(last.began_ns, now_ns) + REST_NS)
                last.released = True
                self._port.send(last.end_ns, bytes((self._off, note, 0)))

    def panic(self, now_ns: int) -> None:
        """Silence, and tell the receiver to forget notes that LiveVAE knows nothing of."""
        self.silence(now_ns)
        for controller in (ALL_SOUND_OFF, ALL_NOTES_OFF):
            self._port.send(now_ns, bytes((CONTROL_CHANGE | self._channel, controller, 0)))
        for note in range(128):
            last = self._notes.get(note)
            # A note that has just ended is ended twice: a message can be lost on its way.
            off_ns = max(now_ns, last.end_ns) if last else now_ns
            self._port.send(off_ns, bytes((self._off, note, 0)))

    @property
    def _off(self) -> int:
        return NOTE_OFF | self._channel


class Scheduler:
    """Sends the notes of successive bars, each hit once, in the order of their positions."""

    def __init__(
        self, notes: NoteBook, kit: tuple[int, ...], seed: int, choose: Callable[[], Choice]
    ) -> None:
        """Play ``kit`` (nine notes in voice order).

        Args:
            notes: where notes go.
            kit: output note of each voice.
            seed: of the small variations.
            choose: returns what the next bar shall play; the same object while nothing changed.
        """
        self.counts: dict[Source, int] = {"exact": 0, "grid": 0, "held": 0, "missed": 0}
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

    @property
    def playing(self) -> Bar | None:
        """The committed bar that began last."""
        return next((bar for bar in reversed(self._bars) if bar.committed), None)

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
        self._open_bars(horizon, feel)
        due: list[tuple[float, Hit]] = []
        for bar in self._bars:
            taken = self._take(bar, timeline, horizon)
            due += taken
            if not bar.committed and (taken or horizon >= bar.start):
                bar.committed = True
                self._count(bar, timeline, now_ns)
        self._bars = [bar for bar in self._bars if bar.start + 2 * STEPS_PER_BAR > horizon]
        step_ns = timeline.beat_ns / STEPS_PER_BEAT
        for at, hit in sorted(due):
            on_ns = timeline.time_at(at / STEPS_PER_BEAT)
            if hit.voice in CHOKES:
                self._notes.choke(on_ns, self._kit[CHOKES[hit.voice]])
            length_ns = round(NOTE_STEPS[hit.voice] * step_ns)
            self._notes.play(on_ns, self._kit[hit.voice], hit.velocity, length_ns)
        self.notes_played += len(due)
        self._cursor = horizon

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
        known = {bar.number for bar in self._bars}
        for number in range(max(first, 0), last + 1):
            if number not in known:
                self._bars.append(Bar(number, self._choose(), feel, self._seed))
        for bar in self._bars:
            choice = bar.choice if bar.committed else self._choose()
            if choice is not bar.choice or feel is not bar.feel:
                bar.update(choice, feel)

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
        for hit in bar.hits:
            at = bar.start + hit.at
            if at >= horizon:
                break
            cell = (hit.step, hit.voice)
            if cell in bar.played:
                continue
            bar.played.add(cell)
            line_ns = self._anticipated.get(hit.voice)
            sounded = line_ns is not None and abs(begins_ns - line_ns) < step_ns
            if at < self._cursor and sounded:
                continue
            if max(at, bar.start + hit.step) >= self._cursor or cell in bar.owed:
                taken.append((max(at, self._cursor), hit))
        return taken

    def _count(self, bar: Bar, timeline: Timeline, now_ns: int) -> None:
        if bar.number <= self._counted:
            return
        self._counted = bar.number
        begins = max(bar.start, self._cursor) / STEPS_PER_BEAT
        late_ns = now_ns - timeline.time_at(begins)
        missed = late_ns > timeline.beat_ns / STEPS_PER_BEAT  # a whole step late is no bar
        self.counts["missed" if missed else bar.choice.source] += 1
