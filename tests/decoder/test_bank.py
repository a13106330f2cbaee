"""The pattern bank: latest request, exact answers, nearest grid point, no torn reads."""

import socket
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from livevae.decoder.bank import ANSWERS, MAGIC, Bank, Cell, Shape
from livevae.errors import WorkError
from livevae.parameters import POSITION

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


def numbered_grid(first: float = 0.0) -> np.ndarray:
    """Return a grid whose patterns are filled with their number, row after row."""
    numbers = np.arange(SHAPE.rows * SHAPE.cols, dtype=np.float32) + np.float32(first)
    grid = np.empty((SHAPE.rows, SHAPE.cols, SHAPE.steps, 9, 3), np.float32)
    grid[:] = numbers.reshape(SHAPE.rows, SHAPE.cols, 1, 1, 1)
    return grid


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
def test_the_nearest_grid_point_is_rounded_to_even_at_the_edges(
    x: float, y: float, row: int, col: int
) -> None:
    """x runs along the columns, y along the rows; axes do not count."""
    bank = Bank.in_memory(SHAPE)
    bank.write_grid(numbered_grid())
    assert value_of(bank.nearest(position(x, y, 0.9))) == row * SHAPE.cols + col


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


def test_answers_and_grids_are_news_and_requests_are_not() -> None:
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


@pytest.mark.parametrize(
    "shape", [Shape(0, 2, 2), Shape(17, 2, 2), Shape(272, 2, 2), Shape(16, 1, 2), Shape(16, 2, 130)]
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
        "newer": MAGIC + (99).to_bytes(4, "little") + good[12:],
        "shapeless": good[:12] + bytes(12) + good[24:],
        "huge": good[:12] + b"\xff" * 12 + good[24:],
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


def test_a_cell_that_is_being_written_gives_nothing_and_then_the_new_record() -> None:
    """A writer that dies half way leaves no torn record behind."""
    memory = memoryview(bytearray(Cell.footprint(64)))
    cell = Cell(memory)
    cell.write(b"old" * 5)
    memory[:8].cast("Q")[0] += 1
    memory[16:19] = b"new"
    assert cell.read() is None
    version = cell.version
    cell.write(b"new" * 7)
    assert cell.version != version
    assert cell.read() == b"new" * 7


def test_a_torn_record_is_caught_by_its_checksum() -> None:
    """Even if the sequence number says that all is well."""
    memory = memoryview(bytearray(Cell.footprint(64)))
    cell = Cell(memory)
    cell.write(b"a" * 64)
    memory[40:41] = b"b"
    assert cell.read() is None


WRITER = """
import sys, time
from pathlib import Path
from tests.decoder.test_bank import *
bank = Bank.open(Path(sys.argv[1]))
number = 0
until = time.monotonic() + 1.0
while time.monotonic() < until:
    number += 1
    bank.answer(position(0.5), filled(number))
    bank.write_grid(numbered_grid(1000 * number))
"""


def test_a_reader_never_sees_a_torn_pattern_while_another_process_writes(tmp_path: Path) -> None:
    """Answers and grid rewritten as fast as Python can: each pattern read is all of one number."""
    bank = Bank.create(tmp_path / "bank", SHAPE)
    command = [sys.executable, "-c", WRITER, str(tmp_path / "bank")]
    read, newest = 0, 0.0
    with subprocess.Popen(command) as writer:
        while writer.poll() is None:
            for pattern in (bank.exact(position(0.5)), bank.nearest(position(1.0, 1.0))):
                if pattern is not None:
                    value_of(pattern)
                    read += 1
            answer = bank.exact(position(0.5))
            if answer is not None:
                assert value_of(answer) >= newest
                newest = value_of(answer)
    assert writer.returncode == 0
    assert read > 100
    assert newest > 10
