"""How much like drumming the beats are that a model makes up, beside real drumming."""

from __future__ import annotations

from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from livevae.latent.prior import Prior
from livevae.latent.space import slerp
from livevae.model.vae import Vae
from livevae.pattern.descriptors import ATTRIBUTES, measure
from livevae.pattern.pattern import OFFSET, ONSET, VELOCITY, VOICES, Pattern
from livevae.training.dataset import Split, pack, unpack
from livevae.training.discriminator import Examples, ToldApart, told_apart
from livevae.training.evaluate import Array, decoded, encoded
from livevae.training.floors import KNOWN

Integers = npt.NDArray[np.int64]

WINDOWS: Final = 1024
"""As many of each set are compared, or as many as there are."""
COMPARED_WITH_TRAINING: Final = 256
BLOCKS: Final = 8
"""Recordings are dealt to so many blocks, which a classifier learns from or is scored on."""
FRACTIONS: Final = (0.25, 0.5, 0.75)
"""Where on the arc between two windows the interpolants lie."""
BINS: Final = 32
OFFSET_SCALE: Final = 4.0
"""Brings offsets to the width of onsets and velocities among a classifier's cells."""
DESCRIPTORS: Final = (*ATTRIBUTES, "velocity_spread", "offset_spread", *VOICES)


class Likeness(msgspec.Struct, frozen=True):
    """How like the evaluated windows a set is.

    ``overlap`` (0..1) and ``kl_bits`` (from the evaluated windows to the set) compare the
    distributions of each descriptor on a grid that all sets share. ``density`` is the mean share
    of cells hit. ``told_apart`` is how well a classifier tells the set from evaluated windows.
    ``nearest_f1`` is the mean onset F1 of the training window nearest to each: where it is far
    above that of the evaluated windows, the set copies.
    """

    density: float
    overlap: dict[str, float]
    kl_bits: dict[str, float]
    told_apart: ToldApart
    nearest_f1: float

    @property
    def mean_overlap(self) -> float:
        """The overlap, mean over the descriptors."""
        return float(np.mean(list(self.overlap.values())))


class Realism(msgspec.Struct, frozen=True):
    """Sets of ``windows`` windows each, and the evaluated ones that they are compared with."""

    windows: int
    density: float
    nearest_f1: float
    sets: dict[str, Likeness]


def realism(vae: Vae, prior: Prior, training: Split, evaluated: Split, seed: int) -> Realism | None:
    """Compare what a model makes up with the windows of a split that it was not trained on.

    The sets are samples of ``prior``, samples of the standard normal, interpolants (a quarter,
    half and three quarters of the way along the arc between the posterior means of two evaluated
    windows), reconstructions at the posterior mean, and, as what could be reached, real windows
    of the training set. Velocities and offsets are drawn by the prior's touch around what is
    decoded (which alone is the set "without touch"). All are taken as played: definite
    hits, velocities and offsets rounded as in the data. Comparing distributions of descriptors by
    overlap and KL divergence follows Yang and Lerch 2020, who do so with distances within and
    between sets.

    None if one of the splits has windows of one recording only: nothing would be left to score a
    classifier on.
    """
    bars = vae.config.bars
    # No more blocks than either split has recordings: each half of them has some of both.
    dealt = min(BLOCKS, _recordings(training, bars), _recordings(evaluated, bars))
    if dealt < 2:
        return None
    rng = np.random.default_rng(seed)
    real, blocks = _drawn(evaluated, bars, dealt, rng)
    known, known_blocks = _drawn(training, bars, dealt, rng)
    n = len(real)
    numbered = np.arange(n) % dealt
    mu, _ = encoded(vae, real)
    partners = _partners(blocks, rng)
    fractions = np.array(FRACTIONS, np.float32)[np.arange(n) % len(FRACTIONS), None]

    def drawn(z: Array) -> Pattern:
        return prior.touch.drawn(decoded(vae, z), 1.0, rng)

    from_prior = prior.sample(n, 1.0, rng)
    sets = {
        "prior": (drawn(from_prior), numbered),
        "prior, without touch": (decoded(vae, from_prior), numbered),
        "standard normal": (drawn(Prior.standard(prior.z_dim).sample(n, 1.0, rng)), numbered),
        "interpolants": (drawn(slerp(mu, mu[partners], fractions)), blocks),
        "reconstructions": (drawn(mu), blocks),
        "training": (known, known_blocks),
    }
    played = {name: (unpack(pack(patterns)), block) for name, (patterns, block) in sets.items()}
    everything = training.take(training.some_starts(bars, KNOWN), bars)
    truth = _examples(real, blocks)
    examples = {name: _examples(*it) for name, it in played.items()}
    edges = _edges([truth.descriptors, *(each.descriptors for each in examples.values())])
    return Realism(
        windows=n,
        density=float(real[..., ONSET].mean()),
        nearest_f1=_nearest_f1(real, everything),
        sets={
            name: _likeness(played[name][0], examples[name], truth, edges, everything, seed)
            for name in sets
        },
    )


