"""The warm model and the decoder process, on a tiny real model."""

import itertools
import math
import shutil
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import numpy as np
import pytest

from livevae.config import Config
from livevae.daemon.offline import play
from livevae.decoder.bank import Bank, Shape
from livevae.decoder.hand import filled
from livevae.decoder.process import Orders, Status
from livevae.decoder.service import PAUSE_NS, PIECE_NS, Service, WarmModel
from livevae.errors import LiveVAEError, UsageError, WorkError
from livevae.latent.lattice import REST
from livevae.midi.recording import write_recording
from livevae.model.checkpoint import load_model, save_model
from livevae.model.vae import Vae
from livevae.parameters import POSITION
from livevae.pattern.pattern import validated
from livevae.pattern.render import render
from livevae.player.performance import Performance
from tests.latent.test_space import space
from tests.model.test_vae import small
from tests.player.ledger import notes
from tests.player.stage import KIT

SHAPE = Shape(32, 2, 2)


def position(x: float, axis: float = 0.0) -> np.ndarray:
    """Return a position with the first axis given."""
    return np.array([x, 0.5, axis, *[0.0] * (len(POSITION) - 3)], np.float32)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a model of two bars that has learnt nothing."""
    folder = tmp_path_factory.mktemp("tiny")
    save_model(small(), folder)
    space(8).save(folder)
    return folder


def test_a_decode_is_a_valid_pattern_and_the_same_every_time(model: Path) -> None:
    """And moves with the map and with the axes."""
    warm = WarmModel(model, "cpu", 1)
    pattern = warm.decode(position(0.2))
    np.testing.assert_array_equal(validated(pattern), pattern)
    np.testing.assert_array_equal(warm.decode(position(0.2)), pattern)
    assert (warm.decode(position(0.9)) != pattern).any()
    assert (warm.decode(position(0.2, 1.0)) != pattern).any()


def test_the_service_answers_each_request_once_and_the_latest_only(model: Path) -> None:
    """What was wanted in between is never decoded."""
    bank = Bank.in_memory(SHAPE)
    service = Service(bank, WarmModel(model, "cpu", 1))
    assert not service.answer()
    for x in (0.1, 0.2, 0.3):
        bank.want(position(x))
    assert service.answer()
    assert not service.answer()
    assert service.decodes == 1
    assert bank.exact(position(0.3)) is not None
    assert bank.exact(position(0.2)) is None


class Recorded:
    """A model that keeps what it was asked to decode, batch by batch; each piece takes a time."""

    def __init__(self, took_ns: int = 1_000_000) -> None:
        self.steps = SHAPE.steps
        self.batches: list[np.ndarray] = []
        self.now_ns = 0
        self.took_ns = took_ns
        """For each position, so that a clock moves only as work is done."""

    def decode(self, position: np.ndarray) -> np.ndarray:
        """Decode one position."""
        pattern: np.ndarray = self.decode_many(position[None])[0]
        return pattern

    def decode_many(self, positions: np.ndarray) -> np.ndarray:
        """Return a pattern for each position, all of its x."""
        self.batches.append(positions)
        self.now_ns += self.took_ns * len(positions)
        return np.tile(positions[:, :1, None, None], (1, self.steps, 9, 3))


@pytest.fixture
def recorded() -> Recorded:
    """Return a recorded model."""
    return Recorded()


def service_on(model: Recorded, shape: Shape = SHAPE) -> tuple[Bank, Service]:
    """Return a bank and a service over it, on clocks that the model's work moves."""
    bank = Bank.in_memory(shape)
    return bank, Service(bank, model, lambda: model.now_ns, lambda: model.now_ns)


def until_idle(service: Service, model: Recorded) -> None:
    """Let the service do all there is, and time pass where it wants it to."""
    while (pause_ns := service.work()) is not None:
        model.now_ns += pause_ns


