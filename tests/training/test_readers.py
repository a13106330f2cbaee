"""Files read in other processes: in order, and whatever happens to those processes."""

import errno
import itertools
import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from multiprocessing.process import BaseProcess

import pytest

from livevae.errors import WorkError
from livevae.training import readers
from livevae.training.readers import BATCH_FILES, read_all
from livevae.training.reading import Reading, Reason

DEADLY, ENDLESS = b"deadly", b"endless"


def found(data: bytes) -> Reading:
    """Return a made-up reading that shows whose it is."""
    return Reading(data, 1, data, 120.0)


def fragile(data: bytes, groove: bool) -> Reading | Reason:
    """Read any bytes, but die of some, as a fault in a C++ library does."""
    if data == DEADLY:
        os.kill(os.getpid(), signal.SIGSEGV)
    if data == ENDLESS:
        time.sleep(600)
    return "other metre" if groove else found(data)


def numbered(count: int, **special: bytes) -> list[tuple[int, bytes, bool]]:
    """Return files with their numbers as labels and as bytes, but for the special ones (_3=...)."""
    return [(n, special.get(f"_{n}", str(n).encode()), False) for n in range(count)]


def refuse_processes(monkeypatch: pytest.MonkeyPatch, after: int) -> None:
    """Let no process be started but the first few, as a system that is full does."""
    start, started = BaseProcess.start, itertools.count()

    def full(process: BaseProcess) -> None:
        if next(started) >= after:
            raise BlockingIOError(errno.EAGAIN, "no room")
        start(process)

    monkeypatch.setattr(BaseProcess, "start", full)


@pytest.mark.parametrize("processes", [1, 3])
def test_each_file_is_read_once_and_in_order(processes: int) -> None:
    """However many read at once, over several batches."""
    count = 5 * BATCH_FILES + 7
    results = list(read_all(numbered(count), processes, fragile))

    assert results == [(n, found(str(n).encode())) for n in range(count)]


def test_no_files_are_no_results() -> None:
    """And no process is started for them."""
    assert not list(read_all(iter(()), 2, fragile))


def test_what_is_told_of_a_file_is_passed_on() -> None:
    """The reading knows Groove MIDI's files from others, and gives reasons."""
    assert list(read_all([("a", b"1", True)], 1, fragile)) == [("a", "other metre")]


def test_a_file_that_kills_its_reader_is_left_out_alone() -> None:
    """The others of its batch and of the batches after it are read."""
    count = 3 * BATCH_FILES
    files = numbered(count, _5=DEADLY, _70=DEADLY)
    results = dict(read_all(files, 2, fragile))

    assert [n for n in range(count) if results[n] == "crashes the reader"] == [5, 70]
    assert all(isinstance(results[n], Reading) for n in range(count) if n not in {5, 70})


def test_a_file_that_is_never_done_is_left_out_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Patience has an end."""
    monkeypatch.setattr(readers, "PATIENCE_S", 2.0)
    results = dict(read_all(numbered(3, _1=ENDLESS), 1, fragile))

    assert results[1] == "crashes the reader"
    assert isinstance(results[0], Reading)
    assert isinstance(results[2], Reading)


def test_a_reader_killed_from_outside_costs_no_file() -> None:
    """As by a system that is out of memory: what it was at is read again."""
    count = 4 * BATCH_FILES

    def killing() -> Iterator[tuple[int, bytes, bool]]:
        for file in numbered(count):
            if file[0] == 3 * BATCH_FILES:
                for child in multiprocessing.active_children():
                    child.kill()
            yield file

    results = list(read_all(killing(), 2, fragile))

    assert results == [(n, found(str(n).encode())) for n in range(count)]


@pytest.mark.parametrize("starts", [0, 1])
def test_a_reader_that_cannot_be_started_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, starts: int
) -> None:
    """The first one, and one in the place of a reader that a file killed; none is left."""
    refuse_processes(monkeypatch, after=starts)
    with pytest.raises(WorkError, match="cannot be started: no room"):
        list(read_all(numbered(3, _1=DEADLY), 1, fragile))

    assert not multiprocessing.active_children()


def test_no_process_is_left_when_the_caller_stops_early() -> None:
    """An interrupt or a full disk ends the readers too."""
    results = read_all(numbered(10 * BATCH_FILES), 2, fragile)
    next(results)
    assert multiprocessing.active_children()
    results.close()

    assert not multiprocessing.active_children()
