"""A model's saved map on its way into the bank; one that does not fit keeps nobody from playing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from livevae.decoder.bank import Bank, Shape
from livevae.errors import UsageError
from livevae.latent.grid import DEFAULT_SIZE, Grid
from livevae.model.folder import load_config, matching_grid, weights_hash
from livevae.parameters import POSITION


@dataclass(frozen=True)
class SavedMap:
    """What a model folder has for the bank: its grid, or None and ``problem`` says why."""

    folder: Path
    steps: int
    grid: Grid | None
    problem: str

    @classmethod
    def of(cls, folder: Path) -> SavedMap:
        """Look into a model folder.

        Raises:
            UsageError: it is no model's.
        """
        steps = load_config(folder).steps
        try:
            return cls(folder, steps, matching_grid(folder), "")
        except UsageError as error:
            problem = f"there is no map to begin with ({error}); the decoder makes one as you play"
            return cls(folder, steps, None, problem)

    @property
    def shape(self) -> Shape:
        """The shape of a bank for this map, or for the one that the decoder makes instead."""
        if self.grid is None:
            return Shape(self.steps, DEFAULT_SIZE, DEFAULT_SIZE)
        rows, cols = self.grid.cells.shape[:2]
        x, y = map(POSITION.index, self.grid.axes)
        return Shape(self.steps, rows, cols, x, y)

    def fill(self, bank: Bank) -> str:
        """Write the map into a bank of its shape; return a sentence if it is not the model's own.

        A map that other weights have decoded is still one of beats: it is played until the
        decoder has replaced it.

        Raises:
            UsageError: the weights cannot be read.
        """
        if self.grid is None:
            return self.problem
        outdated = self.grid.weights_hash != weights_hash(self.folder)
        bank.write_grid(self.grid.cells, outdated=outdated)
        if not outdated:
            return ""
        return (
            f"the map of {self.folder.name} is of other weights and is decoded anew as you play; "
            f"`livevae grid {self.folder}` saves a new one"
        )
