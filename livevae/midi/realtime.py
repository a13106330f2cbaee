"""Real-time priority, exact sleep and locked memory: asked for, not needed."""

from __future__ import annotations

import ctypes
import os
import sys
import time
from typing import Any, Final

PLAYER_PRIORITY: Final = 20
PORT_PRIORITY: Final = 21
"""The threads that hand messages over go before the one that thinks them up."""

_PR_SET_TIMERSLACK: Final = 29
_CLOCK_MONOTONIC, _TIMER_ABSTIME = 1, 1
_MCL_CURRENT, _MCL_FUTURE, _MCL_ONFAULT = 1, 2, 4
_TIME_CONSTRAINT, _TIME_CONSTRAINT_WORDS = 2, 4
_MAC_PERIOD_NS, _MAC_COMPUTATION_NS, _MAC_CONSTRAINT_NS = 3_000_000, 500_000, 1_000_000
"""What a thread promises macOS: in each period so much work, done within the constraint."""

_c: Any = None if sys.platform == "win32" else ctypes.CDLL(None, use_errno=True)


class _Timespec(ctypes.Structure):
    _fields_ = (("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long))


class _Timebase(ctypes.Structure):
    _fields_ = (("numerator", ctypes.c_uint32), ("denominator", ctypes.c_uint32))


def ask_for_realtime(priority: int) -> str:
    """Ask for SCHED_FIFO for the calling thread; return what was got, in words.

    On macOS a time constraint stands for it, which needs no permission and knows no priorities.
    """
    if sys.platform == "darwin":
        return _ask_for_time_constraint(_c)
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(priority))
    except AttributeError:
        return "not offered by this system"
    except OSError as error:
        return f"refused ({error.strerror}); `livevae doctor` says how to allow it"
    return f"SCHED_FIFO {priority}"


def _ask_for_time_constraint(mach: Any) -> str:
    """Ask Mach for ``THREAD_TIME_CONSTRAINT_POLICY``; its times are in ticks of its own clock."""
    base = _Timebase()
    mach.mach_timebase_info(ctypes.byref(base))
    times_ns = (_MAC_PERIOD_NS, _MAC_COMPUTATION_NS, _MAC_CONSTRAINT_NS)
    ticks = (time_ns * base.denominator // base.numerator for time_ns in times_ns)
    policy = (ctypes.c_uint32 * _TIME_CONSTRAINT_WORDS)(*ticks, 1)
    refused = mach.thread_policy_set(
        mach.mach_thread_self(), _TIME_CONSTRAINT, policy, _TIME_CONSTRAINT_WORDS
    )
    return f"refused (Mach error {refused})" if refused else "time constraint"


def refine_timers() -> None:
    """Let waits of this thread, and of those it starts, end on time.

    Linux may end them 50 microseconds late to save power; Windows ends them every sixteenth
    millisecond unless it is asked for each.
    """
    if sys.platform == "win32":
        ctypes.windll.winmm.timeBeginPeriod(1)
    elif sys.platform == "linux":
        _c.prctl(_PR_SET_TIMERSLACK, ctypes.c_ulong(1), 0, 0, 0)


def may_lock_memory() -> bool:
    """Return whether Linux lets this process lock all its memory, however much that becomes.

    A limit that would do now might refuse the next allocation, so it must not be one.
    """
    if sys.platform != "linux":
        return False
    import resource  # noqa: PLC0415 - not there on Windows

    unlimited = resource.getrlimit(resource.RLIMIT_MEMLOCK)[0] == resource.RLIM_INFINITY
    return unlimited or os.geteuid() == 0


def lock_memory() -> bool:
    """Keep this process out of swap, pages yet to come included; return whether that is so."""
    return may_lock_memory() and _c.mlockall(_MCL_CURRENT | _MCL_FUTURE | _MCL_ONFAULT) == 0


def sleep_until(time_ns: int) -> None:
    """Sleep until ``time_ns`` of ``time.perf_counter_ns``; a signal may end it sooner.

    On Linux to the absolute time, so that being held up on the way to sleep costs nothing;
    elsewhere for what is left, by the system's best timer (which ``time.sleep`` uses).
    """
    if sys.platform == "linux":
        until = _Timespec(*divmod(time_ns, 1_000_000_000))
        _c.clock_nanosleep(_CLOCK_MONOTONIC, _TIMER_ABSTIME, ctypes.byref(until), None)
    else:
        time.sleep(max(time_ns - time.perf_counter_ns(), 0) / 1e9)
