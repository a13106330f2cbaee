"""MIDI through JACK: stamped and written by frame, so exact in both directions.

The port's clock counts JACK's frames, in nanoseconds since the port was opened. Messages are
queued ahead; JACK's own thread writes each into the cycle, and at the frame, that its time says.
Only that thread touches the heap; the player's side appends to a deque.
"""

from __future__ import annotations

import contextlib
import heapq
import itertools
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, Final

import jack

from livevae.errors import WorkError
from livevae.midi.live_port import LivePort
from livevae.midi.ports import SYSTEM, Connections, PortNames, PortRequest
from livevae.midi.realtime import PORT_PRIORITY, ask_for_realtime

_FRAME_MASK: Final = 0xFFFFFFFF
_MARGIN_NS: Final = 20_000_000
"""Beyond two JACK periods: half of it is what a pass of the player may be late by."""
_CLOSE_S: Final = 0.2
_FRAMES_PER_MESSAGE: Final = 4
"""A thread that overruns its cycle loses all it wrote in it, and a panic is 130 messages: a cycle
of 64 frames takes 16 of them, a longer one more."""
_CANCEL: Final = b""
"""Stands in the queue for "drop what is later than this frame": in turn with the messages."""

jack.set_error_function(lambda _message: None)
jack.set_info_function(lambda _message: None)


def _client(name: str) -> Any:
    try:
        return jack.Client(name, no_start_server=True)
    except jack.JackError as error:
        raise WorkError("the JACK server cannot be reached; is `jackd` running?") from error


def server_runs() -> bool:
    """Return whether a JACK server answers."""
    try:
        _client("LiveVAE-probe").close()
    except WorkError:
        return False
    return True


@contextlib.contextmanager
def port_lister() -> Iterator[Callable[[], PortNames]]:
    """Yield a function that lists the MIDI ports in the JACK graph."""
    client = _client("LiveVAE-ports")

    def names() -> PortNames:
        sources = tuple(port.name for port in client.get_ports(is_midi=True, is_output=True))
        destinations = tuple(port.name for port in client.get_ports(is_midi=True, is_input=True))
        return PortNames("jack", sources, destinations)

    try:
        yield names
    finally:
        client.close()


def _connected(port: Any) -> tuple[str, ...]:
    return tuple(other.name for other in port.connections)


