"""The processes of a benchmark: server, clock, recorder, followers, daemon, load.

Each is a context that ends what it has started, whatever happens inside.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from livevae.bench.scripts import RATE, Event
from livevae.daemon.control import Request, ask
from livevae.daemon.supervisor import Report
from livevae.errors import WorkError

CLOCK_NAME: Final = "bench-clock"
CLOCK_LEAD_S: Final = 1.0
"""Between the order to play a script and its frame 0: a script may begin that much earlier."""
CLOCK_PORT: Final = f"{CLOCK_NAME}:out"
RECORDER_NAME: Final = "bench-recorder"
RECORDER_PORT: Final = f"{RECORDER_NAME}:in"
SERVER_PRIORITY: Final = 30
"""Above the player's: the measuring must not be late."""
STARTS_WITHIN_S: Final = 15.0
ANSWERS_WITHIN_S: Final = 5.0
READY_WITHIN_S: Final = 120.0
LEAVES_WITHIN_S: Final = 8.0
LOOK_EVERY_S: Final = 0.05
Environment = dict[str, str]


def needed() -> None:
    """Check that a benchmark can be set up here.

    Raises:
        WorkError: a program or package is missing; the sentence says how to get it.
    """
    if importlib.util.find_spec("jack") is None:
        raise WorkError("the benchmark needs JACK-Client; `pip install 'livevae[jack]'`")
    if shutil.which("jackd") is None:
        raise WorkError(
            "the benchmark starts a JACK server of its own, but jackd is not installed; "
            "install jackd2"
        )


@contextlib.contextmanager
def jack_server(name: str, period: int) -> Iterator[Environment]:
    """Run a JACK server with the dummy driver; yield the environment that leads to it.

    It is synchronous (``-S``): each cycle waits for every client, so that a machine that stands
    still costs time, never messages, and a note that is not there was never sent. Its clients have
    real-time threads where that is allowed, as under a musician's server: one that had not would
    hold up the frames by which everything is measured.

    Raises:
        WorkError: it does not start.
    """
    environment = os.environ | {"JACK_DEFAULT_SERVER": name, "JACK_NO_START_SERVER": "1"}
    if _answers(environment):
        raise WorkError(f"a JACK server {name} runs already; end it, or choose another --server")
    driver = ["-d", "dummy", "-r", str(RATE), "-p", str(period)]
    command = ["jackd", "-n", name, *_scheduling(), "-S", "-t", "200", *driver]
    nothing = subprocess.DEVNULL
    with _process(command, environment, stdout=nothing, stderr=nothing) as process:
        deadline = time.monotonic() + STARTS_WITHIN_S
        while not _answers(environment):
            if process.poll() is not None or time.monotonic() > deadline:
                raise WorkError(
                    f"the JACK server {name} does not start; this says why: {' '.join(command)}"
                )
            time.sleep(LOOK_EVERY_S)
        yield environment


def _answers(environment: Environment) -> bool:
    """Ask in a process of its own: libjack remembers a server that has gone."""
    script = "import jack; jack.Client('bench-probe', no_start_server=True).close()"
    command = [sys.executable, "-P", "-c", script]
    try:
        asked = subprocess.run(
            command, env=environment, capture_output=True, check=False, timeout=ANSWERS_WITHIN_S
        )
    except subprocess.TimeoutExpired:
        return False
    return asked.returncode == 0


class Program:
    """One of the benchmark's own programs: it leaves when its standard input ends."""

    def __init__(self, process: subprocess.Popen[bytes], name: str) -> None:
        """Wait until it says that it is ready.

        Raises:
            WorkError: it does not.
        """
        assert process.stdin is not None  # noqa: S101 - it was started with pipes
        assert process.stdout is not None  # noqa: S101
        self._stdin, self._stdout = process.stdin, process.stdout
        self._name = name
        if self._stdout.readline() != b"ready\n":
            raise WorkError(f"the benchmark's {name} does not start; `livevae doctor` may know why")

    def play(self, events: tuple[Event, ...]) -> int:
        """Let the injector play a script; return JACK's frame of the script's frame 0.

        Raises:
            WorkError: it has ended.
        """
        order = json.dumps([(frame, message.hex()) for frame, message in events])
        with contextlib.suppress(OSError):  # what it says shows whether it has heard
            self._stdin.write(order.encode() + b"\n")
            self._stdin.flush()
        return int(self._hear())

    def wait_until_played(self) -> None:
        """Wait for the end of the script.

        Raises:
            WorkError: the injector has ended before it.
        """
        self._hear()

    def _hear(self) -> bytes:
        line = self._stdout.readline()
        if not line:
            raise WorkError(f"the benchmark's {self._name} has ended before its time; run it again")
        return line

    def recorded(self) -> list[Event]:
        """End the recorder; return JACK frame and message of all that has reached it."""
        self._stdin.close()
        lines = (line.split() for line in self._stdout.read().splitlines())
        return [(int(frame), bytes.fromhex(message.decode())) for frame, message in lines]


