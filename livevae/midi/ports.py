"""The port protocol: receive ``(time_ns, bytes, source)``, send ``bytes at time_ns``.

Every backend has a clock of its own, in nanoseconds; input is stamped and output is asked for in
that clock. The player knows no other time.
"""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final, Protocol

import msgspec

from livevae.errors import UsageError, WorkError

NOTE_OFF, NOTE_ON, CONTROL_CHANGE = 0x80, 0x90, 0xB0
PROGRAM_CHANGE, PRESSURE, PITCH_BEND = 0xC0, 0xD0, 0xE0
ALL_SOUND_OFF, ALL_NOTES_OFF = 120, 123
SYSTEM: Final = 0xF0
"""The first status byte of a message that belongs to no channel."""

Received = tuple[int, bytes, str]
"""A message that came in: its time in nanoseconds, its bytes, and the source it came by."""


_ALSA_ADDRESS: Final = re.compile(r" \d+:\d+$")
"""What RtMidi adds to a name on ALSA: another number each time the device is plugged in."""


class MidiPort(Protocol):
    """One virtual MIDI output, and inputs, each of which is a source of messages."""

    name: str
    lead_ns: int
    """How far ahead of its time a message must be sent to sound on time."""
    clock_source: str
    """The source whose clock and transport alone count, or the empty string: any one's."""

    def now_ns(self) -> int:
        """Return the present in this port's clock."""
        ...

    def receive(self) -> Received | None:
        """Return the next message that came in, or None; never waits."""
        ...

    def send(self, time_ns: int, message: bytes) -> None:
        """Send a message at ``time_ns``, or at once if that has passed; never waits.

        Messages are sent in the order of their times; those of one time in the order of calls.
        """
        ...

    def cancel(self, after_ns: int) -> None:
        """Forget the queued messages of channels whose time lies after ``after_ns``.

        What is due stays: a note-off asked for at once must not be lost to a second thought. So do
        system messages: gear on LiveVAE's clock must miss no tick.
        """
        ...

    def wait(self, until_ns: int) -> None:
        """Sleep until ``until_ns``, until a message comes in, or until ``wake`` is called."""
        ...

    def wake(self) -> None:
        """End a ``wait`` from another thread."""
        ...

    def lateness_ns(self) -> Sequence[int]:
        """Return by how much the latest messages were sent after their time, oldest first."""
        ...

    def connections(self) -> Connections:
        """Return what the port is connected to."""
        ...

    def programs(self, source: str) -> tuple[str, ...]:
        """Return the names of other programs' ports from which ``source`` may have come."""
        ...

    def fault(self) -> str:
        """Return what has gone wrong with the port, in words, or the empty string."""
        ...

    def close(self) -> None:
        """Send what is queued, then give up the port."""
        ...


class Connections(msgspec.Struct, frozen=True):
    """Names of the other programs' ports at LiveVAE's inputs and at its output.

    ``clock`` are those at the input that ``midi.clock`` has of its own.
    """

    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    clock: tuple[str, ...] = ()


class PortNames(msgspec.Struct, frozen=True):
    """The MIDI ports other programs offer: ``sources`` send to us, ``destinations`` listen."""

    backend: str
    sources: tuple[str, ...]
    destinations: tuple[str, ...]


class PortRequest(msgspec.Struct, frozen=True):
    """What the player asks a backend for: its own name, and whom to connect to."""

    name: str
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    clock: str = ""
    """The port whose clock alone counts; the port's own name stands for its virtual input."""
    must_exist: bool = True
    """Whether a port that is not there is an error, or is waited for."""

    def resolve(self, wanted: Iterable[str], names: Sequence[str], kind: str) -> list[str]:
        """Return the full names of the ``wanted`` ports among ``names``, each once.

        One that need not exist, and does not, stays as it was wanted.

        Raises:
            UsageError: one of them does not exist, though it must, or is ambiguous.
        """
        full = (
            matching(name, names, kind) if self.must_exist else found(name, names) or name
            for name in wanted
        )
        return list(dict.fromkeys(full))

    def succeed(self, last: Connections) -> PortRequest:
        """Return the request that puts a new port where one with ``last`` connections was."""

        def again(wanted: Iterable[str], connected: tuple[str, ...]) -> tuple[str, ...]:
            missing = (name for name in wanted if found(name, connected) is None)
            return (*connected, *missing)

        return msgspec.structs.replace(
            self,
            inputs=again(self.inputs, last.inputs),
            outputs=again(self.outputs, last.outputs),
            must_exist=False,
        )


