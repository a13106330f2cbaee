"""MIDI through RtMidi: CoreMIDI, ALSA, JACK, and on Windows ports of others such as loopMIDI.

RtMidi sends at once, so a thread of the port's own sleeps until each message is due. Another,
which is in no hurry, opens the named ports of other programs whenever they are there.
"""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Final

import rtmidi

from livevae.errors import LiveVAEError, UsageError, WorkError
from livevae.midi.live_port import LivePort
from livevae.midi.outbox import Outbox
from livevae.midi.ports import Connections, PortNames, PortRequest, found, same
from livevae.midi.realtime import PORT_PRIORITY, ask_for_realtime

_LEAD_NS: Final = 15_000_000
_LOOK_EVERY_S: Final = 1.0
_CLOSE_S: Final = 0.2


def _api() -> int:
    """Return the MIDI system to use: on Linux ALSA, or JACK where the kernel has no sequencer."""
    if sys.platform == "linux" and not Path("/dev/snd/seq").exists():
        return int(rtmidi.API_UNIX_JACK)
    return int(rtmidi.API_UNSPECIFIED)


@contextlib.contextmanager
def _opening() -> Iterator[None]:
    try:
        yield
    except (rtmidi.RtMidiError, OSError) as error:
        raise WorkError(f"RtMidi cannot open MIDI here: {error}") from error


@contextlib.contextmanager
def port_lister() -> Iterator[Callable[[], PortNames]]:
    """Yield a function that lists the ports RtMidi sees."""
    with _opening():
        midi_in, midi_out = rtmidi.MidiIn(_api()), rtmidi.MidiOut(_api())

    def names() -> PortNames:
        return PortNames("rtmidi", tuple(midi_in.get_ports()), tuple(midi_out.get_ports()))

    try:
        yield names
    finally:
        midi_in.delete()
        midi_out.delete()


class _Named:
    """A port of another program: open while it is there, and opened again when it returns.

    RtMidi lets no other thread of Python run while it makes or deletes a ``MidiIn`` or ``MidiOut``
    (15 ms on JACK), so it has one for good, and only opens and closes that.
    """

    def __init__(self, wanted: str, midi: Any, own_name: str) -> None:
        """Wait for ``wanted``, to be opened with ``midi``, which others see as ``own_name``."""
        self.midi = midi
        self.name = ""
        self.is_open = False
        self.broken = False
        self._wanted = wanted
        self._own_name = own_name

    def has_gone(self, names: Sequence[str]) -> bool:
        """Return whether it is open and must not stay so, now that ``names`` are there."""
        return self.is_open and (self.broken or self._offered(names) is None)

    def open_if_there(self, names: Sequence[str]) -> None:
        """Open it if it is among ``names``.

        Raises:
            RtMidiError, OSError: it has vanished since they were listed, or is not to be had.
        """
        offered = self._offered(names)
        if not self.is_open and offered is not None:
            self.midi.open_port(names.index(offered), self._own_name)
            self.name = offered
            self.broken = False
            self.is_open = True

    def _offered(self, names: Sequence[str]) -> str | None:
        """Return which of ``names`` it is: once it is known none that only resembles it."""
        return same(self.name, names) if self.name else found(self._wanted, names)


