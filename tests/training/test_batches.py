"""Batches: where their windows come from, and that a step's batch is always the same."""

import msgspec
import numpy as np
import pytest
import torch

from livevae.errors import UsageError
from livevae.model.config import ModelConfig
from livevae.pattern.pattern import ONSET
from livevae.training import batches as subject
from livevae.training.augment import Augmentation
from livevae.training.batches import Batches
from livevae.training.config import Preset, TrainingConfig
from livevae.training.dataset import Recording, Split, pack
from tests.training.beats import beat

UNCHANGED = Augmentation(rotate=0, exchange=0, swap_voices=0, drop_voices=0, scale_velocity=0)


def split(bars: list[int], fills: list[int], first_seed: int = 0) -> Split:
    """Return beats and fills of so many bars each, every recording a beat of its own."""
    lengths = [*bars, *fills]
    ends = np.cumsum([0, *lengths])
    recordings = tuple(
        Recording(f"{index}.mid", int(ends[index]), length, fill=index >= len(bars))
        for index, length in enumerate(lengths)
    )
    cells = [beat(first_seed + seed, length) for seed, length in enumerate(lengths)]
    return Split(recordings, pack(np.concatenate(cells).reshape(-1, 16, 9, 3)))


def preset(**training: object) -> Preset:
    """Return two-bar windows, 64 a step, unchanged."""
    how = TrainingConfig(augmentation=UNCHANGED, styles_share=0, fills_share=0)
    return Preset(ModelConfig(bars=2), msgspec.structs.replace(how, **training))


def origins(batch: torch.Tensor, of: Split, bars: int = 2) -> np.ndarray:
    """Return the recording that each bar of a batch comes from, [n, bars]; -1 for none."""
    known = of.take(np.array([r.first_bar for r in of.recordings]), 1)[..., ONSET]
    ours = batch.numpy().reshape(len(batch), bars, 16, 9, 3)[..., ONSET]
    same = (ours[:, :, None] == known).all(axis=(3, 4))
    return np.where(same.any(axis=2), same.argmax(axis=2), -1)


def test_the_batch_of_a_step_is_the_same_whenever_it_is_drawn() -> None:
    """And those of other steps and seeds are others; so is the noise."""
    data, how = (
        split([6, 6, 6], [1]),
        preset(augmentation=Augmentation(), styles_share=0.25, styles_recordings=1),
    )
    one, other = Batches(data, how, seed=1), Batches(data, how, seed=1)
    one.batch(0)

    assert torch.equal(one.batch(7), other.batch(7))
    assert torch.equal(one.noise(7), other.noise(7))
    assert not torch.equal(one.batch(7), one.batch(8))
    assert not torch.equal(one.noise(7), one.noise(8))
    assert not torch.equal(one.batch(7), Batches(data, how, seed=2).batch(7))


def test_without_fills_and_styles_all_is_beats() -> None:
    """Windows of one recording each."""
    data = split([6, 6], [1, 4])
    found = origins(Batches(data, preset(), 0).batch(0), data)

    assert set(found.ravel()) == {0, 1}
    assert (found[:, 0] == found[:, 1]).all()


def test_a_short_fill_ends_a_beat_and_a_long_one_is_a_window() -> None:
    """The beat's last bar gives way to the fill of one bar; that of three stays itself."""
    data = split([6, 6], [1, 3])
    found = origins(Batches(data, preset(fills_share=0.5, batch=256), 0).batch(0), data)

    filled = found[found[:, 1] >= 2]
    assert 0.4 < len(filled) / 256 < 0.6
    assert {tuple(bars) for bars in filled} == {(0, 2), (1, 2), (3, 3)}


def test_fills_can_be_kept_to_those_as_long_as_a_window() -> None:
    """Then no beat ends in another's fill."""
    data = split([6, 6], [1, 3])
    how = preset(fills_share=0.5, fill_ends=False)
    found = origins(Batches(data, how, 0).batch(0), data)

    assert set(map(tuple, found)) == {(0, 0), (1, 1), (3, 3)}


def test_a_share_of_the_windows_is_of_the_electronic_styles(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As many as were made of each style, of the training's seed."""
    styles = split([16], [], first_seed=50)
    asked = []

    def corpus(*arguments: int) -> Split:
        asked.append(arguments)
        return styles

    monkeypatch.setattr(subject, "corpus", corpus)
    how = preset(styles_share=0.25, styles_recordings=3, batch=512)
    found = origins(Batches(split([6, 6], []), how, seed=9).batch(0), styles)

    assert asked == [(3, 16, 9)]
    assert 0.2 < (found[:, 0] == 0).mean() < 0.3


def test_recordings_too_short_for_the_model_are_one_sentence() -> None:
    """Windows of two bars cannot be cut from one; a fill alone is no beat."""
    with pytest.raises(UsageError, match="2 bars"):
        Batches(split([1], [4]), preset(), 0)
