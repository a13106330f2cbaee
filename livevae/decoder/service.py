"""The warm model: position in, exact pattern out, the latest request only."""

from __future__ import annotations

import time
from collections import deque
from pathlib import Path
from typing import Final

from livevae.decoder.bank import Bank, Position
from livevae.decoder.engine import Engine
from livevae.errors import WorkError
from livevae.latent.space import Array
from livevae.model.folder import matching_space
from livevae.pattern.pattern import Pattern

_TIMES_KEPT: Final = 512


class WarmModel:
    """A model and its latent space on their device, ready to decode."""

    def __init__(self, folder: Path, device: str, threads: int) -> None:
        """Load the model in ``folder`` and run it a few times.

        Raises:
            UsageError: the folder is no model, its files do not belong together, or the device
                is not there.
            WorkError: what it decodes to is no pattern, or the GPU is out of memory.
        """
        self._space = matching_space(folder)
        self._engine = Engine(folder, device, threads)

    @property
    def device(self) -> str:
        """Where the model is."""
        return self._engine.device

    @property
    def steps(self) -> int:
        """Steps of a pattern."""
        return self._engine.steps

    def decode(self, position: Position) -> Pattern:
        """Return the pattern at ``position``, ``float32[steps, 9, 3]`` in its declared ranges.

        Raises:
            WorkError: what the model makes of it is no pattern, or the GPU fails.
        """
        pattern: Pattern = self.decode_many(position[None])[0]
        return pattern

    def decode_many(self, positions: Array) -> Array:
        """Return the patterns at positions [n, 16], ``float32[n, steps, 9, 3]``.

        Raises:
            WorkError: what the model makes of them is no pattern, or the GPU fails.
        """
        return self._engine.decode(self._space.zs(positions))

    def keep_warm(self) -> None:
        """Keep a GPU from clocking itself down; to be called when there is nothing to decode.

        Raises:
            WorkError: the GPU fails.
        """
        self._engine.keep_warm()


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
