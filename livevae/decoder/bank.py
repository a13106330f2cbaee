"""The pattern bank: the shared memory between player, decoder and supervisor.

It is a file mapped by all three, made of cells. A cell has one writer and any number of readers;
nobody ever waits. The writer makes the sequence number odd, writes, and makes it even again; a
reader takes a copy and believes it only if the number was even and has not changed. A checksum
catches what a machine with weakly ordered memory could still tear.

    header    magic, layout version, steps of a pattern, rows and columns of the grid
    counters  answers written so far, the decoder's wake-up port, grids written so far
    wanted    the position the player wants decoded: latest only
    player, decoder   what each has to say of itself, JSON
    answers   the latest exact patterns, each with its position
    grid      rows x cols patterns
"""

from __future__ import annotations

import contextlib
import mmap
import socket
import struct
import zlib
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from livevae.errors import WorkError
from livevae.parameters import POSITION
from livevae.pattern.pattern import (
    CHANNELS,
    MAX_BARS,
    MAX_GRID_SIZE,
    N_VOICES,
    STEPS_PER_BAR,
    Pattern,
)

Position = npt.NDArray[np.float32]
"""Values of the controls of ``parameters.POSITION``, ``float32[16]``."""

MAGIC: Final = b"LiveVAE\0"
LAYOUT: Final = 1
ANSWERS: Final = 16
STATUS_BYTES: Final = 16 << 10

_HEADER: Final = struct.Struct("<8sIIII")
_PREFIX: Final = struct.Struct("<QII")
_HEADER_BYTES: Final = 64
_COUNTERS: Final = 8
_POSITION_BYTES: Final = 4 * len(POSITION)
_TRIES: Final = 4


class Cell:
    """A record of up to ``size`` bytes with one writer and readers that never block."""

    def __init__(self, memory: memoryview) -> None:
        """Lie over ``memory``: sequence number, length and checksum, then the record."""
        self._sequence = memory[:8].cast("Q")
        self._memory = memory
        self._body = memory[_PREFIX.size :]

    @property
    def version(self) -> int:
        """A number that every write changes."""
        return self._sequence[0]

    @staticmethod
    def footprint(size: int) -> int:
        """Return the bytes a cell of ``size`` takes, a multiple of 8."""
        return _PREFIX.size + (size + 7) // 8 * 8

    def write(self, record: bytes) -> None:
        """Replace the record."""
        sequence = self._sequence[0] | 1
        self._sequence[0] = sequence
        _PREFIX.pack_into(self._memory, 0, sequence, len(record), zlib.crc32(record))
        self._body[: len(record)] = record
        self._sequence[0] = sequence + 1

    def read(self) -> bytes | None:
        """Return a copy of the record; None when there is none, or it is being rewritten."""
        for _ in range(_TRIES):
            # Read in one piece: unpacking goes byte by byte, between which the writer may carry.
            sequence = self._sequence[0]
            _, length, checksum = _PREFIX.unpack_from(self._memory)
            if sequence == 0:
                return None
            record = bytes(self._body[:length])
            intact = sequence % 2 == 0 and self._sequence[0] == sequence
            if intact and zlib.crc32(record) == checksum:
                return record
        return None


class Shape(msgspec.Struct, frozen=True):
    """What fixes the layout: steps of a pattern, rows and columns of the grid."""

    steps: int
    rows: int
    cols: int

    def checked(self) -> Shape:
        """Return self, or raise WorkError when no bank can have this shape."""
        whole_bars = self.steps % STEPS_PER_BAR == 0
        if not (0 < self.steps <= MAX_BARS * STEPS_PER_BAR and whole_bars):
            raise WorkError(f"a pattern bank has 1 to {MAX_BARS} bars, not {self.steps} steps")
        if not (1 < self.rows <= MAX_GRID_SIZE and 1 < self.cols <= MAX_GRID_SIZE):
            raise WorkError(f"a grid has 2 to {MAX_GRID_SIZE} rows and columns")
        return self


