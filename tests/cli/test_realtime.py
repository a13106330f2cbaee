"""What the doctor says of real-time priority, locked memory and timers, and how to get them."""

import errno
import os
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from livevae.cli import realtime
from livevae.midi.realtime import PORT_PRIORITY

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="what Linux grants")

KIB = 1024


class Machine:
    """A Linux with a user, groups and limits of our own."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
        import grp  # noqa: PLC0415 - not there on Windows
        import resource  # noqa: PLC0415

        self.limits = {resource.RLIMIT_RTPRIO: 0, resource.RLIMIT_MEMLOCK: 8192 * KIB}
        self.unlimited = resource.RLIM_INFINITY
        self.rtprio, self.memlock = resource.RLIMIT_RTPRIO, resource.RLIMIT_MEMLOCK
        self.user = 1000
        self.capable = False
        self.members: list[str] | None = []
        self.asked: list[int] = []
        self.granted = folder / "95-livevae.conf"
        monkeypatch.setattr(realtime, "LIMITS", self.granted)
        monkeypatch.setattr(resource, "getrlimit", lambda kind: (self.limits[kind],) * 2)
        monkeypatch.setattr(os, "geteuid", lambda: self.user)
        monkeypatch.setattr(os, "getuid", lambda: 0)
        monkeypatch.setattr(os, "getgroups", list)
        monkeypatch.setattr(os, "sched_setscheduler", self._schedule)
        monkeypatch.setattr(grp, "getgrnam", self._group)

    def _schedule(self, _pid: int, policy: int, parameter: os.sched_param) -> None:
        if policy == os.SCHED_OTHER:
            return
        self.asked.append(parameter.sched_priority)
        if not self.capable and not 0 < parameter.sched_priority <= self.limits[self.rtprio]:
            raise PermissionError(errno.EPERM, "Operation not permitted")

    def _group(self, _name: str) -> SimpleNamespace:
        if self.members is None:
            raise KeyError
        return SimpleNamespace(gr_mem=self.members, gr_gid=29)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Machine:
    """Return a machine that grants nothing yet."""
    return Machine(monkeypatch, tmp_path)


def test_what_is_granted_needs_no_mending(machine: Machine) -> None:
    """By limits, or because the user is root."""
    machine.limits = {machine.rtprio: 95, machine.memlock: machine.unlimited}
    assert realtime.priority() == ("real-time priority is allowed (SCHED_FIFO 21)", "")
    assert realtime.memory() == ("the player's memory can be locked", "")
    machine.limits = {machine.rtprio: 0, machine.memlock: 0}
    machine.user, machine.capable = 0, True
    assert realtime.priority()[1] == realtime.memory()[1] == ""


def test_the_priority_tried_is_the_highest_that_is_used(machine: Machine) -> None:
    """A limit of ten grants one, but not this."""
    machine.limits[machine.rtprio] = 10
    found, mend = realtime.priority()
    assert machine.asked == [PORT_PRIORITY]
    assert found == "no real-time priority: your limit (`ulimit -r`) is 10, 21 is needed"
    assert "rtprio 95" in mend


def test_one_command_grants_priority_and_memory_and_joins_the_group(machine: Machine) -> None:
    """Two lines in a file of LiveVAE's own, and the group that they are for."""
    _, mend = realtime.priority()
    assert mend == (
        r"run `printf '@audio - rtprio 95\n@audio - memlock unlimited\n' "
        f'| sudo tee {machine.granted} && sudo usermod -aG audio "$USER"`, '
        "then log out and in again"
    )
    found, same = realtime.memory()
    assert found == (
        "the player may be swapped out: your limit (`ulimit -l`) is 8192 KiB, `unlimited` is needed"
    )
    assert same == mend


def test_only_what_is_missing_is_asked_for(machine: Machine) -> None:
    """A member need not join, a group that is not there is made, and a login may be all."""
    machine.members = None
    assert "sudo groupadd -f audio && sudo usermod" in realtime.memory()[1]
    machine.members = ["root"]
    assert "sudo tee" in realtime.memory()[1]
    assert "usermod" not in realtime.memory()[1]
    machine.granted.touch()
    assert realtime.memory()[1] == "it is granted from your next login on: log out and in again"


def test_a_refusal_that_no_limit_explains_is_put_down_to_the_container(machine: Machine) -> None:
    """Where it would help nobody to raise the limit."""
    machine.user = 0
    found, mend = realtime.priority()
    assert found.endswith("Operation not permitted, though your limit allows it")
    assert "--cap-add SYS_NICE" in mend


def test_a_kernel_without_fine_timers_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """With what its sleeps are worth."""
    assert realtime.timers() == ("a sleep can end on the microsecond", "")
    monkeypatch.setattr(time, "clock_getres", lambda _: 0.004)
    found, mend = realtime.timers()
    assert "every 4 ms" in found
    assert "highres" in mend
