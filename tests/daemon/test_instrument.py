"""A bank and its decoder: what becomes of both when the decoder dies, hangs or cannot run."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
import numpy as np
import pytest

from livevae.config import Decoder
from livevae.daemon import instrument
from livevae.daemon.instrument import DEATHS_BEFORE_CPU, Instrument, Shelf
from livevae.decoder.bank import Bank, Shape
from livevae.decoder.process import Orders, Status
from livevae.errors import UsageError, WorkError
from tests.daemon.understudy import BROKEN, GPU_FULL, HANGS, KILLED, WORKS, act

SHAPE = Shape(32, 2, 2)
WITHIN_S = 60.0
FULL = (
    "the decoder fails on the device cuda (CUDA out of memory); `livevae doctor` looks at model "
    "and device"
)


async def until(condition: Callable[[], object]) -> None:
    """Wait for a process to come to something."""
    deadline = time.monotonic() + WITHIN_S
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)


def decoder_pid(it: Instrument) -> int:
    """Return the process id of an instrument's decoder, to do it harm."""
    assert it._decoder is not None
    return it._decoder.pid


def with_instrument(
    folder: Path, play: Callable[[Instrument], Awaitable[None]], device: str = "cuda"
) -> None:
    """Run ``play`` with an instrument whose decoder has been started, and close it."""

    async def run() -> None:
        bank, config = folder / "bank", Decoder(device=device)
        instrument = Instrument(folder / "mine", bank, SHAPE, config, asyncio.Event())
        instrument.start_decoder()
        try:
            await play(instrument)
        finally:
            instrument.close()

    asyncio.run(run())


def kept(
    folder: Path, then: Callable[[Instrument], bool], device: str = "cuda"
) -> tuple[Status, int]:
    """Keep an instrument's decoder until ``then``; return its status and restarts by then."""
    found = []

    async def play(instrument: Instrument) -> None:
        instrument.keep_decoder(asyncio.create_task)
        await until(lambda: then(instrument))
        found.append((instrument.decoder_status(), instrument.restarts))

    with_instrument(folder, play, device)
    return found[0]


def test_a_decoder_that_works_says_so_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Ready, on the device it was told."""
    act(monkeypatch, tmp_path)
    status, restarts = kept(tmp_path, lambda it: it.decoder_status().decodes > 5)
    assert (status.state, status.device, status.reason, restarts) == ("ready", "cuda", "", 0)


def test_a_decoder_killed_is_restarted_and_said_to_have_died(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Its last status, which calls it ready, is not believed any more."""
    act(monkeypatch, tmp_path)
    killed, states = [], []

    def ready_again(it: Instrument) -> bool:
        state = it.decoder_status().state
        if state == "ready" and not killed:
            os.kill(decoder_pid(it), signal.SIGKILL)
            killed.append(True)
        states.extend([state] * it.restarts)
        return state == "ready" and it.restarts == 1

    status, restarts = kept(tmp_path, ready_again)
    assert (status.state, status.reason, restarts) == ("ready", "died once", 1)
    assert states[0] == "starting"


