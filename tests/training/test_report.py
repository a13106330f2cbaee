"""The report: figures of all windows, floors of the same run, and the sections that were asked."""

import math
from pathlib import Path

import msgspec
import pytest
import torch

from livevae.errors import UsageError
from livevae.model.vae import Vae
from livevae.training import report as subject
from livevae.training.dataset import Split, load_split
from livevae.training.prepare import prepare
from tests.model.test_vae import small
from tests.training.beats import groove


@pytest.fixture(scope="module")
def splits(tmp_path_factory: pytest.TempPathFactory) -> tuple[Split, Split]:
    """Return the training and test splits of a small collection."""
    folder: Path = tmp_path_factory.mktemp("data")
    prepare([groove(folder / "src")], folder / "out")
    return load_split(folder / "out", "train"), load_split(folder / "out", "test")


class Echo(Vae):
    """A model that decodes to what it was last given, with the errors asked for."""

    def __init__(self, velocity: float = 0.0, offset: float = 0.0) -> None:
        super().__init__(small().config)
        self._errors = torch.tensor([0.0, velocity, offset])
        self._seen: list[torch.Tensor] = []

    def encode(self, patterns: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        self._seen.append(patterns)
        mu = torch.ones(len(patterns), 8)
        return mu, torch.ones_like(mu)

    def decode(self, z: torch.Tensor) -> torch.Tensor:
        seen = self._seen.pop(0)
        assert len(seen) == len(z)
        return seen + self._errors


def test_a_perfect_model_scores_one_and_its_bits_are_counted(splits: tuple[Split, Split]) -> None:
    """KL of a unit shift in eight dimensions: 4 nats."""
    report = subject.evaluate(Echo(), *splits, "test")

    assert report.onset.f1 == report.step_accuracy == 1
    assert report.velocity_mae == report.timing_mae_ms == 0
    assert report.bits == pytest.approx(4 / math.log(2))
    assert report.windows == 2 * 5
    assert report.onset_f1_by_voice["kick"] == 1


def test_velocity_is_in_midi_units_and_timing_in_milliseconds(
    splits: tuple[Split, Split],
) -> None:
    """A tenth of full velocity is 12.7; a tenth of a step at 100 bpm is 15 ms."""
    report = subject.evaluate(Echo(velocity=0.1, offset=0.1), *splits, "test")

    assert report.velocity_mae == pytest.approx(12.7, rel=1e-4)
    assert report.timing_mae_ms == pytest.approx(15.0, rel=1e-3)
    assert report.zero_offset_mae_ms == pytest.approx(0, abs=1e-3)


def test_floors_of_a_split_that_was_copied_from_training_are_one(
    splits: tuple[Split, Split],
) -> None:
    """Retrieval finds a copy; the mean of many beats is none of them."""
    training, _ = splits
    floors = subject.evaluate(Echo(), training, training, "train").floors

    assert floors["nearest training window"].f1 == 1
    assert floors["nearest training window"].bits == pytest.approx(math.log2(6 * 5))
    assert floors["nearest training bar, bar by bar"].f1 == 1
    assert floors["nearest training bar, bar by bar"].bits == pytest.approx(2 * math.log2(36))
    assert 0.5 < floors["thresholded training mean"].f1 < 1


def test_recordings_too_short_for_the_model_are_one_sentence(
    splits: tuple[Split, Split],
) -> None:
    """Sixteen bars cannot be evaluated on six."""
    with pytest.raises(UsageError, match="window of 16 bars"):
        subject.evaluate(small(bars=16), *splits, "test")


@pytest.mark.parametrize(
    ("decoder", "bar_decoder"), [("hierarchical", "parallel"), ("flat", "lstm")]
)
def test_every_variant_has_every_section(
    splits: tuple[Split, Split], decoder: str, bar_decoder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the report can be written as JSON and read again."""
    monkeypatch.setattr("livevae.training.speed.MAP_POINTS", 8)
    monkeypatch.setattr("livevae.training.speed.DECODES", 2)
    monkeypatch.setattr("livevae.training.interpolation.FINE_STEPS", 16)
    monkeypatch.setattr("livevae.training.curve.REFINEMENT_STEPS", 2)
    monkeypatch.setattr("livevae.training.curve.NEXT_STEPS", 1)
    sections: list[str] = []
    report = subject.evaluate_fully(
        small(decoder, bar_decoder),
        *splits,
        "test",
        subject.Extent(refined=1, pairs=2),
        watch=sections.append,
    )

    assert list(report.refined) == ["all that is played", "onsets alone"]
    assert all(curve.windows == 1 for curve in report.refined.values())
    assert report.latent is not None
    assert report.interpolation is not None
    assert report.interpolation.pairs == 2
    assert report.decode is not None
    assert report.attributes is None
    assert report.realism is None
    assert len(sections) == 6
    assert msgspec.json.decode(msgspec.json.encode(report), type=subject.Report) == report


def test_less_is_measured_of_decoders_that_go_step_by_step() -> None:
    by_steps = subject.Extent.of(small(bar_decoder="lstm").config)
    assert by_steps.refined == 0
    assert by_steps.pairs < subject.Extent.of(small().config).pairs
