"""MIDI through RtMidi: CoreMIDI, ALSA, JACK, and on Windows ports of others such as loopMIDI.

RtMidi sends at once, so a thread of the port's own sleeps until each message is due.
"""

from __future__ import annotations

import contextlib
import heapq
import itertools
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import rtmidi

from livevae.errors import UsageError, WorkError
from livevae.midi.live_port import LivePort
from livevae.midi.ports import Connections, PortNames, PortRequest
from livevae.midi.realtime import PORT_PRIORITY, ask_for_realtime

_LEAD_NS: Final = 10_000_000
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


class RtMidiPort(LivePort):
    """A virtual input and output, or on Windows the two ports that were asked for."""

    def __init__(self, request: PortRequest) -> None:
        """Open the ports.

        Raises:
            UsageError: a named port does not exist, or none was named where it must be.
            WorkError: the MIDI system refuses.
        """
        super().__init__()
        self.name = request.name
        self.lead_ns = _LEAD_NS
        self._due = threading.Condition()
        self._heap: list[tuple[int, int, bytes]] = []
        self._order = itertools.count()
        self._closing = False
        with port_lister() as listed:
            names = listed()
        sources = request.resolve(request.inputs, names.sources, "output")
        destinations = request.resolve(request.outputs, names.destinations, "input")
        self._sources = [name for name in sources if name in names.sources]
        self._destinations = [name for name in destinations if name in names.destinations]
        if sys.platform == "win32" and not (self._sources and self._destinations):
            raise UsageError(
                "Windows has no virtual MIDI ports: install loopMIDI, create two ports and name "
                "them in midi.inputs and midi.outputs of livevae.toml"
            )
        with _opening():
            self._ins = [self._input(names, name) for name in self._sources]
            self._outs = [self._output(names, name) for name in self._destinations]
            if sys.platform != "win32":
                self._ins.append(self._input(names, None))
                self._outs.append(self._output(names, None))
        self._sender = threading.Thread(target=self._send_on_time, name="rtmidi-send", daemon=True)
        self._sender.start()

    def _input(self, names: PortNames, source: str | None) -> Any:
        midi_in = rtmidi.MidiIn(_api(), self.name)
        midi_in.ignore_types(sysex=True, timing=False, active_sense=True)
        midi_in.set_callback(self._received)
        if source is None:
            midi_in.open_virtual_port(self.name)
        else:
            midi_in.open_port(names.sources.index(source), self.name)
        return midi_in

    def _output(self, names: PortNames, destination: str | None) -> Any:
        midi_out = rtmidi.MidiOut(_api(), self.name)
        if destination is None:
            midi_out.open_virtual_port(self.name)
        else:
            midi_out.open_port(names.destinations.index(destination), self.name)
        return midi_out

    def _received(self, event: tuple[list[int], float], _data: object) -> None:
        now_ns = time.perf_counter_ns()
        self._incoming.append((now_ns, bytes(event[0])))
        self._awake.set()

    def now_ns(self) -> int:
        """Return the monotonic clock (Windows' own counts in steps of 16 ms)."""
        return time.perf_counter_ns()

    def send(self, time_ns: int, message: bytes) -> None:
        """Queue ``message`` for the sending thread."""
        with self._due:
            heapq.heappush(self._heap, (time_ns, next(self._order), message))
            self._due.notify()

    def cancel(self, after_ns: int) -> None:
        """Drop what is queued for later than ``after_ns``."""
        with self._due:
            self._heap = [queued for queued in self._heap if queued[0] <= after_ns]
            heapq.heapify(self._heap)

    def connections(self) -> Connections:
        """Return the ports opened by name; RtMidi cannot see who uses the virtual ones."""
        return Connections(tuple(self._sources), tuple(self._destinations))

    def close(self) -> None:
        """Send what is queued, then close the ports."""
        deadline = time.monotonic() + _CLOSE_S
        while self._heap and not self._fault and time.monotonic() < deadline:
            time.sleep(0.002)
        self._closing = True
        with self._due:
            self._due.notify()
        self._sender.join(_CLOSE_S)
        for port in (*self._ins, *self._outs):
            port.delete()

    def _send_on_time(self) -> None:
        ask_for_realtime(PORT_PRIORITY)
        while not self._closing:
            with self._due:
                now_ns = time.perf_counter_ns()
                if not self._heap or self._heap[0][0] > now_ns:
                    timeout = (self._heap[0][0] - now_ns) / 1e9 if self._heap else None
                    self._due.wait(timeout)
                    continue
                due_ns, _, message = heapq.heappop(self._heap)
            self._lateness.append(max(now_ns - due_ns, 0))
            try:
                for port in self._outs:
                    port.send_message(message)
            except (rtmidi.RtMidiError, ValueError) as error:
                self._fault = f"MIDI output failed: {error}"
                self._awake.set()
                return
