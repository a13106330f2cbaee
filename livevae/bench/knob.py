"""From a knob to the bank: a player on a memory port, and a decoder in a process of its own."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from livevae.daemon.child import Child
from livevae.decoder.bank import Bank, Shape
from livevae.decoder.process import Orders, Status
from livevae.errors import WorkError
from livevae.midi.binding import Binding
from livevae.midi.kit import KITS
from livevae.midi.memory_port import MemoryPort
from livevae.model.folder import load_config
from livevae.player.player import Player

KNOB: Final = 20
_STRIDE: Final = 37
"""From one of the knob's 128 values to the next: none comes again until all have been."""
_REST_S: Final = (0.005, 0.02)
"""Between two turns the hand rests, and the decoder falls asleep."""
_LOOK_EVERY_S: Final = 0.00005
"""A measuring that looked without pause would take a core from the decoder."""
_STARTS_WITHIN_S: Final = 60.0
_ANSWERS_WITHIN_S: Final = 10.0


def knob_to_bank_ms(model: Path, device: str, threads: int, turns: int) -> list[float]:
    """Turn a knob so many times; return the times until the bank has the new pattern, in ms.

    Each runs from the control change at the player's port to the exact pattern's bytes in the bank.

    Raises:
        WorkError: the decoder does not start or answer.
    """
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory(prefix="livevae-bench-") as folder:
        path = Path(folder) / "bank"
        bank = Bank.create(path, Shape(load_config(model).steps, 2, 2))
        decoder = Child("livevae.decoder")
        try:
            decoder.send(msgspec.json.encode(Orders(str(path), str(model), device, threads)))
            _until_ready(bank)
            port = MemoryPort()
            player = Player(port, bank, kit=KITS["gm"], bindings={"x": (Binding(KNOB),)})
            times_ms = []
            for turn in range(turns):
                time.sleep(rng.uniform(*_REST_S))
                times_ms.append(_turn(bank, player, port, (turn + 1) * _STRIDE % 128))
            return times_ms
        finally:
            decoder.dismiss(0)


def _turn(bank: Bank, player: Player, port: MemoryPort, value: int) -> float:
    """Turn the knob; return the milliseconds until the bank has what it asks for."""
    begun = time.perf_counter()
    port.feed(port.now_ns(), bytes((0xB0, KNOB, value)))
    player.step()
    wanted = bank.wanted()
    while wanted is None or bank.exact(wanted) is None:
        if time.perf_counter() - begun > _ANSWERS_WITHIN_S:
            raise WorkError("the decoder does not answer; `livevae doctor` may know why")
        time.sleep(_LOOK_EVERY_S)
    return (time.perf_counter() - begun) * 1000


def _until_ready(bank: Bank) -> None:
    deadline = time.monotonic() + _STARTS_WITHIN_S
    while time.monotonic() < deadline:
        record = bank.decoder_status.read()
        if record is not None and msgspec.json.decode(record, type=Status).state == "ready":
            return
        time.sleep(_LOOK_EVERY_S)
    raise WorkError("the decoder does not start; `livevae doctor` may know why")
