"""A record with one writer and readers that never wait."""

from livevae.decoder.cell import Cell


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


def test_a_record_that_begins_otherwise_is_passed_over() -> None:
    """Whether it is intact does not matter then."""
    cell = Cell(memoryview(bytearray(Cell.footprint(64))))
    assert cell.read(b"key") is None
    cell.write(b"key and pattern")
    assert cell.read(b"key") == b"key and pattern"
    assert cell.read(b"lock") is None
