"""The port protocol: receive ``(time_ns, bytes)``, send ``bytes at time_ns``.

Every backend has a clock of its own, in nanoseconds; input is stamped and output is asked for in
that clock. The player knows no other time.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

import msgspec

from livevae.errors import UsageError, WorkError

NOTE_OFF, NOTE_ON, CONTROL_CHANGE = 0x80, 0x90, 0xB0
ALL_SOUND_OFF, ALL_NOTES_OFF = 120, 123


class MidiPort(Protocol):
    """One virtual MIDI input and one virtual MIDI output."""

    name: str
    lead_ns: int
    """How far ahead of its time a message must be sent to sound on time."""

    def now_ns(self) -> int:
        """Return the present in this port's clock."""
        ...

    def receive(self) -> tuple[int, bytes] | None:
        """Return the next message that came in and its time, or None; never waits."""
        ...

    def send(self, time_ns: int, message: bytes) -> None:
        """Send a message at ``time_ns``, or at once if that has passed; never waits.

        Messages are sent in the order of their times; those of one time in the order of calls.
        """
        ...

    def cancel(self, after_ns: int) -> None:
        """Forget the queued messages whose time lies after ``after_ns``.

        What is due stays: a note-off asked for at once must not be lost to a second thought.
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

    def fault(self) -> str:
        """Return what has gone wrong with the port, in words, or the empty string."""
        ...

    def close(self) -> None:
        """Send what is queued, then give up the port."""
        ...


class Connections(msgspec.Struct, frozen=True):
    """Names of the other programs' ports at either end of LiveVAE's."""

    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()


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
    must_exist: bool = True
    """Whether a port that is not there is an error, or is waited for."""

    def resolve(self, wanted: Sequence[str], names: Sequence[str], kind: str) -> list[str]:
        """Return the full names of the ``wanted`` ports among ``names``.

        Raises:
            UsageError: one of them does not exist, though it must, or is ambiguous.
        """
        if not self.must_exist:
            return list(wanted)
        return [matching(name, names, kind) for name in wanted]


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
    if wanted in names:
        return wanted
    found = [name for name in names if wanted.lower() in name.lower()]
    if len(found) == 1:
        return found[0]
    listed = ", ".join(found or names) or "none"
    problem = f"several MIDI {kind} ports match" if found else f"there is no MIDI {kind} port"
    raise UsageError(f"{problem} {wanted!r}; there are: {listed}")
