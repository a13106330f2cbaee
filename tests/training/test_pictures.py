"""The pictures: a file for each thing there is to see, and none for what there is not."""

import importlib.util
from pathlib import Path

import msgspec
import numpy as np
import pytest

from livevae.errors import UsageError
from livevae.training import pictures as subject
from livevae.training.curve import RateDistortion, RatePoint
from livevae.training.dataset import Split
from livevae.training.evaluate import OnsetScores
from livevae.training.floors import Floor
from livevae.training.metrics import Metrics
from livevae.training.report import Report
from tests.model.test_vae import small
from tests.training.test_interpolation import split

POINT = RatePoint(1.0, 40.0, 0.8, 0.7, 10.0, 10.0)
REPORT = Report(
    split="test",
    windows=15,
    parameters=1,
    onset=OnsetScores(0.7, 0.7, 0.7),
    onset_f1_by_voice={},
    step_accuracy=0.5,
    bits=30.0,
    velocity_mae=10.0,
    timing_mae_ms=10.0,
    zero_offset_mae_ms=20.0,
    floors={"nearest training window": Floor(0.6, 10.0)},
    refined={
        name: RateDistortion(15, [POINT], {"48": POINT})
        for name in ("all that is played", "onsets alone")
    },
)


def line(step: int, f1: float | None) -> Metrics:
    return Metrics(step, 1.0, 0.1, 0.1, 9.0, 7.0, 1.0, 1.0, 40.0, f1, 50.0)


@pytest.mark.parametrize("trained", [True, False])
def test_every_picture_is_a_png(tmp_path: Path, trained: bool) -> None:
    """That of the training is there if its metrics are."""
    metrics = [line(1, 0.2), line(2, None), line(3, 0.4)] if trained else [line(2, None)]
    subject.draw(tmp_path, small(), split(3), REPORT, metrics, seed=0)

    drawn = {path.stem for path in tmp_path.iterdir()}
    wanted = {"map", "reconstructions", "interpolation", "curve"}
    assert drawn == wanted | ({"training"} if trained else set())
    assert all(path.read_bytes()[:4] == b"\x89PNG" for path in tmp_path.iterdir())


def test_one_window_alone_has_no_map(tmp_path: Path) -> None:
    """The other pictures are drawn."""
    one = split(1)
    (recording,) = one.recordings
    short = msgspec.structs.replace(recording, bars=small().config.bars)
    subject.draw(tmp_path, small(), Split((short,), one.cells[: short.bars]), REPORT, [], seed=0)
    assert {path.stem for path in tmp_path.iterdir()} == {"reconstructions", "curve"}


def test_a_style_may_have_any_characters(tmp_path: Path) -> None:
    """Between two dollars matplotlib sees mathematics, and refuses what is none."""
    odd = split(3)
    recordings = tuple(
        msgspec.structs.replace(recording, style=r"$\nonsense{$") for recording in odd.recordings
    )
    subject.draw(tmp_path, small(), Split(recordings, odd.cells), REPORT, [], seed=0)

    assert {"map.png", "reconstructions.png"} <= {path.name for path in tmp_path.iterdir()}


def test_louder_hits_are_darker_and_rests_are_blank() -> None:
    pattern = np.zeros((16, 9, 3), np.float32)
    pattern[0, 0], pattern[4, 0], pattern[8, 0] = (1, 1, 0), (0.6, 0.2, 0), (0.4, 1, 0)
    figure = subject.reconstructions(pattern[None], pattern[None], ["rock"])
    shades = figure.axes[0].images[0].get_array()

    assert shades is not None
    assert shades[0, 0] > shades[0, 4] > shades[0, 8] == 0


def test_without_matplotlib_a_sentence_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(UsageError, match=r"livevae\[plots\]"):
        subject.require_matplotlib()
