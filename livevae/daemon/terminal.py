"""The person at the terminal: what is said to them, and whether they have typed a line."""

from __future__ import annotations

import asyncio
import os
import sys
import threading


def say(sentence: str) -> None:
    """Tell the person at the terminal."""
    print(f"livevae: {sentence}", file=sys.stderr, flush=True)


def at_terminal() -> bool:
    """Return whether somebody at a terminal can type to us: we are in its foreground."""
    if not sys.stdin or not sys.stdin.isatty():
        return False
    return not hasattr(os, "tcgetpgrp") or os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()


async def line_typed() -> bool:
    """Wait for the terminal, in a thread that need not end; return whether a line came."""
    loop = asyncio.get_running_loop()
    line: asyncio.Future[str] = loop.create_future()

    def read() -> None:
        text = sys.stdin.readline()
        loop.call_soon_threadsafe(line.set_result, text)

    threading.Thread(target=read, name="terminal", daemon=True).start()
    return bool(await line)
