"""How a model is trained: the one description of a training, and the presets that come with it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec

from livevae.errors import UsageError
from livevae.model.config import ModelConfig
from livevae.training.augment import Augmentation, Probability

PRESETS_FOLDER: Final = Path(__file__).parent / "presets"
MAX_PRESET_BYTES: Final = 64 * 1024

Positive = Annotated[float, msgspec.Meta(gt=0)]
NotNegative = Annotated[float, msgspec.Meta(ge=0)]
Whole = Annotated[int, msgspec.Meta(ge=1)]
Count = Annotated[int, msgspec.Meta(ge=0)]


class TrainingConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a model is trained.

    **Length.** ``steps`` of the optimizer; with ``minutes`` the clock ends the training instead,
    and the learning rate follows the clock. **Rate.** ``learning_rate`` after a linear warm-up,
    falling to ``final_rate`` of it along a cosine or an exponential. **Batch.** ``batch`` windows
    a step, over all processes together. ``styles_share`` of them are of the grammar of electronic
    styles (``styles_recordings`` made of each); of the others ``fills_share`` have a fill: with
    ``fill_ends`` a beat's last bars give way to it, else the window lies in a fill long enough.

    **Objective.** ``beta`` weighs the KL beyond ``free_bits``. It rises linearly over
    ``beta_warmup_steps``; with ``beta_cycles`` it starts from nothing that many times, rising over
    the first half of each cycle (Fu et al. 2019, "Cyclical Annealing Schedule").
    With ``scheduled_sampling`` k, an LSTM bar decoder is given the true step before with a
    probability of k / (k + exp(step / k)), else its own (Bengio et al. 2015, inverse sigmoid).
    ``average_decay`` is that of the exponential moving average of the weights, which is what is
    validated and kept.
    """

    steps: Whole = 12_000
    minutes: Positive | None = None
    batch: Whole = 64
    learning_rate: Positive = 1e-3
    rate_decay: Literal["cosine", "exponential"] = "cosine"
    final_rate: Annotated[float, msgspec.Meta(gt=0, le=1)] = 0.02
    warmup_steps: Whole = 200
    weight_decay: NotNegative = 0.02
    clip_norm: Positive = 1.0
    average_decay: Annotated[float, msgspec.Meta(ge=0, lt=1)] = 0.998
    beta: NotNegative = 0.15
    beta_warmup_steps: Whole = 1000
    beta_cycles: Count = 0
    free_bits: NotNegative = 48.0
    scheduled_sampling: NotNegative = 0.0
    styles_share: Probability = 0.25
    styles_recordings: Whole = 60
    fills_share: Probability = 0.1
    fill_ends: bool = True
    seconds_between_validations: Positive = 60.0
    seconds_between_checkpoints: Positive = 120.0
    steps_between_metrics: Whole = 20
    augmentation: Augmentation = Augmentation()


class Preset(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A model and its training, as ``livevae train --config`` reads them."""

    model: ModelConfig = ModelConfig()
    training: TrainingConfig = TrainingConfig()


def preset_names() -> list[str]:
    """Return the names of the presets in the package."""
    return sorted(path.stem for path in PRESETS_FOLDER.glob("*.toml"))


def load_preset(name_or_file: str) -> Preset:
    """Read a preset of the package by its name, or a TOML file.

    Raises:
        UsageError: there is none, or it is not a training configuration.
    """
    known = preset_names()
    path = Path(name_or_file).expanduser()
    if name_or_file in known:
        path = PRESETS_FOLDER / f"{name_or_file}.toml"
    elif path.suffix != ".toml":
        raise UsageError(
            f"there is no preset {name_or_file!r}; give a .toml file or one of {', '.join(known)}"
        )
    try:
        with path.open("rb") as file:
            content = file.read(MAX_PRESET_BYTES + 1)
        if len(content) > MAX_PRESET_BYTES:
            raise UsageError(f"{path} is larger than a training configuration can be")
        return msgspec.toml.decode(content, type=Preset)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}") from None
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise UsageError(f"{path} is not a training configuration: {error}") from None
