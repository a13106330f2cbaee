"""The supervisor: starts player and decoder, starts them again when they die, and ends them.

It owns the files of the banks and the control socket, speaks to the terminal, changes the model,
and makes sure that the last thing sent is a note-off.
"""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Final

import msgspec

from livevae.clock.link import require_link
from livevae.config import Config, load
from livevae.daemon.archive import Archive
from livevae.daemon.child import Child
from livevae.daemon.control import (
    ControlServer,
    NotRunningError,
    Request,
    ask,
    make_private,
)
from livevae.daemon.instrument import Instrument, Shelf
from livevae.daemon.performer import Performer
from livevae.daemon.scenes import Scenes
from livevae.daemon.terminal import at_terminal, line_typed, say
from livevae.decoder.process import Status as DecoderStatus
from livevae.decoder.saved_map import SavedMap
from livevae.errors import LiveVAEError, WorkError
from livevae.parameters import PARAMETERS, Kind, find
from livevae.player.player import Status as PlayerStatus
from livevae.resources import find_model

CLOCK_HINT_AFTER_S: Final = 3.0


class Report(msgspec.Struct, frozen=True):
    """The answer to `livevae status`: everything the three processes know of themselves."""

    model: str
    uptime_s: float
    player: PlayerStatus
    decoder: DecoderStatus
    restarts: dict[str, int]


