"""The player: what comes in, what goes out, once a pass; time is the port's, state is named.

``Player.step`` is the whole of it. The live loop calls it as time passes; the offline renderer
calls it as fast as it can on a memory port. It is the same code, so it is the same music.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from livevae.clock.link import LinkClock
from livevae.clock.timeline import NEVER_NS, NS_PER_MS, Transport
from livevae.decoder.bank import Bank
from livevae.midi.binding import Binding, Move
from livevae.midi.ports import (
    ALL_NOTES_OFF,
    ALL_SOUND_OFF,
    CONTROL_CHANGE,
    SYSTEM,
    Connections,
    MidiPort,
)
from livevae.midi.wire import heard
from livevae.parameters import PARAMETERS, POSITION, Kind
from livevae.pattern.pattern import STEPS_PER_BEAT
from livevae.player.arranger import Arranger
from livevae.player.bar import Source
from livevae.player.chooser import Chooser
from livevae.player.clock_out import ClockOut
from livevae.player.clocks import Clocks
from livevae.player.controls import ControlMap
from livevae.player.delay import Delay
from livevae.player.memory import Change, Memory, Scenes
from livevae.player.notes import NoteBook
from livevae.player.performance import Performance
from livevae.player.scheduler import Scheduler
from livevae.player.tape import Tape, Taped

SYSTEM_RESET: Final = 0xFF
LEADS_LEFT: Final = 0.5
"""The pass that sends a message comes so long before its time, in leads of the port: to be late by
that does no harm. A pass that would find nothing to send is saved; to wake is dearer than it."""
LONGEST_REST_NS: Final = 25 * NS_PER_MS
"""A pass comes at least so often: what is not announced by a message has to be looked for."""


class Status(msgspec.Struct, frozen=True):
    """What the player says of itself; the supervisor and `livevae status` read it."""

    backend: str
    port: str
    clock: str
    clock_alive: bool
    clock_source: str
    """Whose MIDI clock is followed, or waited for; empty while that is anyone's."""
    other_clocks: tuple[str, ...]
    """Who else sends MIDI clock, which is ignored."""
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
    link_peers: int = 0
    realtime: str = ""
    moves: tuple[Move, ...] = ()
    """What controllers have sent of late, while `livevae learn` asks for it."""


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
        bindings: Mapping[str, Sequence[Binding]] | None = None,
        controls: Mapping[str, float] | None = None,
        link: LinkClock | None = None,
        tape: Tape | None = None,
    ) -> None:
        """Stand ready at the port's present; ``controls`` are the starting values."""
        now_ns = port.now_ns()
        self._port = port
        self.bank = bank
        """The bank to play from; any thread may put another here, with its grid in it: a pass
        takes it up, and it is heard from the next bar line on."""
        self.scenes: Scenes = ()
        """What ``scene`` recalls by number, from 1; any thread may put others here."""
        self._performance = Performance(controls or {})
        self._memory = Memory(self._performance)
        self._map = ControlMap(bindings or {})
        self._tape = tape or Tape.in_memory()
        self._notes = NoteBook(Taped(port, self._tape), channel)
        self._chooser = Chooser(bank.shape.steps)
        self._arranger = Arranger(self._chooser)
        self._scheduler = Scheduler(self._notes, kit, seed, self._arranger.at)
        self._clocks = Clocks(port, self._performance, link)
        self._clock_out = ClockOut(port)
        self._note_delay = Delay(self._wanted_delay_ns("notes"), now_ns)
        self._clock_delay = Delay(self._wanted_delay_ns("clock"), now_ns)
        self._horizon_ns = now_ns + port.lead_ns
        self._following = self._performance.choice("clock")
        self._jumps = 0
        self._next_change = 0.0
        self._commands: deque[Sequence[Change] | ControlMap] = deque()
        self.commands_done = 0
        self._chooser.want(bank, self._performance.position)
        self._clocks.choose(now_ns, self._unsent_ns())

    @property
    def backend(self) -> str:
        """The MIDI system it plays on."""
        return type(self._port).__name__.removesuffix("Port").lower()

    def command(self, name: str, number: float) -> None:
        """Set a control, or pull a trigger, at the next pass; callable from any thread."""
        self.change(((name, number),))

    def change(self, changes: Sequence[Change]) -> None:
        """Set several controls at the next pass, all in one step of undo; from any thread."""
        self._commands.append(changes)

    def remap(self, control_map: ControlMap) -> None:
        """Hear controllers through another map from the next pass on; callable from any thread."""
        self._commands.append(control_map)

    def step(self) -> int:
        """Do all that is due and return when to be called again, at the latest."""
        now_ns = self._port.now_ns()
        for time_ns, packet, source in iter(self._port.receive, None):
            for message in heard(packet):
                self._take(time_ns, message, source, now_ns)
        while self._commands:
            order = self._commands.popleft()
            if isinstance(order, ControlMap):
                self._map = order
            else:
                self._change(order, now_ns)
            self.commands_done += 1
        self._clocks.poll(now_ns, self._unsent_ns())
        transport = self.transport()
        self._memory.look(now_ns, transport.timeline.beat_ns)
        if self._clocks.name != self._following:
            # Another clock, whose song may have been playing for long: go on where it is by now.
            self._following = self._clocks.name
            self._jump(transport, transport.timeline.beats_at(now_ns), now_ns)
        elif transport.jumps != self._jumps:
            self._jump(transport, transport.start_beats, now_ns)
        self._horizon_ns = now_ns + self._port.lead_ns
        # The clock goes before the notes: of what falls on one moment, the first sent is first.
        due_ns = min(self._send_clock(transport, now_ns), self._send_notes(transport, now_ns))
        margin_ns = round(LEADS_LEFT * self._port.lead_ns)
        return min(max(due_ns, self._horizon_ns) - margin_ns, now_ns + LONGEST_REST_NS)

    def panic(self) -> None:
        """Silence everything now."""
        self._notes.panic(self._port.now_ns())

    def finish(self) -> None:
        """Silence everything, and stop the gear on LiveVAE's clock."""
        self._clock_out.stop(self._port.now_ns())
        self.panic()

    def status(self) -> Status:
        """Return how things stand."""
        transport = self.transport()
        late_ns = sorted(self._port.lateness_ns()) or [0]
        clock_source, other_clocks = self._clocks.names()
        return Status(
            backend=self.backend,
            port=self._port.name,
            clock=self._clocks.name,
            clock_alive=self._clocks.alive,
            clock_source=clock_source,
            other_clocks=other_clocks,
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
            fault=self._port.fault() or self._clocks.problem,
            link_peers=self._clocks.peers,
            moves=tuple(self._map.moves or ()),
        )

    def transport(self) -> Transport:
        """Return where the song is, undelayed."""
        return self._clocks.transport

    def _jump(self, transport: Transport, beats: float, now_ns: int) -> None:
        """Fall silent, and go on from ``beats``."""
        self._jumps = transport.jumps
        self._memory.arrive()
        self._tape.jump(now_ns)
        self._scheduler.jump(beats, now_ns)
        self._arranger.jump(beats * STEPS_PER_BEAT)
        self._clock_out.jump(beats, now_ns)

    def _send_clock(self, transport: Transport, now_ns: int) -> int:
        """Send the clock that is due, and return when the next of it is."""
        # A song that follows MIDI clock has a position only while it plays; the others run on.
        wanted = bool(self._performance.values["clock_out"])
        ticking = wanted and (transport.playing or self._clocks.name != "midi")
        target_ns = self._wanted_delay_ns("clock")
        delay_ns = self._clock_delay.move(target_ns, now_ns, sounding=ticking)
        if not ticking:
            self._clock_out.stop(now_ns)
            return NEVER_NS
        timeline = transport.timeline.delayed(delay_ns)
        self._clock_out.advance(timeline, now_ns, self._horizon_ns, playing=transport.playing)
        return self._clock_out.due_ns(timeline)

    def _send_notes(self, transport: Transport, now_ns: int) -> int:
        """Send the notes that are due, and return when the next is, or the next decision."""
        target_ns = self._wanted_delay_ns("notes")
        delay_ns = self._note_delay.move(target_ns, now_ns, sounding=transport.playing)
        due_ns = NEVER_NS
        if transport.playing:
            timeline = transport.timeline.delayed(delay_ns)
            self._tape.reach(timeline, self._horizon_ns)
            quantum = self._arranger.direct(self._performance, self._scheduler.next_step())
            feel = self._performance.feel
            self._scheduler.advance(timeline, now_ns, self._horizon_ns, feel)
            change = self._next_change = self._scheduler.next_change(quantum)
            self._memory.go_on(change)
            left_ns = timeline.time_at(change / STEPS_PER_BEAT) - self._horizon_ns
            self._chooser.want(self.bank, self._performance.position, change, left_ns)
            due_ns = timeline.time_at(min(change, self._scheduler.next_due()) / STEPS_PER_BEAT)
        else:
            self._chooser.want(self.bank, self._performance.position)
        self._notes.release(self._horizon_ns)
        return min([due_ns, *self._notes.ends_ns()])

    def _wanted_delay_ns(self, output: str) -> int:
        values = self._performance.values
        return round((values["sync_delay"] - values[f"latency.{output}"]) * NS_PER_MS)

    def _unsent_ns(self) -> int:
        """Return the first moment of the song, undelayed, of which nothing has been sent yet."""
        earliest_ns = self._note_delay.ns
        if self._performance.values["clock_out"]:
            earliest_ns = min(earliest_ns, self._clock_delay.ns)
        return self._horizon_ns - earliest_ns

    def _take(self, time_ns: int, message: bytes, source: str, now_ns: int) -> None:
        status = message[0]
        if status == SYSTEM_RESET:
            self._apply("panic", 1.0, now_ns)
        elif status >= SYSTEM:
            self._clocks.receive(time_ns, message, source)
        elif status & 0xF0 == CONTROL_CHANGE and message[1] in (ALL_SOUND_OFF, ALL_NOTES_OFF):
            self._notes.silence(now_ns)
        elif moved := self._map.target(message, source, self._performance.values):
            self._apply(*moved, now_ns)

    def _change(self, changes: Sequence[Change], now_ns: int) -> None:
        """Make changes; several at once are one step of undo, and may take ``morph`` bars."""
        if len(changes) == 1:
            self._apply(*changes[0], now_ns)
            return
        self._memory.begin_step()
        for name, number in changes:
            if name not in POSITION:
                self._apply(name, number, now_ns)
        bars = self._performance.values["morph"] if self.transport().playing else 0.0
        self._memory.end_step(changes, self._next_change, bars)

    def _pull(self, trigger: str, now_ns: int) -> None:
        if trigger == "panic":
            self._notes.panic(now_ns)
        elif trigger == "fill.now":
            self._arranger.press_fill()
        elif trigger == "undo":
            self._memory.undo()
        elif trigger == "redo":
            self._memory.redo()

    def _apply(self, name: str, number: float, now_ns: int) -> None:
        if PARAMETERS[name].kind is Kind.TRIGGER:
            if number:
                self._pull(name, now_ns)
            return
        if name == "scene" and 1 <= round(number) <= len(self.scenes):
            self._change(self.scenes[round(number) - 1], now_ns)
        if not self._performance.set(name, number):
            return
        self._memory.moved(name, now_ns)
        if name == "bpm":
            self._clocks.set_tempo(number, self._unsent_ns())
        elif name == "clock":
            self._clocks.choose(now_ns, self._unsent_ns())
        elif name == "play":
            self._clocks.play(now_ns, self._unsent_ns())
        elif name == "again":
            beats = self.transport().timeline.beats_at(now_ns)
            self._arranger.again = self._scheduler.last_heard(beats) if number else None
