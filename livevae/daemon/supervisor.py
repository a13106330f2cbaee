"""The supervisor: starts player and decoder, starts them again when they die, and ends them.

It owns the bank's file and the control socket, speaks to the terminal, and makes sure that the
last thing sent is a note-off.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import signal
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

import msgspec

from livevae.clock.link import require_link
from livevae.config import Config
from livevae.daemon.child import Child
from livevae.daemon.control import (
    ControlServer,
    NotRunningError,
    Request,
    ask,
    make_private,
)
from livevae.daemon.terminal import at_terminal, line_typed, say
from livevae.decoder.bank import Bank, Shape
from livevae.decoder.cell import Cell
from livevae.decoder.process import Orders as DecoderOrders
from livevae.decoder.process import Status as DecoderStatus
from livevae.decoder.saved_map import SavedMap
from livevae.errors import LiveVAEError, UsageError, WorkError
from livevae.midi.kit import kit_notes
from livevae.midi.ports import Connections, PortRequest
from livevae.parameters import PARAMETERS, find
from livevae.player.player import Status as PlayerStatus
from livevae.player.process import PORT_GONE
from livevae.player.process import Orders as PlayerOrders

READY_WITHIN_S: Final = 20.0
HANGS_AFTER_S: Final = 5.0
LEAVE_WITHIN_S: Final = 2.0
BACKOFF_S: Final = (0.0, 0.2, 0.5, 1.0, 2.0, 5.0)
"""How long to wait before each further start of a process that keeps dying."""
DECODER_HOPELESS: Final = (UsageError.exit_code,)
"""A model that is broken, or a device that is not there, does not get better by waiting."""
STABLE_AFTER_S: Final = 30.0
CLOCK_HINT_AFTER_S: Final = 3.0
_encode: Final = msgspec.json.Encoder().encode
_LOOK_EVERY_S: Final = 0.01
_ACKNOWLEDGED_WITHIN_S: Final = 2.0


class Report(msgspec.Struct, frozen=True):
    """The answer to `livevae status`: everything the three processes know of themselves."""

    model: str
    uptime_s: float
    player: PlayerStatus
    decoder: DecoderStatus
    restarts: dict[str, int]


class Supervisor:
    """Runs one instrument, from its first order to its last note-off."""

    def __init__(self, config: Config, model: Path, folder: Path, player: Child) -> None:
        """Take over a player that waits for its orders.

        Args:
            config: what to play and how.
            model: folder of the model.
            folder: private runtime folder.
            player: a player process, just started.
        """
        self._config = config
        self._model = model
        self._folder = folder
        self._player = player
        self._decoder: Child | None = None
        self._begun_s = time.monotonic()
        self._restarts = {"player": 0, "decoder": 0}
        self._commands = 0
        self._leaving = asyncio.Event()
        self._bank: Bank

    async def run(self) -> int:
        """Play until a signal says stop; return the exit code."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(self._leaving.set))
        make_private(self._folder)
        self._refuse_second()
        saved = SavedMap.of(self._model)
        self._bank = self._new_bank(saved.shape)
        control = ControlServer(self._folder, self._answer)
        tasks: list[asyncio.Task[None]] = []
        try:
            self._player.send(_encode(self._player_orders()))
            code = await self._become_ready(saved)
            if code is not None:
                return code
            await control.open()
            self._decoder = Child("livevae.decoder")
            self._decoder.send(_encode(self._decoder_orders("auto")))
            tasks = [
                asyncio.create_task(self._keep("player", self._player, self._revive_player)),
                asyncio.create_task(
                    self._keep("decoder", self._decoder, self._revive_decoder, DECODER_HOPELESS)
                ),
                asyncio.create_task(self._watch_for_hangs()),
                asyncio.create_task(self._offer_internal_clock()),
            ]
            await self._until_leaving(tasks)
            return 0
        finally:
            self._leaving.set()
            for task in tasks:
                task.cancel()
            self._end_children()
            await control.close()
            # Windows keeps a file that is mapped: there the next start replaces it.
            with contextlib.suppress(OSError):
                self._bank_path.unlink()

    async def _until_leaving(self, tasks: Iterable[asyncio.Task[None]]) -> None:
        """Wait for the order to leave; a task that fails is no longer a reason to stay."""
        leaving = asyncio.create_task(self._leaving.wait())
        pending: set[asyncio.Task[Any]] = {leaving, *tasks}
        while not leaving.done():
            done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()

    @property
    def _bank_path(self) -> Path:
        """Where the bank lies: in memory where there is a file system for that, never on a disk.

        One place for each runtime folder, so that what a killed daemon left is found and replaced.
        """
        memory = Path("/dev/shm")  # noqa: S108 - the file is made anew, and only for its owner
        if not memory.is_dir():
            return self._folder / "bank"
        name = hashlib.sha256(str(self._folder.resolve()).encode()).hexdigest()[:16]
        return memory / f"livevae-{name}"

    def _new_bank(self, shape: Shape) -> Bank:
        try:
            self._bank_path.unlink(missing_ok=True)
            return Bank.create(self._bank_path, shape)
        except OSError as error:
            raise WorkError(f"{self._bank_path} cannot be made: {error.strerror}") from error

    def _refuse_second(self) -> None:
        try:
            ask(Request("status"), self._folder)
        except NotRunningError:
            return
        raise WorkError("LiveVAE is running already; stop it, or set LIVEVAE_RUNTIME_DIR")

    def _player_orders(self) -> PlayerOrders:
        config = self._config
        return PlayerOrders(
            bank=str(self._bank_path),
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
        )

    def _decoder_orders(self, device: str) -> DecoderOrders:
        wanted = self._config.decoder
        chosen = device if wanted.device == "auto" else wanted.device
        return DecoderOrders(str(self._bank_path), str(self._model), chosen, wanted.threads)

    async def _become_ready(self, saved: SavedMap) -> int | None:
        """Fill the bank and wait for the player; return its exit code if it gives up instead."""
        problem = saved.fill(self._bank)
        gone = asyncio.create_task(asyncio.to_thread(self._player.wait))
        deadline = time.monotonic() + READY_WITHIN_S
        while (status := self._player_status()) is None:
            if gone.done():
                return gone.result()
            if self._leaving.is_set():
                return 0
            if time.monotonic() > deadline:
                raise WorkError("the player does not start; `livevae doctor` may know why")
            await asyncio.sleep(_LOOK_EVERY_S)
        say(
            f"ready after {time.monotonic() - self._begun_s:.1f} s: MIDI ports {status.port} "
            f"({status.backend}), model {self._model.name}, clock {status.clock}; Ctrl-C stops"
        )
        if problem:
            say(problem)
        return None

    def _player_status(self) -> PlayerStatus | None:
        record = self._bank.player_status.read()
        return None if record is None else msgspec.json.decode(record, type=PlayerStatus)

    def _decoder_status(self) -> DecoderStatus:
        record = self._bank.decoder_status.read()
        if record is None:
            return DecoderStatus("starting")
        return msgspec.json.decode(record, type=DecoderStatus)

    # Life and death

    async def _keep(
        self,
        name: str,
        child: Child,
        revive: Callable[[int], None],
        hopeless: tuple[int, ...] = (),
    ) -> None:
        """Start ``child`` again whenever it ends, waiting longer each time it dies young.

        With an exit code in ``hopeless`` it has said why it never can run, and is let go.
        """
        deaths = 0
        while True:
            started_s = time.monotonic()
            code = await asyncio.to_thread(child.wait)
            if self._leaving.is_set():
                return
            if code in hopeless:
                say(f"the {name} cannot run, so every bar comes from the precomputed map")
                return
            deaths = 0 if time.monotonic() - started_s > STABLE_AFTER_S else deaths
            pause_s = BACKOFF_S[min(deaths, len(BACKOFF_S) - 1)]
            deaths += 1
            say(f"the {name} has ended (exit code {code}); starting it again")
            await asyncio.sleep(pause_s)
            child.restart()
            revive(deaths)
            self._restarts[name] += 1

    def _revive_player(self, _deaths: int) -> None:
        """Put the new player where the old one was: its controls and its connections."""
        orders = self._player_orders()
        last = self._player_status()
        port = orders.port.succeed(last.connections if last else Connections())
        self._commands = 0
        orders = msgspec.structs.replace(
            orders,
            port=port,
            backend=last.backend if last else orders.backend,
            controls=last.values if last else orders.controls,
            restarted=True,
        )
        self._player.send(_encode(orders))

    def _revive_decoder(self, deaths: int) -> None:
        """Try the same device again; after two deaths in a row, the CPU."""
        assert self._decoder is not None  # noqa: S101 - it was started before it was kept
        self._decoder.send(_encode(self._decoder_orders("auto" if deaths <= 2 else "cpu")))

    async def _watch_for_hangs(self) -> None:
        """Kill a process that has stopped writing its status; ``_keep`` starts it again."""
        assert self._decoder is not None  # noqa: S101
        watched: list[tuple[Child, Cell, Callable[[], bool]]] = [
            (self._player, self._bank.player_status, lambda: True),
            (self._decoder, self._bank.decoder_status, self._decoder_is_up),
        ]
        seen: dict[int, tuple[int, float]] = {}
        while True:
            await asyncio.sleep(1.0)
            now_s = time.monotonic()
            for child, cell, expected in watched:
                if self._hangs(child, cell, seen, now_s) and expected():
                    seen.pop(child.pid)
                    child.kill()

    def _decoder_is_up(self) -> bool:
        return self._decoder_status().state == "ready"

    @staticmethod
    def _hangs(child: Child, cell: Cell, seen: dict[int, tuple[int, float]], now_s: float) -> bool:
        version, since_s = seen.get(child.pid, (-1, now_s))
        if cell.version != version:
            seen[child.pid] = (cell.version, now_s)
            return False
        return now_s - since_s > HANGS_AFTER_S

    def _end_children(self) -> None:
        """Let the player say note-off; if it died with notes on, a last one says it instead."""
        if self._player.dismiss(LEAVE_WITHIN_S) not in (0, PORT_GONE) and self._player_status():
            self._player.restart()
            self._revive_player(0)
            self._player.dismiss(LEAVE_WITHIN_S)
        if self._decoder is not None:
            self._decoder.dismiss(0)

    async def _offer_internal_clock(self) -> None:
        """Without a clock that runs, say how to get going; at a terminal, Enter is enough."""
        await asyncio.sleep(CLOCK_HINT_AFTER_S)
        status = self._player_status()
        if status is None:
            return
        if status.clock == "link" and not status.playing:
            say("the Link session stands still: start it elsewhere, or `livevae set play on`")
        if status.clock_alive:
            return
        enter = "press Enter" if at_terminal() else "type `livevae set clock internal`"
        wanted = f"send one to {status.port}"
        if status.other_clocks:
            others = " and ".join(status.other_clocks)
            wanted = f"midi.clock waits for {status.clock_source}, not for {others}"
        say(f"no MIDI clock comes in yet; {wanted}, or {enter} to play on LiveVAE's own clock")
        if at_terminal() and await line_typed():
            status = self._player_status()
            if status is not None and not status.clock_alive:
                try:
                    await self._set("clock", "internal")
                except WorkError as error:
                    say(str(error))

    # The control socket

    async def _answer(self, request: Request) -> object:
        if request.ask == "set":
            return await self._set(request.name, request.value)
        if request.ask == "panic":
            return await self._set("panic", "on")
        status = self._player_status()
        if status is None:
            raise WorkError("the player is starting; ask again in a second")
        return Report(
            model=self._model.name,
            uptime_s=time.monotonic() - self._begun_s,
            player=status,
            decoder=self._decoder_status(),
            restarts=self._restarts,
        )

    async def _set(self, name: str, text: str) -> object:
        """Give a control a value, and return it once the player has taken it."""
        number = find(name).parse(text)
        if (name, PARAMETERS[name].to_value(number)) == ("clock", "link"):
            require_link()
        self._commands += 1
        mine = self._commands
        self._player.send(_encode((name, number)))
        deadline = time.monotonic() + _ACKNOWLEDGED_WITHIN_S
        while time.monotonic() < deadline:
            status = self._player_status()
            if status is not None and status.commands >= mine:
                return PARAMETERS[name].to_value(number)
            await asyncio.sleep(_LOOK_EVERY_S)
        raise WorkError("the player does not answer; `livevae status` may say why")


def supervise(config: Config, model: Path, folder: Path, player: Child) -> int:
    """Run the instrument until it is told to stop; return the exit code."""

    async def run() -> int:
        return await Supervisor(config, model, folder, player).run()

    try:
        return asyncio.run(run())
    except LiveVAEError:
        player.kill()
        raise