def knob(x: int, axis: float = 0.0) -> np.ndarray:
    """Return the position with x at a value of a control change."""
    return position(x / 127, axis)


def test_first_comes_the_wish_then_its_fill_then_what_a_moving_hand_will_want_then_the_map(
    recorded: Recorded,
) -> None:
    """And then there is nothing to do."""
    bank, service = service_on(recorded)
    bank.want(knob(10))
    assert service.answer()
    bank.want(knob(11))
    until_idle(service, recorded)
    order = np.concatenate(recorded.batches)
    np.testing.assert_array_equal(order[:2], [knob(10), knob(11)])
    np.testing.assert_array_equal(order[2:6], [filled(knob(11)), knob(12), knob(13), knob(14)])
    assert sorted(map(tuple, order[6:, :2])) == [(0, 0), (0, 1), (1, 0), (1, 1)]
    for number in range(10, 15):
        assert bank.exact(knob(number)) is not None
    assert bank.exact(filled(knob(11))) is not None


def test_a_foreseen_wish_is_not_decoded_again_and_the_hand_is_foreseen_further(
    recorded: Recorded,
) -> None:
    """One more each time: the answers keep ahead of the hand."""
    bank, service = service_on(recorded)
    for number in (10, 11):
        bank.want(knob(number))
        until_idle(service, recorded)
    recorded.batches.clear()
    bank.want(knob(12))
    until_idle(service, recorded)
    expected = [filled(knob(12)), knob(15)]
    np.testing.assert_array_equal(np.concatenate(recorded.batches), expected)
    assert service.decodes == 2


def test_while_a_hand_moves_nothing_is_decoded_but_what_it_wants(recorded: Recorded) -> None:
    """A hundred wishes a second; the map around each would be nobody's soon."""
    bank, service = service_on(recorded)
    for number in range(100):
        bank.want(position(0.5, number / 100))
        until_ns = recorded.now_ns + 10_000_000
        while recorded.now_ns < until_ns:
            pause_ns = service.work()
            assert pause_ns is not None
            recorded.now_ns += min(pause_ns, until_ns - recorded.now_ns)
    assert [len(batch) for batch in recorded.batches] == [1] * 100
    until_idle(service, recorded)
    assert len(bank.stale(position(0.5, 0.99), 100)[0]) == 0


def test_a_new_wish_waits_for_one_piece_of_work_at_most(recorded: Recorded) -> None:
    """Whether positions ahead or cells of the map are being decoded."""
    bank, service = service_on(recorded, Shape(32, 33, 33))
    bank.want(position(0.4, 0.1))
    for number in range(200):
        recorded.now_ns += service.work() or 0
        if number % 7 == 0:
            wish = position(number**3 / 1e7, 0.2)
            bank.want(wish)
            service.work()
            np.testing.assert_array_equal(recorded.batches[-1], [wish])
            assert bank.exact(wish) is not None


@pytest.mark.parametrize("each_ns", [200_000, 1_000_000, 3_000_000, 20_000_000])
def test_a_piece_of_work_is_as_large_as_a_wish_may_wait(recorded: Recorded, each_ns: int) -> None:
    """About five milliseconds, however fast the device; for a slow one half a decode more."""
    recorded.took_ns = each_ns
    bank, service = service_on(recorded, Shape(32, 33, 33))
    bank.want(position(0.4, 0.1))
    until_idle(service, recorded)
    assert sum(map(len, recorded.batches)) == 2 + 33 * 33
    sizes = [len(batch) for batch in recorded.batches[10:-1]]
    piece_ns = max(PIECE_NS, 1.5 * each_ns)
    assert max(sizes) * each_ns <= piece_ns + each_ns
    assert min(sizes) >= max(0.7 * piece_ns / each_ns - 1, 1)


