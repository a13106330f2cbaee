"""The pattern bank: latest request, exact answers, nearest grid point, no torn reads."""

import errno
import itertools
import os
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from livevae.decoder.bank import ANSWERS, MAGIC, Bank, Shape
from livevae.errors import WorkError
from livevae.parameters import POSITION
from livevae.pattern.quantised import quantised

SHAPE = Shape(32, 3, 5)


def position(x: float = 0.5, y: float = 0.5, axis: float = 0.0) -> np.ndarray:
    """Return a position with the first axis given."""
    return np.array([x, y, axis, *[0.0] * (len(POSITION) - 3)], np.float32)


def filled(value: float) -> np.ndarray:
    """Return a pattern of one number."""
    return np.full((SHAPE.steps, 9, 3), value, np.float32)


def value_of(pattern: np.ndarray | None) -> float:
    """Return the one number that a pattern is filled with."""
    assert pattern is not None
    assert pattern.shape == (SHAPE.steps, 9, 3)
    assert (pattern == pattern[0, 0, 0]).all()
    return float(pattern[0, 0, 0])


def numbered_grid(first: int = 0) -> np.ndarray:
    """Return a saved grid whose cells are filled with their number, row after row."""
    numbers = np.arange(first, first + SHAPE.rows * SHAPE.cols).astype(np.uint8)
    grid = np.empty((SHAPE.rows, SHAPE.cols, SHAPE.steps, 9, 3), np.uint8)
    grid[:] = numbers.reshape(SHAPE.rows, SHAPE.cols, 1, 1, 1)
    return grid


def saved_number(pattern: np.ndarray | None) -> int:
    """Return the number with which ``numbered_grid`` filled the pattern's cell."""
    assert pattern is not None
    assert pattern.shape == (SHAPE.steps, 9, 3)
    cell = quantised(pattern)
    assert (cell == cell[0, 0, 0]).all()
    return int(cell[0, 0, 0])


def test_nothing_is_there_at_first() -> None:
    """No request, no answer, no grid, no status."""
    bank = Bank.in_memory(SHAPE)
    assert bank.wanted() is None
    assert bank.exact(position()) is None
    assert bank.nearest(position()) is None
    assert bank.player_status.read() is None
    assert bank.decoder_status.read() is None


def test_the_latest_request_wins() -> None:
    """Those before it are never seen."""
    bank = Bank.in_memory(SHAPE)
    for x in (0.1, 0.2, 0.3):
        bank.want(position(x))
    wanted = bank.wanted()
    assert wanted is not None
    np.testing.assert_array_equal(wanted, position(0.3))


def test_an_answer_is_exact_for_its_own_position_only() -> None:
    """The smallest difference of any coordinate counts."""
    bank = Bank.in_memory(SHAPE)
    bank.answer(position(0.5, 0.5, 0.25), filled(7))
    assert value_of(bank.exact(position(0.5, 0.5, 0.25))) == 7
    near = np.nextafter(np.float32(0.25), np.float32(1))
    assert bank.exact(position(0.5, 0.5, near)) is None
    assert bank.exact(position(0.5, 0.5)) is None


def test_a_newer_answer_at_one_position_replaces_the_older() -> None:
    """A model retrained, say."""
    bank = Bank.in_memory(SHAPE)
    bank.answer(position(), filled(1))
    bank.answer(position(), filled(2))
    assert value_of(bank.exact(position())) == 2


def test_the_last_answers_are_kept_and_older_ones_forgotten() -> None:
    """Turning back to where one was needs no decode, within limits."""
    bank = Bank.in_memory(SHAPE)
    asked = [position(number / 100) for number in range(ANSWERS + 5)]
    for number, where in enumerate(asked):
        bank.answer(where, filled(number))
    for where in asked[:5]:
        assert bank.exact(where) is None
    for number, where in enumerate(asked[5:], 5):
        assert value_of(bank.exact(where)) == number


@pytest.mark.parametrize(
    ("x", "y", "row", "col"),
    [
        (0, 0, 0, 0),
        (1, 0, 0, 4),
        (0, 1, 2, 0),
        (1, 1, 2, 4),
        (0.12, 0, 0, 0),
        (0.13, 0, 0, 1),
        (0.87, 0.24, 0, 3),
        (0.88, 0.26, 1, 4),
        (0.5, 0.74, 1, 2),
        (0.5, 0.76, 2, 2),
    ],
)
def test_the_nearest_cell_of_the_map_is_played_where_nothing_is_exact(
    x: float, y: float, row: int, col: int
) -> None:
    """x runs along the columns, y along the rows; axes do not count."""
    bank = Bank.in_memory(SHAPE)
    bank.write_grid(numbered_grid())
    assert saved_number(bank.nearest(position(x, y, 0.9))) == row * SHAPE.cols + col


