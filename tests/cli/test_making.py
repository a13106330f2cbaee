"""The commands that make new beats with a model."""

from pathlib import Path

import click
import mido
import numpy as np
import pytest

from livevae.cli import files, making
from livevae.latent.prior import Prior
from livevae.midi.smf import read_drums, to_pattern, write_pattern
from tests.cli.offline import call, refused
from tests.training.beats import GM, beat


@pytest.fixture
def takes(tmp_path: Path) -> tuple[Path, Path]:
    """Return two beats of two bars, at 90 and at 140 bpm."""
    paths = tmp_path / "a.mid", tmp_path / "b.mid"
    for seed, (path, bpm) in enumerate(zip(paths, (90, 140), strict=True)):
        write_pattern(path, beat(seed, bars=2), bpm, GM)
    return paths


@pytest.fixture
def prior(model: Path) -> Path:
    """Give the model a prior; return the model."""
    rng = np.random.default_rng(0)
    mu, sigma = rng.normal(size=(64, 8)), np.full((64, 8), 0.5)
    Prior.fit(mu.astype(np.float32), sigma.astype(np.float32), 0).save(model)
    return model


def made(command: click.Command, *arguments: object) -> bytes:
    """Return the bytes of the last of ``arguments`` that is a file, as the command writes it."""
    result = call(command, *arguments)
    assert result.exit_code == 0, (result.exception, result.output)
    (out,) = [a for a in arguments if isinstance(a, Path) and a.name.startswith("out")]
    return out.read_bytes()


def markers(path: Path) -> dict[float, str]:
    """Return the texts of a file's markers by their bar."""
    midi = mido.MidiFile(path)
    found, tick = {}, 0
    for message in midi.tracks[0]:
        tick += message.time
        if message.type == "marker":
            found[tick / midi.ticks_per_beat / 4] = message.text
    return found


def windows(path: Path, bars: int) -> np.ndarray:
    """Return a file's windows of two bars."""
    return to_pattern(read_drums(path), bars).reshape(-1, 32, 9, 3)


def test_a_sample_is_the_models_bars_at_the_tempo_asked_for(prior: Path, tmp_path: Path) -> None:
    """Two bars of 4-4."""
    out = tmp_path / "out.mid"
    made(making.sample, out, "--model", prior, "--bpm", 140)
    assert mido.MidiFile(out).length == pytest.approx(2 * 4 * 60 / 140, rel=1e-3)
    assert read_drums(out).bpm == pytest.approx(140, abs=0.01)


def test_equal_seeds_sample_equal_files(prior: Path, tmp_path: Path) -> None:
    """Others do not, and neither do other temperatures."""
    out, model = tmp_path / "out.mid", ("--model", prior)
    once = made(making.sample, out, *model, "--seed", 1)
    assert made(making.sample, out, *model, "--seed", 1) == once
    assert made(making.sample, out, *model, "--seed", 2) != once
    assert made(making.sample, out, *model, "--seed", 1, "--temperature", 2) != once


def test_more_samples_are_added_to_those_there_were(prior: Path, tmp_path: Path) -> None:
    """Each in a file of its own, the first the same as if it were alone."""
    call(making.sample, tmp_path / "two.mid", "--model", prior, "--seed", 1, "--count", 2)
    call(making.sample, tmp_path / "one.mid", "--model", prior, "--seed", 1)

    written = sorted(path.name for path in tmp_path.glob("*.mid"))
    assert written == ["one.mid", "two-1.mid", "two-2.mid"]
    first, second = ((tmp_path / f"two-{n}.mid").read_bytes() for n in (1, 2))
    assert first == (tmp_path / "one.mid").read_bytes()
    assert first != second


