"""The training loop: windows in, the best model by validation F1 out."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import torch

from livevae.errors import UsageError
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
from livevae.training.ranks import ALONE, Ranks
from livevae.training.schedule import Moment, moment

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
    ranks: Ranks = ALONE,
) -> bool:
    """Train ``vae`` until the preset's end or until ``stopped``; say whether the end was reached.

    The folder always holds the best model so far by onset F1 on ``held_out`` [n, steps, 9, 3] at
    z = mu: the moving average of the weights. It holds a checkpoint too, from which the training
    goes on where it stood; the same origin makes the same steps, stopped in between or not.
    A checkpoint follows each best model, so that no worse one takes its place after a kill.

    Of several processes, each takes its part of every batch, and the first one does all else.

    Raises:
        UsageError: there are no windows of the model's bars to train on, the checkpoint is
            broken, or the processes cannot share a batch evenly.
        WorkError: the folder cannot be written; the last checkpoint is untouched.
    """
    how = origin.preset.training
    if how.batch % ranks.world:
        raise UsageError(f"{ranks.world} processes cannot share a batch of {how.batch} evenly")
    batches = Batches(training, origin.preset, origin.seed)
    learner = Learner(vae, how, device, ranks)
    header = read_header(folder)
    reached = header.reached if header else Reached()
    if header:
        learner.resume(folder)
    elif ranks.first:
        learner.save(folder, Header(origin, reached))
    if ranks.first:
        metrics.cut(folder, reached.step)

    step, seconds, best_f1 = reached.step, reached.seconds, reached.best_f1
    validated_at, saved_at = reached.validated_at, seconds
    began = time.monotonic() - seconds
    progress, stop = _progress(how, step, seconds), False
    while progress < 1 and not stop:
        now = moment(how, step, progress)
        torch.manual_seed(_dropout_seed(origin.seed, step, ranks.rank))
        batch = ranks.share(batches.batch(step)).to(device)
        noise = ranks.share(batches.noise(step)).to(device)
        loss = learner.learn(batch, noise, now)
        step += 1

        seconds, interrupted = ranks.agreed([time.monotonic() - began, stopped()], device)
        progress, stop = _progress(how, step, seconds), bool(interrupted)
        validates = progress >= 1 or seconds - validated_at >= how.seconds_between_validations
        validates = validates or (stop and validated_at == 0)
        line = None
        if validates or step % how.steps_between_metrics == 0:
            line = _metrics(seconds, now, loss, ranks)
        if validates:
            validated_at = seconds
        if not ranks.first:
            continue
        saves = stop or progress >= 1 or seconds - saved_at >= how.seconds_between_checkpoints
        if line and validates:
            f1, bits = _validated(learner.average, held_out)
            line = msgspec.structs.replace(line, validation_f1=f1, validation_bits=bits)
            if f1 > best_f1:
                best_f1 = f1
                save_model(learner.average, folder)
                saves = True
        if line:
            metrics.append(folder, line)
        watch(State(step, progress, seconds, best_f1, line))
        if saves:
            saved_at = seconds
            learner.save(folder, Header(origin, Reached(step, seconds, validated_at, best_f1)))
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


def _dropout_seed(seed: int, step: int, rank: int) -> int:
    return int(np.random.SeedSequence((seed, step, DROPOUT_STREAM, rank)).generate_state(1)[0])


def _validated(vae: Vae, held_out: Pattern) -> tuple[float, float]:
    """Return onset F1 and KL bits at z = mu."""
    predicted, bits = reconstruct(vae, held_out)
    return onset_scores(predicted, held_out).f1, float(bits.mean())


def _metrics(seconds: float, now: Moment, loss: Loss, ranks: Ranks) -> Metrics:
    """Sum up a step; of several processes, the mean of their parts of the batch."""
    parts = torch.stack([loss.total, loss.onset, loss.velocity, loss.offset, loss.bits])
    total, onset, velocity, offset, bits = ranks.mean(parts).tolist()
    return Metrics(
        step=now.step + 1,
        seconds=round(seconds, 3),
        learning_rate=now.learning_rate,
        beta=now.beta,
        loss=total,
        onset=onset,
        velocity=velocity,
        offset=offset,
        bits=bits,
    )
