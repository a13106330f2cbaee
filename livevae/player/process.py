"""The player process: opens the port, runs the loop, dies with its supervisor.

``python -m livevae.player`` reads one line of JSON (``Orders``) from standard input, then one
line for each command; the end of the input is the order to leave. Everything it has to say goes
into its cell of the bank.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from livevae.clock.link import require_link
from livevae.clock.timeline import NS_PER_MS
from livevae.decoder.bank import Bank, Shape
from livevae.errors import LiveVAEError
from livevae.midi.binding import Binding, Move
from livevae.midi.memory_port import MemoryPort
from livevae.midi.ports import MidiPort, PortRequest, choose_backend, open_port
from livevae.midi.realtime import (
    PLAYER_PRIORITY,
    ask_for_realtime,
    lock_memory,
    refine_timers,
)
from livevae.parameters import PARAMETERS
from livevae.pattern.pattern import CHANNELS, N_VOICES
from livevae.player.controls import MOVES_KEPT, ControlMap
from livevae.player.memory import Change, Scenes
from livevae.player.player import Player
from livevae.player.tape import Tape

SWITCH_INTERVAL_S: Final = 0.0001
"""How long a thread that is due may have to wait for one that is busy."""
STATUS_EVERY_NS: Final = 250_000_000
"""How often the status is written, but for that after a command, which somebody waits for: it costs
as much as several passes."""
PORT_GONE: Final = 3
"""Exit code: the MIDI system threw the player out. Starting it again may help."""
FREED_AFTER_S: Final = 0.2
"""When no pass is under way any more that began with the bank before."""


class Orders(msgspec.Struct, frozen=True):
    """What the supervisor tells a new player."""

    bank: str
    backend: str
    port: PortRequest
    kit: tuple[int, ...]
    channel: int
    seed: int
    bindings: dict[str, tuple[Binding, ...]]
    controls: dict[str, float]
    restarted: bool
    tape: str
    scenes: Scenes = ()


class ChangeBank(msgspec.Struct, frozen=True, tag=True):
    """What the supervisor tells a player that is to go on with another model."""

    bank: str


class ChangeMap(msgspec.Struct, frozen=True, tag=True):
    """What the supervisor tells a player that is to hear controllers otherwise."""

    bindings: dict[str, tuple[Binding, ...]]
    learning: bool
    """Whether to say what comes in, for `livevae learn`."""


class NumberedScenes(msgspec.Struct, frozen=True, tag=True):
    """What the supervisor tells a player of the scenes that the control ``scene`` recalls."""

    scenes: Scenes


def rehearse(orders: Orders, steps: int) -> None:
    """Play two seconds to nobody: what Python does only once must not delay the first bar."""
    port = MemoryPort()
    bank = Bank.in_memory(Shape(steps, 2, 2))
    bank.write_grid(np.full((2, 2, steps, N_VOICES, CHANNELS), 255, np.uint8))
    player = Player(port, bank, kit=orders.kit, controls={"clock": 1.0, "clock_out": 1.0})
    for millisecond in range(0, 2000, 3):
        port.advance(millisecond * NS_PER_MS)
        player.step()
    player.status()


def change_bank(player: Player, path: Path, leave: threading.Event) -> None:
    """Have the player go on with the bank at ``path``, or with its own if that cannot be opened.

    To map a bank and to free one takes longer than a pass may: both happen here, off the loop.
    """
    try:
        bank = Bank.open(path)
    except LiveVAEError as error:
        print(f"livevae: {error}", file=sys.stderr, flush=True)
        return
    gc.freeze()
    before, player.bank = player.bank, bank
    leave.wait(FREED_AFTER_S)
    del before


def hearable(
    bindings: Mapping[str, tuple[Binding, ...]], backend: str
) -> dict[str, tuple[Binding, ...]]:
    """Return the map as a backend can tell its messages apart.

    JACK mixes what is connected to one input: there a binding hears every port.
    """
    return {
        name: tuple(
            msgspec.structs.replace(binding, port="") if backend == "jack" else binding
            for binding in several
        )
        for name, several in bindings.items()
    }


def hear_commands(player: Player, port: MidiPort, leave: threading.Event) -> None:
    """Pass on what the supervisor says, until it says no more: then it is time to leave."""
    decode = msgspec.json.Decoder(
        tuple[Change, ...] | ChangeBank | ChangeMap | NumberedScenes
    ).decode
    try:
        for line in sys.stdin.buffer:
            order = decode(line)
            if isinstance(order, ChangeBank):
                change_bank(player, Path(order.bank), leave)
            elif isinstance(order, ChangeMap):
                moves: deque[Move] | None = deque(maxlen=MOVES_KEPT) if order.learning else None
                player.remap(ControlMap(hearable(order.bindings, player.backend), moves))
            elif isinstance(order, NumberedScenes):
                player.scenes = order.scenes
            else:
                player.change(order)
            port.wake()
    finally:
        leave.set()
        port.wake()


def run(orders: Orders) -> int:
    """Play until told to leave; return the exit code."""
    if PARAMETERS["clock"].to_value(orders.controls.get("clock", 0.0)) == "link":
        require_link()
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    refine_timers()
    backend = choose_backend(orders.backend)
    port = open_port(backend, orders.port)
    bank = Bank.open(Path(orders.bank))
    tape = Tape.open(Path(orders.tape))
    tape.rewind()
    rehearse(orders, bank.shape.steps)
    gc.collect()
    gc.freeze()
    player = Player(
        port,
        bank,
        kit=orders.kit,
        channel=orders.channel,
        seed=orders.seed,
        bindings=hearable(orders.bindings, backend),
        controls=orders.controls,
        tape=tape,
    )
    player.scenes = orders.scenes
    del bank  # the player's own may be another before long
    leave = threading.Event()
    signal.signal(signal.SIGINT, lambda *_: leave.set())
    signal.signal(signal.SIGTERM, lambda *_: leave.set())

    ears = threading.Thread(
        target=hear_commands, args=(player, port, leave), name="commands", daemon=True
    )
    ears.start()
    realtime = ask_for_realtime(PLAYER_PRIORITY)
    if lock_memory():
        realtime += ", memory locked"
    if orders.restarted:
        # The player before this one died and may have left notes on.
        player.panic()

    encode = msgspec.json.Encoder().encode
    status_at_ns = acknowledged = 0
    try:
        while not leave.is_set() and not port.fault():
            again_ns = player.step()
            now_ns = port.now_ns()
            if now_ns >= status_at_ns or player.commands_done != acknowledged:
                status_at_ns = now_ns + STATUS_EVERY_NS
                acknowledged = player.commands_done
                status = msgspec.structs.replace(player.status(), realtime=realtime)
                player.bank.player_status.write(encode(status))
            port.wait(again_ns)
    finally:
        if not port.fault():
            player.finish()
            port.close()
    if port.fault():
        print(f"livevae: {port.fault()}", file=sys.stderr)
        return PORT_GONE
    return 0


def main() -> None:
    """Run the player and leave without waiting for any thread."""
    line = sys.stdin.buffer.readline()
    if not line:
        os._exit(0)  # the supervisor has gone before it knew what to order
    try:
        code = run(msgspec.json.decode(line, type=Orders))
    except LiveVAEError as error:
        print(f"livevae: {error}", file=sys.stderr)
        code = error.exit_code
    sys.stderr.flush()
    os._exit(code)
