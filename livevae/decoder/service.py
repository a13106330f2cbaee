"""The warm model, and the order in which it decodes for the bank."""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import numpy as np

from livevae.decoder.bank import Bank, Position
from livevae.decoder.engine import Engine
from livevae.decoder.hand import ahead, filled
from livevae.errors import WorkError
from livevae.latent.space import Array
from livevae.model.folder import matching_space
from livevae.parameters import POSITION
from livevae.pattern.pattern import Pattern

PIECE_NS: Final = 5_000_000
"""How long a wish may have to wait for a piece of other work, about; or half as long again as it
takes to decode itself, if that is more: a few points at once take hardly longer than one."""
PAUSE_NS: Final = 15_000_000
"""A hand still for so long has paused. What is done sooner a sweep would only have to wait for: its
next wish comes after some 10 ms, and the map around this one will be nobody's."""
MAX_AT_ONCE: Final = 2048
_TIMES_KEPT: Final = 512


def worked_ns() -> int:
    """Return the time that this process has worked; on Windows, where that is coarse, any time.

    It stands still while others have the core: on a busy machine small pieces are no quicker. With
    several threads it runs faster, and pieces are so much smaller: a wish waits less, never more.
    """
    return time.process_time_ns() if sys.platform != "win32" else time.monotonic_ns()


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
    """Decodes what the player wants, then what it will want: the latest wish first, always.

    The work comes in pieces of a few milliseconds; after each there may be a new wish.
    """

    def __init__(
        self,
        bank: Bank,
        model: WarmModel,
        now_ns: Callable[[], int] = time.monotonic_ns,
        worked_ns: Callable[[], int] = worked_ns,
    ) -> None:
        """Stand ready; nothing is decoded yet.

        Args:
            bank: where the wishes come from and the patterns go.
            model: what decodes them.
            now_ns: the clock that times the hand, and the decodes as `livevae status` has them.
            worked_ns: the clock that times a piece of work.

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
        self._now_ns = now_ns
        self._worked_ns = worked_ns
        self._wish: Position | None = None
        self._wishes = 0
        self._wished_at_ns = 0
        self._ahead = np.empty((0, len(POSITION)), np.float32)
        self._foreseen: set[bytes] = set()
        self._wish_ns = 0
        self._at_once = 1
        self.decodes = 0
        self.times_ns: deque[int] = deque(maxlen=_TIMES_KEPT)

    def work(self) -> int | None:
        """Do the most urgent piece of work.

        That is the exact pattern of a new wish. Once the hand has paused it is the fill that
        belongs there, and those of the positions that it will want if it moves on like this; then
        the cells of the map that are of another context than the wish (where the other fourteen
        controls stood elsewhere), outward from it.

        Returns:
            nanoseconds after which there may be more to do; None if only a new wish can bring some.
        """
        if self.answer():
            return 0
        still_ns = self._now_ns() - self._wished_at_ns
        if still_ns < PAUSE_NS:
            return PAUSE_NS - still_ns
        return 0 if self._look_ahead() or self._renew_map() else None

    def answer(self) -> bool:
        """Decode the position wanted last, if that is news; return whether it was."""
        wishes, position = self._bank.wishes, self._bank.wanted()
        if position is None or (
            self._wish is not None and position.tobytes() == self._wish.tobytes()
        ):
            return False
        if position.tobytes() not in self._foreseen:
            begun_ns, before_ns = self._now_ns(), self._worked_ns()
            self._bank.answer(position, self._model.decode(position))
            self.times_ns.append(self._now_ns() - begun_ns)
            self._wish_ns = self._worked_ns() - before_ns
            self.decodes += 1
        # A fill begins at the press of a pad: it comes first.
        self._ahead = filled(position)[None]
        if self._wish is not None:
            further = ahead(self._wish, position, wishes - self._wishes)
            self._ahead = np.concatenate([self._ahead, further])
        self._foreseen &= {foreseen.tobytes() for foreseen in self._ahead}
        self._wish, self._wishes, self._wished_at_ns = position, wishes, self._now_ns()
        return True

    def answer_fill(self) -> None:
        """Decode the fill that belongs to the position wanted last now, if it is not there."""
        fill = filled(self._wish) if self._wish is not None else None
        if fill is not None and fill.tobytes() not in self._foreseen:
            self._bank.answer(fill, self._model.decode(fill))
            self._foreseen.add(fill.tobytes())

    def _look_ahead(self) -> bool:
        """Answer some of the positions ahead that are not answered yet; say if there were any."""
        due = [p for p in self._ahead if p.tobytes() not in self._foreseen][: self._at_once]
        if not due:
            return False
        with self._piece(len(due)):
            patterns = self._model.decode_many(np.array(due))
            for position, pattern in zip(due, patterns, strict=True):
                self._bank.answer(position, pattern)
                self._foreseen.add(position.tobytes())
        return True

    def _renew_map(self) -> bool:
        """Decode some of the map's stale cells, from the wish outward; say if there were any."""
        if self._wish is None:
            return False
        numbers, positions = self._bank.stale(self._wish, self._at_once)
        if not len(numbers):
            return False
        with self._piece(len(numbers)):
            self._bank.write_map(numbers, positions, self._model.decode_many(positions))
        return True

    @contextmanager
    def _piece(self, size: int) -> Iterator[None]:
        """Learn from the time a piece of ``size`` positions takes how large the next may be."""
        begun_ns = self._worked_ns()
        yield
        if size == self._at_once:
            piece_ns = max(PIECE_NS, 3 * self._wish_ns // 2)
            self._at_once = _next_size(size, self._worked_ns() - begun_ns, piece_ns)


def _next_size(size: int, took_ns: int, piece_ns: int) -> int:
    """Return how many to decode at once after ``size`` took so long: as many as ``piece_ns``."""
    if took_ns > piece_ns:
        return max(size * piece_ns // took_ns, 1)
    return min(2 * size if took_ns < piece_ns // 2 else size + 1, MAX_AT_ONCE)
