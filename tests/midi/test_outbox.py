"""The outbox hands messages out on time, under a scripted clock."""

import threading
from collections.abc import Callable

from livevae.midi.outbox import NAP_NS, SPIN_NS, Outbox

A, B = b"\x90\x01\x01", b"\x90\x02\x01"
LOOK_NS = 100
"""What each look at the scripted clock takes."""


class Clock:
    """Time passes by a look at it, or by sleeping; while asleep something may happen."""

    def __init__(self) -> None:
        self.now_ns = 0
        self.slept: list[int] = []
        self.meanwhile: Callable[[], None] = lambda: None

    def __call__(self) -> int:
        self.now_ns += LOOK_NS
        return self.now_ns

    def sleep(self, until_ns: int) -> None:
        self.slept.append(until_ns)
        self.now_ns = max(self.now_ns, until_ns)
        self.meanwhile()


def outbox() -> tuple[Outbox, Clock]:
    """Return an outbox and the clock it goes by."""
    clock = Clock()
    return Outbox(clock, clock.sleep), clock


def test_a_message_is_handed_out_at_its_time_and_not_before() -> None:
    """The last of the wait is spun, so that a late waking costs nothing."""
    queue, clock = outbox()
    due_ns = NAP_NS // 2
    queue.send(due_ns, A)
    late_ns, message = queue.next_due() or (-1, b"")
    assert message == A
    assert clock.slept == [due_ns - SPIN_NS]
    assert 0 <= late_ns <= 2 * LOOK_NS
    assert not queue


def test_what_is_late_is_handed_out_at_once_with_how_late_it_is() -> None:
    """In the order of its times, whatever the order of the calls."""
    queue, clock = outbox()
    clock.now_ns = 5_000
    queue.send(3_000, A)
    queue.send(1_000, B)
    first, second = queue.next_due(), queue.next_due()
    assert clock.slept == []
    assert first is not None
    assert second is not None
    assert (first[1], second[1]) == (B, A)
    assert 4_000 <= first[0] <= 4_000 + 10 * LOOK_NS


def test_a_message_that_overtakes_the_sleeping_thread_goes_first() -> None:
    """It is late by what was left of the nap, and no more."""
    queue, clock = outbox()
    queue.send(NAP_NS, A)
    clock.meanwhile = lambda: queue.send(0, B)
    late_ns, message = queue.next_due() or (-1, b"")
    assert message == B
    assert late_ns <= NAP_NS + 10 * LOOK_NS


def test_a_message_cancelled_while_the_thread_sleeps_is_not_handed_out() -> None:
    """A stop unsends what has not sounded."""
    queue, clock = outbox()
    queue.send(NAP_NS, A)
    clock.meanwhile = lambda: queue.cancel(0)
    assert queue.next_due() is None
    assert not queue


def test_cancel_keeps_what_is_due() -> None:
    """To the nanosecond."""
    queue, _ = outbox()
    for time_ns, message in ((10, A), (11, B)):
        queue.send(time_ns, message)
    queue.cancel(10)
    due = queue.next_due()
    assert due is not None
    assert due[1] == A
    assert not queue


def test_an_earlier_message_ends_a_long_wait_and_so_does_wake() -> None:
    """The thread would else sleep for an hour."""
    queue = Outbox()
    queue.send(3_600 * 10**12, A)
    handed: list[bytes] = []
    waits = threading.Semaphore(0)

    def work() -> None:
        while not handed:
            waits.release()
            if due := queue.next_due():
                handed.append(due[1])

    worker = threading.Thread(target=work, daemon=True)
    worker.start()
    waits.acquire()
    queue.wake()
    assert waits.acquire(timeout=10)
    queue.send(0, B)
    worker.join(10)
    assert handed == [B]
