"""What the daemon writes down on request: the bars just heard, as MIDI files."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

from livevae.daemon.take import cut
from livevae.errors import UsageError
from livevae.player.tape import BARS, Tape


class Archive:
    """The tape of one daemon, and what is made of it; files are written off the event loop."""

    def __init__(self, path: Path) -> None:
        """Have a tape at ``path`` once it is opened."""
        self.path = path
        self._tape: Tape | None = None

    def open(self) -> None:
        """Make the tape.

        Raises:
            WorkError: it cannot be made.
        """
        self._tape = Tape.create(self.path)

    def close(self) -> None:
        """Remove the tape; Windows keeps one that is still mapped, until the next start."""
        with contextlib.suppress(OSError):
            self.path.unlink(missing_ok=True)

    async def capture(self, bars: str, path: str) -> int:
        """Write the last ``bars`` bars into the MIDI file ``path``; return how many there were.

        Raises:
            UsageError: that is no number of bars.
            WorkError: nothing has been played, or the file cannot be written.
        """
        if not (bars.isdecimal() and 1 <= int(bars) <= BARS):
            raise UsageError(f"capture last takes 1 to {BARS} bars, not {bars!r}")
        return await asyncio.to_thread(self._capture, int(bars), Path(path))

    def _capture(self, bars: int, path: Path) -> int:
        from livevae.midi.recording import write_take  # noqa: PLC0415 - mido: not for the start

        assert self._tape is not None  # noqa: S101 - requests come once everything is open
        take = cut(self._tape.read(), bars)
        write_take(path, take)
        return len(take.bar_ns)