class RtMidiPort(LivePort):
    """A virtual input and output, and named ports of other programs; on Windows these alone."""

    def __init__(self, request: PortRequest) -> None:
        """Open the ports.

        Raises:
            UsageError: a named port does not exist, or none was named where it must be.
            WorkError: the MIDI system refuses.
        """
        super().__init__()
        self.name = request.name
        self.lead_ns = _LEAD_NS
        self.clock_source = ""
        self._outbox = Outbox()
        self._leaving = threading.Event()
        self._hearing: set[int] = set()
        self._sending = threading.Lock()
        self._own: tuple[Any, ...] = ()
        self._ins: list[_Named] = []
        self._outs: list[_Named] = []
        opened: Future[None] = Future()
        self._keeper = threading.Thread(
            target=self._keep_open, args=(request, opened), name="rtmidi-ports", daemon=True
        )
        self._keeper.start()
        opened.result()
        self._sender = threading.Thread(target=self._send_on_time, name="rtmidi-send", daemon=True)
        self._sender.start()

    def _keep_open(self, request: PortRequest, opened: Future[None]) -> None:
        """Open the ports, then open again those that return.

        All in one thread: CoreMIDI tells of what comes and goes only the one that used it first.
        """
        try:
            with port_lister() as listed:
                self._open(request, listed())
                opened.set_result(None)
                while (self._ins or self._outs) and not self._leaving.wait(_LOOK_EVERY_S):
                    self._look(listed())
        except LiveVAEError as error:
            opened.set_exception(error)

    def _open(self, request: PortRequest, names: PortNames) -> None:
        sources = request.resolve(request.inputs, names.sources, "output")
        destinations = request.resolve(request.outputs, names.destinations, "input")
        if request.clock == self.name:
            self.clock_source = self.name
        elif request.clock:
            (self.clock_source,) = request.resolve((request.clock,), names.sources, "output")
            sources = list(dict.fromkeys((*sources, self.clock_source)))
        if sys.platform == "win32" and not (sources and destinations):
            raise UsageError(
                "Windows has no virtual MIDI ports: install loopMIDI, create two ports and name "
                "them in midi.inputs and midi.outputs of livevae.toml"
            )
        with _opening():
            if sys.platform != "win32":
                self._own = (self._input(self.name), self._output())
                for port in self._own:
                    port.open_virtual_port(self.name)
            self._ins = [_Named(name, self._input(name), self.name) for name in sources]
            self._outs = [_Named(name, self._output(), self.name) for name in destinations]
            for end in self._ins:
                end.open_if_there(names.sources)
            for end in self._outs:
                end.open_if_there(names.destinations)

    def _look(self, names: PortNames) -> None:
        """Give up the named ports that have gone, and open those that have come."""
        for ends, offered in ((self._ins, names.sources), (self._outs, names.destinations)):
            for end in ends:
                if end.has_gone(offered):
                    with self._sending:
                        end.is_open = False
                    end.midi.close_port()
                with contextlib.suppress(rtmidi.RtMidiError, OSError):
                    end.open_if_there(offered)

    def _input(self, source: str) -> Any:
        midi_in = rtmidi.MidiIn(_api(), self.name)
        midi_in.ignore_types(sysex=True, timing=False, active_sense=True)
        midi_in.set_callback(self._received, source)
        return midi_in

    def _output(self) -> Any:
        return rtmidi.MidiOut(_api(), self.name)

    def _received(self, event: tuple[list[int], float], source: str) -> None:
        now_ns = time.perf_counter_ns()
        self._incoming.append((now_ns, bytes(event[0]), source))
        self.wake()
        if sys.platform == "linux" and (thread := threading.get_native_id()) not in self._hearing:
            # RtMidi starts one for each port it opens, and on ALSA without any priority.
            self._hearing.add(thread)
            ask_for_realtime(PORT_PRIORITY)

    def now_ns(self) -> int:
        """Return the monotonic clock (Windows' own counts in steps of 16 ms)."""
        return time.perf_counter_ns()

    def send(self, time_ns: int, message: bytes) -> None:
        """Queue ``message`` for the sending thread."""
        self._outbox.send(time_ns, message)

    def cancel(self, after_ns: int) -> None:
        """Drop what is queued for later than ``after_ns``."""
        self._outbox.cancel(after_ns)

    def connections(self) -> Connections:
        """Return the ports opened by name; RtMidi cannot see who uses the virtual ones."""
        return Connections(
            tuple(end.name for end in self._ins if end.is_open),
            tuple(end.name for end in self._outs if end.is_open),
        )

    def programs(self, source: str) -> tuple[str, ...]:
        """Return the source itself: a named port, or the virtual one, whoever uses that."""
        return (source,)

    def close(self) -> None:
        """Send what is queued, then close the ports."""
        deadline = time.monotonic() + _CLOSE_S
        while self._outbox and not self._fault and time.monotonic() < deadline:
            time.sleep(0.002)
        self._leaving.set()
        self._outbox.wake()
        self._sender.join(_CLOSE_S)
        self._keeper.join(_CLOSE_S)
        for midi in (*self._own, *(end.midi for end in (*self._ins, *self._outs))):
            midi.delete()

    def _send_on_time(self) -> None:
        ask_for_realtime(PORT_PRIORITY)
        while not self._leaving.is_set() and not self._fault:
            if due := self._outbox.next_due():
                late_ns, message = due
                self._lateness.append(late_ns)
                with self._sending:
                    self._hand_over(message)
        self.wake()

    def _hand_over(self, message: bytes) -> None:
        """Send to our own port and to those opened by name; one of these may have vanished."""
        try:
            for own in self._own[1:]:
                own.send_message(message)
        except (rtmidi.RtMidiError, ValueError) as error:
            self._fault = f"MIDI output failed: {error}"
        for end in self._outs:
            if end.is_open and not end.broken:
                try:
                    end.midi.send_message(message)
                except (rtmidi.RtMidiError, ValueError):
                    end.broken = True