@pytest.mark.parametrize(("load", "decode"), [(GPU_FULL, WORKS), (WORKS, GPU_FULL)])
def test_a_gpu_whose_memory_is_full_is_left_for_the_cpu_after_some_deaths(
    load: str, decode: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """While loading or in the middle; the status has torch's reason in one sentence."""
    act(monkeypatch, tmp_path, load, decode)
    status, restarts = kept(tmp_path, lambda it: it.decoder_status().decodes > 5)
    assert restarts == DEATHS_BEFORE_CPU
    assert (status.state, status.device) == ("ready", "cpu")
    assert status.reason == f"died 3 times in a row; {FULL}; on the CPU from now on"


@pytest.mark.parametrize(("load", "decode"), [(KILLED, WORKS), (WORKS, KILLED)])
def test_a_decoder_that_dies_each_time_is_started_ever_again(
    load: str, decode: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """On the CPU by and by; that it is not ready is said."""
    act(monkeypatch, tmp_path, load, decode)
    status, _ = kept(tmp_path, lambda it: it.restarts == DEATHS_BEFORE_CPU + 2)
    assert "died 5 times in a row; on the CPU from now on" in status.reason


def test_between_death_and_restart_the_status_says_restarting(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Nobody else could say it."""
    act(monkeypatch, tmp_path, KILLED)
    monkeypatch.setattr(instrument, "BACKOFF_S", (0.0, 600.0))
    status, _ = kept(tmp_path, lambda it: "2 times" in it.decoder_status().reason)
    assert (status.state, status.reason) == ("restarting", "died 2 times in a row")


@pytest.mark.parametrize(("load", "decode"), [(HANGS, WORKS), (WORKS, HANGS)])
def test_a_decoder_that_hangs_is_killed_and_restarted(
    load: str, decode: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """While loading, where more patience is due, or when ready."""
    act(monkeypatch, tmp_path, load, decode)
    monkeypatch.setattr(instrument, "LOADS_WITHIN_S", 2.0)
    status, restarts = kept(tmp_path, lambda it: it.restarts == 1)
    assert restarts == 1
    assert status.reason == "died once"


def test_a_decoder_stopped_by_a_signal_hangs_too(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A process that is stopped can be killed."""
    act(monkeypatch, tmp_path)
    stopped = []

    def restarted(it: Instrument) -> bool:
        if it.decoder_status().state == "ready" and not stopped:
            os.kill(decoder_pid(it), signal.SIGSTOP)
            stopped.append(True)
        return it.restarts == 1 and it.decoder_status().state == "ready"

    assert kept(tmp_path, restarted)[1] == 1


def test_a_decoder_that_can_never_run_is_let_go_and_its_reason_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The map plays."""
    act(monkeypatch, tmp_path, BROKEN)
    status, restarts = kept(tmp_path, lambda it: it.decoder_status().state == "stopped")
    assert restarts == 0
    assert status.reason == "the model is broken; fetch it again; the precomputed map plays"


@pytest.mark.parametrize(
    ("load", "error", "sentence"),
    [
        (BROKEN, UsageError, "the model is broken; fetch it again"),
        (GPU_FULL, WorkError, r"\(CUDA out of memory\); `livevae doctor` looks at"),
        (KILLED, WorkError, r"its decoder has ended \(exit code -9\); try again"),
        (HANGS, WorkError, "has not loaded within 2 s"),
    ],
)
def test_who_waits_for_a_model_that_cannot_be_loaded_is_told_why(
    load: str,
    error: type[Exception],
    sentence: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """In its own words where it has any; nothing is left of it."""
    act(monkeypatch, tmp_path, load)
    monkeypatch.setattr(instrument, "LOADS_WITHIN_S", 2.0)

    async def play(it: Instrument) -> None:
        await it.loaded()

    with pytest.raises(error, match=sentence):
        with_instrument(tmp_path, play)
    assert not (tmp_path / "bank").exists()


def test_closing_ends_the_decoder_and_removes_the_bank(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Twice does no harm."""
    act(monkeypatch, tmp_path)

    async def play(it: Instrument) -> None:
        await it.loaded()
        pid = decoder_pid(it)
        it.close()
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
        assert not it.path.exists()

    with_instrument(tmp_path, play)


def test_a_decoder_whose_supervisor_was_killed_removes_its_bank(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Nobody else is left to do it."""
    act(monkeypatch, tmp_path)
    bank = Bank.create(tmp_path / "bank", SHAPE)
    command = [sys.executable, "-P", "-m", instrument.DECODER]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        orders = Orders(str(tmp_path / "bank"), str(tmp_path), "cpu", 1)
        process.stdin.write(msgspec.json.encode(orders) + b"\n")
        process.stdin.flush()
        while bank.decoder_status.read() is None and process.poll() is None:
            time.sleep(0.01)
        process.stdin.close()
        assert process.wait(20) == 0
    assert not (tmp_path / "bank").exists()


def test_a_shelf_clears_what_a_killed_daemon_of_its_folder_left_and_nothing_else(
    tmp_path: Path,
) -> None:
    """Their paths never coincide, so no late process takes one bank for another."""
    mine, other = Shelf(tmp_path / "a"), Shelf(tmp_path / "b")
    left, elsewhere = [mine.next(), mine.next()], other.next()
    assert len({*left, elsewhere}) == 3
    for path in (*left, elsewhere):
        Bank.create(path, SHAPE).want(np.zeros(16, np.float32))
    try:
        Shelf(tmp_path / "a").clear()
        assert [path.exists() for path in (*left, elsewhere)] == [False, False, True]
    finally:
        other.clear()
    assert not elsewhere.exists()
