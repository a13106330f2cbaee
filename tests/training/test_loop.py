"""The training loop on a few seconds of made-up beats."""

import multiprocessing
import resource
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
import torch

from livevae.errors import UsageError, WorkError
from livevae.model.checkpoint import load_model
from livevae.model.config import ModelConfig
from livevae.model.vae import Vae
from livevae.pattern.pattern import Pattern
from livevae.training import metrics
from livevae.training.checkpoints import CHECKPOINT_FILE, Origin, read_header
from livevae.training.config import Preset, TrainingConfig
from livevae.training.dataset import Split, load_split
from livevae.training.loop import State, held_out_windows, train
from livevae.training.prepare import prepare
from tests.training.beats import every_window, groove

STEPS = 40
PATIENCE_S = 60.0
TINY = Preset(
    model=ModelConfig(bars=2, z_dim=8, width=16, heads=2, bar_width=32, dropout=0.1),
    training=TrainingConfig(
        steps=STEPS,
        batch=16,
        learning_rate=1e-2,
        warmup_steps=5,
        average_decay=0.9,
        styles_share=0.0,
        steps_between_metrics=1,
    ),
)
Data = tuple[Split, Pattern]


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Keep to one thread: the models are too small for more, and sums depend on their number."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of prepared data."""
    folder = tmp_path_factory.mktemp("data")
    prepare([groove(folder / "src")], folder / "out")
    return folder / "out"


def splits(prepared: Path) -> Data:
    """Return a training split and windows of validation."""
    validation = load_split(prepared, "validation")
    return load_split(prepared, "train"), held_out_windows(validation, 2)


@pytest.fixture(scope="module")
def data(prepared: Path) -> Data:
    """Return what all but killed processes train on."""
    return splits(prepared)


def trained(
    folder: Path,
    data: Data,
    stop_at: int | None = None,
    watch: Callable[[State], None] = lambda _: None,
    **how: object,
) -> tuple[bool, list[State]]:
    """Train in a folder, up to some step if one is given; return the end and what was watched."""
    folder.mkdir(exist_ok=True)
    training = msgspec.structs.replace(TINY.training, **how)
    origin = Origin(msgspec.structs.replace(TINY, training=training), seed=3, data="", start="")
    states: list[State] = []

    def see(state: State) -> None:
        states.append(state)
        watch(state)

    torch.manual_seed(3)
    done = train(
        folder,
        origin,
        *data,
        vae=Vae(TINY.model),
        device="cpu",
        watch=see,
        stopped=lambda: states != [] and len(states) + 1 == stop_at,
    )
    return done, states


def losses(folder: Path) -> list[tuple[int, float]]:
    """Return step and loss of every line of a folder's metrics."""
    return [(line.step, line.loss) for line in metrics.read(folder)]


def test_training_learns_and_keeps_the_best(data: Data, tmp_path: Path) -> None:
    """F1 rises well above the untrained model's, and the folder holds the best model."""
    done, states = trained(tmp_path / "m", data, seconds_between_validations=1.0, steps=100)

    scores = [line.validation_f1 for line in metrics.read(tmp_path / "m") if line.validation_f1]
    assert done
    assert states[-1].progress == 1
    assert states[-1].best_f1 == max(scores) > 0.5
    assert load_model(tmp_path / "m").config == TINY.model


def test_the_checkpoint_knows_what_the_best_model_scored(data: Data, tmp_path: Path) -> None:
    """At every step, however rarely it is due: a kill lets no worse model take the best's place."""
    known: list[float] = []

    def look(_: State) -> None:
        header = read_header(tmp_path)
        assert header
        known.append(header.reached.best_f1)

    rarely = {"seconds_between_validations": 1e-6, "seconds_between_checkpoints": 1e6}
    _, states = trained(tmp_path, data, watch=look, **rarely)

    assert known == [-1.0, *(state.best_f1 for state in states[:-1])]
    assert len(set(known)) > 2


def test_a_stopped_training_goes_on_to_the_same_curve(data: Data, tmp_path: Path) -> None:
    """Bit-equal losses and weights, dropout and augmentation included."""
    trained(tmp_path / "whole", data)
    done, _ = trained(tmp_path / "parts", data, stop_at=17)
    assert not done
    done, states = trained(tmp_path / "parts", data)

    assert done
    assert len(states) == STEPS - 17
    assert losses(tmp_path / "parts") == losses(tmp_path / "whole")
    parts, whole = (load_model(tmp_path / name).state_dict() for name in ("parts", "whole"))
    assert all(torch.equal(parts[name], whole[name]) for name in whole)


