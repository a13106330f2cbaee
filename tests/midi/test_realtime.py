"""Real-time priority."""

import os

import pytest

from livevae.midi.realtime import ask_for_realtime


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
