"""The player as the supervisor knows it: what it is told, what it says, how it comes back."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Final

import msgspec

from livevae.config import Config
from livevae.daemon.child import Child
from livevae.daemon.instrument import HANGS_AFTER_S, Instrument
from livevae.daemon.keeper import Keeper
from livevae.errors import WorkError
from livevae.mapping import Bindings
from livevae.midi.kit import kit_notes
from livevae.midi.ports import Connections, PortRequest
from livevae.player.memory import Change, Scenes
from livevae.player.player import Status
from livevae.player.process import PORT_GONE, ChangeBank, ChangeMap, NumberedScenes, Orders

READY_WITHIN_S: Final = 20.0
LEAVE_WITHIN_S: Final = 2.0
BACKOFF_S: Final = (0.0, 0.2, 0.5, 1.0, 2.0, 5.0)
_ACKNOWLEDGED_WITHIN_S: Final = 2.0
_TAKEN_WITHIN_S: Final = HANGS_AFTER_S - 1.0
"""Before it looks as if a player that cannot take a bank, and plays on with its own, hung."""
_LOOK_EVERY_S: Final = 0.01
_encode: Final = msgspec.json.Encoder().encode


class Performer:
    """The player process and the instrument it plays."""

    def __init__(self, config: Config, child: Child, tape: Path, leaving: asyncio.Event) -> None:
        """Take over ``child``, a player that waits for its orders, and records on ``tape``."""
        self._tape = tape
        self._config = config
        self._child = child
        self._leaving = leaving
        self._commands = 0
        self._scenes: Scenes = ()
        self._instrument: Instrument
        self.keeper = Keeper(
            "player",
            child,
            leaving=leaving,
            version=lambda: self._instrument.bank.player_status.version,
            patience_s=lambda: HANGS_AFTER_S,
            backoff_s=BACKOFF_S,
            revive=self._revive,
        )

    @property
    def instrument(self) -> Instrument:
        """What is being played."""
        return self._instrument

    def begin(self, instrument: Instrument) -> None:
        """Give the player its first orders."""
        self._instrument = instrument
        self._child.send(_encode(self._orders()))

    async def ready(self) -> int | None:
        """Wait for the player to play; return its exit code if it leaves instead.

        Raises:
            WorkError: it does neither.
        """
        gone = asyncio.create_task(asyncio.to_thread(self._child.wait))
        deadline = time.monotonic() + READY_WITHIN_S
        while self.status() is None:
            if gone.done():
                return gone.result()
            if self._leaving.is_set():
                return 0
            if time.monotonic() > deadline:
                raise WorkError("the player does not start; `livevae doctor` may know why")
            await asyncio.sleep(_LOOK_EVERY_S)
        return None

    def status(self) -> Status | None:
        """Return what the player last said of itself; None before it has."""
        record = self._instrument.bank.player_status.read()
        return None if record is None else msgspec.json.decode(record, type=Status)

    async def set(self, *changes: Change) -> None:
        """Give controls their values, all at once, and return once the player has taken them.

        Raises:
            WorkError: it does not.
        """
        await self._tell(_encode(changes))

    async def change_map(self, bindings: Bindings | None = None, *, learning: bool) -> None:
        """Have the player hear controllers through another map, and say what it hears or not.

        Raises:
            WorkError: it does not take it.
        """
        if bindings is not None:
            self._config = msgspec.structs.replace(self._config, map=bindings)
        await self._tell(_encode(ChangeMap(self._config.map, learning)))

    async def _tell(self, order: bytes) -> None:
        """Give an order that the player acknowledges, and return once it has."""
        self._commands += 1
        mine = self._commands
        self._child.send(order)
        deadline = time.monotonic() + _ACKNOWLEDGED_WITHIN_S
        while (status := self.status()) is None or status.commands < mine:
            if time.monotonic() > deadline:
                raise WorkError("the player does not answer; `livevae status` may say why")
            await asyncio.sleep(_LOOK_EVERY_S)

    def give_scenes(self, scenes: Scenes) -> None:
        """Tell the player, and each that comes after it, what the scenes with numbers are."""
        self._scenes = scenes
        self._child.send(_encode(NumberedScenes(scenes)))

    async def change(self, after: Instrument) -> None:
        """Have the player go on with another instrument, which is heard from a bar line on.

        Raises:
            WorkError: it does not take it, and plays on with its own.
        """
        before, cell = self._instrument, after.bank.player_status
        # A player that dies now is followed by one that looks here for where it was.
        if (record := before.bank.player_status.read()) is not None:
            cell.write(record)
        version = cell.version
        self._instrument = after
        self._child.send(_encode(ChangeBank(str(after.path))))
        deadline = time.monotonic() + _TAKEN_WITHIN_S
        while cell.version == version:
            if time.monotonic() > deadline:
                self._instrument = before
                raise WorkError("the player does not take it; `livevae status` may say why")
            await asyncio.sleep(_LOOK_EVERY_S)

    def end(self) -> None:
        """Let the player say note-off; if it died with notes on, a last one says it instead."""
        if self._child.dismiss(LEAVE_WITHIN_S) not in (0, PORT_GONE) and self.status():
            self._child.restart()
            self._revive()
            self._child.dismiss(LEAVE_WITHIN_S)

    def _orders(self) -> Orders:
        config = self._config
        return Orders(
            bank=str(self._instrument.path),
            backend=config.midi.backend,
            port=PortRequest(
                config.midi.name, config.midi.inputs, config.midi.outputs, config.midi.clock
            ),
            kit=kit_notes(config.midi.kit),
            channel=config.midi.channel,
            seed=config.seed,
            bindings=config.map,
            controls=config.controls,
            restarted=False,
            tape=str(self._tape),
            scenes=self._scenes,
        )

    def _revive(self) -> None:
        """Put a new player where the old one was: its controls and its connections."""
        orders = self._orders()
        last = self.status()
        port = orders.port.succeed(last.connections if last else Connections())
        self._commands = 0
        orders = msgspec.structs.replace(
            orders,
            port=port,
            backend=last.backend if last else orders.backend,
            controls=last.values if last else orders.controls,
            restarted=True,
        )
        self._child.send(_encode(orders))
