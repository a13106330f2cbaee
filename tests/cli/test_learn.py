"""`livevae learn` with a scripted hand, without a daemon and with a stand-in for one."""

from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result

from livevae.cli import learn as module
from livevae.cli.learn import BOTH_WAYS, QUIET_S, learn, listen
from livevae.config import load
from livevae.daemon.control import NotRunningError, Request
from livevae.errors import UsageError, WorkError
from livevae.midi.binding import Binding, Move
from livevae.midi.memory_port import MemoryPort
from livevae.midi.ports import PortNames

ENDLESS_RIGHT = [bytes((0xB0, 20, 1))] * 9
ENDLESS_LEFT = [bytes((0xB0, 20, 127))] * 9


class Hand:
    """Messages at their times, on a clock that only ``rest`` moves."""

    def __init__(self, script: dict[float, list[bytes]]) -> None:
        self.script, self.now_s, self.said = script, 0.0, list[str]()

    def moves(self) -> Sequence[Move]:
        return [("A", m) for at_s, some in self.script.items() if at_s <= self.now_s for m in some]

    def rest(self, seconds: float) -> None:
        assert self.now_s < 60, "it never ends"
        self.now_s += seconds

    def listened(self) -> Binding:
        return listen(self.moves, lambda: self.now_s, self.rest, self.said.append)


def test_it_waits_for_the_hand_to_begin_and_to_pause() -> None:
    """A knob half way is not yet what it will be."""
    sweep = {3 + n / 10: [bytes((0xB0, 20, n * 8))] for n in range(16)}
    hand = Hand(sweep)
    assert hand.listened() == Binding(20, channel=1)
    assert max(sweep) + QUIET_S <= hand.now_s < max(sweep) + QUIET_S + 0.5
    assert hand.said == []


def test_what_is_not_clear_is_asked_for_once() -> None:
    """An endless encoder turned one way only, for long."""
    hand = Hand({1: ENDLESS_RIGHT, 4: ENDLESS_RIGHT, 8: ENDLESS_LEFT})
    assert hand.listened() == Binding(20, channel=1, relative="twos_complement")
    assert hand.said == [BOTH_WAYS]


