"""A record in shared memory with one writer and readers that never block.

The writer makes the sequence number odd, writes, and makes it even again; a reader takes a copy and
believes it only if the number was even and has not changed. A checksum catches what a machine with
weakly ordered memory could still tear.
"""

from __future__ import annotations

import struct
import zlib
from typing import Final

_PREFIX: Final = struct.Struct("<QII")
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
        """A number that every write changes, by two."""
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

    def read(self, beginning: bytes = b"") -> bytes | None:
        """Return a copy of the record.

        None when there is none, it is being rewritten, or it begins otherwise than with
        ``beginning``: to pass over a record costs no copy of it.
        """
        for _ in range(_TRIES):
            # Read in one piece: unpacking goes byte by byte, between which the writer may carry.
            sequence = self._sequence[0]
            if sequence == 0 or self._body[: len(beginning)] != beginning:
                return None
            _, length, checksum = _PREFIX.unpack_from(self._memory)
            record = bytes(self._body[:length])
            intact = sequence % 2 == 0 and self._sequence[0] == sequence
            if intact and zlib.crc32(record) == checksum and record.startswith(beginning):
                return record
        return None
