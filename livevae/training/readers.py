"""Many files read at once, in processes of their own: one that dies takes only its file along."""

from __future__ import annotations

import itertools
import multiprocessing
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from livevae.errors import WorkError
from livevae.training.reading import Reading, Reason, read

if TYPE_CHECKING:
    from multiprocessing.context import ForkServerContext, SpawnContext

T = TypeVar("T")
Read = Callable[[bytes, bool], Reading | Reason]

BATCH_FILES: Final = 64
BATCH_BYTES: Final = 4 * 1024 * 1024
PATIENCE_S: Final = 60.0
"""A batch takes a second at most: a reader that is silent for this long has lost its way."""


def _context() -> SpawnContext | ForkServerContext:
    """Return how readers are started: as forks of a server that has imported all they need.

    A fork of this process itself would take its threads' locks along. Windows has no forks.
    """
    if sys.platform == "win32":
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([read.__module__])
    return context


def read_all(
    files: Iterable[tuple[T, bytes, bool]], processes: int, read: Read = read
) -> Iterator[tuple[T, Reading | Reason]]:
    """Yield each file's label and what ``read`` makes of its bytes, in the order of ``files``.

    Up to ``processes`` batches are read at the same time, and no more than one batch besides is
    in memory. A file that kills its reader, or keeps it busy for ever, is left out by name.

    Raises:
        WorkError: a process to read in cannot be started.
    """
    idle: list[_Reader[T]] = []
    busy: deque[_Reader[T]] = deque()
    try:
        for batch in _batches(files):
            if len(busy) == processes:
                yield from busy[0].results()
                idle.append(busy.popleft())
            reader = idle.pop() if idle else _Reader[T](read)
            busy.append(reader)
            reader.start(batch)
        while busy:
            yield from busy[0].results()
            idle.append(busy.popleft())
    finally:
        for reader in (*idle, *busy):
            reader.stop()


def _batches(files: Iterable[tuple[T, bytes, bool]]) -> Iterator[list[tuple[T, bytes, bool]]]:
    remaining = iter(files)
    for first in remaining:
        batch, size = [first], len(first[1])
        for file in itertools.islice(remaining, BATCH_FILES - 1):
            batch.append(file)
            size += len(file[1])
            if size >= BATCH_BYTES:
                break
        yield batch


class _Reader(Generic[T]):
    """One reading process and the batch that it is at."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self._batch: list[tuple[T, bytes, bool]] = []
        self._open()

    def _open(self) -> None:
        context = _context()
        try:
            pipe, theirs = context.Pipe()
            process = context.Process(target=_serve, args=(theirs, self._read), daemon=True)
            process.start()
        except OSError as error:
            raise WorkError(
                f"a process to read files in cannot be started: {error.strerror or error}; "
                "end other programs and try again"
            ) from None
        theirs.close()
        self._pipe, self._process = pipe, process

    def start(self, batch: list[tuple[T, bytes, bool]]) -> None:
        """Hand over a batch."""
        self._batch = batch
        self._send(batch)

    def results(self) -> Iterator[tuple[T, Reading | Reason]]:
        """Wait for the batch; if the process died over it, read its files one by one."""
        found = self._receive()
        if found is None:
            found = [self._read_alone(file) for file in self._batch]
        for (label, _, _), result in zip(self._batch, found, strict=True):
            yield label, result

    def _read_alone(self, file: tuple[T, bytes, bool]) -> Reading | Reason:
        self._send([file])
        found = self._receive()
        return found[0] if found else "crashes the reader"

    def _send(self, batch: list[tuple[T, bytes, bool]]) -> None:
        try:
            self._pipe.send([(data, groove) for _, data, groove in batch])
        except OSError:
            return  # the process is gone, which shows when its answer is waited for

    def _receive(self) -> list[Reading | Reason] | None:
        """Return the answer; or start a new process and return None."""
        try:
            if self._pipe.poll(PATIENCE_S):
                answer: list[Reading | Reason] = self._pipe.recv()
                return answer
        except (EOFError, OSError):
            pass
        pipe, process = self._pipe, self._process
        self._open()  # before the old one ends: if this fails, there is one to stop
        _end(pipe, process)
        return None

    def stop(self) -> None:
        """End the process, whatever it does."""
        _end(self._pipe, self._process)


def _end(pipe: Connection, process: BaseProcess) -> None:
    pipe.close()
    process.kill()
    process.join()
    process.close()


def _serve(pipe: Connection, read: Read) -> None:
    """Read batches until the other end closes, by its own death even."""
    try:
        while True:
            pipe.send([read(data, groove) for data, groove in pipe.recv()])
    except (EOFError, OSError, KeyboardInterrupt):
        return
