"""The player: what comes in, what goes out, once a pass; time is the port's, state is named.

``Player.step`` is the whole of it. The live loop calls it as time passes; the offline renderer
calls it as fast as it can on a memory port. It is the same code, so it is the same music.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Final

import msgspec

from livevae.clock.follower import MidiClockFollower
from livevae.clock.internal import InternalClock
from livevae.clock.timeline import NS_PER_MS, Transport
from livevae.config import Binding
from livevae.decoder.bank import Bank, Position
from livevae.midi.ports import (
    ALL_NOTES_OFF,
    ALL_SOUND_OFF,
    Connections,
    MidiPort,
)
from livevae.midi.wire import heard
from livevae.parameters import PARAMETERS, Kind
from livevae.pattern.pattern import STEPS_PER_BAR, empty
from livevae.player.controls import ControlMap
from livevae.player.performance import Performance
from livevae.player.scheduler import Choice, NoteBook, Scheduler, Source

SYSTEM_REALTIME: Final = 0xF0
SYSTEM_RESET: Final = 0xFF
PASSES_PER_LEAD: Final = 3
"""How often the player looks ahead within its lead: one late pass must do no harm."""

Command = tuple[str, float]
"""A control and its new float."""


class Status(msgspec.Struct, frozen=True):
    """What the player says of itself; the supervisor and `livevae status` read it."""

    backend: str
    port: str
    clock: str
    clock_alive: bool
    locked: bool
    playing: bool
    bpm: float
    beats: float
    bars: dict[Source, int]
    notes: int
    late_p99_ms: float
    late_max_ms: float
    connections: Connections
    values: dict[str, float]
    commands: int
    fault: str
    realtime: str = ""


class Player:
    """Follows a clock, listens to controls and plays what the bank holds."""

    def __init__(
        self,
        port: MidiPort,
        bank: Bank,
        *,
        kit: tuple[int, ...],
        channel: int = 10,
        seed: int = 0,
        bindings: Mapping[str, Binding] | None = None,
        controls: Mapping[str, float] | None = None,
    ) -> None:
        """Stand ready at the port's present; ``controls`` are the starting values."""
        now_ns = port.now_ns()
        self._port = port
        self._bank = bank
        self._performance = Performance(controls or {})
        self._map = ControlMap(bindings or {})
        self._notes = NoteBook(port, channel)
        self._scheduler = Scheduler(self._notes, kit, seed, self._choose)
        self._follower = MidiClockFollower(now_ns)
        self._internal = InternalClock(self._performance.values["bpm"], now_ns)
        self._clock = self._performance.choice("clock")
        self._following = self._clock
        self._jumps = 0
        self._commands: deque[Command] = deque()
        self.commands_done = 0
        self._wanted: Position | None = None
        silence = empty(bank.shape.steps // STEPS_PER_BAR)
        self._choice = Choice(silence, "held")
        self._choice_for: tuple[object, object] = (None, None)
        self._want()
        self._run_internal(now_ns)

    def command(self, name: str, number: float) -> None:
        """Set a control, or pull a trigger, at the next pass; callable from any thread."""
        self._commands.append((name, number))

    def step(self) -> int:
        """Do all that is due and return when to be called again, at the latest."""
        now_ns = self._port.now_ns()
        for time_ns, packet in iter(self._port.receive, None):
            for message in heard(packet):
                self._take(time_ns, message, now_ns)
        while self._commands:
            self._apply(*self._commands.popleft(), now_ns)
            self.commands_done += 1
        self._want()
        self._follower.poll(now_ns)
        transport = self._transport()
        if self._clock != self._following:
            # Another clock, whose song may have been playing for long: go on where it is by now.
            self._following = self._clock
            self._jumps = transport.jumps
            self._scheduler.jump(transport.timeline.beats_at(now_ns), now_ns)
        elif transport.jumps != self._jumps:
            self._jumps = transport.jumps
            self._scheduler.jump(transport.start_beats, now_ns)
        horizon_ns = now_ns + self._port.lead_ns
        if transport.playing:
            delay_ns = round(self._performance.values["sync_delay"] * NS_PER_MS)
            timeline = transport.timeline.delayed(delay_ns)
            self._scheduler.advance(timeline, now_ns, horizon_ns, self._performance.feel)
        self._notes.release(horizon_ns)
        return now_ns + self._port.lead_ns // PASSES_PER_LEAD

    def panic(self) -> None:
        """Silence everything now."""
        self._notes.panic(self._port.now_ns())

    def status(self) -> Status:
        """Return how things stand."""
        transport = self._transport()
        late_ns = sorted(self._port.lateness_ns()) or [0]
        return Status(
            backend=type(self._port).__name__.removesuffix("Port").lower(),
            port=self._port.name,
            clock=self._clock,
            clock_alive=self._follower.alive or self._clock == "internal",
            locked=transport.locked,
            playing=transport.playing,
            bpm=transport.timeline.bpm,
            beats=transport.timeline.beats_at(self._port.now_ns()) if transport.playing else 0.0,
            bars=dict(self._scheduler.counts),
            notes=self._scheduler.notes_played,
            late_p99_ms=late_ns[len(late_ns) * 99 // 100] / NS_PER_MS,
            late_max_ms=late_ns[-1] / NS_PER_MS,
            connections=self._port.connections(),
            values=dict(self._performance.values),
            commands=self.commands_done,
            fault=self._port.fault(),
        )

    def _transport(self) -> Transport:
        source = self._internal if self._clock == "internal" else self._follower
        return source.transport

    def _take(self, time_ns: int, message: bytes, now_ns: int) -> None:
        status = message[0]
        if status == SYSTEM_RESET:
            self._apply("panic", 1.0, now_ns)
        elif status >= SYSTEM_REALTIME:
            self._follower.receive(time_ns, message)
        elif message[1] in (ALL_SOUND_OFF, ALL_NOTES_OFF):
            self._notes.silence(now_ns)
        elif moved := self._map.target(message):
            self._apply(*moved, now_ns)

    def _apply(self, name: str, number: float, now_ns: int) -> None:
        if PARAMETERS[name].kind is Kind.TRIGGER:
            if name == "panic" and number:
                self._notes.panic(now_ns)
            return
        if not self._performance.set(name, number):
            return
        if name == "bpm":
            self._internal.set_tempo(number, now_ns)
        elif name in ("clock", "play"):
            self._clock = self._performance.choice("clock")
            self._run_internal(now_ns)

    def _run_internal(self, now_ns: int) -> None:
        """Start or stop the internal clock; it starts a lead ahead, so that beat 0 is on time."""
        running = self._clock == "internal" and bool(self._performance.values["play"])
        if running and not self._internal.transport.playing:
            self._internal.start(now_ns + self._port.lead_ns)
        elif not running and self._internal.transport.playing:
            self._internal.stop()

    def _want(self) -> None:
        """Ask for the exact pattern where the hand is now; however it got there in this pass."""
        if self._wanted is not self._performance.position:
            self._wanted = self._performance.position
            self._bank.want(self._wanted)

    def _choose(self) -> Choice:
        """Return what the next bar shall play: exact, else the grid's nearest, else as before."""
        key = (self._performance.position, self._bank.news)
        if self._choice_for[0] is key[0] and (
            self._choice_for[1] == key[1] or self._choice.source == "exact"
        ):
            return self._choice
        self._choice_for = key
        position = self._performance.position
        exact = self._bank.exact(position)
        if exact is not None:
            self._choice = Choice(exact, "exact")
        elif (nearest := self._bank.nearest(position)) is not None:
            self._choice = Choice(nearest, "grid")
        else:
            playing = self._scheduler.playing
            self._choice = Choice(
                playing.choice.pattern if playing else self._choice.pattern, "held"
            )
        return self._choice
