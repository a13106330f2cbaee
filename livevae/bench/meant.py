"""Which notes a script asks for: what the model means, said by LiveVAE's own seeded render."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np

from livevae.bench.score import Meant
from livevae.bench.scripts import Script
from livevae.decoder.bank import Bank, Position
from livevae.decoder.saved_map import SavedMap
from livevae.midi.kit import KITS
from livevae.parameters import POSITION
from livevae.pattern.pattern import STEPS_PER_BAR, Pattern
from livevae.pattern.render import render
from livevae.player.performance import Performance

KIT: Final = KITS["gm"]
SEED: Final = 0
CONTROLS: Final = {"density": 0.8, "humanize": 0.0}
"""Many notes, each exactly on its step."""
KNOB: Final = 20
"""The control change that moves x."""
SWEPT: Final = (63, 64)
"""Neighbouring values of the knob: two positions, so always one more to decode, and yet much the
same beat, so that nearly all notes are known."""


class Beats:
    """What the shipped model plays where the knob stands, and where it may stand when swept."""

    def __init__(self, model: Path) -> None:
        """Decode the positions. This loads torch."""
        from livevae.decoder.service import WarmModel  # noqa: PLC0415

        saved = SavedMap.of(model)
        bank = Bank.in_memory(saved.shape)
        saved.fill(bank)
        warm = WarmModel(model, "cpu", 1)
        self.still = [warm.decode(_position(0.5))]
        self.swept: list[Pattern] = []
        for value in SWEPT:
            position = _position(value / 127)
            # A bar whose exact pattern does not come in time is the map's nearest.
            nearest = bank.nearest(position)
            self.swept += [warm.decode(position), *([] if nearest is None else [nearest])]


def meant(script: Script, patterns: list[Pattern]) -> Meant:
    """Return what must sound, whichever of the patterns a bar plays, and what may."""
    feel = Performance(CONTROLS).feel
    bars = {int(step) // STEPS_PER_BAR for step in script.song_steps}
    sounding = [
        {
            (bar * STEPS_PER_BAR + hit.step, KIT[hit.voice])
            for bar in bars
            for hit in render(pattern, feel, bar, SEED)
        }
        for pattern in patterns
    ]
    return Meant(
        _placed(script, set.intersection(*sounding)), _placed(script, set.union(*sounding))
    )


def sixteenths(script: Script, note: int) -> Meant:
    """Return a note on every step: what the references play."""
    cells = frozenset((index, note) for index in range(len(script.grid)))
    return Meant(cells, cells)


def _placed(script: Script, notes: set[tuple[int, int]]) -> frozenset[tuple[int, int]]:
    """Return notes of song steps as cells of the script, which may play a step more than once."""
    return frozenset(
        (index, note)
        for index, step in enumerate(script.song_steps.tolist())
        for note in KIT
        if (step, note) in notes
    )


def _position(x: float) -> Position:
    position = np.zeros(len(POSITION), np.float32)
    position[:2] = x, 0.5
    return position
