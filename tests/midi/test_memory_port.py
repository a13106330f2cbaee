"""The memory port keeps the contract of every port."""

from livevae.midi.memory_port import MemoryPort

A, B, C = (bytes((0x90, note, 1)) for note in (1, 2, 3))


def test_a_message_comes_in_when_its_time_has_come_and_once() -> None:
    """In the order fed."""
    port = MemoryPort()
    port.feed(10, A, "live")
    port.feed(20, B, "mpc")
    assert port.receive() is None
    port.advance(20)
    heard = [port.receive(), port.receive(), port.receive()]
    assert heard == [(10, A, "live"), (20, B, "mpc"), None]


def test_messages_are_sent_in_the_order_of_their_times_and_ties_in_that_of_the_calls() -> None:
    """Whatever the order of the calls otherwise."""
    port = MemoryPort()
    for time_ns, message in ((30, A), (10, B), (30, C), (10, A)):
        port.send(time_ns, message)
    assert port.sent() == [(10, B), (10, A), (30, A), (30, C)]


def test_what_is_late_is_sent_now_and_still_in_the_order_of_its_times() -> None:
    """A note-off before the note-on that follows it."""
    port = MemoryPort()
    port.advance(100)
    for time_ns, message in ((100, A), (40, B), (20, C)):
        port.send(time_ns, message)
    assert port.sent() == [(100, C), (100, B), (100, A)]


def test_cancel_forgets_what_lies_ahead_and_nothing_else() -> None:
    """What is due stays, to the nanosecond."""
    port = MemoryPort()
    for time_ns in (9, 10, 11):
        port.send(time_ns, A)
    port.cancel(10)
    assert port.sent() == [(9, A), (10, A)]


def test_there_is_nothing_to_wait_for_and_nothing_to_report() -> None:
    """No threads, no faults, no connections."""
    port = MemoryPort()
    port.wait(10**18)
    port.wake()
    port.close()
    assert port.now_ns() == 0
    assert port.fault() == ""
    assert not port.lateness_ns()
    assert not port.connections().inputs