def keep_training(folder: Path, data: Path) -> None:
    """Train with a checkpoint after every step, and never end: what a process to be killed does."""

    def wait_before_the_end(state: State) -> None:
        if state.step == STEPS - 1:
            threading.Event().wait()

    torch.set_num_threads(1)
    trained(folder, splits(data), watch=wait_before_the_end, seconds_between_checkpoints=1e-6)


def test_a_killed_training_goes_on_to_the_same_curve(prepared: Path, tmp_path: Path) -> None:
    """A real process, killed in the middle of its work, whatever it was doing."""
    data = splits(prepared)
    trained(tmp_path / "whole", data)
    context = multiprocessing.get_context("spawn")
    parts = tmp_path / "parts"
    process = context.Process(target=keep_training, args=(parts, prepared), daemon=True)
    process.start()
    deadline = time.monotonic() + PATIENCE_S
    while process.is_alive() and len(metrics.read(parts)) < 5 and time.monotonic() < deadline:
        time.sleep(0.01)
    process.kill()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    _, states = trained(parts, data, seconds_between_checkpoints=1e-6)

    assert 0 < len(states) < STEPS
    assert losses(parts) == losses(tmp_path / "whole")


def test_a_disk_that_fills_up_leaves_the_last_good_checkpoint(data: Data, tmp_path: Path) -> None:
    """One sentence, nothing half written, and with more room it goes on."""
    trained(tmp_path, data, stop_at=3)
    checkpoint = (tmp_path / CHECKPOINT_FILE).read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(checkpoint) // 2, hard))
    try:
        with pytest.raises(WorkError, match=r"training\.safetensors cannot be written"):
            trained(tmp_path, data, stop_at=3)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert (tmp_path / CHECKPOINT_FILE).read_bytes() == checkpoint
    assert not list(tmp_path.glob(".*"))
    trained(tmp_path, data, stop_at=3)
    assert [step for step, _ in losses(tmp_path)] == [1, 2, 3, 4, 5, 6]


def test_what_was_written_after_the_checkpoint_is_written_again_once(
    data: Data, tmp_path: Path
) -> None:
    """Lines from the future and a half line, as a kill leaves them, are gone."""
    trained(tmp_path, data, stop_at=5)
    path = tmp_path / metrics.METRICS_FILE
    last = path.read_text().splitlines()[-1]
    path.write_text(path.read_text() + last.replace('"step":5', '"step":7') + '\n{"step":8,"se')
    trained(tmp_path, data, stop_at=3)

    assert [step for step, _ in losses(tmp_path)] == [1, 2, 3, 4, 5, 6, 7, 8]


def test_a_training_stopped_before_any_validation_leaves_a_model(
    data: Data, tmp_path: Path
) -> None:
    """The folder can be loaded."""
    trained(tmp_path, data, stop_at=2)

    assert torch.isfinite(load_model(tmp_path).decode(torch.zeros(1, 8))).all()


def test_a_finished_training_does_nothing_more(data: Data, tmp_path: Path) -> None:
    """Given again before its checkpoint is removed, it is done at once."""
    trained(tmp_path, data, steps=3)
    done, states = trained(tmp_path, data, steps=3)

    assert done
    assert not states


def test_with_minutes_the_clock_ends_the_training(data: Data, tmp_path: Path) -> None:
    """After about two seconds, the learning rate fallen to its end, whatever the steps."""
    done, states = trained(tmp_path, data, minutes=0.03, steps=1)
    rates = [line.learning_rate for line in metrics.read(tmp_path)]

    assert done
    assert states[-1].seconds >= 1.8
    assert rates[-1] < 0.1 * max(rates)


def test_a_checkpoint_of_another_training_is_refused(data: Data, tmp_path: Path) -> None:
    """One sentence for a broken file."""
    trained(tmp_path, data, stop_at=2)
    path = tmp_path / CHECKPOINT_FILE
    path.write_bytes(path.read_bytes()[:-100])

    with pytest.raises(UsageError, match="broken"):
        trained(tmp_path, data)


def test_validation_looks_at_no_more_than_500_windows(data: Data) -> None:
    """Evenly spread, the first and the last among them; none where none is long enough."""
    training, _ = data
    many = Split(training.recordings * 30, training.cells)
    assert len(held_out_windows(many, 2)) == 500
    assert (held_out_windows(training, 2) == every_window(training, 2)).all()
    assert len(held_out_windows(training, 16)) == 0
