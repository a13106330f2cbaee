"""The training loop: windows in, the best model by validation F1 out."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch

from livevae.model.checkpoint import save_model
from livevae.model.vae import Loss, Vae
from livevae.pattern.pattern import Pattern
from livevae.training import metrics
from livevae.training.batches import Batches
from livevae.training.checkpoints import Header, Origin, Reached, read_header
from livevae.training.config import TrainingConfig
from livevae.training.dataset import Split
from livevae.training.evaluate import onset_scores, reconstruct
from livevae.training.learner import Learner
from livevae.training.metrics import Metrics
from livevae.training.schedule import beta, learning_rate

VALIDATED_WINDOWS: Final = 500
DROPOUT_STREAM: Final = 2


@dataclass(frozen=True)
class State:
    """Where a training stands after a step, for whoever watches it.

    ``metrics`` are there at the steps that are written down; ``progress`` is 0..1.
    """

    step: int
    progress: float
    seconds: float
    best_f1: float
    metrics: Metrics | None


def train(
    folder: Path,
    origin: Origin,
    training: Split,
    held_out: Pattern,
    vae: Vae,
    device: str,
    watch: Callable[[State], None],
    stopped: Callable[[], bool],
) -> bool:
    """Train ``vae`` until the preset's end or until ``stopped``; say whether the end was reached.

    The folder always holds the best model so far by onset F1 on ``held_out`` [n, steps, 9, 3] at
    z = mu: the moving average of the weights. It holds a checkpoint too, from which the training
    goes on where it stood; the same origin makes the same steps, stopped in between or not.

    Raises:
        UsageError: there are no windows of the model's bars to train on, or the checkpoint is
            broken.
        WorkError: the folder cannot be written; the last checkpoint is untouched.
    """
    how = origin.preset.training
    batches = Batches(training, origin.preset, origin.seed)
    learner = Learner(vae, how, device)
    header = read_header(folder)
    if header is None:
        reached = Reached()
        learner.save(folder, Header(origin, reached))
    else:
        reached = header.reached
        learner.resume(folder)
    metrics.cut(folder, reached.step)

    step, best_f1, validated_at = reached.step, reached.best_f1, reached.validated_at
    saved_at = reached.seconds
    began = time.monotonic() - reached.seconds
    progress = _progress(how, step, reached.seconds)
    while progress < 1:
        rate, weight = learning_rate(how, step, progress), beta(how, step, progress)
        torch.manual_seed(_dropout_seed(origin.seed, step))
        batch, noise = batches.batch(step).to(device), batches.noise(step).to(device)
        loss = learner.learn(batch, noise, rate, weight, step)
        step += 1

        seconds = time.monotonic() - began
        progress = _progress(how, step, seconds)
        stop = stopped()
        ends = progress >= 1 or (stop and best_f1 < 0)
        line = None
        if ends or seconds - validated_at >= how.seconds_between_validations:
            predicted, bits = reconstruct(learner.average, held_out)
            f1 = onset_scores(predicted, held_out).f1
            if f1 > best_f1:
                best_f1 = f1
                save_model(learner.average, folder)
            validated_at = seconds = time.monotonic() - began
            line = _metrics(step, seconds, rate, weight, loss, f1, float(bits.mean()))
        elif step % how.steps_between_metrics == 0:
            line = _metrics(step, seconds, rate, weight, loss)
        if line:
            metrics.append(folder, line)
        watch(State(step, progress, seconds, best_f1, line))

        if stop or progress >= 1 or seconds - saved_at >= how.seconds_between_checkpoints:
            reached = Reached(step, seconds, validated_at, best_f1)
            learner.save(folder, Header(origin, reached))
            saved_at = seconds
        if stop:
            break
    return progress >= 1


def held_out_windows(split: Split, bars: int) -> Pattern:
    """Return up to 500 windows of a split's beats, evenly spread: float32[n, bars * 16, 9, 3]."""
    starts = split.window_starts(bars)
    chosen = np.linspace(0, len(starts) - 1, min(len(starts), VALIDATED_WINDOWS)).round()
    return split.take(starts[chosen.astype(np.int64)], bars)


def _progress(how: TrainingConfig, step: int, seconds: float) -> float:
    """Return how far a training is, 0..1: by its steps, or by the clock if it has minutes."""
    done = step / how.steps if how.minutes is None else seconds / (60 * how.minutes)
    return min(1.0, done)


def _dropout_seed(seed: int, step: int) -> int:
    return int(np.random.SeedSequence((seed, step, DROPOUT_STREAM)).generate_state(1)[0])


def _metrics(
    step: int,
    seconds: float,
    rate: float,
    weight: float,
    loss: Loss,
    f1: float | None = None,
    bits: float | None = None,
) -> Metrics:
    return Metrics(
        step=step,
        seconds=round(seconds, 3),
        learning_rate=rate,
        beta=weight,
        loss=loss.total.item(),
        onset=loss.onset.item(),
        velocity=loss.velocity.item(),
        offset=loss.offset.item(),
        bits=loss.bits.item(),
        validation_f1=f1,
        validation_bits=bits,
    )
