# ruff: noqa: PLC0415 - torch and its like are imported by the command that needs them only
"""Beats in files, as the commands that send them through a model see them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from livevae.errors import UsageError
from livevae.pattern.pattern import ONSET, STEPS_PER_BAR, Pattern, bars_of

if TYPE_CHECKING:
    from livevae.model.posterior import Posterior
    from livevae.model.vae import Vae

DEFAULT_BETA: Final = 0.25
"""At this weight of the KL refined posteriors come closest to the beat before bits run away."""
REFINED_AT_ONCE: Final = 32


@dataclass(frozen=True)
class Beat:
    """What a file plays: ``pattern`` float32[bars * 16, 9, 3] with onsets 0 or 1, at ``bpm``."""

    pattern: Pattern
    bpm: float

    @property
    def bars(self) -> int:
        """How many bars it has."""
        return bars_of(self.pattern)

    def windows(self, bars: int) -> Pattern:
        """Cut the beat into windows [n, bars * 16, 9, 3].

        A beat is a loop: its own beginning fills the rest of the last window.
        """
        n = -(-self.bars // bars)
        return _looped(self.pattern, n * bars).reshape(n, bars * STEPS_PER_BAR, 9, 3)

    def first_window(self, bars: int) -> Pattern:
        """Return the window [1, bars * 16, 9, 3] that begins with the first bar that plays."""
        first = int(np.flatnonzero(self.pattern[..., ONSET].any(axis=1))[0]) // STEPS_PER_BAR
        return _looped(self.pattern[first * STEPS_PER_BAR :], bars)[None]


def _looped(pattern: Pattern, bars: int) -> Pattern:
    return np.resize(pattern, (bars * STEPS_PER_BAR, *pattern.shape[1:]))


def read_beat(source: Path) -> Beat:
    """Read the drums of a MIDI file.

    Raises:
        UsageError: it cannot be read, has no drums, or is not in 4-4 throughout.
    """
    from livevae.midi.smf import read_drums, to_pattern

    drums = read_drums(source)
    if not drums.is_four_four:
        raise UsageError(f"{source} is not in 4-4 throughout; a model knows 4-4 only")
    if not drums.beats.size:
        raise UsageError(f"{source} holds no drum notes; give a file with drums on channel 10")
    return Beat(to_pattern(drums), drums.bpm)


def posterior_of(vae: Vae, windows: Pattern, beta: float | None) -> Posterior:
    """Return the posteriors of windows [n, steps, 9, 3], refined at ``beta``; None is not refined.

    A long file takes a while, and shows how far it is.
    """
    import torch
    from rich.progress import track

    from livevae.cli.console import new_console
    from livevae.model.posterior import Posterior, encoded, refined

    batches = [
        torch.from_numpy(windows[first : first + REFINED_AT_ONCE])
        for first in range(0, len(windows), REFINED_AT_ONCE)
    ]
    if beta is None:
        parts = [encoded(vae, batch) for batch in batches]
    else:
        shown = track(
            batches, "Listening", console=new_console(), transient=True, disable=len(batches) == 1
        )
        parts = [refined(vae, batch, beta) for batch in shown]
    return Posterior(
        torch.cat([part.mu for part in parts]), torch.cat([part.sigma for part in parts])
    )
