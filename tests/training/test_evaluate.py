"""The scores of what a model plays against what was played."""

import threading

import numpy as np
import pytest
import torch

from livevae.model.device import threads
from livevae.training import evaluate as subject
from livevae.training.dataset import Recording
from tests.model.test_vae import beats, small
from tests.training.beats import beat


def test_f1_is_over_all_cells_together() -> None:
    """Two hits found of three true, and one false: P 2/3, R 2/3, F1 2/3."""
    truth, predicted = np.zeros((2, 16, 9, 3)), np.zeros((2, 16, 9, 3))
    truth[0, :3, 0, 0] = 1
    predicted[0, 1:3, 0, 0], predicted[1, 0, 0, 0] = 0.5, 0.9
    predicted[1, 5, 5, 0] = 0.49

    scores = subject.onset_scores(predicted, truth)
    assert (scores.f1, scores.precision, scores.recall) == pytest.approx((2 / 3, 2 / 3, 2 / 3))


def test_silence_scores_nothing() -> None:
    """No cell-wise accuracy hides here: silence finds no hit."""
    truth = beat(0)[None]
    assert subject.onset_scores(np.zeros_like(truth), truth).f1 == 0


def test_a_step_is_right_if_all_its_voices_are() -> None:
    """One wrong voice of nine spoils one step of sixteen; a second in the same step no more."""
    truth, predicted = np.zeros((1, 16, 9, 3)), np.zeros((1, 16, 9, 3))
    predicted[0, 4, 2:4, 0] = 1
    assert subject.step_accuracy(predicted, truth) == pytest.approx(15 / 16)


def test_errors_are_over_true_hits_only_in_midi_units_and_milliseconds() -> None:
    """A tenth of full velocity is 12.7; a tenth of a step at 100 bpm is 15 ms."""
    truth = beat(0)[None]
    predicted = truth + np.array([0, 0.1, 0.1], np.float32) * truth[..., :1]
    predicted[truth[..., 0] == 0, 1:] = 0.4
    step_ms = subject.step_lengths([Recording("a.mid", 0, 6, bpm=100)])

    errors = subject.hit_errors(predicted, truth, step_ms)
    assert errors.velocity_mae == pytest.approx(12.7, rel=1e-4)
    assert errors.timing_mae_ms == pytest.approx(15.0, rel=1e-4)


def test_no_hits_make_no_errors() -> None:
    silence = np.zeros((1, 16, 9, 3), np.float32)
    errors = subject.hit_errors(silence, silence, np.ones(1, np.float32))
    assert (errors.velocity_mae, errors.timing_mae_ms) == (0, 0)


@pytest.mark.parametrize("count", [1, 2])
def test_batches_change_nothing(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    """Seven windows in batches of three are what they are one by one, on two threads too."""
    vae, windows = small(), beats(7, 2).numpy()
    with torch.no_grad():
        mu, sigma = vae.encode(torch.from_numpy(windows))
        patterns = vae.decode(mu)
    monkeypatch.setattr("livevae.model.device.BATCH", 3)

    with threads(count):
        for given, wanted in zip(subject.encoded(vae, windows), (mu, sigma), strict=True):
            assert given == pytest.approx(wanted.numpy(), abs=1e-6)
        assert subject.decoded(vae, mu.numpy()) == pytest.approx(patterns.numpy(), abs=1e-6)


def test_batches_run_side_by_side_on_one_thread_each(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two threads meet in the model, neither with a thread of torch's beside; both are returned."""
    vae, meeting, counts = small(), threading.Barrier(2, timeout=10), []
    decode = vae.decode

    def met(z: torch.Tensor) -> torch.Tensor:
        meeting.wait()
        counts.append(torch.get_num_threads())
        return decode(z)

    monkeypatch.setattr(vae, "decode", met)
    monkeypatch.setattr("livevae.model.device.BATCH", 3)
    with threads(2):
        subject.decoded(vae, np.zeros((6, 8), np.float32))
        assert torch.get_num_threads() == 2
    assert counts == [1, 1]
