"""The player process: what it loads, and how it begins and ends."""

import importlib.util
import subprocess
import sys
import threading

import msgspec
import numpy as np
import pytest

from livevae.decoder.bank import Bank, Shape
from livevae.errors import UsageError
from livevae.midi.ports import PortRequest
from livevae.player.process import Orders, rehearse, run
from livevae.player.scheduler import Choice
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


def test_a_choice_is_compared_by_identity() -> None:
    """Its pattern is an array, which has no truth."""
    bank = Bank.in_memory(Shape(16, 2, 2))
    bank.write_grid(np.zeros((2, 2, 16, 9, 3), np.uint8))
    pattern = bank.nearest(np.zeros(16, np.float32))
    assert pattern is not None
    assert Choice(pattern, "grid") != Choice(pattern, "grid")
