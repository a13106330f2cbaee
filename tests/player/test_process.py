"""The player process: what it loads, and how it begins and ends."""

import importlib.util
import io
import subprocess
import sys
import threading
from pathlib import Path

import msgspec
import numpy as np
import pytest

from livevae.decoder.bank import Bank, Shape
from livevae.errors import UsageError
from livevae.midi.binding import Binding
from livevae.midi.memory_port import MemoryPort
from livevae.midi.ports import PortRequest
from livevae.player import process
from livevae.player.bar import Choice
from livevae.player.player import Player
from livevae.player.process import (
    ChangeBank,
    ChangeMap,
    NumberedScenes,
    Orders,
    hear_commands,
    hearable,
    rehearse,
    run,
)
from tests.player.stage import KIT

ALLOWED = {"livevae", "numpy", "msgspec"}
BINDINGS = {
    "jack": {"jack", "_jack", "_cffi_backend"},
    "rtmidi": {"rtmidi", "_rtmidi", "cython_runtime"},
}
LOADS = """
import sys
before = set(sys.modules)
import livevae.player.process
import livevae.midi.{port}
new = {{name.partition('.')[0] for name in set(sys.modules) - before}}
new -= set(sys.stdlib_module_names) | {{"typing_extensions"}}  # msgspec takes it if it is there
print(*sorted(name for name in new if not name.startswith("_cython")))
"""


def orders(**changes: object) -> Orders:
    """Return orders as the supervisor gives them."""
    order = Orders(
        bank="nowhere",
        backend="jack",
        port=PortRequest("LiveVAE"),
        kit=KIT,
        channel=10,
        seed=0,
        bindings={},
        controls={},
        restarted=False,
        tape="nowhere",
    )
    return msgspec.structs.replace(order, **changes)


@pytest.mark.parametrize(("port", "binding"), [("jack_port", "jack"), ("rtmidi_port", "rtmidi")])
def test_the_player_loads_numpy_msgspec_and_one_midi_binding_and_nothing_else(
    port: str, binding: str
) -> None:
    """No torch, no mido, no rich, no safetensors: it is up at once and nothing stops it."""
    done = subprocess.run(
        [sys.executable, "-c", LOADS.format(port=port)], capture_output=True, text=True, check=True
    )
    assert set(done.stdout.split()) == ALLOWED | BINDINGS[binding]


def test_orders_survive_the_pipe() -> None:
    """JSON there and back."""
    order = orders(controls={"x": 0.25}, port=PortRequest("A", ("b",), ("c",), must_exist=False))
    assert msgspec.json.decode(msgspec.json.encode(order), type=Orders) == order


@pytest.mark.parametrize("steps", [16, 64, 256])
def test_the_rehearsal_plays_to_nobody(steps: int) -> None:
    """For patterns of any length, and without a port of the system or a thread."""
    threads = threading.active_count()
    rehearse(orders(), steps)
    assert threading.active_count() == threads


def test_the_link_clock_without_its_library_is_refused_before_any_port_opens(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In one sentence, as wrong use."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(UsageError, match="Ableton Link is not installed"):
        run(orders(controls={"clock": 2.0}))


def test_the_scenes_of_an_order_are_recalled_by_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between commands."""
    player = told(monkeypatch, NumberedScenes(((("x", 0.25),),)), (("scene", 1.0),))
    assert player.status().values["x"] == 0.25


def told(monkeypatch: pytest.MonkeyPatch, *orders: object) -> Player:
    """Return a player that has heard ``orders``, and then that there are no more."""
    monkeypatch.setattr(process, "FREED_AFTER_S", 0.0)
    lines = b"".join(msgspec.json.encode(order) + b"\n" for order in orders)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(lines)))
    port, leave = MemoryPort(), threading.Event()
    player = Player(port, Bank.in_memory(Shape(16, 2, 2)), kit=KIT)
    hear_commands(player, port, leave)
    assert leave.is_set()
    player.step()
    return player


def test_the_order_to_change_the_bank_opens_the_new_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Between commands, which are heard as ever."""
    Bank.create(tmp_path / "bank", Shape(64, 3, 3))
    change = ChangeBank(str(tmp_path / "bank"))
    player = told(monkeypatch, (("x", 0.25),), change, (("y", 0.75),))
    assert player.bank.shape == Shape(64, 3, 3)
    assert player.status().values["x"] == 0.25
    wanted = player.bank.wanted()
    assert wanted is not None
    assert tuple(wanted[:2]) == (0.25, 0.75)


def test_a_bank_that_cannot_be_opened_leaves_the_player_with_its_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It says so, and hears what comes after."""
    change = ChangeBank(str(tmp_path / "nowhere"))
    player = told(monkeypatch, change, (("x", 0.25),))
    assert player.bank.shape == Shape(16, 2, 2)
    assert player.status().values["x"] == 0.25
    said = capsys.readouterr().err
    assert said.startswith("livevae: the pattern bank")
    assert said.count("\n") == 1


def test_the_order_to_change_the_map_is_taken_between_commands(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """And counted, so that the supervisor knows; who learns is told what comes in."""
    bindings = {"x": (Binding(note=60, high=0.75),)}
    player = told(monkeypatch, ChangeMap(bindings, True), (("y", 0.25),))
    assert player.commands_done == 2
    port = player._port
    assert isinstance(port, MemoryPort)
    port.feed(0, bytes((0x90, 60, 1)))
    player.step()
    assert player.status().values["x"] == 0.75
    assert player.status().moves == (("memory", bytes((0x90, 60, 1))),)
    assert told(monkeypatch, ChangeMap(bindings, False)).status().moves == ()


def test_on_jack_which_mixes_its_inputs_a_binding_hears_every_port() -> None:
    """One that waited for a port by name would never hear anything."""
    bindings = {"x": (Binding(20, port="nano"), Binding(21))}
    assert hearable(bindings, "jack") == {"x": (Binding(20), Binding(21))}
    assert hearable(bindings, "rtmidi") == bindings


def test_a_choice_is_compared_by_identity() -> None:
    """Its pattern is an array, which has no truth."""
    bank = Bank.in_memory(Shape(16, 2, 2))
    bank.write_grid(np.zeros((2, 2, 16, 9, 3), np.uint8))
    pattern = bank.nearest(np.zeros(16, np.float32))
    assert pattern is not None
    assert Choice(pattern, "grid") != Choice(pattern, "grid")
