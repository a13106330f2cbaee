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
from livevae.latent.space import Space
from livevae.model.checkpoint import load_model
from livevae.parameters import POSITION
from livevae.pattern.pattern import Pattern

_TIMES_KEPT: Final = 512
_WARM_UP_DECODES: Final = 3


def resolve_device(wanted: str) -> str:
    """Return the device that ``auto`` stands for here, or ``wanted`` if it is there.

    Raises:
        WorkError: it is not; the sentence says what to choose.
    """
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.mps.is_available()}
    if wanted == "auto":
        return next(device for device in ("cuda", "mps", "cpu") if there[device])
    if not there[wanted.partition(":")[0]]:
        raise WorkError(f"there is no {wanted} device here; set decoder.device to auto or cpu")
    return wanted


class WarmModel:
    """A model and its latent space on their device, ready to decode."""

    def __init__(self, folder: Path, device: str, threads: int) -> None:
        """Load the model in ``folder`` and run it a few times.

        Raises:
            UsageError: the folder is no model.
            WorkError: the device is not there.
        """
        torch.set_num_threads(threads)
        self.device = resolve_device(device)
        self._space = Space.load(folder)
        self._model = load_model(folder, self.device)
        for _ in range(_WARM_UP_DECODES):
            self.decode(np.zeros(len(POSITION), np.float32))

    def decode(self, position: Position) -> Pattern:
        """Return the pattern at ``position``, ``float32[steps, 9, 3]``."""
        z = torch.from_numpy(self._space.z(position)).to(self.device)
        with torch.inference_mode():
            pattern: Pattern = self._model.decode(z[None])[0].float().cpu().numpy()
        return pattern


class Service:
    """Answers the bank's wanted position whenever it is a new one."""

    def __init__(self, bank: Bank, model: WarmModel) -> None:
        """Stand ready; nothing is decoded yet."""
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
