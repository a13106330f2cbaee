"""The batches of a training: windows of the recordings and of the electronic styles, augmented.

The batch of a step is a function of the seed and the step alone: a training that was stopped goes
on with the very batches it would have had, and all processes of one draw the same.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from livevae.errors import UsageError
from livevae.grammar.grammar import corpus
from livevae.pattern.pattern import CHANNELS, MAX_BARS, N_VOICES, STEPS_PER_BAR
from livevae.training.augment import augmented
from livevae.training.config import Preset
from livevae.training.dataset import Split

Indices = npt.NDArray[np.int64]

BATCH_STREAM: Final = 0
NOISE_STREAM: Final = 1


class Batches:
    """Draws the batches of a training.

    Raises:
        UsageError: no recording is as long as the model's windows.
    """

    def __init__(self, recorded: Split, preset: Preset, seed: int) -> None:
        how = preset.training
        self._how = how
        self._bars = preset.model.bars
        self._z_dim = preset.model.z_dim
        self._seed = seed
        self._recorded = recorded
        self._beats = recorded.window_starts(self._bars)
        if not len(self._beats):
            raise UsageError(f"no training recording is {self._bars} bars long; give more")
        self._fills = _fills(recorded, self._bars, how.fill_ends)
        self._fills_share = how.fills_share if len(self._fills) else 0.0
        if how.styles_share:
            self._styles = corpus(how.styles_recordings, MAX_BARS, seed)
            self._style_windows = self._styles.window_starts(self._bars)

    def batch(self, step: int) -> Tensor:
        """Return the batch of a step, float32[batch, bars * 16, 9, 3]."""
        rng = np.random.default_rng((self._seed, step, BATCH_STREAM))
        styled = int(rng.binomial(self._how.batch, self._how.styles_share))
        bars = [_bars_of(self._recorded, self._recorded_windows(self._how.batch - styled, rng))]
        if styled:
            starts = rng.choice(self._style_windows, styled)[:, None]
            bars.append(_bars_of(self._styles, starts + np.arange(self._bars)))
        generator = torch.Generator().manual_seed(int(rng.integers(2**32)))
        windows = torch.from_numpy(np.concatenate(bars))
        return augmented(windows, self._how.augmentation, generator).flatten(1, 2)

    def noise(self, step: int) -> Tensor:
        """Return the posterior noise of a step's batch, float32[batch, z_dim]."""
        rng = np.random.default_rng((self._seed, step, NOISE_STREAM))
        return torch.from_numpy(rng.standard_normal((self._how.batch, self._z_dim), np.float32))

    def _recorded_windows(self, n: int, rng: np.random.Generator) -> Indices:
        """Return the bars of random windows, [n, bars]: beats, and a share of them with a fill."""
        windows: Indices = rng.choice(self._beats, n)[:, None] + np.arange(self._bars)
        for window in np.flatnonzero(rng.random(n) < self._fills_share):
            first, bars = self._fills[rng.integers(len(self._fills))]
            windows[window, self._bars - bars :] = first + np.arange(bars)
        return windows


def _fills(split: Split, bars: int, as_ends: bool) -> Indices:
    """Return first bar and bars of what may end a window (all of it, when as long): [n, 2]."""
    whole = [
        (start, bars)
        for recording in split.recordings
        if recording.fill
        for start in range(recording.first_bar, recording.first_bar + recording.bars - bars + 1)
    ]
    short = [
        (recording.first_bar, recording.bars)
        for recording in split.recordings
        if recording.fill and as_ends and recording.bars < bars
    ]
    return np.array([*whole, *short], np.int64).reshape(-1, 2)


def _bars_of(split: Split, windows: Indices) -> npt.NDArray[np.float32]:
    """Return the bars of windows [n, bars], float32[n, bars, 16, 9, 3]."""
    shape = (*windows.shape, STEPS_PER_BAR, N_VOICES, CHANNELS)
    return split.take(windows.ravel(), 1).reshape(shape)
