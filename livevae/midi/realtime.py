"""Real-time priority: asked for, not needed."""

from __future__ import annotations

import ctypes
import os
import sys
from typing import Final

PLAYER_PRIORITY: Final = 20
PORT_PRIORITY: Final = 21
"""The threads that hand messages over go before the one that thinks them up."""


def ask_for_realtime(priority: int) -> str:
    """Ask for SCHED_FIFO for the calling thread; return what was got, in words."""
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(priority))
    except AttributeError:
        return "not offered by this system"
    except OSError as error:
        return f"refused ({error.strerror}); `livevae doctor` says how to allow it"
    return f"SCHED_FIFO {priority}"


def refine_timers() -> None:
    """Let waits on Windows end to the millisecond; by default they end every sixteenth."""
    if sys.platform == "win32":
        ctypes.windll.winmm.timeBeginPeriod(1)