def test_a_device_that_is_fast_enough_decodes_the_whole_map_at_once(recorded: Recorded) -> None:
    """When an axis has moved; it has learnt by then how fast it is."""
    recorded.took_ns = 2_000
    bank, service = service_on(recorded, Shape(32, 33, 33))
    for axis in (0.1, 0.2, 0.3):
        bank.want(position(0.5, axis))
        recorded.batches.clear()
        until_idle(service, recorded)
    assert max(map(len, recorded.batches)) == 33 * 33


def test_an_axis_that_moves_makes_the_map_anew_around_the_cursor_and_x_does_not(
    recorded: Recorded,
) -> None:
    """In the new context, outward."""
    bank, service = service_on(recorded, Shape(32, 9, 9))
    bank.want(position(0.5, 0.1))
    until_idle(service, recorded)
    recorded.batches.clear()
    bank.want(position(0.51, 0.1))
    assert service.answer()
    assert len(bank.stale(position(0.51, 0.1), 100)[0]) == 0
    turned = position(0.25, 0.7)
    bank.want(turned)
    assert service.answer()
    assert len(bank.stale(turned, 100)[0]) == 81
    recorded.batches.clear()
    until_idle(service, recorded)
    cells = np.concatenate(recorded.batches)[-81:]
    assert (cells[:, 2] == np.float32(0.7)).all()
    away = np.hypot(cells[:, 0] - 0.25, cells[:, 1] - 0.5)
    assert (np.diff(away) >= -1e-6).all()


def test_the_map_is_what_the_model_decodes_there(model: Path) -> None:
    """A cell of the map is as exact as an answer."""
    bank = Bank.in_memory(SHAPE)
    warm = WarmModel(model, "cpu", 1)
    service = Service(bank, warm, itertools.count(0, PAUSE_NS).__next__)
    bank.want(position(0.3, 0.5))
    while service.work() is not None:
        pass
    corner = position(1.0, 0.5)
    corner[1] = 0.0
    np.testing.assert_allclose(bank.exact(corner), warm.decode(corner), atol=1e-6)
    np.testing.assert_array_equal(bank.nearest(corner), bank.exact(corner))


def test_a_bank_for_patterns_of_another_length_is_refused_before_any_answer(model: Path) -> None:
    """The model's folder was replaced while the instrument ran."""
    with pytest.raises(WorkError, match=r"32 steps.* holds 64"):
        Service(Bank.in_memory(Shape(64, 2, 2)), WarmModel(model, "cpu", 1))


def test_a_space_of_another_model_is_refused_in_a_sentence(model: Path, tmp_path: Path) -> None:
    """Not by torch, at the first decode."""
    shutil.copytree(model, tmp_path / "mixed")
    space(16).save(tmp_path / "mixed")
    with pytest.raises(UsageError, match=r"mixed.*16 dimensions, its model 8; fetch"):
        WarmModel(tmp_path / "mixed", "cpu", 1)