class Supervisor:
    """Runs LiveVAE, from the first order to the last note-off."""

    def __init__(
        self, config: Config, model: Path, folder: Path, player: Child, settings: Path | None = None
    ) -> None:
        """Take over a player that waits for its orders.

        Args:
            config: what to play and how.
            settings: the file that says so, if there is one.
            model: folder of the model.
            folder: private runtime folder.
            player: a player process, just started.
        """
        self._config = config
        self._model = model
        self._folder = folder
        self._settings = settings
        self._begun_s = time.monotonic()
        self._leaving = asyncio.Event()
        self._shelf = Shelf(folder)
        self._archive = Archive(self._shelf.tape)
        self._performer = Performer(config, player, self._archive.path, self._leaving)
        self._scenes = Scenes(self._performer, config.scenes.list)
        self._instruments: list[Instrument] = []
        """The one that is played, and while the model changes, the one to come."""
        self._changing = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._failure: BaseException | None = None

    async def run(self) -> int:
        """Play until a signal says stop; return the exit code."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(self._leaving.set))
        make_private(self._folder)
        self._refuse_second()
        self._shelf.clear()
        control = ControlServer(self._folder, self._answer)
        try:
            self._archive.open()
            saved = SavedMap.of(self._model)
            self._performer.begin(self._new_instrument(saved, self._config.decoder.device))
            problem = saved.fill(self._performer.instrument.bank)
            del saved  # the bank has it
            code = await self._performer.ready()
            if code is not None:
                return code
            self._say_ready()
            if problem:
                say(problem)
            await self._scenes.publish()
            await control.open()
            self._performer.instrument.start_decoder()
            self._performer.instrument.keep_decoder(self._spawn)
            self._spawn(self._performer.keeper.keep())
            self._spawn(self._offer_internal_clock())
            await self._leaving.wait()
            if self._failure is not None:
                raise self._failure
            return 0
        finally:
            self._leaving.set()
            for task in self._tasks:
                task.cancel()
            if self._instruments:
                self._performer.end()
            for instrument in self._instruments:
                instrument.close()
            self._archive.close()
            await control.close()

    def _refuse_second(self) -> None:
        try:
            ask(Request("status"), self._folder)
        except NotRunningError:
            return
        raise WorkError("LiveVAE is running already; stop it, or set LIVEVAE_RUNTIME_DIR")

    def _spawn(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        """Run ``work`` beside everything else; should it fail, LiveVAE ends with its error."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self._failure = task.exception()
            self._leaving.set()

    def _say_ready(self) -> None:
        status = self._performer.status()
        assert status is not None  # noqa: S101 - it is ready
        say(
            f"ready after {time.monotonic() - self._begun_s:.1f} s: MIDI ports {status.port} "
            f"({status.backend}), model {self._model.name}, clock {status.clock}; Ctrl-C stops"
        )

    async def _offer_internal_clock(self) -> None:
        """Without a clock that runs, say how to get going; at a terminal, Enter is enough."""
        await asyncio.sleep(CLOCK_HINT_AFTER_S)
        status = self._performer.status()
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
            status = self._performer.status()
            if status is not None and not status.clock_alive:
                try:
                    await self._set("clock", "internal")
                except WorkError as error:
                    say(str(error))

    # Models

    def _new_instrument(self, saved: SavedMap, device: str) -> Instrument:
        """Return an instrument for a model, its bank still empty; it is closed at the end."""
        decoder = msgspec.structs.replace(self._config.decoder, device=device)
        path = self._shelf.next()
        instrument = Instrument(saved.folder, path, saved.shape, decoder, self._leaving)
        self._instruments.append(instrument)
        return instrument

    async def _change_model(self, name: str) -> str:
        """Load another model beside the one that plays, go on with it, and return its name.

        Raises:
            UsageError: there is no such model, or it is broken.
            WorkError: it cannot be loaded, or another one is just being loaded.
        """
        folder = find_model(name)
        if self._changing.locked():
            raise WorkError("another model is still being loaded; ask again when it plays")
        async with self._changing:
            before = self._performer.instrument
            try:
                after = await self._loaded(folder, before)
                await self._performer.change(after)
                after.keep_decoder(self._spawn)
                await self._scenes.publish()
            except LiveVAEError as error:
                raise type(error)(f"{error}; {before.model.name} plays on") from error
            finally:
                self._close_unplayed()
        return folder.name

    async def _loaded(self, folder: Path, before: Instrument) -> Instrument:
        """Return an instrument for the model in ``folder``: its bank is filled, its decoder warm.

        Its decoder runs on the device that the one before has come to, and has decoded what is
        wanted now, so that the first bar can be exact already.
        """
        saved = await asyncio.to_thread(SavedMap.of, folder)
        after = self._new_instrument(saved, before.device)
        if problem := await asyncio.to_thread(saved.fill, after.bank):
            say(problem)
        if (wanted := before.bank.wanted()) is not None:
            after.bank.want(wanted)
        after.start_decoder()
        await after.loaded()
        return after

    def _close_unplayed(self) -> None:
        for instrument in self._instruments:
            if instrument is not self._performer.instrument:
                instrument.close()
        self._instruments = [self._performer.instrument]

    # The control socket

    async def _answer(self, request: Request) -> object:
        answers: dict[str, Callable[[str, str], Awaitable[object]]] = {
            "status": self._report,
            "set": self._set,
            "panic": self._panic,
            "capture": self._archive.capture,
            "scene": self._scenes.answer,
            "learn": self._learn,
            "map": self._take_map,
        }
        return await answers[request.ask](request.name, request.value)

    async def _report(self, _name: str, _value: str) -> Report:
        status = self._performer.status()
        if status is None:
            raise WorkError("the player is starting; ask again in a second")
        instrument = self._performer.instrument
        return Report(
            model=instrument.model.name,
            uptime_s=time.monotonic() - self._begun_s,
            player=status,
            decoder=instrument.decoder_status(),
            restarts={
                "player": self._performer.keeper.restarts,
                "decoder": instrument.restarts,
            },
        )

    async def _panic(self, _name: str, _value: str) -> object:
        return await self._set("panic", "on")

    async def _learn(self, _name: str, switch: str) -> str:
        """Say what controllers send, or no more; return the path of livevae.toml."""
        await self._performer.change_map(learning=switch == "on")
        return str(self._settings.absolute()) if self._settings else ""

    async def _take_map(self, _name: str, path: str) -> None:
        await self._performer.change_map(load(Path(path)).map, learning=False)

    async def _set(self, name: str, text: str) -> object:
        """Give a control a value, and return it once it has been taken."""
        parameter = find(name)
        if parameter.kind is Kind.NAME:
            return await self._change_model(text)
        number = parameter.parse(text)
        value = PARAMETERS[name].to_value(number)
        if (name, value) == ("clock", "link"):
            require_link()
        await self._performer.set((name, number))
        return value


def supervise(
    config: Config, model: Path, folder: Path, player: Child, settings: Path | None = None
) -> int:
    """Run the instrument until it is told to stop; return the exit code."""

    async def run() -> int:
        return await Supervisor(config, model, folder, player, settings).run()

    try:
        return asyncio.run(run())
    except LiveVAEError:
        player.kill()
        raise
