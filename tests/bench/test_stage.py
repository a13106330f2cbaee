"""The processes of a benchmark, where they cannot start and when they are to end."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from livevae.bench import stage
from livevae.errors import WorkError

HERE = dict(os.environ)


def alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def children() -> set[int]:
    """Return the processes that this one has started and that still run."""
    found = set()
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == os.getpid() and fields[0] != "Z":
            found.add(int(entry.name))
    return found


def test_without_jackd_the_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(WorkError, match="install jackd2"):
        stage.needed()


def test_without_the_binding_the_sentence_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage.importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(WorkError, match=r"livevae\[jack\]"):
        stage.needed()


def test_a_server_that_does_not_start_is_named_with_its_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    jackd = tmp_path / "jackd"
    jackd.write_text("#!/bin/sh\nexit 1\n")
    jackd.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    with pytest.raises(WorkError) as refused, stage.jack_server("bench-nowhere", 64):
        pass
    assert "bench-nowhere does not start" in str(refused.value)
    assert "jackd -n bench-nowhere" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_program_that_does_not_start_is_named() -> None:
    """There is no server that the injector could reach."""
    nowhere = {**HERE, "JACK_DEFAULT_SERVER": "bench-nowhere", "JACK_NO_START_SERVER": "1"}
    injector = stage.program("injector", "x", "48000", environment=nowhere)
    with pytest.raises(WorkError, match="injector does not start"), injector:
        pass


def test_a_program_that_ends_before_its_time_is_named() -> None:
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", "print('ready')"], **pipes) as process:  # type: ignore[call-overload]
        injector = stage.Program(process, "injector")
        with pytest.raises(WorkError, match="injector has ended before its time"):
            injector.play(())


def test_a_daemon_that_does_not_start_says_why() -> None:
    daemon = stage.daemon('modell = "x"\n', HERE)
    with pytest.raises(WorkError, match=r"livevae run does not start: .*no key modell"), daemon:
        pass


@pytest.mark.skipif(sys.platform != "linux", reason="/proc tells who runs")
def test_what_was_started_is_ended_however_one_leaves() -> None:
    before = children()
    started: set[int] = set()

    def interrupted() -> None:
        with stage.busy():
            started.update(children() - before)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert len(started) == len(os.sched_getaffinity(0))
    assert not any(map(alive, started))


def test_a_program_leaves_when_whoever_started_it_has_gone() -> None:
    """Even one that was killed leaves no program of the benchmark behind."""
    command = [sys.executable, "-P", "-m", "livevae.bench.burner"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, **pipes) as process:  # type: ignore[call-overload]
        assert process.stdout.readline() == b"ready\n"
        process.stdin.close()
        try:
            assert process.wait(60) == 0
        finally:
            process.kill()