def test_each_sample_has_a_touch_of_its_own(
    prior: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What strays in one beat does not stray alike in the next."""
    given = []
    monkeypatch.setattr(
        "livevae.pattern.touch.Touch.drawn",
        lambda _self, patterns, _temperature, rng: given.append(rng.random()) or patterns,
    )
    call(making.sample, tmp_path / "two.mid", "--model", prior, "--seed", 1, "--count", 2)
    assert len(set(given)) == 2


def test_a_seed_that_was_not_given_is_told(prior: Path, tmp_path: Path) -> None:
    """So that a beat that pleases can be had again."""
    out = tmp_path / "out.mid"
    result = call(making.sample, out, "--model", prior)
    seed = result.stderr.split("seed ")[1].split(")")[0]
    once = out.read_bytes()
    assert made(making.sample, out, "--model", prior, "--seed", seed) == once


def test_a_model_without_a_prior_of_its_own_is_one_sentence(model: Path, tmp_path: Path) -> None:
    """None, or another model's; and no file is written."""
    out = tmp_path / "out.mid"
    refused(call(making.sample, out, "--model", model), "no prior.safetensors to draw beats from")
    Prior.standard(16).save(model)
    refused(call(making.sample, out, "--model", model), "16 dimensions, its model 8; fetch")
    (model / "prior.safetensors").write_bytes(b"cut")
    refused(call(making.sample, out, "--model", model), "prior.safetensors is broken")
    assert not out.exists()


def test_variations_follow_one_another_at_the_beats_tempo(
    model: Path, takes: tuple[Path, Path], tmp_path: Path
) -> None:
    """A marker at each, and no two alike."""
    out = tmp_path / "out.mid"
    made(making.vary, takes[1], out, "--model", model, "--amount", 1, "--count", 3)

    assert markers(out) == {0: "variation 1", 2: "variation 2", 4: "variation 3"}
    assert read_drums(out).bpm == pytest.approx(140, abs=0.01)
    a, b, c = windows(out, 6)
    assert not np.array_equal(a, b)
    assert not np.array_equal(b, c)


def test_no_variation_at_all_is_the_reconstruction(
    model: Path, takes: tuple[Path, Path], tmp_path: Path
) -> None:
    """Whatever the seed."""
    out, back = tmp_path / "out.mid", tmp_path / "out-back.mid"
    made(making.vary, takes[0], out, "--model", model, "--amount", 0, "--count", 2)
    made(files.reconstruct, takes[0], back, "--model", model)
    reconstructed = windows(back, 2)[0]
    # The first step of a file cannot be early, of a later beat it can.
    for variation in windows(out, 4):
        np.testing.assert_array_equal(variation[1:-1], reconstructed[1:-1])


def test_equal_seeds_vary_equally(model: Path, takes: tuple[Path, Path], tmp_path: Path) -> None:
    """To the byte; another seed is another file."""
    arguments = (takes[0], tmp_path / "out.mid", "--model", model, "--amount", 0.9)
    once = made(making.vary, *arguments, "--seed", 1)
    assert made(making.vary, *arguments, "--seed", 1) == once
    assert made(making.vary, *arguments, "--seed", 2) != once


@pytest.mark.parametrize("how", [[], ["--plain"]], ids=["paced", "plain"])
def test_the_way_leads_from_one_beat_to_the_other(
    model: Path, takes: tuple[Path, Path], tmp_path: Path, how: list[str]
) -> None:
    """From and to the two as the model has them, at the first one's tempo, a marker at each."""
    out = tmp_path / "out.mid"
    made(making.interpolate, *takes, out, "--model", model, "--steps", 3, *how)
    points = windows(out, 8)

    assert markers(out) == {0: "0/3", 2: "1/3", 4: "2/3", 6: "3/3"}
    assert read_drums(out).bpm == pytest.approx(90, abs=0.01)
    for end, take in ((points[0], takes[0]), (points[-1], takes[1])):
        back = tmp_path / "out-back.mid"
        made(files.reconstruct, take, back, "--model", model)
        # Searched two at a time the noise is another, so the points are but nearly the same.
        played = windows(back, 2)[0]
        assert (end != played).mean() < 0.1
    assert made(making.interpolate, *takes, out, "--model", model, "--steps", 3, *how) == (
        out.read_bytes()
    )


def test_a_file_is_written_whole_or_not_at_all(
    model: Path, takes: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk is full."""

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    result = call(making.vary, takes[0], tmp_path / "out.mid", "--model", model)
    refused(result, "out.mid cannot be written: No space left on device")
    assert sorted(path.name for path in tmp_path.glob("*.mid*")) == ["a.mid", "b.mid"]