def choose_backend(wanted: str) -> str:
    """Return the backend that ``auto`` stands for here, or ``wanted`` if it can work.

    ``jack`` where a JACK server runs, because it is frame-accurate both ways; else ``rtmidi``.

    Raises:
        UsageError: the wanted backend is not there; the sentence says how to get it.
        WorkError: ``auto`` finds no MIDI system at all.
    """
    jack_runs = _jack_runs()
    if jack_runs and wanted in ("auto", "jack"):
        return "jack"
    if wanted == "jack":
        if importlib.util.find_spec("jack") is None:
            raise UsageError("the jack backend is not installed; `pip install 'livevae[jack]'`")
        raise UsageError(
            "no JACK server runs; start one (`jackd -d dummy` needs no sound card) "
            "or choose midi.backend rtmidi"
        )
    if sys.platform == "linux" and not Path("/dev/snd/seq").exists() and not jack_runs:
        sentence = (
            "there is no MIDI here: no JACK server runs and ALSA's sequencer is missing; "
            "start one with `jackd -d dummy` or load snd-seq with `modprobe snd-seq`"
        )
        raise (UsageError if wanted == "rtmidi" else WorkError)(sentence)
    return "rtmidi"


def _jack_runs() -> bool:
    if importlib.util.find_spec("jack") is None:
        return False
    try:
        from livevae.midi import jack_port  # noqa: PLC0415 - loads libjack
    except OSError:
        return False  # the binding is there, but JACK's own library is not
    return jack_port.server_runs()


def port_lister(backend: str) -> AbstractContextManager[Callable[[], PortNames]]:
    """Return a context whose value lists the ports of other programs that ``backend`` sees."""
    if backend == "jack":
        from livevae.midi import jack_port  # noqa: PLC0415 - loads libjack

        return jack_port.port_lister()
    from livevae.midi import rtmidi_port  # noqa: PLC0415 - loads RtMidi

    return rtmidi_port.port_lister()


def list_ports(backend: str) -> PortNames:
    """Return the ports of other programs that ``backend`` sees now."""
    with port_lister(backend) as names:
        return names()


def open_port(backend: str, request: PortRequest) -> MidiPort:
    """Open LiveVAE's ports on ``backend``, connected as asked.

    Raises:
        UsageError: a port to connect to does not exist; the sentence names those that do.
        WorkError: the MIDI system refuses.
    """
    if backend == "jack":
        from livevae.midi.jack_port import JackPort  # noqa: PLC0415 - loads libjack

        return JackPort(request)
    from livevae.midi.rtmidi_port import RtMidiPort  # noqa: PLC0415 - loads RtMidi

    return RtMidiPort(request)


def matching(wanted: str, names: Sequence[str], kind: str) -> str:
    """Return the port that ``wanted`` names: exactly, or as the only one that contains it.

    Raises:
        UsageError: none or several do.
    """
    candidates = _candidates(wanted, names)
    if len(candidates) == 1:
        return candidates[0]
    listed = ", ".join(candidates or names) or "none"
    problem = f"several MIDI {kind} ports match" if candidates else f"there is no MIDI {kind} port"
    raise UsageError(f"{problem} {wanted!r}; there are: {listed}")


def found(wanted: str, names: Sequence[str]) -> str | None:
    """Return the port that ``wanted`` names, or None where none or several do."""
    candidates = _candidates(wanted, names)
    return candidates[0] if len(candidates) == 1 else None


def same(full: str, names: Sequence[str]) -> str | None:
    """Return the port among ``names`` that was called ``full`` when it was last there."""
    if full in names:
        return full
    return next((name for name in names if _plain(name) == _plain(full)), None)


def _candidates(wanted: str, names: Sequence[str]) -> list[str]:
    if known := same(wanted, names):
        return [known]
    part = _plain(wanted).lower()
    return [name for name in names if part in name.lower()]


def _plain(name: str) -> str:
    return _ALSA_ADDRESS.sub("", name)
