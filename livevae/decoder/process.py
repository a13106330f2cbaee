"""The decoder process: loads torch behind everybody's back, then answers until told to leave.

``python -m livevae.decoder`` reads one line of JSON (``Orders``) from standard input; the end of
that input is the order to leave. It sleeps on a loopback datagram that the player sends with each
request. The datagram says nothing, the request lies in the bank.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import socket
import sys
import threading
from pathlib import Path
from typing import Final

import msgspec

from livevae.decoder.bank import Bank
from livevae.errors import LiveVAEError, WorkError

NICENESS: Final = 5
LOOK_AGAIN_S: Final = 0.5
"""Without a datagram the decoder looks into the bank this often: a lost one costs no more."""


class Orders(msgspec.Struct, frozen=True):
    """What the supervisor tells a new decoder."""

    bank: str
    model: str
    device: str
    threads: int


class Status(msgspec.Struct, frozen=True):
    """What the decoder says of itself. ``beat`` grows while it is alive."""

    state: str
    device: str = ""
    decodes: int = 0
    p50_ms: float = 0.0
    p99_ms: float = 0.0
    beat: int = 0
    reason: str = ""
    """Why it has failed, in a sentence."""


def run(orders: Orders) -> None:
    """Decode for ever; the process ends with its input.

    Raises:
        UsageError: the model is broken, or the device is not there.
        WorkError: torch has failed, for want of memory say, or the bank is not there.
    """
    bank = Bank.open(Path(orders.bank))
    bank.decoder_status.write(msgspec.json.encode(Status("loading")))
    try:
        _answer_for_ever(bank, orders)
    except (LiveVAEError, RuntimeError, MemoryError) as error:
        failure = error if isinstance(error, LiveVAEError) else _in_words(error, orders.device)
        bank.decoder_status.write(msgspec.json.encode(Status("failed", reason=str(failure))))
        raise failure from error


def _in_words(error: Exception, device: str) -> WorkError:
    """Return torch's failure as a sentence; its own go on for paragraphs."""
    first = (str(error).splitlines() or [type(error).__name__])[0].partition(". ")[0]
    return WorkError(
        f"the decoder fails on the device {device} ({first.rstrip('.')}); `livevae doctor` looks "
        "at model and device"
    )


def _answer_for_ever(bank: Bank, orders: Orders) -> None:
    from livevae.decoder.service import Service, WarmModel  # noqa: PLC0415 - torch takes seconds

    model = WarmModel(Path(orders.model), orders.device, orders.threads)
    service = Service(bank, model)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wake:
        wake.bind(("127.0.0.1", 0))
        bank.listen(wake.getsockname()[1])
        for beat in itertools.count(1):
            pause_ns = service.work()
            times = sorted(service.times_ns) or [0]
            status = Status(
                "ready",
                model.device,
                service.decodes,
                times[len(times) // 2] / 1e6,
                times[len(times) * 99 // 100] / 1e6,
                beat,
            )
            bank.decoder_status.write(msgspec.json.encode(status))
            if pause_ns != 0:
                wake.settimeout(LOOK_AGAIN_S if pause_ns is None else pause_ns / 1e9)
                try:
                    wake.recv(16)
                except TimeoutError:
                    if pause_ns is None:
                        model.keep_warm()


def main() -> None:
    """Run the decoder; leave at once when the supervisor does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    line = sys.stdin.buffer.readline()
    if not line:
        os._exit(0)  # the supervisor has gone before it knew what to order
    orders = msgspec.json.decode(line, type=Orders)

    def leave_with_supervisor() -> None:
        sys.stdin.buffer.read()
        # A supervisor that was killed cannot; while it lives it would do so anyway.
        with contextlib.suppress(OSError):
            Path(orders.bank).unlink(missing_ok=True)
        os._exit(0)

    threading.Thread(target=leave_with_supervisor, name="supervisor", daemon=True).start()
    try:
        run(orders)
    except LiveVAEError as error:
        print(f"livevae: {error}", file=sys.stderr, flush=True)
        os._exit(error.exit_code)