@contextlib.contextmanager
def program(
    name: str, *arguments: str, environment: Environment, first: bool = False
) -> Iterator[Program]:
    """Run ``livevae.bench.NAME``; one that goes first has the server's priority."""
    priority = _realtime() if first else ()
    command = [*priority, sys.executable, "-P", "-m", f"livevae.bench.{name}", *arguments]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with _process(command, environment, **pipes) as process:
        yield Program(process, name.replace("_", " "))


@contextlib.contextmanager
def busy() -> Iterator[None]:
    """Keep every core that we may use busy, at normal priority."""
    with contextlib.ExitStack() as stack:
        for _ in range(_cores()):
            stack.enter_context(program("burner", environment=dict(os.environ)))
        yield


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Usage(msgspec.Struct, frozen=True):
    """At a time: how often the decoder has decoded, and the processor time of the player.

    ``player_s`` is None where the system does not tell.
    """

    at_s: float
    decodes: int
    player_s: float | None


class Daemon:
    """A running `livevae run`."""

    def __init__(self, process: subprocess.Popen[bytes], folder: Path, log: Path) -> None:
        """Wait until it plays exactly what the knobs say, and is connected at both ends.

        Raises:
            WorkError: it does not start.
        """
        self._process = process
        self._folder = folder
        deadline = time.monotonic() + READY_WITHIN_S
        while not self._ready():
            if process.poll() is not None or time.monotonic() > deadline:
                lines = log.read_text(errors="replace").splitlines() or ["it says nothing"]
                raise WorkError(f"livevae run does not start: {lines[-1]}")
            time.sleep(LOOK_EVERY_S)

    def report(self) -> Report:
        """Return what it says of itself.

        Raises:
            WorkError: it no longer answers.
        """
        return msgspec.json.decode(ask(Request("status"), self._folder), type=Report)

    def _ready(self) -> bool:
        try:
            report = self.report()
        except WorkError:
            return False
        connections = report.player.connections
        connected = connections.inputs and connections.outputs
        return bool(connected and report.decoder.state == "ready" and report.decoder.decodes)

    def usage(self) -> Usage:
        """Return what it has used since it was started.

        Raises:
            WorkError: it no longer answers.
        """
        return Usage(time.monotonic(), self.report().decoder.decodes, self._player_s())

    def _player_s(self) -> float | None:
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                command = (entry / "cmdline").read_text()
            except OSError:
                continue  # it has just ended
            if int(fields[1]) == self._process.pid and "livevae.player" in command:
                return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        return None


@contextlib.contextmanager
def daemon(config: str, environment: Environment) -> Iterator[Daemon]:
    """Run the daemon in a folder of its own, with nobody's livevae.toml but ``config``."""
    with tempfile.TemporaryDirectory(prefix="livevae-bench-") as name:
        folder = Path(name)
        toml, log = folder / "livevae.toml", folder / "log"
        toml.write_text(config)
        command = [sys.executable, "-P", "-m", "livevae", "run", "--config", str(toml)]
        own = environment | {"LIVEVAE_RUNTIME_DIR": str(folder / "run")}
        nothing = subprocess.DEVNULL
        with (
            log.open("wb") as output,
            _process(command, own, stdin=nothing, stdout=output, stderr=output) as process,
        ):
            yield Daemon(process, folder / "run", log)


def _scheduling() -> tuple[str, ...]:
    """Have the server give its clients real-time threads, RtMidi's included, where that may be."""
    return ("-R", "-P", str(SERVER_PRIORITY)) if _realtime() else ("-r",)


@functools.cache
def _realtime() -> tuple[str, ...]:
    """Return what to put before a command for real-time priority, where it is allowed."""
    chrt = ("chrt", "-f", str(SERVER_PRIORITY))
    if shutil.which("chrt") is None:
        return ()
    allowed = subprocess.run([*chrt, "true"], capture_output=True, check=False).returncode == 0
    return chrt if allowed else ()


@contextlib.contextmanager
def _process(
    command: list[str], environment: Environment, **options: object
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command out of reach of the terminal's Ctrl-C: we end it, in order."""
    with subprocess.Popen(command, env=environment, start_new_session=True, **options) as process:  # type: ignore[call-overload]
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(LEAVES_WITHIN_S)
            except subprocess.TimeoutExpired:
                process.kill()
