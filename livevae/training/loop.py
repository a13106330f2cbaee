"""The training loop: windows in, the best model by validation F1 out."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Final

import msgspec
import torch
from torch import Tensor

from livevae.errors import UsageError
from livevae.model.config import ModelConfig
from livevae.model.vae import Loss, LossWeights, Vae
from livevae.training.augment import Augmentation, augmented, occupied
from livevae.training.dataset import Split, unpack
from livevae.training.evaluate import onset_scores, reconstruct

Positive = Annotated[float, msgspec.Meta(gt=0)]
NotNegative = Annotated[float, msgspec.Meta(ge=0)]
Whole = Annotated[int, msgspec.Meta(ge=1)]


class TrainingConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a model is trained; the learning rate falls along a cosine over ``minutes``."""

    minutes: Positive = 50.0
    batch: Whole = 64
    learning_rate: Positive = 1e-3
    warmup_steps: Whole = 200
    weight_decay: NotNegative = 0.02
    clip_norm: Positive = 1.0
    average_decay: Annotated[float, msgspec.Meta(ge=0, lt=1)] = 0.998
    velocity_weight: NotNegative = 10.0
    offset_weight: NotNegative = 10.0
    beta: NotNegative = 0.15
    beta_warmup_steps: Whole = 1000
    free_bits: NotNegative = 48.0
    seconds_between_validations: Positive = 60.0
    augmentation: Augmentation = Augmentation()


class Preset(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A model and its training, as ``livevae train --config FILE.toml`` reads them."""

    model: ModelConfig = ModelConfig()
    training: TrainingConfig = TrainingConfig()


PRESETS: Final = {
    "groove-2bar": Preset(model=ModelConfig(bars=2, z_dim=96)),
    "groove-4bar": Preset(),
}


@dataclass(frozen=True)
class State:
    """Where a training stands after a step, for whoever watches it."""

    step: int
    loss: Loss
    validation_f1: float
    validation_bits: float
    best_f1: float
    validated: bool
    seconds_left: float


def train(
    training: Split,
    validation: Split,
    preset: Preset,
    save_best: Callable[[Vae], None],
    watch: Callable[[State], None],
    seed: int = 0,
    device: str = "cpu",
) -> Vae:
    """Train a model for the preset's minutes and return the best by validation F1 at z = mu.

    What is validated, saved and returned is the exponential moving average of the weights.
    Ctrl-C ends the training early, with the best so far.

    Raises:
        UsageError: there are no windows of the model's bars to train or validate on.
    """
    how = preset.training
    torch.manual_seed(seed)
    batches = _Batches(training, preset, device)
    held_out = validation.windows(preset.model.bars)
    if not len(held_out):
        raise UsageError(f"no validation recording is {preset.model.bars} bars long; give more")

    vae = Vae(preset.model).to(device)
    average = copy.deepcopy(vae).eval()
    best = copy.deepcopy(average)
    optimizer = torch.optim.AdamW(
        vae.parameters(), lr=how.learning_rate, betas=(0.9, 0.98), weight_decay=how.weight_decay
    )
    kind, bf16 = torch.device(device).type, _computes_in_bfloat16(device)
    best_f1, f1, bits = -1.0, 0.0, 0.0
    step = 0
    started = validated_at = time.monotonic()
    ends = started + 60 * how.minutes
    try:
        while True:
            progress = min(1.0, (time.monotonic() - started) / (ends - started))
            for group in optimizer.param_groups:
                group["lr"] = how.learning_rate * _rate(step, progress, how.warmup_steps)
            with torch.autocast(kind, torch.bfloat16, enabled=bf16):
                loss = vae.loss(batches.next(), _weights(how, step))
            optimizer.zero_grad(set_to_none=True)
            loss.total.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(vae.parameters(), how.clip_norm)
            optimizer.step()
            step += 1
            _follow(average, vae, min(how.average_decay, step / (step + 10)))

            now = time.monotonic()
            last = now >= ends
            validate = last or now - validated_at >= how.seconds_between_validations
            if validate:
                predicted, kl_bits = reconstruct(average, held_out)
                f1, bits = onset_scores(predicted, held_out).f1, float(kl_bits.mean())
                validated_at = time.monotonic()
                if f1 > best_f1:
                    best_f1 = f1
                    best.load_state_dict(average.state_dict())
                    save_best(best)
            watch(State(step, loss, f1, bits, best_f1, validate, max(0.0, ends - now)))
            if last:
                break
    except KeyboardInterrupt:
        if best_f1 < 0:
            best.load_state_dict(average.state_dict())
            save_best(best)
    return best


class _Batches:
    """Augmented batches of random windows: [batch, bars * 16, 9, 3] each."""

    def __init__(self, split: Split, preset: Preset, device: str) -> None:
        self._bars = torch.from_numpy(unpack(split.cells))
        self._lent = occupied(self._bars)
        self._starts = torch.from_numpy(split.window_starts(preset.model.bars))
        self._window = torch.arange(preset.model.bars)
        self._batch = preset.training.batch
        self._augmentation = preset.training.augmentation
        self._device = device
        if not len(self._starts) or not len(self._lent):
            raise UsageError(f"no training recording is {preset.model.bars} bars long; give more")

    def next(self) -> Tensor:
        chosen = self._starts[torch.randint(len(self._starts), (self._batch,))]
        windows = self._bars[chosen[:, None] + self._window]
        changed = augmented(windows, self._lent, self._augmentation)
        return changed.flatten(1, 2).to(self._device)


def _computes_in_bfloat16(device: str) -> bool:
    """Say whether bfloat16 is the faster arithmetic there: on a CPU, if it has it in hardware."""
    return torch.device(device).type == "cuda" or torch.cpu._is_avx512_bf16_supported()


def _rate(step: int, progress: float, warmup_steps: int) -> float:
    """Return the learning rate's factor: a linear warm-up, then half a cosine down to 2%."""
    warmup = min(1.0, (step + 1) / warmup_steps)
    return warmup * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * progress)))


def _weights(how: TrainingConfig, step: int) -> LossWeights:
    """Return the weights of the loss at a step: beta rises linearly to its full value."""
    return LossWeights(
        velocity=how.velocity_weight,
        offset=how.offset_weight,
        beta=how.beta * min(1.0, step / how.beta_warmup_steps),
        free_bits=how.free_bits,
    )


@torch.no_grad()
def _follow(average: Vae, vae: Vae, decay: float) -> None:
    """Move the averaged weights towards those being trained."""
    ours: list[Tensor] = list(average.parameters())
    theirs: list[Tensor] = list(vae.parameters())
    torch._foreach_lerp_(ours, theirs, 1 - decay)
