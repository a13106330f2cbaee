"""Where the beats of a model lie: a mixture from which points that sound like drumming are drawn.

The standard normal that a VAE is trained towards is not where its posteriors end up: points drawn
from it decode too sparse. What is drawn from here is a mixture of normals fitted to the aggregated
posterior of the training set, after training (ex-post density estimation, Ghosh et al. 2020).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from safetensors.numpy import save

from livevae.errors import UsageError
from livevae.files import read_tensors, write_atomically
from livevae.pattern.touch import Touch

Array = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]

PRIOR_FILE: Final = "prior.safetensors"
PRIOR_FORMAT: Final = "livevae-prior-2"
MAX_PRIOR_BYTES: Final = 16 * 1024 * 1024
MEND: Final = "fetch the model again"

COMPONENTS: Final = 256
POINTS_PER_COMPONENT: Final = 8
"""A mixture of fewer points has fewer components."""
ITERATIONS: Final = 30
LEAST_VARIANCE: Final = 1e-2
"""Added to the variance in every direction, so that no component shrinks to a point."""


@dataclass(frozen=True)
class Prior:
    """A mixture of k normals of one covariance.

    ``weights`` [k] add up to 1, ``means`` [k, z_dim] are the centres, and ``factor``
    [z_dim, z_dim] is the lower triangular Cholesky factor of the covariance. ``touch`` is how the
    beats that are drawn are played.
    """

    weights: Array
    means: Array
    factor: Array
    touch: Touch = field(default_factory=Touch.none)

    @property
    def z_dim(self) -> int:
        """How many dimensions the latent space has."""
        return int(self.means.shape[1])

    @classmethod
    def standard(cls, z_dim: int) -> Prior:
        """Return the standard normal, the prior of training."""
        return cls(
            weights=np.ones(1, np.float32),
            means=np.zeros((1, z_dim), np.float32),
            factor=np.eye(z_dim, dtype=np.float32),
        )

    @classmethod
    def fit(cls, mu: Array, sigma: Array, seed: int, components: int = COMPONENTS) -> Prior:
        """Fit the mixture to posteriors, ``mu`` and ``sigma`` [n, z_dim], by 30 steps of EM.

        One point is drawn from each posterior by ``seed``, so that the posteriors' own spread is
        in the mixture. The first centres are some of these points, far from one another.

        Raises:
            ValueError: there is no posterior.
        """
        if not len(mu):
            raise ValueError("a prior is fitted to one posterior or more")
        rng = np.random.default_rng(seed)
        points = mu + sigma * rng.standard_normal(mu.shape)
        k = max(1, min(components, len(points) // POINTS_PER_COMPONENT))
        means, nearest = _spread_out(points, k, rng)
        from_means = points - means[nearest]
        mixture = cls(
            weights=np.full(k, 1 / k, np.float32),
            means=means.astype(np.float32),
            factor=_factor(from_means.T @ from_means / len(points)),
        )
        for _ in range(ITERATIONS):
            mixture = mixture._maximised(points)
        return mixture

    def _maximised(self, points: Doubles) -> Prior:
        """Return the mixture after one step of EM on points [n, z_dim] (Dempster et al. 1977)."""
        joint = self._log_joint(points)
        shares = np.exp(joint - _log_sum(joint)[:, None])
        counts = shares.sum(axis=0) + 1e-6
        means = (shares.T @ points) / counts[:, None]
        within = (points.T @ points - (means * counts[:, None]).T @ means) / len(points)
        weights = counts / counts.sum()
        return Prior(weights.astype(np.float32), means.astype(np.float32), _factor(within))

    def _log_joint(self, points: Doubles) -> Doubles:
        """Return the log density [n, k] of points together with each component."""
        whiten = np.linalg.inv(self.factor.astype(np.float64)).T
        x, centres = points @ whiten, self.means @ whiten
        squared = (x**2).sum(axis=1)[:, None] + (centres**2).sum(axis=1) - 2 * x @ centres.T
        volume = np.log(np.diag(self.factor)).sum() + self.z_dim / 2 * np.log(2 * np.pi)
        joint: Doubles = np.log(self.weights) - squared / 2 - volume
        return joint

    def sample(self, n: int, temperature: float, rng: np.random.Generator) -> Array:
        """Draw ``n`` points, [n, z_dim]; ``temperature`` 0 or more scales their spread.

        At 1 they are drawn as fitted, at 0 they are centres of components.
        """
        shares = self.weights.astype(np.float64)
        chosen = rng.choice(len(shares), n, p=shares / shares.sum())
        spread = rng.standard_normal((n, self.z_dim)) @ self.factor.T
        points: Array = (self.means[chosen] + temperature * spread).astype(np.float32)
        return points

    def save(self, folder: Path) -> None:
        """Write ``prior.safetensors`` into a model folder.

        Raises:
            WorkError: the file cannot be written.
        """
        tensors = {
            "weights": self.weights,
            "means": self.means,
            "factor": self.factor,
            "touch": self.touch.law,
        }
        contiguous = {name: np.ascontiguousarray(t, np.float32) for name, t in tensors.items()}
        write_atomically(folder / PRIOR_FILE, save(contiguous, {"format": PRIOR_FORMAT}))

    @classmethod
    def load(cls, folder: Path) -> Prior:
        """Read the prior of a model folder.

        Raises:
            UsageError: the file is missing, broken or not a prior.
        """
        path = folder / PRIOR_FILE
        shapes = {
            "weights": (None,),
            "means": (None, None),
            "factor": (None, None),
            "touch": Touch.none().law.shape,
        }
        tensors, metadata = read_tensors(path, shapes, MAX_PRIOR_BYTES, MEND)
        if metadata.get("format") != PRIOR_FORMAT:
            raise UsageError(f"{path} is not of the format {PRIOR_FORMAT}; {MEND}")
        weights, means, factor = tensors["weights"], tensors["means"], tensors["factor"]
        k, z_dim = means.shape
        if not k or not z_dim or weights.shape != (k,) or factor.shape != (z_dim, z_dim):
            raise UsageError(f"{path} mixes parts of different mixtures; {MEND}")
        if (weights <= 0).any() or abs(weights.sum() - 1) > 1e-3 or (np.diag(factor) <= 0).any():
            raise UsageError(f"{path} holds weights or spreads that cannot be; {MEND}")
        return cls(weights, means, np.tril(factor), Touch(tensors["touch"]))


def _spread_out(
    points: Doubles, k: int, rng: np.random.Generator
) -> tuple[Doubles, npt.NDArray[np.int64]]:
    """Choose k of the points, and say which of them is nearest to each point, [n].

    Each is drawn with a chance in proportion to its squared distance from those before it
    (k-means++, Arthur and Vassilvitskii 2007).
    """
    chosen = [int(rng.integers(len(points)))]
    nearest = np.zeros(len(points), np.int64)
    distances = np.square(points - points[chosen[0]]).sum(axis=1)
    for number in range(1, k):
        total = distances.sum()
        chosen.append(int(rng.choice(len(points), p=distances / total if total else None)))
        to_new = np.square(points - points[chosen[-1]]).sum(axis=1)
        nearest[to_new < distances] = number
        distances = np.minimum(distances, to_new)
    return points[chosen], nearest


def _factor(covariance: Doubles) -> Array:
    regular = covariance + LEAST_VARIANCE * np.eye(len(covariance))
    lower: Array = np.linalg.cholesky(regular).astype(np.float32)
    return lower


def _log_sum(joint: Doubles) -> Doubles:
    """Return log sum exp over the components, [n], of [n, k]."""
    highest = joint.max(axis=1)
    total: Doubles = highest + np.log(np.exp(joint - highest[:, None]).sum(axis=1))
    return total
