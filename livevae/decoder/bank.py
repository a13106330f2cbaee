"""The pattern bank: the shared memory between player, decoder and supervisor.

It is a file mapped by all three, made of cells (``cell.py``) that nobody ever waits for.

    header    magic, layout version, steps of a pattern, rows, columns and controls of the map
    counters  answers written so far, the decoder's wake-up port, writes to the map so far
    wanted    the position the player wants decoded: latest only
    player, decoder   what each has to say of itself, JSON
    answers   the latest exact patterns, each with its position
    map       rows x cols patterns, each with its position (``latent_map.py``)
"""

from __future__ import annotations

import contextlib
import mmap
import os
import socket
import struct
from pathlib import Path
from typing import BinaryIO, Final

import msgspec
import numpy as np
import numpy.typing as npt

from livevae.decoder.cell import Cell
from livevae.decoder.latent_map import POSITION_BYTES, LatentMap, record_bytes
from livevae.errors import WorkError
from livevae.latent.lattice import Lattice, Numbers, Positions
from livevae.parameters import POSITION
from livevae.pattern.pattern import (
    CHANNELS,
    MAX_BARS,
    MAX_GRID_SIZE,
    N_VOICES,
    STEPS_PER_BAR,
    Pattern,
)
from livevae.pattern.quantised import Bytes

Position = npt.NDArray[np.float32]
"""Values of the controls of ``parameters.POSITION``, ``float32[16]``."""

MAGIC: Final = b"LiveVAE\0"
LAYOUT: Final = 2
ANSWERS: Final = 64
STATUS_BYTES: Final = 16 << 10

_HEADER: Final = struct.Struct("<8sIIIIII")
_HEADER_BYTES: Final = 64
_COUNTERS: Final = 8


class Shape(msgspec.Struct, frozen=True):
    """What fixes the layout: steps of a pattern, rows and columns of the map.

    ``x`` and ``y`` are the controls that run along them, by their places in ``POSITION``.
    """

    steps: int
    rows: int
    cols: int
    x: int = 0
    y: int = 1

    @property
    def lattice(self) -> Lattice:
        """Where the map's cells lie."""
        return Lattice(self.rows, self.cols, self.x, self.y)

    def checked(self) -> Shape:
        """Return self, or raise WorkError when no bank can have this shape."""
        whole_bars = self.steps % STEPS_PER_BAR == 0
        if not (0 < self.steps <= MAX_BARS * STEPS_PER_BAR and whole_bars):
            raise WorkError(f"a pattern bank has 1 to {MAX_BARS} bars, not {self.steps} steps")
        if not (1 < self.rows <= MAX_GRID_SIZE and 1 < self.cols <= MAX_GRID_SIZE):
            raise WorkError(f"a grid has 2 to {MAX_GRID_SIZE} rows and columns")
        if max(self.x, self.y) >= len(POSITION) or self.x == self.y:
            raise WorkError("a grid lies over two controls of a position")
        return self


