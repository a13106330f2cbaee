"""The clocks there are, MIDI, internal and Link, and the one that is followed."""

from __future__ import annotations

from collections.abc import Sequence

from livevae.clock.follower import MidiClockFollower
from livevae.clock.internal import InternalClock
from livevae.clock.link import LinkClock, Session
from livevae.clock.sources import ClockSources
from livevae.clock.timeline import Transport
from livevae.midi.ports import MidiPort
from livevae.parameters import PARAMETERS
from livevae.player.clock_out import next_tick_ns
from livevae.player.performance import Performance


class Clocks:
    """Follows the clock that the control ``clock`` names, and moves those that can be moved.

    ``unsent_ns`` in what follows is the first moment of the song of which nothing has been sent
    yet: what begins there is late nowhere.

    State: the clock that is followed (``name``), and the Link session as it was seen last.
    """

    def __init__(self, port: MidiPort, performance: Performance, link: LinkClock | None) -> None:
        """Follow none yet: ``choose`` comes first."""
        now_ns = port.now_ns()
        self.name = ""
        self._port = port
        self._performance = performance
        self._sources = ClockSources(port.clock_source)
        self._follower = MidiClockFollower(now_ns)
        self._internal = InternalClock(performance.values["bpm"], now_ns)
        self._link = link or LinkClock(port.now_ns)
        self._session: Session | None = None

    @property
    def transport(self) -> Transport:
        """Where the song is, undelayed."""
        if self.name == "link":
            return self._link.transport
        return (self._internal if self.name == "internal" else self._follower).transport

    @property
    def alive(self) -> bool:
        """Whether there is a clock to follow."""
        if self.name == "link":
            return self._link.session is not None
        return self._follower.alive or self.name == "internal"

    @property
    def problem(self) -> str:
        """Why the clock that was chosen does not run, or the empty string."""
        return self._link.problem if self.name == "link" else ""

    @property
    def peers(self) -> int:
        """How many others are in the Link session."""
        return self._link.session.peers if self._link.session else 0

    def names(self) -> tuple[str, tuple[str, ...]]:
        """Return whose MIDI clock is followed, and who else sends one."""
        source = self._sources.followed
        followed = self._port.programs(source) if source else ()
        others = {
            other: [name for name in self._port.programs(other) if name not in followed]
            for other in self._sources.others(self._port.now_ns())
        }
        # A program that is connected to both inputs is no other.
        named = tuple(_name(other, names) for other, names in others.items() if names)
        return _name(source, followed), named

    def receive(self, time_ns: int, message: bytes, source: str) -> None:
        """Hear a system message that came in at ``time_ns``."""
        if self._sources.counts(time_ns, message[0], source):
            self._follower.receive(time_ns, message)

    def poll(self, now_ns: int, unsent_ns: int) -> None:
        """Notice a MIDI clock that has gone silent, and what the peers of the Link session do."""
        self._follower.poll(now_ns)
        session = self._link.session if self.name == "link" else None
        if session is None or session == self._session:
            return
        self._session = session
        bpm = min(max(session.bpm, PARAMETERS["bpm"].low), PARAMETERS["bpm"].high)
        self._performance.set("bpm", bpm)
        self._internal.set_tempo(bpm, unsent_ns)
        self._performance.set("play", float(session.playing))

    def choose(self, now_ns: int, unsent_ns: int) -> None:
        """Join or leave the Link session, start or stop the internal clock, as ``clock`` says."""
        before, self.name = self.name, self._performance.choice("clock")
        if self.name == "link":
            self._session = None
            self._link.join(self._performance.values["bpm"])
        elif before == "link":
            self._link.leave()
        self._run_internal(now_ns, unsent_ns)

    def set_tempo(self, bpm: float, unsent_ns: int) -> None:
        """Let the internal clock, or the Link session, go on at ``bpm``."""
        self._internal.set_tempo(bpm, unsent_ns)
        if self.name == "link":
            self._link.set_tempo(bpm, unsent_ns)

    def play(self, now_ns: int, unsent_ns: int) -> None:
        """Start or stop the internal clock, or the Link session, as ``play`` says."""
        if self.name == "link":
            self._link.play(bool(self._performance.values["play"]), unsent_ns)
        self._run_internal(now_ns, unsent_ns)

    def _run_internal(self, now_ns: int, unsent_ns: int) -> None:
        """Start or stop the internal clock; it starts as soon as beat 0 can be on time.

        With gear on its clock it starts on a tick, so that the ticks go on regularly.
        """
        running = self.name == "internal" and bool(self._performance.values["play"])
        if running and not self._internal.transport.playing:
            start_ns = max(unsent_ns, now_ns + self._port.lead_ns)
            if self._performance.values["clock_out"]:
                start_ns = next_tick_ns(self._internal.transport.timeline, start_ns)
            self._internal.start(start_ns)
        elif not running and self._internal.transport.playing:
            self._internal.stop()


def _name(source: str, programs: Sequence[str]) -> str:
    """Name the one program behind a source; of several nobody can tell which it was."""
    if len(programs) == 1:
        return programs[0]
    return f"{source} ({', '.join(programs)})" if programs else source
