"""Life and death of a child that is kept, on one that dies and hangs to order."""

import asyncio
import errno
import queue
import signal
from collections.abc import Iterator

import pytest

from livevae.daemon import keeper
from livevae.daemon.keeper import Keeper

BACKOFF_S = (0.0, 0.25, 1.0)
AT_ONCE_S = 0.01


class FakeChild:
    """Ends when it is told to, with the code it is told."""

    def __init__(self) -> None:
        self.codes: queue.SimpleQueue[int] = queue.SimpleQueue()
        self.starts = 1
        self.failures = 0
        self.version = 0

    def wait(self) -> int:
        """Wait for the end, as the real one does."""
        return self.codes.get(timeout=20)

    def restart(self) -> None:
        """Count, and fail as often as is wanted: the one before stays dead."""
        if self.failures:
            self.failures -= 1
            self.codes.put(1)
            raise OSError(errno.EAGAIN, "Resource temporarily unavailable")
        self.starts += 1

    def kill(self) -> None:
        """End as killed."""
        self.codes.put(-signal.SIGKILL)


class Stage:
    """A keeper of a fake child, and what it slept between a death and a start."""

    def __init__(self, patience_s: float = 1e9) -> None:
        """Keep a child that may stand still for ``patience_s``."""
        self.child = FakeChild()
        self.leaving = asyncio.Event()
        self.paused_s: list[float] = []
        self.revived = 0
        self.keeper = Keeper(
            "child",
            self.child,  # type: ignore[arg-type]
            leaving=self.leaving,
            version=lambda: self.child.version,
            patience_s=lambda: patience_s,
            backoff_s=BACKOFF_S,
            revive=self.revive,
            hopeless=(2,),
        )

    def revive(self) -> None:
        """Count."""
        self.revived += 1

    def keep(self, *codes: int, until_starts: int | None = None) -> None:
        """Keep the child while it ends with ``codes``, then leave."""

        async def run() -> None:
            keeping = asyncio.create_task(self.keeper.keep())
            for code in codes:
                self.child.codes.put(code)
            wanted = len(codes) + 1 if until_starts is None else until_starts
            while self.child.starts < wanted and not keeping.done():
                await asyncio.wait({keeping}, timeout=AT_ONCE_S)
            self.leaving.set()
            self.child.codes.put(0)
            await keeping

        asyncio.run(run())


@pytest.fixture(autouse=True)
def slept(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """Let pauses pass at once, and looks be frequent; return the pauses."""
    pauses: list[float] = []
    sleep = asyncio.sleep

    async def at_once(delay: float) -> None:
        pauses.append(delay)
        await sleep(0)

    monkeypatch.setattr(keeper.asyncio, "sleep", at_once)
    monkeypatch.setattr(keeper, "LOOK_EVERY_S", AT_ONCE_S)
    return pauses


def test_a_child_that_dies_is_started_again_with_new_orders(slept: list[float]) -> None:
    """At once, the first time."""
    stage = Stage()
    stage.keep(-9)
    assert stage.child.starts == 2
    assert (stage.revived, stage.keeper.restarts, stage.keeper.deaths) == (1, 1, 1)
    assert stage.keeper.running
    assert slept == [0.0]


def test_the_pauses_grow_while_it_keeps_dying_up_to_the_last(slept: list[float]) -> None:
    """And it is never given up."""
    stage = Stage()
    stage.keep(1, 1, -11, 1, 1)
    assert slept == [0.0, 0.25, 1.0, 1.0, 1.0]
    assert stage.keeper.deaths == 5


def test_a_child_that_cannot_be_started_is_tried_again(
    slept: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    """A system without room for a process may have some later."""
    stage = Stage()
    stage.child.failures = 2
    stage.keep(1, until_starts=2)
    assert slept == [0.0, 0.25, 1.0]
    assert stage.revived == 1
    assert "the child cannot be started (Resource temporarily" in capsys.readouterr().err


def test_a_child_that_has_lived_long_enough_is_started_again_at_once(
    slept: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it died of then is another matter."""
    monkeypatch.setattr(keeper, "STABLE_AFTER_S", -1.0)
    stage = Stage()

    async def run() -> None:
        keeping = asyncio.create_task(stage.keeper.keep())
        for life in (2, 3, 4):
            await asyncio.wait({keeping}, timeout=5 * AT_ONCE_S)
            stage.child.codes.put(1)
            while stage.child.starts < life:
                await asyncio.wait({keeping}, timeout=AT_ONCE_S)
        stage.leaving.set()
        stage.child.codes.put(0)
        await keeping

    asyncio.run(run())
    assert slept == [0.0, 0.0, 0.0]


def test_a_hopeless_child_is_let_go(slept: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    """It has said why; starting it again would only say it again."""
    stage = Stage()
    stage.keep(2)
    assert stage.child.starts == 1
    assert stage.keeper.let_go
    assert not stage.keeper.running
    assert slept == []
    assert "the child cannot run" in capsys.readouterr().err


def test_a_child_that_leaves_because_everybody_does_is_left_in_peace() -> None:
    """A signal may reach all of them at once."""
    stage = Stage()
    stage.keep()
    assert stage.child.starts == 1
    assert stage.keeper.restarts == 0


def test_a_child_whose_cell_stands_still_is_killed_and_started_again() -> None:
    """It hangs."""
    stage = Stage(patience_s=3 * AT_ONCE_S)
    stage.keep(until_starts=2)
    assert stage.keeper.restarts == 1


def test_a_child_whose_cell_changes_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long it lives."""
    stage = Stage(patience_s=3 * AT_ONCE_S)

    async def run() -> None:
        keeping = asyncio.create_task(stage.keeper.keep())
        for _ in range(20):
            stage.child.version += 1
            await asyncio.wait({keeping}, timeout=AT_ONCE_S)
        stage.leaving.set()
        stage.child.codes.put(0)
        await keeping

    asyncio.run(run())
    assert stage.child.starts == 1
