"""Made-up beats beside real ones."""

from dataclasses import replace

import msgspec
import numpy as np
import pytest
import torch

from livevae.latent.prior import Prior
from livevae.model.vae import Vae
from livevae.pattern.pattern import OFFSET, ONSET, VELOCITY, VOICES
from livevae.pattern.touch import Touch
from livevae.training import realism as subject
from livevae.training.dataset import Recording, Split, pack
from livevae.training.discriminator import Examples, ToldApart
from tests.model.test_vae import small
from tests.training.beats import beat

FIRST = 8


def split(seeds: range) -> Split:
    """Return a split of beats of six bars, one recording for each seed."""
    beats = np.concatenate([beat(seed).reshape(6, 16, 9, 3) for seed in seeds])
    recordings = tuple(Recording(str(seed), 6 * i, 6) for i, seed in enumerate(seeds))
    return Split(recordings, pack(beats))


class Gallery(Vae):
    """A model whose latent points are beats: the first number of z is the beat's seed.

    Around 0, where a standard normal draws, beats have lost their snares.
    """

    def __init__(self) -> None:
        super().__init__(small(bars=2).config)
        self._shown = np.stack([beat(seed, 2) for seed in range(64)])
        self._shown[:FIRST, :, 1] = 0

    def encode(self, patterns: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        flat = torch.from_numpy(self._shown).flatten(1)
        seeds = torch.cdist(patterns.flatten(1), flat).argmin(dim=1)
        mu = torch.zeros(len(patterns), 8)
        mu[:, 0] = seeds
        return mu, torch.full_like(mu, 0.1)

    def decode(self, z: torch.Tensor) -> torch.Tensor:
        return torch.from_numpy(self._shown)[z[:, 0].round().long().abs().clamp(max=63)]


TRAINING, EVALUATED = split(range(FIRST, 36)), split(range(36, 64))


BEATS = np.arange(FIRST, 36)
PRIOR = Prior(
    weights=np.full(len(BEATS), 1 / len(BEATS), np.float32),
    means=(BEATS[:, None] * np.eye(8)[0]).astype(np.float32),
    factor=(0.01 * np.eye(8)).astype(np.float32),
)


def measured(prior: Prior) -> subject.Realism:
    """Return the report of a model that has this prior."""
    report = subject.realism(Gallery(), prior, TRAINING, EVALUATED, seed=1)
    assert report is not None
    return report


@pytest.fixture(scope="module")
def report() -> subject.Realism:
    """Return the report of a model whose prior lies at the beats of its training set."""
    return measured(PRIOR)


def test_samples_of_a_prior_of_real_beats_cannot_be_told_from_them(
    report: subject.Realism,
) -> None:
    """Those of a prior where there are few beats can."""
    assert report.windows == 28 * 5
    assert report.sets["prior"].told_apart.auc < 0.7
    assert report.sets["standard normal"].told_apart.auc > 0.8


def test_distributions_of_descriptors_overlap_where_beats_are_alike(
    report: subject.Realism,
) -> None:
    """And the divergence is the smaller."""
    prior, normal = report.sets["prior"], report.sets["standard normal"]
    assert prior.mean_overlap > normal.mean_overlap + 0.05
    assert sum(prior.kl_bits.values()) < sum(normal.kl_bits.values())
    assert set(prior.overlap) == set(subject.DESCRIPTORS)


def test_reconstructions_by_a_perfect_model_are_the_windows_themselves(
    report: subject.Realism,
) -> None:
    """Full overlap, no divergence, the same density, and no classifier knows them."""
    same = report.sets["reconstructions"]

    assert list(same.overlap.values()) == pytest.approx([1] * len(subject.DESCRIPTORS))
    assert list(same.kl_bits.values()) == pytest.approx([0] * len(subject.DESCRIPTORS))
    assert same.density == pytest.approx(report.density)
    assert same.told_apart.auc == pytest.approx(0.5, abs=0.01)


def test_samples_have_the_touch_of_the_prior(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is far too loose is heard in them, but not in what is decoded."""
    monkeypatch.setattr(subject, "WINDOWS", 40)
    loose = Touch(np.array([[0, np.log(0.5), 0], Touch.none().law[1]], np.float32))
    sets = measured(replace(PRIOR, touch=loose)).sets
    strayed, expected = sets["prior"], sets["prior, without touch"]
    assert strayed.overlap["velocity_spread"] < expected.overlap["velocity_spread"] - 0.2
    assert strayed.density == expected.density


def test_a_copy_of_the_training_set_is_known_as_one(report: subject.Realism) -> None:
    """Its nearest training windows are itself; unseen beats have none so near."""
    assert report.sets["training"].nearest_f1 == pytest.approx(1)
    assert report.nearest_f1 < 0.99


def test_the_report_can_be_written_as_json(report: subject.Realism) -> None:
    """Numbers only, all finite."""
    back = msgspec.json.decode(msgspec.json.encode(report), type=subject.Realism)

    assert back == report


def test_patterns_are_described_by_their_hits() -> None:
    """Two kicks and a snare in a bar: rates per step, and the spread of what was played."""
    pattern = np.zeros((1, 16, 9, 3), np.float32)
    pattern[0, [0, 8], 0, ONSET] = pattern[0, 4, 1, ONSET] = 1
    pattern[0, [0, 8], 0, VELOCITY], pattern[0, 4, 1, VELOCITY] = (0.2, 0.8), 0.5
    pattern[0, [0, 8], 0, OFFSET] = 0.3
    found = dict(zip(subject.DESCRIPTORS, subject.described(pattern)[0], strict=True))

    assert found["kick"] == pytest.approx(2 / 16)
    assert found["snare"] == pytest.approx(1 / 16)
    assert found[VOICES[-1]] == 0
    assert found["velocity_spread"] == pytest.approx(np.std([0.2, 0.8, 0.5]))
    assert found["offset_spread"] == pytest.approx(np.std([0.3, 0.3, 0]))


def test_a_silent_pattern_has_descriptors_of_nothing() -> None:
    """No division by zero."""
    assert not subject.described(np.zeros((2, 32, 9, 3), np.float32))[:, 6:].any()


def test_few_recordings_lie_in_as_few_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Made-up beats too: a half without real ones would score as chance does, and flatter."""
    dealt = []

    def noted(real: Examples, made: Examples, _seed: int) -> ToldApart:
        dealt.append((set(real.blocks), set(made.blocks)))
        return ToldApart(0.5, 0.0)

    monkeypatch.setattr(subject, "told_apart", noted)
    subject.realism(Gallery(), PRIOR, TRAINING, split(range(36, 39)), seed=1)
    assert len(dealt) == 6
    assert all(blocks == ({0, 1, 2}, {0, 1, 2}) for blocks in dealt)


def test_one_recording_alone_is_not_compared() -> None:
    """There would be nothing left to score a classifier on; the other figures are still made."""
    assert subject.realism(Gallery(), PRIOR, TRAINING, split(range(1)), seed=0) is None
    assert subject.realism(Gallery(), PRIOR, split(range(1)), EVALUATED, seed=0) is None
