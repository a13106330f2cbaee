"""Another model while the song plays: loaded beside, heard from a bar line on, nothing missed."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from livevae.daemon.supervisor import Report
from livevae.errors import UsageError, WorkError
from livevae.midi.kit import KITS
from livevae.model.folder import matching_grid
from livevae.pattern.render import Feel, render
from livevae.resources import find_model
from tests.jack.grid import STEPS_PER_BAR, Grid
from tests.jack.peers import (
    Daemon,
    Recorder,
    Transport,
    connect,
    daemon,
    eventually,
    midi_clock,
    midi_ports,
    recorder,
)
from tests.jack.test_faults import banks, children

pytestmark = pytest.mark.jack

BPM = 240.0
BAR_S = 4 * 60 / BPM
MODELS = ("groove-4bar", "groove-2bar", "groove-16bar")

Bar = frozenset[tuple[int, int]]
"""The steps and notes of one bar."""


@dataclass(frozen=True)
class Performance:
    """What was played, which bar each model was to begin with at the earliest, and reports."""

    bars: list[Bar]
    changed_in: list[int]
    reports: list[Report]
    mapped: dict[str, int]
    """How many banks each process has mapped in the end."""


def meant(model: str, number: int) -> Bar:
    """Return what bar ``number`` of the song is with a model in the middle of its map."""
    patterns = matching_grid(find_model(model)).patterns
    middle = patterns[patterns.shape[0] // 2, patterns.shape[1] // 2]
    hits = render(middle, Feel(humanize=0), number, seed=0)
    return frozenset((hit.step, KITS["gm"][hit.voice]) for hit in hits)


def heard(recording: Recorder) -> list[Bar]:
    """Return what was heard in each bar that is complete."""
    grid = Grid.of(recording)
    onsets = [grid.onset(frame, note) for frame, note in recording.onsets()]
    complete = len(grid.frames) // (6 * STEPS_PER_BAR)
    return [
        frozenset((onset.step % STEPS_PER_BAR, onset.note) for onset in onsets if onset.bar == bar)
        for bar in range(complete)
    ]


def mapped_banks(pid: int) -> int:
    """Return how many banks a process has mapped, removed ones included."""
    maps = Path(f"/proc/{pid}/maps").read_text()
    return len(set(re.findall(r"\S+/livevae-\w+-\d+-\d+", maps)))


def bar_now(running: Daemon) -> int:
    """Return the bar that is being played."""
    return int(running.status().player.beats // 4)


@pytest.fixture(scope="module")
def performance() -> Iterator[Performance]:
    """Three models of 4, 2 and 16 bars one after the other, under one MIDI clock."""
    with (
        daemon("--model", MODELS[0], "--set", "humanize=0") as running,
        midi_clock(BPM) as clock,
        recorder() as recording,
    ):
        eventually(lambda: {"LiveVAE:in", "LiveVAE:out"} <= midi_ports())
        connect(clock, "LiveVAE:in", recording.port)
        connect("LiveVAE:out", recording.port)
        transport = Transport()
        transport.play()
        eventually(lambda: bar_now(running) >= 2)
        changed_in, reports = [], []
        for model in MODELS[1:]:
            running.set("model", model)
            changed_in.append(bar_now(running))
            reports.append(running.status())
            time.sleep(4 * BAR_S)
        time.sleep(14 * BAR_S)
        reports.append(running.status())
        transport.stop()
        eventually(lambda: not running.status().player.playing)
        processes = {"supervisor": running.process.pid} | children(running)
        mapped = {name: mapped_banks(pid) for name, pid in processes.items()}
        yield Performance(heard(recording), changed_in, reports, mapped)


def test_each_model_is_heard_from_the_next_bar_line_on(performance: Performance) -> None:
    """Every bar is one model's alone, at its place in the song: bar n plays n mod bars."""
    second, third = performance.changed_in
    for number, bar in enumerate(performance.bars[:-1]):
        before = (number > second) + (number > third)
        # Of the bar in which `set` returned it is not known on which side of the line it did.
        models = {MODELS[before], MODELS[before + (number in performance.changed_in)]}
        assert bar in {meant(model, number) for model in models}, f"bar {number}"
    assert len(performance.bars) > third + 16


def test_no_bar_is_missed_or_held(performance: Performance) -> None:
    """All come from a grid, or are exact."""
    counts = performance.reports[-1].player.bars
    assert counts["missed"] == counts["held"] == 0
    assert sum(counts.values()) >= len(performance.bars) - 1


