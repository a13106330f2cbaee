"""What the system grants a program that must be on time, why not, and the command that grants it.

LiveVAE plays without any of it, only less steadily: nothing here is a failure.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Final

from livevae.midi.realtime import PORT_PRIORITY, ask_for_realtime, may_lock_memory

GROUP: Final = "audio"
LIMITS: Final = Path("/etc/security/limits.d/95-livevae.conf")
_FINE_S: Final = 1e-6

Look = tuple[str, str]
"""What was found, and how to mend it: the empty string where all is well."""


def priority() -> Look:
    """Try to get the priority of the thread that sends."""
    if sys.platform == "win32":
        return "Windows gives Python no real-time priority; LiveVAE needs none to send in time", ""
    if sys.platform == "darwin":
        return f"real-time threads by {ask_for_realtime(PORT_PRIORITY)}", ""
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(PORT_PRIORITY))
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    except OSError as error:
        return _refused(error)
    return f"real-time priority is allowed (SCHED_FIFO {PORT_PRIORITY})", ""


def _refused(error: OSError) -> Look:
    import resource  # noqa: PLC0415 - not there on Windows

    limit = resource.getrlimit(resource.RLIMIT_RTPRIO)[0]
    if os.geteuid() != 0 and 0 <= limit < PORT_PRIORITY:
        why = f"your limit (`ulimit -r`) is {limit}, {PORT_PRIORITY} is needed"
        return f"no real-time priority: {why}", _grant()
    why = f"{error.strerror}, though your limit allows it"
    return f"no real-time priority: {why}", (
        "a container or control group withholds it; "
        "run LiveVAE outside, or the container with `--cap-add SYS_NICE`"
    )


def memory() -> Look:
    """Look whether the player can be kept out of swap."""
    if sys.platform != "linux":
        return "this system locks no memory; it swaps only when it is short of it", ""
    if may_lock_memory():
        return "the player's memory can be locked", ""
    import resource  # noqa: PLC0415 - not there on Windows

    limit = resource.getrlimit(resource.RLIMIT_MEMLOCK)[0]
    why = f"your limit (`ulimit -l`) is {limit // 1024} KiB, `unlimited` is needed"
    return f"the player may be swapped out: {why}", _grant()


def timers() -> Look:
    """Look how exactly a sleep can end."""
    if sys.platform == "win32":
        return "waits end to the millisecond, the sender's by a finer timer", ""
    exact_s = time.clock_getres(time.CLOCK_MONOTONIC)
    if exact_s > _FINE_S:
        return f"a sleep ends only every {1000 * exact_s:.0f} ms: this kernel has no fine timers", (
            "start it without `highres=off`, or take one with CONFIG_HIGH_RES_TIMERS"
        )
    return "a sleep can end on the microsecond", ""


def _grant() -> str:
    """Return the command that lifts both limits for this user, or what is left to do after it."""
    import grp  # noqa: PLC0415 - not there on Windows
    import pwd  # noqa: PLC0415

    try:
        group = grp.getgrnam(GROUP)
        user = pwd.getpwuid(os.getuid()).pw_name
        belongs = user in group.gr_mem or group.gr_gid in os.getgroups()
        create = ""
    except KeyError:  # this system has no such group, or no name for the user
        belongs, create = False, f"sudo groupadd -f {GROUP} && "
    if belongs and LIMITS.exists():
        return "it is granted from your next login on: log out and in again"
    limits = f"@{GROUP} - rtprio 95\\n@{GROUP} - memlock unlimited\\n"
    join = "" if belongs else f' && {create}sudo usermod -aG {GROUP} "$USER"'
    return f"run `printf '{limits}' | sudo tee {LIMITS}{join}`, then log out and in again"