class Bank:
    """The mapped file. The supervisor creates it; the player and the decoder open it."""

    def __init__(self, memory: memoryview, shape: Shape) -> None:
        """Lay the cells over ``memory``; use ``create``, ``open`` or ``in_memory``."""
        self.shape = shape
        self._counters = memory[_HEADER_BYTES : _HEADER_BYTES + 8 * _COUNTERS].cast("Q")
        self._at = _HEADER_BYTES + 8 * _COUNTERS
        self._pattern_shape = (shape.steps, N_VOICES, CHANNELS)
        self._pattern_bytes = 4 * shape.steps * N_VOICES * CHANNELS
        self._wanted = self._cell(memory, _POSITION_BYTES)
        self.player_status = self._cell(memory, STATUS_BYTES)
        self.decoder_status = self._cell(memory, STATUS_BYTES)
        size = _POSITION_BYTES + self._pattern_bytes
        self._answers = [self._cell(memory, size) for _ in range(ANSWERS)]
        cells = shape.rows * shape.cols
        self._grid = [self._cell(memory, self._pattern_bytes) for _ in range(cells)]

    def _cell(self, memory: memoryview, size: int) -> Cell:
        start = self._at
        self._at += Cell.footprint(size)
        return Cell(memory[start : self._at])

    @classmethod
    def create(cls, path: Path, shape: Shape) -> Bank:
        """Make the file ``path``, readable by its owner only, and map it."""
        shape.checked()
        with path.open("xb+") as file:
            path.chmod(0o600)
            file.truncate(_total_bytes(shape))
            memory = memoryview(mmap.mmap(file.fileno(), _total_bytes(shape)))
        return cls._started(memory, shape)

    @classmethod
    def in_memory(cls, shape: Shape) -> Bank:
        """Return a bank of this process alone, for offline rendering."""
        return cls._started(memoryview(bytearray(_total_bytes(shape.checked()))), shape)

    @classmethod
    def open(cls, path: Path) -> Bank:
        """Map a bank that another process has created.

        Raises:
            WorkError: the file is no bank of this layout.
        """
        try:
            with path.open("rb+") as file:
                memory = memoryview(mmap.mmap(file.fileno(), 0))
        except (OSError, ValueError) as error:
            raise WorkError(f"the pattern bank {path} cannot be opened: {error}") from error
        if len(memory) < _HEADER_BYTES:
            raise WorkError(f"{path} is too short for a pattern bank")
        magic, layout, steps, rows, cols = _HEADER.unpack_from(memory)
        if magic != MAGIC or layout != LAYOUT:
            raise WorkError(f"{path} is no pattern bank of this version")
        try:
            shape = Shape(steps, rows, cols).checked()
        except WorkError as error:
            raise WorkError(f"{path} is no pattern bank: {error}") from None
        if len(memory) != _total_bytes(shape):
            raise WorkError(f"{path} is no pattern bank: its size is wrong")
        return cls(memory, shape)

    @classmethod
    def _started(cls, memory: memoryview, shape: Shape) -> Bank:
        bank = cls(memory, shape)
        _HEADER.pack_into(memory, 0, MAGIC, LAYOUT, shape.steps, shape.rows, shape.cols)
        return bank

    # The player's side

    def want(self, position: Position) -> None:
        """Ask the decoder for the exact pattern at ``position``; a later call replaces this one."""
        self._wanted.write(position.tobytes())
        if port := self._counters[1]:
            # A full socket buffer has already woken the decoder.
            with (
                contextlib.suppress(OSError),
                socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wake,
            ):
                wake.setblocking(False)
                wake.sendto(b"!", ("127.0.0.1", port))

    @property
    def news(self) -> tuple[int, int]:
        """A value that changes when an answer or a grid has come."""
        return self._counters[0], self._counters[2]

    def exact(self, position: Position) -> Pattern | None:
        """Return the pattern decoded at exactly ``position``, if it is there."""
        key = position.tobytes()
        newest = self._counters[0]
        for number in range(newest, max(newest - ANSWERS, 0), -1):
            record = self._answers[number % ANSWERS].read()
            if record is not None and record.startswith(key):
                return self._pattern(record[_POSITION_BYTES:])
        return None

    def nearest(self, position: Position) -> Pattern | None:
        """Return the pattern of the grid point nearest to ``position``, if there is a grid."""
        if self._counters[2] == 0:
            return None
        col = round(float(position[0]) * (self.shape.cols - 1))
        row = round(float(position[1]) * (self.shape.rows - 1))
        record = self._grid[row * self.shape.cols + col].read()
        return None if record is None else self._pattern(record)

    def _pattern(self, record: bytes) -> Pattern:
        return np.frombuffer(record, np.float32).reshape(self._pattern_shape)

    # The decoder's side

    def listen(self, port: int) -> None:
        """Tell the player which loopback UDP port wakes the decoder."""
        self._counters[1] = port

    def wanted(self) -> Position | None:
        """Return the position asked for last, if any was."""
        record = self._wanted.read()
        return None if record is None else np.frombuffer(record, np.float32).copy()

    def answer(self, position: Position, pattern: Pattern) -> None:
        """Publish the exact pattern at ``position``.

        Raises:
            ValueError: the pattern, or the position, has not the bank's shape.
        """
        _check(position, (len(POSITION),))
        _check(pattern, self._pattern_shape)
        number = self._counters[0] + 1
        self._answers[number % ANSWERS].write(position.tobytes() + pattern.tobytes())
        self._counters[0] = number

    def write_grid(self, patterns: npt.NDArray[np.float32]) -> None:
        """Publish the whole grid, ``float32[rows, cols, steps, 9, 3]``.

        Raises:
            ValueError: the grid has not the bank's shape.
        """
        _check(patterns, (self.shape.rows, self.shape.cols, *self._pattern_shape))
        cells = patterns.reshape(-1, *patterns.shape[2:])
        for cell, pattern in zip(self._grid, cells, strict=True):
            cell.write(pattern.tobytes())
        self._counters[2] += 1


def _check(array: npt.NDArray[np.float32], shape: tuple[int, ...]) -> None:
    if array.shape != shape or array.dtype != np.float32:
        raise ValueError(
            f"this bank takes float32{list(shape)}, not {array.dtype}{list(array.shape)}"
        )


def _total_bytes(shape: Shape) -> int:
    pattern = 4 * shape.steps * N_VOICES * CHANNELS
    return (
        _HEADER_BYTES
        + 8 * _COUNTERS
        + Cell.footprint(_POSITION_BYTES)
        + 2 * Cell.footprint(STATUS_BYTES)
        + ANSWERS * Cell.footprint(_POSITION_BYTES + pattern)
        + shape.rows * shape.cols * Cell.footprint(pattern)
    )