@pytest.fixture
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MemoryPort:
    """Stand in an empty folder where no daemon runs; return the port that learn opens."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LIVEVAE_RUNTIME_DIR", str(tmp_path / "run"))
    monkeypatch.setattr("livevae.config.user_config", lambda: tmp_path / "own" / "livevae.toml")
    monkeypatch.setattr(module, "user_config", lambda: tmp_path / "own" / "livevae.toml")
    monkeypatch.setattr(module, "LOOK_EVERY_S", 0.0)
    monkeypatch.setattr(module, "QUIET_S", 0.0)
    monkeypatch.setattr(module, "choose_backend", lambda wanted: wanted)
    monkeypatch.setattr(module, "list_ports", lambda backend: PortNames(backend, ("Pads",), ()))
    port = MemoryPort()
    monkeypatch.setattr(module, "open_port", lambda _backend, _request: port)
    return port


def call(*arguments: str, typed: str = "") -> Result:
    """Run `livevae learn`."""
    return CliRunner().invoke(learn, arguments, input=typed)


def test_a_pad_is_bound_in_ones_own_file_when_there_is_none_here(
    alone: MemoryPort, tmp_path: Path
) -> None:
    """It is made, folder and all."""
    alone.feed(0, bytes((0xF8, 0x99, 36, 100)))
    result = call("kick.mute")
    own = tmp_path / "own" / "livevae.toml"
    assert result.stdout == f"kick.mute: note 36 on channel 10, in {own}\n"
    assert load(own).map["kick.mute"] == (Binding(note=36, channel=10),)


@pytest.mark.parametrize(("name", "mode"), [("kick.mute", "toggle"), ("x", None), ("panic", None)])
def test_a_button_that_lets_go_by_itself_toggles_a_switch(
    alone: MemoryPort, tmp_path: Path, name: str, mode: str | None
) -> None:
    """And moves all else as a knob would."""
    (tmp_path / "livevae.toml").write_text("")
    for value in (127, 0):
        alone.feed(0, bytes((0xB0, 48, value)))
    assert call(name).exit_code == 0
    assert load().map[name] == (Binding(48, channel=1, mode=mode),)


def test_without_a_control_it_asks_until_there_is_one(alone: MemoryPort, tmp_path: Path) -> None:
    """After the knob, as a hand does it; a slip of the pen is no end."""
    (tmp_path / "livevae.toml").write_text("# mine\n[map]\nx = {note = 36, channel = 10}\n")
    alone.feed(0, bytes((0x99, 36, 100)))
    result = call(typed="densty\nmodel\ndensity\n")
    assert result.exit_code == 0
    assert "did you mean density" in result.stderr
    assert "no knob can choose a model" in result.stderr
    assert "x is not moved by it any more" in result.stderr
    text = (tmp_path / "livevae.toml").read_text()
    assert text == "# mine\n[map]\ndensity = {note = 36, channel = 10}\n"


@pytest.mark.parametrize("name", ["densty", "model"])
def test_what_cannot_be_bound_is_refused_before_anything_is_moved(
    alone: MemoryPort, name: str
) -> None:
    """In a sentence."""
    assert isinstance(call(name).exception, UsageError)


def test_a_file_that_is_wrong_is_named_and_left_as_it_is(alone: MemoryPort, tmp_path: Path) -> None:
    """In a sentence."""
    path = tmp_path / "given.toml"
    path.write_text("[map]\nfoo = { cc = 1 }\n")
    alone.feed(0, bytes((0x99, 36, 100)))
    error = call("x", "--config", str(path)).exception
    assert isinstance(error, UsageError)
    assert "given.toml: there is no control 'foo'" in str(error)
    assert path.read_text() == "[map]\nfoo = { cc = 1 }\n"


def test_a_file_that_cannot_be_written_is_an_error_in_words(
    alone: MemoryPort, tmp_path: Path
) -> None:
    """Its folder is a file, say."""
    (tmp_path / "own").write_text("")
    alone.feed(0, bytes((0x99, 36, 100)))
    error = call("x").exception
    assert isinstance(error, WorkError)
    assert "own cannot be made" in str(error)


def test_through_a_running_daemon_the_map_is_taken_at_once(
    alone: MemoryPort, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is asked to listen, told of the file, and asked to listen no more, whatever happens."""
    file, asked = tmp_path / "its.toml", list[tuple[str, str]]()
    file.write_text("seed = 3\n")

    def ask(request: Request) -> bytes:
        asked.append((request.ask, request.value))
        return msgspec.json.encode(str(file))

    monkeypatch.setattr(module, "ask", ask)
    monkeypatch.setattr(module, "_its_moves", lambda: [("in", bytes((0x90, 40, 1)))])
    assert call("x").exit_code == 0
    assert asked == [("learn", "on"), ("map", str(file)), ("learn", "off")]
    assert load(file).map["x"] == (Binding(note=40, channel=1),)
    asked.clear()
    file.write_text("[map\n")
    assert isinstance(call("x").exception, UsageError)
    assert asked == [("learn", "on"), ("learn", "off")]


def test_no_daemon_is_no_error(alone: MemoryPort, monkeypatch: pytest.MonkeyPatch) -> None:
    """A port of one's own is opened, and closed again."""
    closed: list[bool] = []

    def refuse(_request: Request) -> bytes:
        raise NotRunningError("no")

    close: Callable[[], None] = lambda: closed.append(True)  # noqa: E731
    monkeypatch.setattr(module, "ask", refuse)
    monkeypatch.setattr(alone, "close", close)
    alone.feed(0, bytes((0x99, 36, 100)))
    assert call("x").exit_code == 0
    assert closed == [True]
