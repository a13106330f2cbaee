"""The command line used wrongly, as a person sees it: one sentence, exit code 2, no traceback."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from livevae.cli import COMMANDS

NO_MODEL = ["--model", "no-such-model"]
WRONG: list[tuple[list[str], str]] = [
    (["dance"], "No such command 'dance'"),
    (["run", "extra"], "unexpected extra argument"),
    (["run", "--set", "x"], "--set x: write it as NAME=VALUE"),
    (["run", "--clock", "sundial"], "clock is 'sundial', but must be one of: midi, internal"),
    (["run", "--bpm", "fast"], "bpm is 'fast', but must be a number from 20 to 300 BPM"),
    (["run", "--backend", "alsa"], "midi.backend is 'alsa', but must be one of: auto, jack"),
    (["run", *NO_MODEL], "there is no model 'no-such-model'"),
    (["run", "--config", "missing.toml"], "missing.toml cannot be read"),
    (["set", "x"], "Missing argument 'VALUE'"),
    (["set", "densty", "1"], "did you mean density"),
    (["set", "x", "2"], "must be a number from 0 to 1"),
    (["set", "model", "no-such-model"], "there is no model 'no-such-model'; give a model folder"),
    (["get", "densty"], "did you mean density"),
    (["run", "--set", "map.model.cc=22"], "no knob can choose a model; say `livevae set model"),
    (["ports", "--backend", "alsa"], "midi.backend is 'alsa', but must be one of: auto, jack"),
    (["doctor", "--set", "foo=1"], "there is no key or control 'foo'"),
    (["doctor", "--set", "decoder.device=gpu"], "must be auto, cpu, cuda, cuda:N or mps"),
    (["bench", "timing", "--case", "waltz"], "there is no case 'waltz'; there are: steady_jack_64"),
    (["bench", "timing", "--bars", "2"], "2 is not in the range 4<=x<=1000"),
    (["render"], "Missing argument 'OUT'"),
    (["render", "out.wav"], "out.wav must end in .mid"),
    (["render", "nowhere/out.mid"], "out.mid cannot be written: there is no folder nowhere"),
    (["render", "folder.mid"], "folder.mid is a folder; name a file in it"),
    (["render", "x" * 300 + ".mid"], "cannot be written: File name too long"),
    (["reconstruct", "in.mid", "nowhere/out.mid"], "there is no folder nowhere"),
    (["reconstruct", "in.mid", "folder.mid"], "folder.mid is a folder; name a file in it"),
    (["reconstruct", "in.mid", "out.wav"], "out.wav must end in .mid"),
    (["reconstruct", "in.mid", "out.mid", "--beta", "nan"], "nan is not in the range 0<=x<=100"),
    (["encode", "in.mid"], "in.mid cannot be read"),
    (["sample", "nowhere/out.mid"], "there is no folder nowhere"),
    (["sample", "out.mid", *NO_MODEL], "there is no model 'no-such-model'"),
    (["sample", "out.mid", "--temperature", "nan"], "nan is not in the range 0<=x<=2"),
    (["sample", "out.mid", "--bpm", "inf"], "inf is not in the range 20<=x<=300"),
    (["vary", "in.mid", "out.mid", "--amount", "2"], "2.0 is not in the range 0<=x<=1"),
    (["interpolate", "a.mid", "b.mid"], "Missing argument 'OUT.mid'"),
    (["interpolate", "a.mid", "b.mid", "out.mid", "--steps", "0"], "0 is not in the range"),
    (["prepare", "nowhere", "data"], "nowhere is not there"),
    (["prepare", "folder.mid", "data"], "no usable 4-4 drum file in folder.mid"),
    (["grid", "nowhere"], "there is no model 'nowhere'"),
    (["render", "out.mid", "--bars", "0"], "0 is not in the range"),
    (["render", "out.mid", "--bpm", "10"], "from 20 to 300 BPM"),
    (["render", "out.mid", *NO_MODEL], "there is no model 'no-such-model'"),
]


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> dict[str, subprocess.CompletedProcess[str]]:
    """Run every wrong command, and the few that only look, in an empty folder; two at a time."""
    folder = tmp_path_factory.mktemp("cli")
    (folder / "folder.mid").mkdir()
    environment = {"LIVEVAE_RUNTIME_DIR": str(folder / "run"), "HOME": str(folder), "PATH": ""}

    def call(arguments: list[str]) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "livevae", *arguments]
        root = str(Path(__file__).parents[2])
        return subprocess.run(
            command,
            cwd=folder,
            env=environment | {"PYTHONPATH": root},
            capture_output=True,
            text=True,
            check=False,
        )

    asked = [arguments for arguments, _ in WRONG]
    asked += [["status"], ["get"], ["panic"], ["set", "x", "0.5"], ["--help"], ["--version"], []]
    with ThreadPoolExecutor(2) as pool:
        done = pool.map(call, asked)
    assert {path.name for path in folder.iterdir()} <= {"folder.mid", "run"}
    return {" ".join(arguments): result for arguments, result in zip(asked, done, strict=True)}


@pytest.mark.parametrize(
    ("arguments", "sentence"), WRONG, ids=[" ".join(arguments) for arguments, _ in WRONG]
)
def test_wrong_use_is_one_sentence_on_stderr_and_exit_code_2(
    arguments: list[str],
    sentence: str,
    ran: dict[str, subprocess.CompletedProcess[str]],
) -> None:
    """Nothing on stdout, and no traceback."""
    result = ran[" ".join(arguments)]
    assert sentence in result.stderr
    assert result.stderr.startswith("livevae: ")
    assert result.stderr.count("\n") == 1
    assert result.stdout == ""
    assert result.returncode == 2


@pytest.mark.parametrize("command", ["status", "get", "panic", "set x 0.5"])
def test_without_a_daemon_its_commands_fail_with_how_to_start_one(
    command: str, ran: dict[str, subprocess.CompletedProcess[str]]
) -> None:
    """The work failed, so exit code 1."""
    result = ran[command]
    assert result.stderr == "livevae: LiveVAE is not running; start it with `livevae run`\n"
    assert result.stdout == ""
    assert result.returncode == 1


def test_help_lists_every_command_and_is_printed_without_being_asked_too(
    ran: dict[str, subprocess.CompletedProcess[str]],
) -> None:
    """`livevae` alone is no error worth a sentence."""
    assert ran["--help"].returncode == 0
    for name in COMMANDS:
        assert f"  {name} " in ran["--help"].stdout
    assert "Commands:" in ran[""].stdout
    assert ran["--version"].stdout.startswith("livevae, version ")
