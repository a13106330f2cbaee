"""The warm model: position in, exact pattern out, the latest request only."""

from __future__ import annotations

import time
from collections import deque
from pathlib import Path
from typing import Final

import numpy as np
import torch

from livevae.decoder.bank import Bank, Position
from livevae.errors import WorkError
from livevae.model.checkpoint import load_model
from livevae.model.device import resolve_device
from livevae.model.folder import matching_space
from livevae.parameters import POSITION
from livevae.pattern.pattern import Pattern, validated

_TIMES_KEPT: Final = 512
_WARM_UP_DECODES: Final = 3


class WarmModel:
    """A model and its latent space on their device, ready to decode."""

    def __init__(self, folder: Path, device: str, threads: int) -> None:
        """Load the model in ``folder`` and run it a few times.

        Raises:
            UsageError: the folder is no model, its files do not belong together, or the device
                is not there.
            WorkError: what it decodes to is no pattern.
        """
        torch.set_num_threads(threads)
        self.device = resolve_device(device)
        self._folder = folder
        self._space = matching_space(folder)
        self._model = load_model(folder, self.device)
        self._model.decoder.fold()
        for _ in range(_WARM_UP_DECODES):
            self.decode(np.zeros(len(POSITION), np.float32))

    @property
    def steps(self) -> int:
        """Steps of a pattern."""
        return self._model.config.steps

    def decode(self, position: Position) -> Pattern:
        """Return the pattern at ``position``, ``float32[steps, 9, 3]`` in its declared ranges.

        Raises:
            WorkError: what the model makes of it is no pattern.
        """
        z = torch.from_numpy(self._space.z(position)).to(self.device)
        with torch.inference_mode():
            decoded = self._model.decode(z[None])[0].float().cpu().numpy()
        try:
            return validated(decoded)
        except ValueError as error:
            raise WorkError(
                f"the model in {self._folder} does not decode to a pattern: {error}; "
                "fetch or train it again"
            ) from None


class Service:
    """Answers the bank's wanted position whenever it is a new one."""

    def __init__(self, bank: Bank, model: WarmModel) -> None:
        """Stand ready; nothing is decoded yet.

        Raises:
            WorkError: the bank is for patterns of another length than the model's.
        """
        if model.steps != bank.shape.steps:
            raise WorkError(
                f"the model decodes {model.steps} steps, the pattern bank holds "
                f"{bank.shape.steps}: the model was replaced meanwhile; start again"
            )
        self._bank = bank
        self._model = model
        self._answered: bytes | None = None
        self.decodes = 0
        self.times_ns: deque[int] = deque(maxlen=_TIMES_KEPT)

    def answer(self) -> bool:
        """Decode the position wanted last, if that is news; return whether it was."""
        position = self._bank.wanted()
        if position is None or position.tobytes() == self._answered:
            return False
        begun_ns = time.monotonic_ns()
        self._bank.answer(position, self._model.decode(position))
        self.times_ns.append(time.monotonic_ns() - begun_ns)
        self._answered = position.tobytes()
        self.decodes += 1
        return True