class Bank:
    """The mapped file. The supervisor creates it; the player and the decoder open it."""

    def __init__(self, memory: memoryview, shape: Shape) -> None:
        """Lay the cells over ``memory``; use ``create``, ``open`` or ``in_memory``."""
        self.shape = shape
        self._counters = memory[_HEADER_BYTES : _HEADER_BYTES + 8 * _COUNTERS].cast("Q")
        self._at = _HEADER_BYTES + 8 * _COUNTERS
        self._pattern_shape = (shape.steps, N_VOICES, CHANNELS)
        self._wanted = self._cell(memory, POSITION_BYTES)
        self.player_status = self._cell(memory, STATUS_BYTES)
        self.decoder_status = self._cell(memory, STATUS_BYTES)
        size = record_bytes(shape.steps)
        self._answers = [self._cell(memory, size) for _ in range(ANSWERS)]
        self._map = LatentMap(memory[self._at :], shape.lattice, shape.steps)

    def _cell(self, memory: memoryview, size: int) -> Cell:
        start = self._at
        self._at += Cell.footprint(size)
        return Cell(memory[start : self._at])

    @classmethod
    def create(cls, path: Path, shape: Shape) -> Bank:
        """Make the file ``path``, readable by its owner only, and map it.

        Raises:
            WorkError: the shape is impossible, or there is no room for it.
        """
        size = _total_bytes(shape.checked())
        with path.open("xb+") as file:
            path.chmod(0o600)
            try:
                _take_room(file, size)
            except OSError as error:
                path.unlink()
                raise WorkError(
                    f"{path} cannot have {size >> 20} MiB for {shape.rows} x {shape.cols} patterns "
                    f"({error.strerror}); make room, or a smaller map: livevae grid MODEL --size 17"
                ) from error
            memory = memoryview(mmap.mmap(file.fileno(), size))
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
        magic, layout, *numbers = _HEADER.unpack_from(memory)
        if magic != MAGIC or layout != LAYOUT:
            raise WorkError(f"{path} is no pattern bank of this version")
        try:
            shape = Shape(*numbers).checked()
        except WorkError as error:
            raise WorkError(f"{path} is no pattern bank: {error}") from None
        if len(memory) != _total_bytes(shape):
            raise WorkError(f"{path} is no pattern bank: its size is wrong")
        return cls(memory, shape)

    @classmethod
    def _started(cls, memory: memoryview, shape: Shape) -> Bank:
        bank = cls(memory, shape)
        _HEADER.pack_into(memory, 0, MAGIC, LAYOUT, *msgspec.structs.astuple(shape))
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
        """A value that changes when an answer has come, or the map has changed."""
        return self._counters[0], self._counters[2]

    def exact(self, position: Position) -> Pattern | None:
        """Return the pattern decoded at exactly ``position``, if it is there."""
        key = position.tobytes()
        newest = self._counters[0]
        for number in range(newest, max(newest - ANSWERS, 0), -1):
            record = self._answers[number % ANSWERS].read(key)
            if record is not None:
                pattern = np.frombuffer(record, np.float32, offset=POSITION_BYTES)
                return pattern.reshape(self._pattern_shape)
        return self._map.exact(position)

    def nearest(self, position: Position) -> Pattern | None:
        """Return the pattern of the map that is nearest to ``position``, if there is any."""
        return self._map.nearest(position)

    # The decoder's side

    def listen(self, port: int) -> None:
        """Tell the player which loopback UDP port wakes the decoder."""
        self._counters[1] = port

    @property
    def wishes(self) -> int:
        """How many positions have been asked for so far."""
        return self._wanted.version // 2

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

    def write_grid(self, cells: Bytes, *, outdated: bool = False) -> None:
        """Fill the map with a saved grid, ``uint8[rows, cols, steps, 9, 3]``; no decoder runs yet.

        Args:
            cells: patterns as ``pattern.quantised`` makes them.
            outdated: whether they are of other weights than the decoder's: to be played until
                it has better ones.

        Raises:
            ValueError: the grid has not the bank's shape.
        """
        rows, cols = self.shape.rows, self.shape.cols
        _check(cells, (rows, cols, *self._pattern_shape), np.uint8)
        self._map.write_saved(cells.reshape(rows * cols, *self._pattern_shape), outdated=outdated)
        self._counters[2] += 1

    def stale(self, position: Position, count: int) -> tuple[Numbers, Positions]:
        """Return up to ``count`` cells of the map to be decoded, outward from ``position``.

        Returns:
            their numbers, and their positions [n, 16] in the context of ``position``.
        """
        return self._map.stale(position, count)

    def write_map(
        self, numbers: Numbers, positions: Positions, patterns: npt.NDArray[np.float32]
    ) -> None:
        """Put exact patterns ``float32[n, steps, 9, 3]`` of what ``stale`` gave into the map.

        Raises:
            ValueError: patterns or positions have not the bank's shape.
        """
        _check(positions, (len(numbers), len(POSITION)))
        _check(patterns, (len(numbers), *self._pattern_shape))
        self._map.write(numbers, positions, patterns)
        self._counters[2] += 1


def _take_room(file: BinaryIO, size: int) -> None:
    """Give a file ``size`` bytes of memory now: where none is left later, who writes is killed."""
    file.truncate(size)
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file.fileno(), 0, size)


def _check(
    array: npt.NDArray[np.generic], shape: tuple[int, ...], kind: type[np.generic] = np.float32
) -> None:
    if array.shape != shape or array.dtype != kind:
        raise ValueError(
            f"this bank takes {kind.__name__}{list(shape)}, not {array.dtype}{list(array.shape)}"
        )


def _total_bytes(shape: Shape) -> int:
    return (
        _HEADER_BYTES
        + 8 * _COUNTERS
        + Cell.footprint(POSITION_BYTES)
        + 2 * Cell.footprint(STATUS_BYTES)
        + ANSWERS * Cell.footprint(record_bytes(shape.steps))
        + LatentMap.footprint(shape.lattice, shape.steps)
    )
