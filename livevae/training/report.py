"""Every figure of a model on a split of the data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec
import numpy as np

from livevae.errors import UsageError
from livevae.latent.prior import Prior
from livevae.latent.space import Space
from livevae.model.config import ModelConfig
from livevae.model.vae import Vae
from livevae.pattern.pattern import VOICES
from livevae.training.attributes import AttributeReport, attribute_report
from livevae.training.curve import RateDistortion, rate_distortion
from livevae.training.dataset import Split
from livevae.training.evaluate import (
    OnsetScores,
    hit_errors,
    onset_scores,
    reconstruct,
    step_accuracy,
    step_lengths,
)
from livevae.training.floors import Floor, floors
from livevae.training.interpolation import Interpolation, interpolation
from livevae.training.realism import Realism, realism
from livevae.training.speed import DecodeTime, decode_time
from livevae.training.units import LatentUse, latent_use

STEP_BY_STEP: Final = 16
"""How many times fewer paths are measured where an LSTM decodes step after step."""

MOST_WINDOWS: Final = 32_768
"""Of a split with more a seeded draw is measured, the same one for every model."""

CURVES: Final = {"all that is played": 1.0, "onsets alone": 0.0}
"""The rate-distortion curves: how much velocity and offset count in each beside the onsets."""


class Report(msgspec.Struct, frozen=True):
    """Reconstruction at z = mu, beside the floors of the same run.

    All ``windows`` of a split are measured, or 32,768 of a larger one.

    ``bits`` is the mean KL from the prior; ``step_accuracy`` the share of steps at which all nine
    voices are right; ``velocity_mae`` is in MIDI units of 127 and ``timing_mae_ms`` in
    milliseconds at each recording's tempo, both over all true hits; and ``zero_offset_mae_ms`` is
    what no microtiming at all would score. The sections after ``floors`` are those that were
    measured.
    """

    split: str
    windows: int
    parameters: int
    onset: OnsetScores
    onset_f1_by_voice: dict[str, float]
    step_accuracy: float
    bits: float
    velocity_mae: float
    timing_mae_ms: float
    zero_offset_mae_ms: float
    floors: dict[str, Floor]
    refined: dict[str, RateDistortion] = {}
    latent: LatentUse | None = None
    interpolation: Interpolation | None = None
    decode: DecodeTime | None = None
    attributes: AttributeReport | None = None
    realism: Realism | None = None


class Extent(msgspec.Struct, frozen=True):
    """How much is measured where a whole split would take long.

    ``refined`` windows have their posteriors refined; 0 leaves the curve out. ``pairs`` of windows
    are interpolated between.
    """

    refined: int = 240
    pairs: int = 1024

    @classmethod
    def of(cls, config: ModelConfig) -> Extent:
        """Return what takes some minutes on a core: little of a decoder that goes by steps."""
        if config.bar_decoder == "parallel":
            return cls()
        return cls(refined=0, pairs=cls().pairs // STEP_BY_STEP)


def evaluate(vae: Vae, training: Split, evaluated: Split, split_name: str) -> Report:
    """Measure how a model reconstructs a split's beats, beside the floors ``training`` sets.

    Raises:
        UsageError: one of the two has no window of the model's bars.
    """
    bars = vae.config.bars
    starts = evaluated.some_starts(bars, MOST_WINDOWS)
    if not len(starts) or not len(training.window_starts(bars)):
        raise UsageError(f"the data has no window of {bars} bars to evaluate on")
    windows = evaluated.take(starts, bars)
    step_ms = step_lengths(evaluated.recordings_of(starts))
    predicted, bits = reconstruct(vae, windows)
    errors = hit_errors(predicted, windows, step_ms)
    return Report(
        split=split_name,
        windows=len(windows),
        parameters=sum(parameter.numel() for parameter in vae.parameters()),
        onset=onset_scores(predicted, windows),
        onset_f1_by_voice={
            name: onset_scores(predicted[:, :, [voice]], windows[:, :, [voice]]).f1
            for voice, name in enumerate(VOICES)
        },
        step_accuracy=step_accuracy(predicted, windows),
        bits=float(bits.mean()),
        velocity_mae=errors.velocity_mae,
        timing_mae_ms=errors.timing_mae_ms,
        zero_offset_mae_ms=hit_errors(np.zeros_like(windows), windows, step_ms).timing_mae_ms,
        floors=floors(training, windows, bars),
    )


def evaluate_fully(
    vae: Vae,
    training: Split,
    evaluated: Split,
    split_name: str,
    extent: Extent,
    space: Space | None = None,
    prior: Prior | None = None,
    seed: int = 0,
    watch: Callable[[str], None] = lambda _: None,
) -> Report:
    """Measure everything there is to a model on a split's beats.

    The attribute knobs are measured if the model has a ``space``, and how like human drumming its
    samples are if it has a ``prior``; what takes two recordings is left out of a split that has
    one. ``watch`` is told what is measured next.

    Raises:
        UsageError: as `evaluate`.
    """
    bars = vae.config.bars
    watch("reconstructing")
    report = evaluate(vae, training, evaluated, split_name)
    starts = evaluated.some_starts(bars, MOST_WINDOWS)
    chosen = starts[np.sort(np.random.default_rng(seed).permutation(len(starts))[: extent.refined])]
    curves = {}
    for name, touch in CURVES.items() if len(chosen) else ():
        watch(f"refining the posteriors of {len(chosen)} windows ({name})")
        step_ms = step_lengths(evaluated.recordings_of(chosen))
        curves[name] = rate_distortion(vae, evaluated.take(chosen, bars), step_ms, touch)
    watch("moving the latent units")
    windows = evaluated.take(starts, bars)
    latent = latent_use(vae, windows, seed)
    watch("interpolating")
    paths = interpolation(vae, evaluated, extent.pairs, seed)
    knobs = None
    if space:
        watch("turning the attribute knobs")
        knobs = attribute_report(vae, space, windows, seed)
    likeness = None
    if prior:
        watch("comparing samples with real beats")
        likeness = realism(vae, prior, training, evaluated, seed)
    watch("timing the decoder")
    return msgspec.structs.replace(
        report,
        refined=curves,
        latent=latent,
        interpolation=paths,
        attributes=knobs,
        realism=likeness,
        decode=decode_time(vae),
    )