def _recordings(split: Split, bars: int) -> int:
    """Return how many recordings of a split have windows."""
    return sum(not recording.fill and recording.bars >= bars for recording in split.recordings)


def _drawn(
    split: Split, bars: int, blocks: int, rng: np.random.Generator
) -> tuple[Pattern, Integers]:
    """Draw windows of a split, with the block of each, that of its recording."""
    starts = split.window_starts(bars)
    recordings = np.array([recording.first_bar for recording in split.recordings_of(starts)])
    numbers, recording = np.unique(recordings, return_inverse=True)
    block = rng.permutation(len(numbers))[recording] % blocks
    drawn = np.sort(rng.permutation(len(starts))[:WINDOWS])
    return split.take(starts[drawn], bars), block[drawn]


def _partners(blocks: Integers, rng: np.random.Generator) -> Integers:
    """Choose for each window another of the same block, so that no arc joins two blocks."""
    partners = np.empty(len(blocks), np.int64)
    for block in np.unique(blocks):
        members = np.flatnonzero(blocks == block)
        partners[members] = rng.permutation(members)
    return partners


def _examples(patterns: Pattern, blocks: Integers) -> Examples:
    cells = patterns.copy()
    cells[..., OFFSET] *= OFFSET_SCALE
    return Examples(cells.reshape(len(cells), -1), described(patterns), blocks)


def described(patterns: Pattern) -> Array:
    """Return the descriptors [n, 17] of played patterns [n, steps, 9, 3].

    Those of ``pattern.descriptors``, the standard deviation of velocity and of offset over a
    pattern's hits, and each voice's hits per step.
    """
    hits = patterns[..., ONSET]
    return np.stack(
        [
            *measure(patterns),
            _spread(hits, patterns[..., VELOCITY]),
            _spread(hits, patterns[..., OFFSET]),
            *hits.mean(axis=1).T,
        ],
        axis=1,
    ).astype(np.float32)


def _spread(hits: Array, values: Array) -> Array:
    count = np.maximum(1.0, hits.sum(axis=(1, 2), keepdims=True))
    mean = (hits * values).sum(axis=(1, 2), keepdims=True) / count
    squared = (hits * np.square(values - mean)).sum(axis=(1, 2)) / count[:, 0, 0]
    spread: Array = np.sqrt(squared)
    return spread


def _edges(sets: list[Array]) -> Array:
    """Return the bin edges [33, d] that span each descriptor over all the sets."""
    pooled = np.concatenate(sets)
    edges: Array = np.linspace(pooled.min(axis=0), pooled.max(axis=0) + 1e-6, BINS + 1)
    return edges


def _likeness(
    patterns: Pattern, made: Examples, truth: Examples, edges: Array, known: Pattern, seed: int
) -> Likeness:
    overlap, kl_bits = {}, {}
    for column, name in enumerate(DESCRIPTORS):
        p, q = (_shares(each.descriptors[:, column], edges[:, column]) for each in (truth, made))
        overlap[name] = float(np.minimum(p, q).sum())
        kl_bits[name] = float((p * np.log2(p / q)).sum())
    return Likeness(
        density=float(patterns[..., ONSET].mean()),
        overlap=overlap,
        kl_bits=kl_bits,
        told_apart=told_apart(truth, made, seed),
        nearest_f1=_nearest_f1(patterns, known),
    )


def _shares(values: Array, edges: Array) -> Array:
    """Return the share of values in each bin; half a value is added to each, so none is 0."""
    counts = np.histogram(values, edges)[0] + 0.5
    shares: Array = counts / counts.sum()
    return shares


def _nearest_f1(patterns: Pattern, known: Pattern) -> float:
    """Return the mean, over some of the patterns, of the best onset F1 any known window has."""
    some = patterns[:: -(-len(patterns) // COMPARED_WITH_TRAINING), ..., ONSET]
    want, have = some.reshape(len(some), -1), known[..., ONSET].reshape(len(known), -1)
    sizes = have.sum(axis=1) + want.sum(axis=1, keepdims=True)
    return float((2 * want @ have.T / np.maximum(1.0, sizes)).max(axis=1).mean())
