"""One model as it is played: the bank with its patterns, and the decoder that adds to them."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Final, TypeAlias

import msgspec

from livevae.config import Decoder as DecoderConfig
from livevae.daemon.child import Child
from livevae.daemon.keeper import Keeper
from livevae.decoder.bank import Bank, Shape
from livevae.decoder.process import Orders, Status
from livevae.errors import UsageError, WorkError

DECODER: Final = "livevae.decoder"
BACKOFF_S: Final = (0.0, 0.2, 0.5, 1.0, 2.0, 5.0, 15.0, 60.0)
"""The map plays meanwhile, and to load torch over and over is dear."""
DEATHS_BEFORE_CPU: Final = 3
HANGS_AFTER_S: Final = 5.0
LOADS_WITHIN_S: Final = 120.0
"""A cold disk, a GPU that wakes up and a busy machine together take less."""
HOPELESS: Final = (UsageError.exit_code,)
"""A model that is broken, or a device that is not there, does not get better by waiting."""
_LOOK_EVERY_S: Final = 0.01

Spawn: TypeAlias = Callable[[Coroutine[None, None, None]], "asyncio.Task[None]"]
"""Runs a coroutine in a task that somebody looks after."""


class Shelf:
    """Where the banks and the tape of a daemon lie: in memory where there is a file system for it.

    Their names have a part in common for each runtime folder, so that what a killed daemon left is
    found and removed, and one of their own, so that no late process takes one for another.
    """

    def __init__(self, folder: Path) -> None:
        """Lie beside others'; ``folder`` is the daemon's runtime folder."""
        memory = Path("/dev/shm")  # noqa: S108 - each file is made anew, and only for its owner
        name = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:16]
        in_memory = memory.is_dir()
        self._folder, self._prefix = (memory, f"livevae-{name}") if in_memory else (folder, "bank")
        self._count = 0

    def next(self) -> Path:
        """Return a path for a new bank."""
        self._count += 1
        return self._folder / f"{self._prefix}-{os.getpid()}-{self._count}"

    @property
    def tape(self) -> Path:
        """The path of the one tape."""
        return self._folder / f"{self._prefix}-tape-{os.getpid()}"

    def clear(self) -> None:
        """Remove every bank, and the tape; Windows keeps one that is still mapped."""
        for path in self._folder.glob(f"{self._prefix}-*"):
            with contextlib.suppress(OSError):
                path.unlink()


class Instrument:
    """A bank and its decoder; the player plays from one instrument at a time."""

    def __init__(
        self, model: Path, path: Path, shape: Shape, config: DecoderConfig, leaving: asyncio.Event
    ) -> None:
        """Make the bank at ``path``; nothing is in it, and no decoder runs yet.

        Raises:
            WorkError: the bank cannot be made.
        """
        self.model = model
        self.path = path
        self._config = config
        self._leaving = leaving
        self._decoder: Child | None = None
        self._keeper: Keeper | None = None
        self._keeping: asyncio.Task[None] | None = None
        self._begun_at = 0
        self._last_words = ""
        self._moved = False
        try:
            self.bank = Bank.create(path, shape)
        except OSError as error:
            raise WorkError(f"{path} cannot be made: {error.strerror}") from error

    @property
    def restarts(self) -> int:
        """How often the decoder has been started again."""
        return self._keeper.restarts if self._keeper else 0

    @property
    def device(self) -> str:
        """Where the decoder is to run: one on which it kept dying is left for the CPU."""
        return self._config.device

    def start_decoder(self) -> None:
        """Start the decoder; it loads while the player plays.

        Raises:
            WorkError: the system has no room for another process.
        """
        try:
            self._decoder = Child(DECODER)
        except OSError as error:
            raise WorkError(f"the decoder cannot be started ({error.strerror})") from error
        self._give_orders(self._decoder)

    def keep_decoder(self, spawn: Spawn) -> None:
        """From now on start the decoder again when it dies or hangs."""
        assert self._decoder is not None  # noqa: S101 - start_decoder comes first
        self._keeper = Keeper(
            "decoder",
            self._decoder,
            leaving=self._leaving,
            version=lambda: self.bank.decoder_status.version,
            patience_s=self._patience_s,
            backoff_s=BACKOFF_S,
            revive=self._revive,
            hopeless=HOPELESS,
        )
        self._keeping = spawn(self._keeper.keep())

    async def loaded(self) -> None:
        """Wait until the decoder has loaded the model; it is not kept yet.

        Raises:
            UsageError: the model is broken, or the device is not there.
            WorkError: the decoder has ended, or takes too long.
        """
        assert self._decoder is not None  # noqa: S101 - start_decoder comes first
        deadline = time.monotonic() + LOADS_WITHIN_S
        while (said := self._said()) is None or said.state != "ready":
            code = self._decoder.exit_code
            if code is not None:
                said = self._said()  # it may have spoken and left since
                why = said.reason if said else ""
                kind = UsageError if code == UsageError.exit_code else WorkError
                raise kind(why or f"its decoder has ended (exit code {code}); try again")
            if time.monotonic() > deadline:
                raise WorkError(f"its decoder has not loaded within {LOADS_WITHIN_S:.0f} s")
            await asyncio.sleep(_LOOK_EVERY_S)

    def decoder_status(self) -> Status:
        """Return what the decoder says of itself, and in ``reason`` what has befallen it."""
        said, keeper = self._said() or Status("starting"), self._keeper
        if keeper is None:
            return said
        state = "stopped" if keeper.let_go else said.state if keeper.running else "restarting"
        died = "died once" if keeper.deaths == 1 else f"died {keeper.deaths} times in a row"
        befallen = {
            died: keeper.deaths > 0 and not keeper.let_go,
            said.reason or self._last_words: keeper.deaths > 0,
            "on the CPU from now on": self._moved,
            "the precomputed map plays": keeper.let_go,
        }
        reason = "; ".join(words for words, true in befallen.items() if words and true)
        return msgspec.structs.replace(said, state=state, reason=reason)

    def close(self) -> None:
        """End the decoder and remove the bank."""
        if self._keeping is not None:
            self._keeping.cancel()
        # They know us, and memory that is mapped shall not wait for the garbage collector.
        self._keeper = self._keeping = None
        if self._decoder is not None:
            self._decoder.dismiss(0)
        # Windows keeps a file that is mapped: there the next start removes it.
        with contextlib.suppress(OSError):
            self.path.unlink(missing_ok=True)

    def _give_orders(self, decoder: Child) -> None:
        self._begun_at = self.bank.decoder_status.version
        config = self._config
        orders = Orders(str(self.path), str(self.model), config.device, config.threads)
        decoder.send(msgspec.json.encode(orders))

    def _revive(self) -> None:
        """Try the same device again; after some deaths in a row, the CPU."""
        assert self._decoder is not None  # noqa: S101 - it was started before it was kept
        assert self._keeper is not None  # noqa: S101
        said = self._said()
        self._last_words = said.reason if said else ""
        if self._keeper.deaths >= DEATHS_BEFORE_CPU and self._config.device != "cpu":
            self._config = msgspec.structs.replace(self._config, device="cpu")
            self._moved = True
        self._give_orders(self._decoder)

    def _patience_s(self) -> float:
        said = self._said()
        return HANGS_AFTER_S if said and said.state == "ready" else LOADS_WITHIN_S

    def _said(self) -> Status | None:
        """Return what the present decoder has said of itself, if it has said anything."""
        cell = self.bank.decoder_status
        record = None if cell.version == self._begun_at else cell.read()
        return None if record is None else msgspec.json.decode(record, type=Status)
