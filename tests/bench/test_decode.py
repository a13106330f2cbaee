"""`livevae bench decode` on a tiny model: its figures, its goals, and that it compares like."""

import json
from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch
from click.testing import CliRunner

from livevae.bench import decode as subject
from livevae.bench import floor
from livevae.bench.decode import MAP, Report, Times, measure
from livevae.cli.bench import bench
from livevae.errors import WorkError
from livevae.model.checkpoint import save_model
from livevae.model.device import threads
from tests.latent.test_space import space
from tests.model.test_vae import small


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> object:
    """Return the folder of a tiny model, on a machine that is measured in a moment."""
    monkeypatch.setattr(floor, "_SIDES", {"cpu": 64})
    monkeypatch.setattr(floor, "_COPIED_BYTES", 1 << 16)
    save_model(small(), tmp_path)
    space(8).save(tmp_path)
    with threads(torch.get_num_threads()):
        yield tmp_path


def test_a_report_has_both_sides_by_the_number_of_points(model: Path) -> None:
    """One object; the decoder process behind the knob is a real one."""
    heard: list[str] = []
    measured = measure(model, "cpu", 1, 0, heard.append, counts=(1, 3), turns=4)
    report = json.loads(msgspec.json.encode(measured))

    assert (report["bench"], report["model"], report["bars"]) == ("decode", model.name, 2)
    assert report["device"].startswith("cpu (")
    for side in (report["results"], report["reference"]):
        assert list(side) == ["1", "3"]
        for times in side.values():
            assert set(times) == {"p50_ms", "p99_ms", "points_per_s"}
            assert 0 < times["p50_ms"] <= times["p99_ms"]
    assert report["difference"] < 1e-5
    assert report["knob_to_bank"]["p50_ms"] > 0
    assert report["floor"]["decode_flops"] > 0
    assert [goal["asked"] for goal in report["reach"]] == ["one point, p99 at most 4 ms"]
    assert len(heard) == 4


def test_a_reference_that_plays_something_else_is_none(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor is a decoder that does, however fast."""
    monkeypatch.setattr(
        subject.EagerDecoder, "decode", lambda _, zs: np.ones((len(zs), 32, 9, 3), np.float32)
    )
    with pytest.raises(WorkError, match="does not play what plain PyTorch plays"):
        measure(model, "cpu", 1, 0, print)


def test_times_are_summed_up() -> None:
    """Of three decodes of ten points: the middle, nearly the slowest, points over all the time."""
    times = Times.of(10, [1.0, 2.0, 7.0])
    assert times.p50_ms == 2
    assert 6.8 < times.p99_ms < 7
    assert times.points_per_s == pytest.approx(3000)


def goals(device: str, one: float, whole: float, plain: float = 8.0) -> list[bool]:
    """Return which goals are reached with times of one point, of a map, and of the reference."""
    results = {"1": Times.of(1, [one]), str(MAP): Times.of(MAP, [whole])}
    return [
        goal.reached for goal in subject.reaches(device, 4, results, {"1": Times.of(1, [plain])})
    ]


def test_the_goals_are_those_of_the_device() -> None:
    """Each bound from both sides; ten times magenta.js is 720 patterns of four bars a second."""
    assert goals("cpu", 4.0, 600.0) == [True, True, True]
    assert goals("cpu", 4.1, 601.0) == [False, False, True]
    assert goals("cpu", 1.0, 1000 * MAP / 719) == [True, False, False]
    assert goals("cuda", 0.5, 3.0) == [True, True, True]
    assert goals("cuda:1", 0.51, 3.1, plain=5.0) == [False, False, False]
    whole = {str(MAP): Times.of(MAP, [1.0])}
    assert len(subject.reaches("cpu", 4, whole, {})) == 2
    assert subject.reaches("cpu", 16, whole, {}) == []
    assert subject.reaches("cpu", 4, {"16": Times.of(16, [1.0])}, {}) == []


@pytest.mark.parametrize("as_json", [True, False])
def test_the_command_prints_what_was_measured(
    model: Path, monkeypatch: pytest.MonkeyPatch, as_json: bool
) -> None:
    """For machines one object alone on standard output, for people a table with the goals."""

    def briefly(*arguments: object) -> Report:
        assert arguments[:4] == (model, "cpu", 1, 0.0)
        return measure(model, "cpu", 1, 0, print_nothing, counts=(1, 3), turns=2)

    monkeypatch.setattr(subject, "measure", briefly)
    asked = ["decode", "--model", str(model), "--device", "cpu", "--threads", "1", "--seconds", "0"]
    ran = CliRunner().invoke(bench, [*asked, *["--json"] * as_json])
    assert ran.exit_code == 0, ran.output
    if as_json:
        assert msgspec.json.decode(ran.stdout, type=Report).bars == 2
    else:
        for word in ("LiveVAE", "plain eager", "arithmetic alone", "one point, p99", "torch 2."):
            assert word in ran.stdout


def print_nothing(_said: str) -> None:
    """Hear of the progress."""
