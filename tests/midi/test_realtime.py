"""Real-time priority."""

import ctypes
import os
import sys
import time

import pytest

from livevae.midi import realtime
from livevae.midi.realtime import ask_for_realtime, may_lock_memory, sleep_until

linux = pytest.mark.skipif(sys.platform != "linux", reason="Linux only")


def test_what_was_got_is_said_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """Granted, refused, or not offered: never an exception."""
    asked = []

    def grant(pid: int, policy: int, parameter: object) -> None:
        asked.append((pid, policy))

    def refuse(pid: int, policy: int, parameter: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "sched_setscheduler", grant, raising=False)
    assert ask_for_realtime(20) == "SCHED_FIFO 20"
    assert asked == [(0, os.SCHED_FIFO)]
    monkeypatch.setattr(os, "sched_setscheduler", refuse, raising=False)
    assert ask_for_realtime(20).startswith("refused (Operation not permitted)")
    monkeypatch.delattr(os, "sched_setscheduler")
    assert ask_for_realtime(20) == "not offered by this system"


def test_a_sleep_ends_at_its_time_and_not_before() -> None:
    """Of the clock by which the port tells it; a time that has passed is no sleep."""
    until_ns = time.perf_counter_ns() + 2_000_000
    sleep_until(until_ns)
    assert time.perf_counter_ns() >= until_ns
    sleep_until(until_ns)


@linux
def test_timers_are_refined_for_the_thread_that_asks() -> None:
    """The kernel's default is 50 microseconds."""
    get_timer_slack = 30
    realtime.refine_timers()
    # With real-time priority there is no slack at all.
    assert realtime._c.prctl(get_timer_slack, 0, 0, 0, 0) in (0, 1)


@linux
def test_memory_is_locked_only_where_no_limit_can_refuse_the_next_allocation(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A limit that is not reached yet is a trap."""
    import resource  # noqa: PLC0415 - not there on Windows

    def limit(bytes_allowed: int, user: int) -> None:
        monkeypatch.setattr(resource, "getrlimit", lambda _: (bytes_allowed, bytes_allowed))
        monkeypatch.setattr(os, "geteuid", lambda: user)

    limit(8 << 20, 1000)
    assert not may_lock_memory()
    assert not realtime.lock_memory()
    limit(1 << 40, 1000)
    assert not may_lock_memory()
    limit(resource.RLIM_INFINITY, 1000)
    assert may_lock_memory()
    limit(8 << 20, 0)
    assert may_lock_memory()


class Mach:
    """macOS's kernel, as far as a thread asks it for time."""

    def __init__(self, answer: int) -> None:
        self.answer = answer
        self.policy: list[int] = []

    def mach_timebase_info(self, base: object) -> int:
        it = ctypes.cast(base, ctypes.POINTER(ctypes.c_uint32))  # type: ignore[arg-type]
        it[0], it[1] = 125, 3
        return 0

    def mach_thread_self(self) -> int:
        return 7

    def thread_policy_set(self, thread: int, flavor: int, policy: list[int], words: int) -> int:
        assert (thread, flavor, words) == (7, 2, 4)
        self.policy = list(policy)
        return self.answer


def test_on_macos_a_thread_asks_for_a_time_constraint_in_ticks_of_machs_clock() -> None:
    """A period of 3 ms, half a millisecond of work, within one; Apple silicon ticks 24 a us."""
    mach = Mach(0)
    assert realtime._ask_for_time_constraint(mach) == "time constraint"
    assert mach.policy == [72_000, 12_000, 24_000, 1]
    assert realtime._ask_for_time_constraint(Mach(4)) == "refused (Mach error 4)"