def test_the_status_names_the_model_that_sounds_and_its_decoder_is_ready(
    performance: Performance,
) -> None:
    """As soon as `set` returns."""
    for report, model in zip(performance.reports, MODELS[1:], strict=False):
        assert report.model == model
        assert report.decoder.state == "ready"


def test_of_the_models_before_nothing_stays_in_memory(performance: Performance) -> None:
    """Neither in the player nor in the supervisor, and no decoder runs for one."""
    assert performance.mapped == {"supervisor": 1, "player": 1, "decoder": 1}


@pytest.fixture(scope="module")
def running() -> Iterator[Daemon]:
    """A daemon that plays on its own clock."""
    with daemon("--model", "groove-2bar", "--clock", "internal", "--bpm", "200") as running:
        eventually(lambda: running.status().player.notes > 10)
        yield running


def without(file: str, folder: Path) -> Path:
    """Return a copy of a model that lacks a file."""
    copy = Path(shutil.copytree(find_model("groove-2bar"), folder / "mine"))
    (copy / file).unlink()
    return copy


def test_a_model_that_cannot_be_loaded_is_refused_in_a_sentence_and_the_old_one_plays_on(
    running: Daemon, tmp_path: Path
) -> None:
    """Unknown, or with broken weights; nothing is left in memory."""
    before = banks(running)
    broken = without("model.safetensors", tmp_path / "b")
    (broken / "model.safetensors").write_bytes(b"no weights")
    for model, sentence in (
        ("groove-3bar", "there is no model 'groove-3bar'; give a model folder or one of: groove"),
        (broken, r"model.safetensors is broken.*groove-2bar plays on"),
    ):
        with pytest.raises(UsageError, match=sentence):
            running.set("model", model)
    report = running.status()
    assert report.model == "groove-2bar"
    assert report.player.bars["missed"] == 0
    assert banks(running) == before


def test_a_model_without_a_map_is_played_from_what_its_decoder_makes(
    running: Daemon, tmp_path: Path
) -> None:
    """It has decoded what is wanted before the change."""
    running.set("model", str(without("grid.safetensors", tmp_path)))
    assert "there is no map to begin with" in running.log.read_text()
    before = running.status().player.bars["exact"]
    eventually(lambda: running.status().player.bars["exact"] > before + 1)
    assert running.status().player.bars["missed"] == 0


def test_a_player_that_dies_after_a_change_comes_back_with_the_new_model(running: Daemon) -> None:
    """And with the controls as they were."""
    running.set("x", 0.25)
    running.set("model", "groove-4bar")
    os.kill(children(running)["player"], signal.SIGKILL)
    eventually(lambda: running.status().restarts["player"] == 1)
    eventually(lambda: running.status().player.notes > 10)
    report = running.status()
    assert report.model == "groove-4bar"
    assert report.player.values["x"] == 0.25
    assert report.player.bars["held"] == report.player.bars["missed"] == 0


def test_while_one_model_loads_another_is_refused_and_the_first_goes_on(running: Daemon) -> None:
    """One at a time."""
    first = threading.Thread(target=running.set, args=("model", "groove-16bar"))
    first.start()
    eventually(lambda: len(banks(running)) == 2)
    with pytest.raises(WorkError, match="another model is still being loaded"):
        running.set("model", "groove-2bar")
    first.join()
    assert running.status().model == "groove-16bar"
    assert len(banks(running)) == 1


def test_leaving_while_a_model_loads_leaves_nothing() -> None:
    """Neither process nor bank; who asked is told that nobody answers."""
    with daemon("--model", "groove-2bar", "--clock", "internal") as leaving:
        eventually(lambda: leaving.status().player.notes)
        asking = threading.Thread(target=ignored, args=(leaving, "groove-16bar"))
        asking.start()
        eventually(lambda: len(banks(leaving)) == 2)
        decoders = set(children(leaving).values())
        assert leaving.stop() == 0
        asking.join()
        assert banks(leaving) == set()
        assert not any(Path(f"/proc/{pid}").exists() for pid in decoders)
        assert "Traceback" not in leaving.log.read_text()


def ignored(leaving: Daemon, model: str) -> None:
    """Ask for a model from a daemon that will not answer."""
    with contextlib.suppress(WorkError):
        leaving.set("model", model)
