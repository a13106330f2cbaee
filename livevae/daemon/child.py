"""A child process that takes orders line by line and leaves when they end.

This module imports next to nothing: the player is started before anything else is loaded.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys


class Child:
    """One of LiveVAE's processes, started again as often as need be.

    It is kept out of the terminal's process group, so that Ctrl-C reaches the supervisor alone,
    which then lets everybody finish their notes.
    """

    def __init__(self, module: str) -> None:
        """Start ``python -m module`` at once: it loads while its orders are being made out."""
        self._module = module
        self._process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-P", "-m", self._module]
        if sys.platform == "win32":
            group = subprocess.CREATE_NEW_PROCESS_GROUP
            return subprocess.Popen(command, stdin=subprocess.PIPE, creationflags=group)
        return subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)

    def restart(self) -> None:
        """Start a new process in place of one that has ended."""
        self._end_orders()
        self._process = self._start()

    def _end_orders(self) -> None:
        assert self._process.stdin is not None  # noqa: S101 - it was started with a pipe
        with contextlib.suppress(OSError):
            self._process.stdin.close()

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    def send(self, order: bytes) -> None:
        """Give an order of one line; that nobody is there to take it will show elsewhere."""
        assert self._process.stdin is not None  # noqa: S101 - it was started with a pipe
        with contextlib.suppress(OSError):
            self._process.stdin.write(order + b"\n")
            self._process.stdin.flush()

    @property
    def exit_code(self) -> int | None:
        """The exit code of a process that has ended, negative for a signal."""
        return self._process.poll()

    def wait(self) -> int:
        """Wait for the process to end and return its exit code, negative for a signal."""
        return self._process.wait()

    def kill(self) -> None:
        """End the process without ceremony."""
        self._process.kill()

    def dismiss(self, patience_s: float) -> int:
        """End the orders, wait ``patience_s`` for the process to leave, return its exit code."""
        self._end_orders()
        try:
            return self._process.wait(patience_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()
