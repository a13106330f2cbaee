"""Keeps a child process running: starts it again when it ends, and ends it when it hangs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final

from livevae.daemon.child import Child
from livevae.daemon.terminal import say

LOOK_EVERY_S: Final = 1.0
STABLE_AFTER_S: Final = 30.0
"""A child that has lived for so long died of something else than the one before it."""


class Keeper:
    """Starts a child again whenever it ends, waiting longer each time it dies young.

    A child writes into its cell of the bank again and again; one whose cell stands still for
    longer than ``patience_s()`` hangs, and is killed.
    """

    def __init__(
        self,
        name: str,
        child: Child,
        *,
        leaving: asyncio.Event,
        version: Callable[[], int],
        patience_s: Callable[[], float],
        backoff_s: tuple[float, ...],
        revive: Callable[[], None],
        hopeless: tuple[int, ...] = (),
    ) -> None:
        """Keep ``child``, which is running.

        Args:
            name: what the person at the terminal knows it by.
            child: the process.
            leaving: set when no child is to be started any more.
            version: a number that changes whenever the child writes into its cell.
            patience_s: how long that number may stand still.
            backoff_s: how long to wait before each further start of a child that keeps dying.
            revive: gives a new process its orders.
            hopeless: exit codes that say why it never can run; it is let go.
        """
        self._name = name
        self._child = child
        self._leaving = leaving
        self._version = version
        self._patience_s = patience_s
        self._backoff_s = backoff_s
        self._revive = revive
        self._hopeless = hopeless
        self.restarts = 0
        self.deaths = 0
        """How often it has died in a row, none of its lives having lasted."""
        self.running = True
        """Whether there is a process: not between a death and the next start."""
        self.let_go = False

    async def keep(self) -> None:
        """Keep the child until told to leave, or until it is hopeless."""
        while True:
            code = await self._ended()
            if self._leaving.is_set():
                return
            self.running = False
            pause_s = self._backoff_s[min(self.deaths, len(self._backoff_s) - 1)]
            self.deaths += 1
            if code in self._hopeless:
                self.let_go = True
                say(f"the {self._name} cannot run, so every bar comes from the precomputed map")
                return
            say(f"the {self._name} has ended (exit code {code}); starting it again")
            await asyncio.sleep(pause_s)
            try:
                self._child.restart()
            except OSError as error:
                say(f"the {self._name} cannot be started ({error.strerror})")
                continue  # the one before is still dead: that counts as another death
            self._revive()
            self.running = True
            self.restarts += 1

    async def _ended(self) -> int:
        """Wait for the child to end, see to it that one that hangs does, return its exit code."""
        ended = asyncio.create_task(asyncio.to_thread(self._child.wait))
        started_s = changed_s = time.monotonic()
        version = self._version()
        while not (await asyncio.wait({ended}, timeout=LOOK_EVERY_S))[0]:
            now_s = time.monotonic()
            if now_s - started_s > STABLE_AFTER_S:
                self.deaths = 0
            if version != (version := self._version()):
                changed_s = now_s
            elif now_s - changed_s > self._patience_s():
                say(f"the {self._name} hangs")
                self._child.kill()
        return ended.result()
