"""Real peers for the daemon: a JACK server, a clock source, a recorder, a hand on a knob."""

from __future__ import annotations

import contextlib
import functools
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import jack
import msgspec

from livevae.daemon.control import Request, ask
from livevae.daemon.supervisor import Report

RATE = 48_000
PERIOD = 64
FRAMES_PER_MS = RATE / 1000


def eventually(condition: Callable[[], object], within_s: float = 10.0) -> object:
    """Return the condition's value once it is true; fail if that takes too long."""
    deadline = time.monotonic() + within_s
    while True:
        try:
            value = condition()
        except Exception as error:
            value = None
            reason: object = error
        else:
            reason = value
        if value:
            return value
        assert time.monotonic() < deadline, f"not within {within_s} s: {reason!r}"
        time.sleep(0.02)


@functools.cache
def realtime() -> tuple[str, ...]:
    """Return what to put before a peer's command: real-time priority, where it is allowed."""
    chrt = ("chrt", "-f", "30")
    allowed = subprocess.run([*chrt, "true"], capture_output=True, check=False).returncode == 0
    return chrt if allowed else ()


@contextlib.contextmanager
def jack_server(
    name: str = "livevae-tests", period: int = PERIOD
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a JACK server of our own with the dummy driver, and make it everybody's default.

    It is synchronous (``-S``): each cycle waits for every client. A machine that stands still for
    a moment then costs time, never messages, and a message that is not there was never sent. For
    a client that was killed it waits ten times ``-t`` ms.

    Its names are few: JACK keeps a place for each name it has ever served, and has eight.
    """
    before = os.environ.get("JACK_DEFAULT_SERVER", "default")
    os.environ.update(JACK_DEFAULT_SERVER=name, JACK_NO_START_SERVER="1")
    driver = ["-d", "dummy", "-r", str(RATE), "-p", str(period)]
    # Where it may, the server gives its clients real-time threads too, RtMidi's included.
    scheduling = ["-R", "-P", "30"] if realtime() else ["-r"]
    command = ["jackd", "-n", name, *scheduling, "-S", "-t", "200", *driver]
    try:
        with _process(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
            eventually(_server_answers)
            yield server
    finally:
        os.environ["JACK_DEFAULT_SERVER"] = before


def _server_answers() -> bool:
    listed = subprocess.run(["jack_lsp"], capture_output=True, timeout=5, check=False)
    return listed.returncode == 0


def midi_ports() -> set[str]:
    """Return the names of all ports in the graph."""
    listed = subprocess.run(["jack_lsp"], capture_output=True, text=True, timeout=5, check=True)
    return set(listed.stdout.split())


def connect(source: str, *destinations: str) -> None:
    """Connect a port to others."""
    for destination in destinations:
        subprocess.run(["jack_connect", source, destination], check=True, timeout=5)


class Transport:
    """JACK's transport, which makes jack_midi_clock run."""

    @staticmethod
    def _order(order: str) -> None:
        subprocess.run(
            ["jack_transport"],
            input=f"{order}\nquit\n",
            text=True,
            stdout=subprocess.DEVNULL,
            check=True,
            timeout=5,
        )

    def play(self) -> None:
        """Roll from where it stands."""
        self._order("play")

    def stop(self) -> None:
        """Stop rolling, and go back to the start of the song."""
        self._order("stop")
        self._order("locate 0")


@contextlib.contextmanager
def midi_clock(bpm: float) -> Iterator[str]:
    """Run jack_midi_clock; yield the name of its port."""
    command = [*realtime(), "jack_midi_clock", "-b", str(bpm)]
    with _process(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL):
        eventually(lambda: "jack_midi_clock:mclk_out" in midi_ports())
        yield "jack_midi_clock:mclk_out"


@dataclass
class Recorder:
    """What a recorder has heard so far: frame and message of each event, in order."""

    port: str
    events: list[tuple[int, bytes]]

    def messages(self, status: int) -> list[tuple[int, bytes]]:
        """Return what came in with this status byte (channel ignored below 0xF0)."""
        mask = 0xFF if status >= 0xF0 else 0xF0
        return [event for event in self.events if event[1][0] & mask == status]

    def onsets(self) -> list[tuple[int, int]]:
        """Return frame and note of each note-on."""
        return [(frame, message[1]) for frame, message in self.messages(0x90) if message[2]]

    def hanging(self, end: int | None = None) -> set[int]:
        """Return the notes owed a note-off after the first ``end`` events.

        Gear that ignores CC 120 needs every one.
        """
        on: set[int] = set()
        for _, message in self.events[:end]:
            if message[0] & 0xF0 == 0x90 and message[2]:
                on.add(message[1])
            elif message[0] & 0xF0 in (0x80, 0x90):
                on.discard(message[1])
        return on


@contextlib.contextmanager
def recorder(name: str = "daw") -> Iterator[Recorder]:
    """Run a recorder, ``NAME:in``, as a process of its own."""
    command = [*realtime(), sys.executable, "-P", "-m", "livevae.bench.recorder", name]
    heard: list[tuple[int, bytes]] = []
    with _process(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        output = process.stdout
        assert output is not None
        output.readline()

        def read() -> None:
            for line in output:
                frame, message = line.split()
                heard.append((int(frame), bytes.fromhex(message.decode())))

        reading = threading.Thread(target=read)
        reading.start()
        yield Recorder(f"{name}:in", heard)
        process.terminate()
        reading.join()


class Hand:
    """A controller on the stage: sends MIDI messages into the graph."""

    def __init__(self, destination: str) -> None:
        self._client = jack.Client("hand", no_start_server=True)
        self._out = self._client.midi_outports.register("out")
        self._queue: list[bytes] = []
        self._client.set_process_callback(lambda _frames: self._send_all())
        self._client.activate()
        self._client.connect(self._out, destination)

    def _send_all(self) -> None:
        self._out.clear_buffer()
        while self._queue:
            self._out.write_midi_event(0, self._queue.pop(0))

    def send(self, *message: int) -> int:
        """Send a message now; return the frame at which it leaves."""
        frame = int(self._client.frame_time)
        self._queue.append(bytes(message))
        return frame

    def close(self) -> None:
        self._client.deactivate()
        self._client.close()


@dataclass
class Daemon:
    """A running `livevae run`."""

    process: subprocess.Popen[bytes]
    folder: Path
    log: Path

    def status(self) -> Report:
        """Return what `livevae status` shows."""
        return msgspec.json.decode(ask(Request("status"), self.folder), type=Report)

    def set(self, name: str, value: object) -> None:
        """Do as `livevae set` does."""
        ask(Request("set", name, str(value)), self.folder, patience_s=60)

    def stop(self, number: int = signal.SIGINT) -> int:
        """Send a signal and return the exit code."""
        self.process.send_signal(number)
        return self.process.wait(10)


@contextlib.contextmanager
def daemon(*arguments: str, config: str = "") -> Iterator[Daemon]:
    """Run the daemon in a folder of its own, with nobody's livevae.toml but ours."""
    with tempfile.TemporaryDirectory(prefix="lv-") as name:
        folder = Path(name)
        toml, log = folder / "livevae.toml", folder / "log"
        toml.write_text(config)
        command = [sys.executable, "-m", "livevae", "run", "--config", str(toml), *arguments]
        environment = os.environ | {"LIVEVAE_RUNTIME_DIR": str(folder / "run")}
        with (
            log.open("wb") as output,
            _process(
                command,
                stdin=subprocess.DEVNULL,
                stderr=output,
                stdout=output,
                env=environment,
                cwd=folder,
            ) as process,
        ):
            running = Daemon(process, folder / "run", log)
            yield running


@contextlib.contextmanager
def _process(command: list[str], **options: object) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(command, **options) as process:  # type: ignore[call-overload]
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