def test_a_decode_that_is_no_pattern_is_refused_in_a_sentence(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Finite weights can still make NaN, which would be heard as anything."""

    def exploding(folder: Path) -> Vae:
        vae = load_model(folder)
        vae.decoder.conductor.start.weight.data.fill_(math.nan)
        return vae

    monkeypatch.setattr("livevae.decoder.engine.load_model", exploding)
    with pytest.raises(WorkError, match=r"does not decode to a pattern.*finite") as caught:
        WarmModel(model, "cpu", 1)
    assert str(model) in str(caught.value)


def test_a_folder_that_is_no_model_is_refused_in_a_sentence(tmp_path: Path) -> None:
    """Not in a traceback."""
    with pytest.raises(LiveVAEError):
        WarmModel(tmp_path, "cpu", 1)


def test_the_decoder_process_answers_through_the_file_and_leaves_with_its_supervisor(
    model: Path, tmp_path: Path
) -> None:
    """Orders in, answers out, exit code 0 at the end of its input."""
    bank = Bank.create(tmp_path / "bank", SHAPE)
    bank.want(position(0.7))
    orders = Orders(str(tmp_path / "bank"), str(model), "cpu", 1)
    command = [sys.executable, "-m", "livevae.decoder"]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        process.stdin.write(msgspec.json.encode(orders) + b"\n")
        process.stdin.flush()
        while bank.exact(position(0.7)) is None and process.poll() is None:
            time.sleep(0.01)
        bank.want(position(0.1))
        while bank.exact(position(0.1)) is None and process.poll() is None:
            time.sleep(0.001)
        process.stdin.close()
        assert process.wait(20) == 0
    record = bank.decoder_status.read()
    assert record is not None
    assert msgspec.json.decode(record, type=Status).state == "ready"
    decoded = bank.exact(position(0.7))
    np.testing.assert_allclose(decoded, WarmModel(model, "cpu", 1).decode(position(0.7)), atol=1e-5)


@pytest.mark.parametrize("folder", ["bank", "model"])
def test_a_decoder_with_wrong_orders_says_so_in_one_sentence(
    folder: str, model: Path, tmp_path: Path
) -> None:
    """The bank or the model is not there."""
    Bank.create(tmp_path / "bank", SHAPE)
    bank = tmp_path / ("nowhere" if folder == "bank" else "bank")
    orders = Orders(str(bank), str(tmp_path / "none"), "cpu", 1)
    with subprocess.Popen(
        [sys.executable, "-m", "livevae.decoder"],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stderr is not None
        process.stdin.write(msgspec.json.encode(orders).decode() + "\n")
        process.stdin.flush()
        said = process.stderr.read()
    assert process.returncode in (1, 2)
    assert said.startswith("livevae: ")
    assert said.count("\n") == 1


def offline(model: Path, bars: int = 4, **changes: object) -> list[tuple[int, bytes]]:
    """Return what an offline render sends."""
    bank = Bank.in_memory(SHAPE)
    service = Service(bank, WarmModel(model, "cpu", 1))
    return play(msgspec.structs.replace(Config(), **changes), bank, service, bars)


def test_an_offline_render_gives_the_same_bytes_for_the_same_seed_and_others_for_another(
    model: Path, tmp_path: Path
) -> None:
    """Down to the file."""
    files = []
    for number, seed in enumerate((1, 1, 2)):
        path = tmp_path / f"{number}.mid"
        events = offline(model, seed=seed, controls={"density": 0.8})
        write_recording(path, events, 120, 16)
        files.append(path.read_bytes())
    assert files[0] == files[1] != files[2]


@pytest.mark.parametrize("controls", [{}, {"sync_delay": -80.0}, {"sync_delay": 80.0}])
def test_an_offline_render_lies_within_its_bars_and_no_note_hangs(
    model: Path, controls: dict[str, float]
) -> None:
    """Sync delay makes up for the latency of gear; a file has none."""
    events = offline(model, bars=2, controls={"density": 1.0, "bpm": 150.0, **controls})
    heard = notes(events)
    assert min(time_ns for time_ns, _ in events) >= 0
    assert heard[0].on_ns < 400_000_000
    assert max(note.on_ns for note in heard) < 8 * 400_000_000


def test_an_offline_render_has_each_fill_decoded_in_time(model: Path) -> None:
    """Its last half bar is that of the fill's own pattern, exactly."""
    bank = Bank.in_memory(SHAPE)
    service = Service(bank, WarmModel(model, "cpu", 1))
    controls = {"humanize": 0.0, "density": 0.8, "fill.every": 1.0}
    events = play(Config(controls=controls), bank, service, 2)
    fill = bank.exact(filled(REST))
    assert fill is not None
    step_ns = 125_000_000
    for step in range(24, 32):
        feel = Performance(controls).feel
        expected = {h.voice for h in render(fill, feel, 1, 0) if h.step == step - 16}
        heard = {n.pitch for n in notes(events) if round(n.on_ns / step_ns) == step}
        assert heard == {KIT[voice] for voice in expected}
