"""From a position of the knobs to a point of the latent space."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt
from safetensors.numpy import save

from livevae.errors import UsageError
from livevae.files import read_tensors, write_atomically
from livevae.latent.presets import Scene
from livevae.parameters import ATTRIBUTE_KNOBS, AXES

Array = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.float64]

SPACE_FILE: Final = "space.safetensors"
SPACE_FORMAT: Final = "livevae-space-2"
N_CORNERS: Final = 4
N_AXES: Final = len(AXES)
N_ATTRIBUTES: Final = len(ATTRIBUTE_KNOBS)
MAX_SPACE_BYTES: Final = 1024 * 1024
MAX_NAME: Final = 200
MEND: Final = "fetch the model again or run livevae scenes on it"
NEARLY_PARALLEL: Final = 1e-4


@dataclass(frozen=True)
class Space:
    """The playable part of a model's latent space.

    ``corners`` [4, z_dim] are the scenes at (x, y) = (0, 0), (1, 0), (0, 1), (1, 1), named by
    ``corner_names``. ``axes`` [2, 8, z_dim] are principal directions of the aggregated posterior,
    as long as it is wide: what each knob's full turn to the left adds, and to the right.
    ``attributes`` [6, z_dim] are what a full turn of the attribute knobs to the right adds, in
    the order of ``descriptors.ATTRIBUTES``. ``mean`` and ``spread`` [z_dim] describe the
    aggregated posterior: the mean, and the standard deviation with the posterior's own spread
    included.
    """

    corners: Array
    corner_names: tuple[str, ...]
    axes: Array
    attributes: Array
    mean: Array
    spread: Array

    @property
    def z_dim(self) -> int:
        """How many dimensions the latent space has."""
        return len(self.mean)

    def z(self, position: Array) -> Array:
        """Return z [z_dim] at one position [16].

        A position is x and y in 0..1, then eight axes and six attributes in -1..1.
        """
        point: Array = self.zs(position[None])[0]
        return point

    def zs(self, positions: Array) -> Array:
        """Return z [n, z_dim] at positions [n, 16].

        z = spherical interpolation between the corners at (x, y) + the sum of axis_i * u_i
        + the sum of attribute_j * a_j.
        """
        x, y, turns = positions[:, 0], positions[:, 1], positions[:, 2 : 2 + N_AXES]
        # A point on arcs between corners is a sum of corners. Their shares follow from their
        # products; what has z_dim numbers is added up only once, at the end.
        products = self._products
        lengths = products.diagonal()[:, None]
        across = products[[0, 2], [1, 3]][:, None]
        along = np.array(_shares(lengths[::2], across, lengths[1::2], x))
        rows = np.zeros((2, N_CORNERS, len(positions)))
        rows[0, :2], rows[1, 2:] = along[:, 0], along[:, 1]
        of_rows = np.einsum("icn,cd,jdn->ijn", rows, products, rows)
        from_first, from_last = _shares(of_rows[0, 0], of_rows[0, 1], of_rows[1, 1], y)
        corners = (from_first * rows[0] + from_last * rows[1]).T
        to_left, to_right = np.maximum(-turns, 0), np.maximum(turns, 0)
        shares = np.concatenate((corners, to_left, to_right, positions[:, 2 + N_AXES :]), axis=1)
        points: Array = shares.astype(np.float32) @ self._directions
        return points

    @cached_property
    def _directions(self) -> Array:
        """What every z is a sum of: corners, axes to the left and to the right, attributes."""
        return np.concatenate((self.corners, *self.axes, self.attributes))

    @cached_property
    def _products(self) -> Numbers:
        """The inner products of the corners with each other, [4, 4]."""
        corners = self.corners.astype(np.float64)
        products: Numbers = corners @ corners.T
        return products

    def with_corners(self, scenes: Sequence[Scene]) -> Space:
        """Return this space with the map spanned between four other scenes.

        Raises:
            UsageError: there are not four of them, or one has another number of dimensions.
        """
        if len(scenes) != N_CORNERS:
            raise UsageError(f"a map has {N_CORNERS} corners, not {len(scenes)}")
        for scene in scenes:
            if len(scene.z) != self.z_dim:
                raise UsageError(
                    f"the scene {scene.name!r} has {len(scene.z)} dimensions, this model "
                    f"{self.z_dim}; choose scenes of this model"
                )
        return replace(
            self,
            corners=np.array([scene.z for scene in scenes], np.float32),
            corner_names=tuple(scene.name for scene in scenes),
        )

    def save(self, folder: Path) -> None:
        """Write ``space.safetensors`` into a model folder.

        Raises:
            WorkError: the file cannot be written.
        """
        tensors = {
            "corners": self.corners,
            "axes": self.axes,
            "attributes": self.attributes,
            "mean": self.mean,
            "spread": self.spread,
        }
        metadata = {
            "format": SPACE_FORMAT,
            "corner_names": msgspec.json.encode(self.corner_names).decode(),
        }
        contiguous = {name: np.ascontiguousarray(t, np.float32) for name, t in tensors.items()}
        write_atomically(folder / SPACE_FILE, save(contiguous, metadata))

    @classmethod
    def load(cls, folder: Path) -> Space:
        """Read the space of a model folder.

        Raises:
            UsageError: the file is missing, broken or not a space.
        """
        path = folder / SPACE_FILE
        shapes = {
            "corners": (N_CORNERS, None),
            "axes": (2, N_AXES, None),
            "attributes": (N_ATTRIBUTES, None),
            "mean": (None,),
            "spread": (None,),
        }
        tensors, metadata = read_tensors(path, shapes, MAX_SPACE_BYTES, MEND)
        if metadata.get("format") != SPACE_FORMAT:
            raise UsageError(f"{path} is not of the format {SPACE_FORMAT}; {MEND}")
        if len({tensor.shape[-1] for tensor in tensors.values()}) != 1:
            raise UsageError(f"{path} mixes latent spaces of different sizes; {MEND}")
        try:
            names = msgspec.json.decode(metadata.get("corner_names", ""), type=tuple[str, ...])
        except msgspec.MsgspecError:
            names = ()
        if len(names) != N_CORNERS or any(len(name) > MAX_NAME for name in names):
            raise UsageError(f"{path} does not name its four corners; {MEND}")
        return cls(corner_names=names, **tensors)


def slerp(a: Array, b: Array, t: Array) -> Array:
    """Interpolate from ``a`` to ``b`` ([z] or [n, z]) along the arc between them, t [n, 1].

    Where the two point (nearly) the same or the opposite way there is no one arc, and the way
    is straight. Source: Shoemake 1985; used for latent spaces by White 2016.
    """
    from_a, from_b = _shares(_product(a, a), _product(a, b), _product(b, b), t)
    points: Array = (from_a * a + from_b * b).astype(np.float32)
    return points


def _product(a: Array, b: Array) -> Numbers:
    """Return the inner products of a and b, [..., 1]."""
    return (a.astype(np.float64) * b).sum(axis=-1, keepdims=True)  # type: ignore[no-any-return]


def _shares(a_a: Numbers, a_b: Numbers, b_b: Numbers, t: Array) -> tuple[Numbers, Numbers]:
    """Return how much of a, and of b, is in the point at ``t`` of their arc, by their products."""
    lengths = np.sqrt(a_a * b_b)
    cosine = a_b / np.maximum(lengths, 1e-12)
    angle = np.arccos(np.minimum(np.maximum(cosine, -1.0), 1.0))
    straight = (np.sin(angle) < NEARLY_PARALLEL) | (lengths < 1e-12)
    angle = np.where(straight, NEARLY_PARALLEL, angle)  # so flat an arc is a line
    sine = np.sin(angle)
    from_a: Numbers = np.sin((1.0 - t) * angle) / sine
    from_b: Numbers = np.sin(t * angle) / sine
    return from_a, from_b
