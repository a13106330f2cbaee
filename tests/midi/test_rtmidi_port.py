"""The RtMidi port on a scripted MIDI system, whose ports come and go."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterator

import pytest

from livevae.errors import UsageError
from livevae.midi import rtmidi_port
from livevae.midi.ports import Connections, PortRequest
from livevae.midi.rtmidi_port import RtMidiPort

NOTE = b"\x99\x24\x40"
CLOCK = b"\xf8"


class System:
    """Other programs' ports, by name, and which of them LiveVAE has open."""

    def __init__(self) -> None:
        self.sources = ["Clock:out 20:0", "Knobs:out"]
        self.destinations = ["Drums:in 24:0"]
        self.heard: dict[str, queue.SimpleQueue[bytes]] = {}
        self.callbacks: dict[str, Callable[[tuple[list[int], float]], None]] = {}
        self.refuses: set[str] = set()

    def sends(self, source: str, message: bytes) -> None:
        """Let another program send a message."""
        self.callbacks[source]((list(message), 0.0))


class Handle:
    """What RtMidi calls MidiIn and MidiOut."""

    def __init__(self, system: System, names: list[str]) -> None:
        self._system = system
        self._names = names
        self._open = ""

    def get_ports(self) -> list[str]:
        return list(self._names)

    def ignore_types(self, **_: bool) -> None:
        pass

    def set_callback(self, callback: Callable[[object, object], None], data: object) -> None:
        self._callback = lambda event: callback(event, data)

    def open_port(self, index: int, _name: str) -> None:
        assert not self._open
        self._opened(self._names[index])

    def close_port(self) -> None:
        self._system.callbacks.pop(self._open, None)
        self._open = ""

    def open_virtual_port(self, name: str) -> None:
        self._opened(name)

    def _opened(self, name: str) -> None:
        self._open = name
        if hasattr(self, "_callback"):
            self._system.callbacks[name] = self._callback
        else:
            self._system.heard[name] = queue.SimpleQueue()

    def send_message(self, message: bytes) -> None:
        if self._open in self._system.refuses:
            raise rtmidi_port.rtmidi.RtMidiError("gone")
        self._system.heard[self._open].put(message)

    def delete(self) -> None:
        self.close_port()


@pytest.fixture
def system(monkeypatch: pytest.MonkeyPatch) -> System:
    """Return a MIDI system that stands for the real one."""
    it = System()
    monkeypatch.setattr(rtmidi_port.rtmidi, "MidiIn", lambda *_: Handle(it, it.sources))
    monkeypatch.setattr(rtmidi_port.rtmidi, "MidiOut", lambda *_: Handle(it, it.destinations))
    monkeypatch.setattr(rtmidi_port, "_LOOK_EVERY_S", 3600)
    monkeypatch.setattr(rtmidi_port.sys, "platform", "linux")
    return it


@pytest.fixture
def opened(system: System) -> Iterator[Callable[..., RtMidiPort]]:
    """Return a function that opens a port for a request; all are closed in the end."""
    ports: list[RtMidiPort] = []

    def open_it(**request: object) -> RtMidiPort:
        ports.append(RtMidiPort(PortRequest("LiveVAE", **request)))
        return ports[-1]

    yield open_it
    for port in ports:
        port.close()


def look(port: RtMidiPort) -> None:
    """Let the port look after its named ports, as it does every second."""
    with rtmidi_port.port_lister() as listed:
        port._look(listed())


def test_a_message_goes_to_the_virtual_port_and_to_the_named_ones(
    system: System, opened: Callable[..., RtMidiPort]
) -> None:
    """Each hears it once."""
    port = opened(outputs=("Drums",))
    port.send(0, NOTE)
    assert system.heard["LiveVAE"].get(timeout=10) == NOTE
    assert system.heard["Drums:in 24:0"].get(timeout=10) == NOTE


def test_messages_say_by_which_input_they_came(
    system: System, opened: Callable[..., RtMidiPort]
) -> None:
    """So that one clock can be told from another."""
    port = opened(inputs=("Knobs",), clock="Clock")
    for source in ("Clock:out 20:0", "Knobs:out", "LiveVAE"):
        system.sends(source, CLOCK)
    received = [port.receive() for _ in range(3)]
    assert [message and message[1:] for message in received] == [
        (CLOCK, "Clock:out 20:0"),
        (CLOCK, "Knobs:out"),
        (CLOCK, "LiveVAE"),
    ]
    assert port.clock_source == "Clock:out 20:0"
    assert opened(clock="LiveVAE").clock_source == "LiveVAE"


def test_a_clock_port_that_is_not_there_is_refused(opened: Callable[..., RtMidiPort]) -> None:
    """As any other named port."""
    with pytest.raises(UsageError, match="there is no MIDI output port 'MPC'"):
        opened(clock="MPC")


def test_a_named_port_that_vanishes_and_returns_is_opened_again(
    system: System, opened: Callable[..., RtMidiPort]
) -> None:
    """On ALSA it returns under another number."""
    port = opened(inputs=("Clock",), outputs=("Drums",))
    system.sources.remove("Clock:out 20:0")
    system.destinations.remove("Drums:in 24:0")
    look(port)
    assert port.connections() == Connections()
    system.sources.insert(0, "Clock:out 31:0")
    system.destinations.insert(0, "Drums:in 32:0")
    look(port)
    assert port.connections() == Connections(("Clock:out 31:0",), ("Drums:in 32:0",))
    port.send(0, NOTE)
    assert system.heard["Drums:in 32:0"].get(timeout=10) == NOTE


def test_what_only_resembles_a_port_that_has_gone_is_left_alone(
    system: System, opened: Callable[..., RtMidiPort]
) -> None:
    """Part of a name is enough to find a port, not to take another one for it."""
    port = opened(inputs=("Knobs",))
    system.sources[1] = "Knobs:out 2nd"
    look(port)
    assert port.connections().inputs == ()


def test_a_named_output_that_refuses_is_no_fault_and_is_opened_again(
    system: System, opened: Callable[..., RtMidiPort]
) -> None:
    """The others play on."""
    port = opened(outputs=("Drums",))
    system.refuses.add("Drums:in 24:0")
    port.send(0, NOTE)
    port.send(1, NOTE)
    for _ in range(2):
        assert system.heard["LiveVAE"].get(timeout=10) == NOTE
    assert port.fault() == ""
    system.refuses.clear()
    look(port)
    port.send(2, NOTE)
    assert system.heard["Drums:in 24:0"].get(timeout=10) == NOTE


def test_a_source_called_by_the_number_it_had_is_found(
    opened: Callable[..., RtMidiPort],
) -> None:
    """livevae.toml may have it from before the cable was pulled."""
    assert opened(inputs=("Clock:out 128:0",)).connections().inputs == ("Clock:out 20:0",)