@pytest.mark.parametrize(
    "pattern", [np.zeros((16, 9, 3), np.float32), np.zeros((32, 9, 3)), np.zeros(864, np.float32)]
)
def test_an_answer_of_another_shape_is_refused_before_anybody_can_read_it(
    pattern: np.ndarray,
) -> None:
    """A player that met one would die of it."""
    bank = Bank.in_memory(SHAPE)
    with pytest.raises(ValueError, match=r"float32\[32, 9, 3\]"):
        bank.answer(position(), pattern)
    with pytest.raises(ValueError, match=r"float32\[16\]"):
        bank.answer(position()[:9], filled(0))
    assert bank.exact(position()) is None


@pytest.mark.parametrize("cut", [np.s_[:2], np.s_[:, :4], np.s_[:, :, :16], np.s_[:, :, :, :8]])
def test_a_grid_of_another_shape_is_refused_whole(cut: slice) -> None:
    """Fewer rows, columns, steps or voices: not one cell of it is written."""
    bank = Bank.in_memory(SHAPE)
    with pytest.raises(ValueError, match="this bank takes"):
        bank.write_grid(numbered_grid()[cut])
    assert bank.nearest(position()) is None


def test_cells_of_another_shape_are_refused_whole() -> None:
    """Before anybody can read one of them."""
    bank = Bank.in_memory(SHAPE)
    numbers, positions = bank.stale(position(), 2)
    with pytest.raises(ValueError, match=r"float32\[2, 32, 9, 3\]"):
        bank.write_map(numbers, positions, np.zeros((2, 16, 9, 3), np.float32))
    with pytest.raises(ValueError, match=r"float32\[2, 16\]"):
        bank.write_map(numbers, positions[:1], np.zeros((2, 32, 9, 3), np.float32))
    assert bank.nearest(position()) is None


def test_answers_and_changes_of_the_map_are_news_and_requests_are_not() -> None:
    """The player looks again only when there is something to find."""
    bank = Bank.in_memory(SHAPE)
    seen = {bank.news}
    bank.want(position())
    assert bank.news in seen
    bank.answer(position(), filled(0))
    assert bank.news not in seen
    seen.add(bank.news)
    bank.write_grid(numbered_grid())
    assert bank.news not in seen
    seen.add(bank.news)
    bank.write_map(*bank.stale(position(axis=1), 1), filled(1)[None])
    assert bank.news not in seen


def test_wishes_are_counted() -> None:
    """The decoder learns how many it has not seen."""
    bank = Bank.in_memory(SHAPE)
    assert bank.wishes == 0
    for x in (0.1, 0.2, 0.3):
        bank.want(position(x))
    assert bank.wishes == 3


def test_a_map_over_other_controls_survives_the_file(tmp_path: Path) -> None:
    """Which two they are is part of the layout."""
    turned = Shape(32, 3, 5, POSITION.index("axis.1"), POSITION.index("y"))
    Bank.create(tmp_path / "bank", turned).write_grid(numbered_grid())
    theirs = Bank.open(tmp_path / "bank")
    assert theirs.shape == turned
    assert saved_number(theirs.nearest(position(0.0, 1.0, -1.0))) == 2 * 5
    assert saved_number(theirs.nearest(position(1.0, 0.0, 0.5))) == 3


def test_two_processes_see_one_bank(tmp_path: Path) -> None:
    """Each what the other writes."""
    path = tmp_path / "bank"
    ours, theirs = Bank.create(path, SHAPE), Bank.open(path)
    assert theirs.shape == SHAPE
    ours.want(position(0.75))
    wanted = theirs.wanted()
    assert wanted is not None
    theirs.answer(wanted, filled(3))
    assert value_of(ours.exact(position(0.75))) == 3
    theirs.decoder_status.write(b"well")
    assert ours.decoder_status.read() == b"well"


def test_a_pattern_read_is_a_copy_that_later_writes_leave_alone() -> None:
    """A bar plays what it began with."""
    bank = Bank.in_memory(SHAPE)
    bank.answer(position(), filled(1))
    kept = bank.exact(position())
    for number in range(2 * ANSWERS):
        bank.answer(position(), filled(number))
    assert value_of(kept) == 1


def test_a_request_wakes_the_decoder_that_listens() -> None:
    """With a datagram that says nothing; without a listener nothing is sent."""
    bank = Bank.in_memory(SHAPE)
    bank.want(position())
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wake:
        wake.bind(("127.0.0.1", 0))
        wake.settimeout(5)
        bank.listen(wake.getsockname()[1])
        bank.want(position(0.1))
        assert len(wake.recv(16)) == 1
    bank.want(position(0.2))


def test_the_file_belongs_to_its_owner_alone_and_is_never_reused(tmp_path: Path) -> None:
    """Mode 0600; a second bank of the name is refused."""
    path = tmp_path / "bank"
    Bank.create(path, SHAPE)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(FileExistsError):
        Bank.create(path, SHAPE)


@pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="this system promises memory")
def test_without_room_there_is_no_bank_and_a_sentence_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full /dev/shm would else kill whoever writes first to memory that is not there."""

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(WorkError, match=r"MiB for 65 x 65 .*No space left.*--size 17"):
        Bank.create(tmp_path / "bank", Shape(16, 65, 65))
    assert not (tmp_path / "bank").exists()


@pytest.mark.parametrize(
    "shape",
    [
        Shape(0, 2, 2),
        Shape(17, 2, 2),
        Shape(272, 2, 2),
        Shape(16, 1, 2),
        Shape(16, 2, 130),
        Shape(16, 2, 2, 0, 16),
        Shape(16, 2, 2, 3, 3),
    ],
)
def test_an_impossible_shape_is_refused(shape: Shape, tmp_path: Path) -> None:
    """Before any file is made."""
    with pytest.raises(WorkError):
        Bank.create(tmp_path / "bank", shape)
    assert not (tmp_path / "bank").exists()


def wrong_files(folder: Path) -> dict[str, bytes | None]:
    """Return contents that are no bank, by name."""
    Bank.create(folder / "good", SHAPE)
    good = (folder / "good").read_bytes()
    return {
        "missing": None,
        "empty": b"",
        "short": good[:40],
        "cut": good[:-8],
        "long": good + bytes(8),
        "foreign": b"RIFF" + good[4:],
        "older": MAGIC + (1).to_bytes(4, "little") + good[12:],
        "newer": MAGIC + (99).to_bytes(4, "little") + good[12:],
        "shapeless": good[:12] + bytes(12) + good[24:],
        "huge": good[:12] + b"\xff" * 12 + good[24:],
        "without axes": good[:24] + bytes(8) + good[32:],
    }


def test_a_file_that_is_no_bank_is_refused_in_one_sentence_that_names_it(tmp_path: Path) -> None:
    """Missing, empty, cut, of another program, of another version, with an absurd header."""
    for name, content in wrong_files(tmp_path).items():
        path = tmp_path / name
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(WorkError) as caught:
            Bank.open(path)
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)


WRITER = """
import itertools, sys
from pathlib import Path
from tests.decoder.test_bank import *
bank = Bank.open(Path(sys.argv[1]))
for number in itertools.count(int(sys.argv[2])):
    bank.answer(position(0.5), filled(number))
    numbers, positions = bank.stale(position(axis=(number % 100) / 100), 4)
    bank.write_map(numbers, positions, np.array([filled(number)] * len(numbers)))
    if number % 20 == 0:
        bank.write_grid(numbered_grid(number % 200))
"""


@pytest.fixture
def hammered(tmp_path: Path) -> Iterator[Callable[[int], subprocess.Popen[bytes]]]:
    """Return what starts a process that writes to ``tmp_path / "bank"`` as fast as Python can."""
    started: list[subprocess.Popen[bytes]] = []

    def start(first: int) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-c", WRITER, str(tmp_path / "bank"), str(first)]
        started.append(subprocess.Popen(command))
        return started[-1]

    yield start
    for writer in started:
        writer.kill()
        writer.wait()


def whole(pattern: np.ndarray) -> bool:
    """Return whether a pattern is all of one writing, live or saved."""
    return bool((pattern == pattern[0, 0, 0]).all()) or bool(
        (quantised(pattern) == quantised(pattern)[0, 0, 0]).all()
    )


def test_a_reader_never_sees_a_torn_pattern_while_another_process_writes(
    tmp_path: Path, hammered: Callable[[int], subprocess.Popen[bytes]]
) -> None:
    """Thousands of answers, cells and whole grids: each pattern read is all of one number."""
    bank = Bank.create(tmp_path / "bank", SHAPE)
    writer = hammered(1)
    read, newest = 0, 0.0
    while newest < 3000 and writer.poll() is None:
        for where in (position(1.0, 1.0), position(0.3, 0.6, 0.5)):
            pattern = bank.nearest(where)
            if pattern is not None:
                assert whole(pattern)
                read += 1
        answer = bank.exact(position(0.5))
        if answer is not None:
            assert value_of(answer) >= newest
            newest = value_of(answer)
    assert newest >= 3000
    assert read > 1000


def test_a_writer_killed_at_any_moment_leaves_no_torn_pattern_and_the_next_goes_on(
    tmp_path: Path, hammered: Callable[[int], subprocess.Popen[bytes]]
) -> None:
    """Readers find something in every map that has once been full, the killed cell's neighbour."""
    bank = Bank.create(tmp_path / "bank", SHAPE)
    bank.write_grid(numbered_grid())
    for turn in range(1, 5):
        writer = hammered(1000 * turn)
        seen = bank.news
        while bank.news[1] < seen[1] + 20 and writer.poll() is None:
            time.sleep(0.001)
        writer.kill()
        writer.wait()
        for x, y in itertools.product(range(9), repeat=2):
            pattern = bank.nearest(position(x / 8, y / 8))
            assert pattern is not None
            assert whole(pattern)
        answer = bank.exact(position(0.5))
        assert answer is None or value_of(answer) >= 1000 * turn