class JackPort(LivePort):
    """LiveVAE's JACK MIDI ports, ``NAME:in``, ``NAME:out`` and ``NAME:clock`` if one is wanted.

    JACK mixes all programs connected to an input, so the one whose clock alone shall count has an
    input of its own; whatever is connected there by hand counts as well.
    """

    def __init__(self, request: PortRequest) -> None:
        """Open the ports and connect them.

        Raises:
            UsageError: a port to connect to does not exist.
            WorkError: no JACK server runs.
        """
        super().__init__()
        self._client = _client(request.name)
        self.name = self._client.name
        self._ns_per_frame: float = 1e9 / self._client.samplerate
        self._set_period(self._client.blocksize)
        self._in = self._client.midi_inports.register("in")
        self._ins = [self._in]
        if request.clock not in ("", self.name):
            self._ins.append(self._client.midi_inports.register("clock"))
        self.clock_source = self._ins[1].name if self._ins[1:] else ""
        self._out = self._client.midi_outports.register("out")

        self._zero: int = self._client.last_frame_time
        self._cycle = (self._zero, time.perf_counter_ns())
        self._outbox: deque[tuple[int, int, bytes]] = deque()
        self._heap: list[tuple[int, int, bytes]] = []
        self._order = itertools.count()
        self._raised = False

        self._client.set_process_callback(self._process)
        self._client.set_shutdown_callback(self._shut_down)
        self._client.set_blocksize_callback(self._set_period)
        self._registered: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._client.set_port_registration_callback(self._port_registered)
        self._client.activate()
        with port_lister() as listed:
            names = listed()
        sources = request.resolve(request.inputs, names.sources, "output")
        destinations = request.resolve(request.outputs, names.destinations, "input")
        clocks = request.resolve(
            (request.clock,) * bool(self.clock_source), names.sources, "output"
        )
        self._wanted = [
            *((source, self._in.name) for source in sources if source not in clocks),
            *((source, self.clock_source) for source in clocks),
            *((self._out.name, destination) for destination in destinations),
        ]
        for source, destination in self._wanted:
            self._connect(source, destination)
        threading.Thread(target=self._keep_connected, name="jack-connect", daemon=True).start()

    def _set_period(self, frames: int) -> None:
        self._period_ns = frames * self._ns_per_frame
        self.lead_ns = round(2 * self._period_ns) + _MARGIN_NS

    def now_ns(self) -> int:
        """Return the present, reckoned from the beginning of the latest cycle.

        JACK's own estimate (``jack_frame_time``) smooths the wake-ups of the server and was seen
        30 ms behind the cycles after a run of xruns.
        """
        frame, begun_ns = self._cycle
        return self._ns(frame) + time.perf_counter_ns() - begun_ns

    def _ns(self, frame: int) -> int:
        return round((frame - self._zero) * self._ns_per_frame)

    def send(self, time_ns: int, message: bytes) -> None:
        """Queue ``message`` for the frame nearest to ``time_ns``."""
        self._outbox.append((self._frame(time_ns), next(self._order), message))

    def cancel(self, after_ns: int) -> None:
        """Let the next cycle drop what is queued for later, system messages excepted."""
        self._outbox.append((self._frame(after_ns), next(self._order), _CANCEL))

    def _frame(self, time_ns: int) -> int:
        return self._zero + round(time_ns / self._ns_per_frame)

    def connections(self) -> Connections:
        """Return the names of the connected ports."""
        if self._fault:
            return Connections()
        try:
            return Connections(
                _connected(self._in),
                _connected(self._out),
                tuple(name for clock in self._ins[1:] for name in _connected(clock)),
            )
        except jack.JackError:
            return Connections()  # the server is going down; the shutdown callback says so

    def programs(self, source: str) -> tuple[str, ...]:
        """Return the names of the ports connected to the input ``source``."""
        connections = self.connections()
        return connections.clock if source == self.clock_source else connections.inputs

    def close(self) -> None:
        """Give JACK a moment to write what is queued, then leave."""
        self._registered.put(None)
        period_s = self._period_ns / 1e9
        deadline = time.monotonic() + _CLOSE_S + 4 * period_s
        while (self._outbox or self._heap) and not self._fault and time.monotonic() < deadline:
            time.sleep(0.002)
        if not self._fault:
            # A few cycles more, so that what was written last is passed on before we go.
            time.sleep(3 * period_s)
            self._client.deactivate()
            self._client.close()

    def _process(self, frames: int) -> None:
        """Run one cycle, in JACK's thread: read what came in, write what is due."""
        if not self._raised:
            # A server without real-time scheduling gives its clients none either.
            self._raised = True
            ask_for_realtime(PORT_PRIORITY)
        cycle = self._cycle[0]
        cycle += (self._client.last_frame_time - cycle) & _FRAME_MASK
        self._cycle = (cycle, time.perf_counter_ns())
        for port in self._ins:
            for offset, message in port.incoming_midi_events():
                self._incoming.append((self._ns(cycle + offset), bytes(message), port.name))
        if self._incoming:
            self.wake()
        while self._outbox:
            queued = self._outbox.popleft()
            if queued[2] is _CANCEL:
                self._heap = [
                    kept for kept in self._heap if kept[0] <= queued[0] or kept[2][0] >= SYSTEM
                ]
                heapq.heapify(self._heap)
            else:
                heapq.heappush(self._heap, queued)
        self._out.clear_buffer()
        for _ in range(frames // _FRAMES_PER_MESSAGE):
            if not self._heap or self._heap[0][0] >= cycle + frames:
                return
            frame, _, message = self._heap[0]
            offset = max(frame - cycle, 0)
            try:
                self._out.write_midi_event(offset, message)
            except jack.JackError:
                return  # the cycle's buffer is full: the rest goes into the next one
            self._lateness.append(round((offset + cycle - frame) * self._ns_per_frame))
            heapq.heappop(self._heap)

    def _shut_down(self, _status: object, reason: str) -> None:
        self._registered.put(None)
        self._fault = f"the JACK server has shut down ({reason or 'no reason given'})"
        self.wake()

    def _port_registered(self, port: Any, registered: bool) -> None:
        if registered:
            self._registered.put(port.name)

    def _keep_connected(self) -> None:
        """Connect a wanted port again when it comes back; what somebody disconnects stays so."""
        while (name := self._registered.get()) is not None:
            for source, destination in self._wanted:
                if name in (source, destination):
                    self._connect(source, destination)

    def _connect(self, source: str, destination: str) -> None:
        with contextlib.suppress(jack.JackError):  # not there now, or connected already
            self._client.connect(source, destination)
