"""The player from the supervisor's side, on a pipe that leads nowhere and a real bank."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from livevae.config import Config
from livevae.daemon import performer
from livevae.daemon.instrument import Instrument
from livevae.daemon.performer import Performer
from livevae.decoder.bank import Bank, Shape
from livevae.errors import WorkError
from livevae.midi.memory_port import MemoryPort
from livevae.player.player import Player, Status
from livevae.player.process import ChangeBank, NumberedScenes, Orders
from tests.player.stage import KIT


def status(**changes: object) -> bytes:
    """Return a record of a player that has just begun."""
    player = Player(MemoryPort(), Bank.in_memory(Shape(16, 2, 2)), kit=KIT)
    return msgspec.json.encode(msgspec.structs.replace(player.status(), **changes))


class FakeChild:
    """Keeps what it is told, and does what a player would do about it."""

    def __init__(self) -> None:
        self.told: list[bytes] = []
        self.does: Callable[[], None] = lambda: None

    def send(self, order: bytes) -> None:
        """Take an order."""
        self.told.append(order)
        self.does()


class Stage:
    """A performer with a fake player that plays one of two instruments."""

    def __init__(self, folder: Path) -> None:
        """Make both, of patterns of two lengths."""
        self.child = FakeChild()
        leaving = asyncio.Event()
        config = Config(controls={"x": 0.25})
        self.performer = Performer(config, self.child, folder / "tape", leaving)  # type: ignore[arg-type]
        self.before, self.after = (
            Instrument(folder, folder / name, Shape(steps, 2, 2), config.decoder, leaving)
            for name, steps in (("before", 32), ("after", 64))
        )
        self.performer.begin(self.before)

    def says(self, instrument: Instrument, **changes: object) -> Callable[[], None]:
        """Return what a player does that writes its status into a bank."""
        return lambda: instrument.bank.player_status.write(status(**changes))


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """A stage on which nobody has much patience."""
    monkeypatch.setattr(performer, "_TAKEN_WITHIN_S", 0.05)
    monkeypatch.setattr(performer, "_ACKNOWLEDGED_WITHIN_S", 0.05)
    return Stage(tmp_path)


def revived(stage: Stage) -> Orders:
    """Return what a player is told that follows one that died."""
    stage.performer.keeper._revive()
    return msgspec.json.decode(stage.child.told[-1], type=Orders)


def test_a_control_is_set_when_the_player_has_counted_the_command(stage: Stage) -> None:
    """Not before."""
    stage.child.does = stage.says(stage.before, commands=1)
    asyncio.run(stage.performer.set(("x", 0.5), ("y", 0.25)))
    assert stage.child.told[-1] == b'[["x",0.5],["y",0.25]]'
    with pytest.raises(WorkError, match="the player does not answer"):
        asyncio.run(stage.performer.set(("x", 0.6)))


def test_scenes_with_numbers_go_to_the_player_and_to_each_that_comes_after_it(stage: Stage) -> None:
    """A pad finds them in the player itself."""
    scenes = ((("x", 0.5), ("y", 0.25)), ())
    stage.performer.give_scenes(scenes)
    told = msgspec.json.decode(stage.child.told[-1], type=NumberedScenes)
    assert msgspec.json.encode(told.scenes) == msgspec.json.encode(scenes)
    assert msgspec.json.encode(revived(stage).scenes) == msgspec.json.encode(scenes)


def test_another_instrument_is_played_once_the_players_status_comes_from_its_bank(
    stage: Stage,
) -> None:
    """The order names the bank."""
    stage.says(stage.before)()
    stage.child.does = stage.says(stage.after, notes=7)
    asyncio.run(stage.performer.change(stage.after))
    order = msgspec.json.decode(stage.child.told[-1], type=ChangeBank)
    assert order.bank == str(stage.after.path)
    assert stage.performer.instrument is stage.after
    last = stage.performer.status()
    assert last is not None
    assert last.notes == 7


def test_a_player_that_does_not_take_it_plays_on_with_its_own(stage: Stage) -> None:
    """What it says still counts."""
    stage.says(stage.before, notes=3)()
    with pytest.raises(WorkError, match="the player does not take it"):
        asyncio.run(stage.performer.change(stage.after))
    assert stage.performer.instrument is stage.before
    assert revived(stage).bank == str(stage.before.path)


def test_a_player_that_dies_while_it_changes_is_followed_by_one_with_the_new_bank(
    stage: Stage,
) -> None:
    """And with the old one's controls, which it could not write down any more."""
    values = msgspec.json.decode(status(), type=Status).values | {"swing": 60.0}
    stage.says(stage.before, values=values)()
    orders = []

    def dies() -> None:
        stage.child.does = stage.says(stage.after)
        orders.append(revived(stage))

    stage.child.does = dies
    asyncio.run(stage.performer.change(stage.after))
    assert orders[0].bank == str(stage.after.path)
    assert orders[0].controls["swing"] == 60
    assert orders[0].restarted
    assert stage.performer.instrument is stage.after


def test_a_player_that_died_before_it_said_anything_begins_as_ordered(stage: Stage) -> None:
    """With the controls of livevae.toml."""
    orders = revived(stage)
    assert orders.controls == {"x": 0.25}
