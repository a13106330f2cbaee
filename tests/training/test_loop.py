"""The training loop on a few seconds of made-up beats."""

import msgspec
import pytest
import torch

from livevae.errors import UsageError
from livevae.model.config import ModelConfig
from livevae.model.vae import Vae
from livevae.training.dataset import Split, load_split
from livevae.training.loop import PRESETS, Preset, State, TrainingConfig, _rate, _weights, train
from livevae.training.prepare import prepare
from tests.training.beats import groove

TINY = Preset(
    model=ModelConfig(bars=2, z_dim=8, width=16, heads=2, bar_width=32, dropout=0.0),
    training=TrainingConfig(
        minutes=0.05,
        batch=16,
        learning_rate=5e-3,
        warmup_steps=5,
        average_decay=0.9,
        seconds_between_validations=1.0,
    ),
)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> tuple[Split, Split]:
    """Return training and validation splits."""
    folder = tmp_path_factory.mktemp("data")
    prepare([groove(folder / "src")], folder / "out")
    return load_split(folder / "out", "train"), load_split(folder / "out", "validation")


def test_training_learns_and_keeps_the_best(data: tuple[Split, Split]) -> None:
    """F1 rises well above the untrained model's, and each save is better than the one before."""
    states: list[State] = []
    saved: list[float] = []
    best = train(
        *data,
        TINY,
        save_best=lambda _: saved.append(1.0),
        watch=states.append,
    )

    scores = [state.validation_f1 for state in states if state.validated]
    assert scores[-1] > 0.5
    assert len(saved) == sum(
        score > max([-1.0, *scores[:index]]) for index, score in enumerate(scores)
    )
    assert states[-1].best_f1 == max(scores)
    assert states[-1].seconds_left == 0
    assert not best.training


def test_an_interrupt_keeps_the_best_so_far(data: tuple[Split, Split]) -> None:
    """Ctrl-C before any validation still saves, once, and returns a model."""
    saved: list[Vae] = []

    def interrupt(state: State) -> None:
        if state.step == 3:
            raise KeyboardInterrupt

    model = train(*data, TINY, save_best=saved.append, watch=interrupt)

    assert len(saved) == 1
    assert torch.isfinite(model.decode(torch.zeros(1, 8))).all()


def test_recordings_too_short_for_the_model_are_one_sentence(data: tuple[Split, Split]) -> None:
    """Windows of 16 bars cannot be cut from 6."""
    long = msgspec.structs.replace(TINY, model=ModelConfig(bars=16))
    with pytest.raises(UsageError, match="16 bars"):
        train(*data, long, save_best=lambda _: None, watch=lambda _: None)


def test_the_learning_rate_warms_up_and_falls_along_a_cosine() -> None:
    """From a step's share of the warm-up to full, half way at a half, 2% at the end."""
    assert _rate(0, 0.0, 100) == pytest.approx(0.01)
    assert _rate(100, 0.0, 100) == pytest.approx(1)
    assert _rate(100, 0.5, 100) == pytest.approx(0.51)
    assert _rate(100, 1.0, 100) == pytest.approx(0.02)


def test_beta_warms_up_to_its_full_value() -> None:
    """The KL is free at first and never dearer than beta."""
    how = TrainingConfig(beta=0.2, beta_warmup_steps=100)

    assert [_weights(how, step).beta for step in (0, 50, 100, 500)] == [0, 0.1, 0.2, 0.2]


def test_every_preset_builds() -> None:
    """The presets' models are sound."""
    for preset in PRESETS.values():
        preset.model.check("preset")
        Vae(preset.model)
