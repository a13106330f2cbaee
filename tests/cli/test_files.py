"""The commands that put a model to use on what there is."""

import json
from pathlib import Path

import click
import mido
import numpy as np
import pytest

from livevae.cli import files, making
from livevae.cli.beats import read_beat
from livevae.latent.grid import load_grid
from livevae.latent.presets import SCENE_FORMAT, Scene, save_scene
from livevae.latent.space import Space
from livevae.midi.smf import read_drums, write_pattern
from livevae.model.checkpoint import load_model
from livevae.model.folder import weights_hash
from livevae.pattern.pattern import ONSET, empty
from livevae.training.evaluate import decoded
from tests.cli.offline import call, refused
from tests.latent.test_space import space
from tests.training.beats import GM, beat


def encoded(*arguments: object) -> dict[str, object]:
    """Return what `livevae encode --json` prints."""
    result = call(files.encode, *arguments, "--json")
    assert result.exit_code == 0, result.exception
    report = json.loads(result.stdout)
    assert isinstance(report, dict)
    return report


def test_grid_rebuilds_the_map_in_the_size_asked_for(model: Path) -> None:
    """For the weights that are there."""
    assert call(files.grid, model, "--size", 9).exit_code == 0

    assert load_grid(model).patterns.shape[:2] == (9, 9)
    assert load_grid(model).weights_hash == weights_hash(model)


def test_grid_lies_over_the_controls_asked_for(model: Path) -> None:
    """Any two of a position; what is none is wrong use."""
    over = ("--x", "axis.1", "--y", "attribute.fill")
    result = call(files.grid, model, "--size", 3, *over)
    assert "3 x 3 patterns over axis.1 and attribute.fill" in result.stderr
    assert load_grid(model).axes == ("axis.1", "attribute.fill")

    refused(call(files.grid, model, "--x", "y"), "two different controls of: x, y, axis.1")
    unknown = call(files.grid, model, "--x", "swing")
    assert unknown.exit_code == 2
    assert "'swing' is not one of 'x', 'y', 'axis.1'" in unknown.stderr
    assert load_grid(model).axes == ("axis.1", "attribute.fill")


def test_grid_refuses_a_space_of_another_model(model: Path) -> None:
    """Sizes must agree."""
    space(16).save(model)
    refused(call(files.grid, model), "dimensions")


def test_grid_spans_the_map_between_the_scenes_asked_for(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the order of the corners; a name that is no scene changes nothing."""
    monkeypatch.setattr("livevae.model.folder.user_data", lambda: model.parent)
    shelf = model.parent / "presets" / model.name
    for number, name in enumerate("abcd"):
        z = tuple(float(number == place) for place in range(8))
        scene = Scene(
            format=SCENE_FORMAT,
            name=name,
            model=model.name,
            weights=weights_hash(model),
            style="rock",
            description="a beat",
            source="a recording",
            bpm=120,
            z=z,
        )
        save_scene(scene, shelf)
    before = Space.load(model)

    refused(call(files.grid, model, "--corners", *"abce"), "no scene 'e'; there are: a, b, c, d")
    assert Space.load(model).corner_names == before.corner_names
    assert call(files.grid, model, "--size", 3, "--corners", *"dbca").exit_code == 0
    after = Space.load(model)
    assert after.corner_names == ("d", "b", "c", "a")
    np.testing.assert_array_equal(after.corners, np.eye(4, 8, dtype=np.float32)[[3, 1, 2, 0]])
    np.testing.assert_array_equal(after.axes, before.axes)
    corner = decoded(load_model(model), after.corners[[1]])[0]
    np.testing.assert_allclose(load_grid(model).patterns[0, -1], corner, atol=1 / 500)


def test_reconstruct_keeps_tempo_and_length(model: Path, tmp_path: Path) -> None:
    """Five bars in, five bars out, though the model's windows are of two."""
    write_pattern(tmp_path / "in.mid", beat(1, bars=5), 87, GM)
    for how in ([], ["--fast"], ["--beta", 2]):
        result = call(
            files.reconstruct, tmp_path / "in.mid", tmp_path / "out.mid", "--model", model, *how
        )

        assert result.exit_code == 0, result.exception
        assert "bits a window" in result.stderr
        assert read_drums(tmp_path / "out.mid").bpm == pytest.approx(87, abs=0.01)
        seconds = 5 * 4 * 60 / 87
        assert mido.MidiFile(tmp_path / "out.mid").length == pytest.approx(seconds, rel=0.01)


def test_encode_gives_each_window_its_place(model: Path, tmp_path: Path) -> None:
    """Numbers of z, the first bar, the tempo; the file's beginning fills up the last window."""
    loop = beat(1, bars=5)
    loop[:16] = beat(2, bars=1)
    write_pattern(tmp_path / "five.mid", loop, 87, GM)
    write_pattern(tmp_path / "six.mid", np.concatenate([loop, loop[:16]]), 87, GM)
    five, six = (encoded(tmp_path / f"{name}.mid", "--model", model) for name in ("five", "six"))

    assert five == six
    assert (five["model"], five["weights"]) == (model.name, weights_hash(model))
    assert (five["bars"], five["beta"]) == (2, 0.25)
    assert five["bpm"] == pytest.approx(87, abs=0.01)
    windows = five["windows"]
    assert isinstance(windows, list)
    assert [window["bar"] for window in windows] == [1, 3, 5]
    for window in windows:
        assert len(window["mu"]) == len(window["sigma"]) == 8
        assert min(window["sigma"]) > 0
        assert window["bits"] > 0
        assert 0 <= window["f1"] <= 1
    assert windows[0]["mu"] != windows[1]["mu"]


def test_the_search_comes_closer_than_the_encoder_and_beta_says_how_close(
    model: Path, tmp_path: Path
) -> None:
    """On a beat that the model has not seen."""
    write_pattern(tmp_path / "new.mid", np.roll(beat(20, bars=2), 2, axis=0), 120, GM)

    def window(*how: object) -> dict[str, float]:
        windows = encoded(tmp_path / "new.mid", "--model", model, *how)["windows"]
        assert isinstance(windows, list)
        found: dict[str, float] = windows[0]
        return found

    fast, searched, simple = window("--fast"), window(), window("--beta", 20)
    assert searched["f1"] > fast["f1"]
    assert simple["bits"] < searched["bits"]


def test_encode_tells_people_a_line_a_window(model: Path, tmp_path: Path) -> None:
    """Without --json."""
    write_pattern(tmp_path / "in.mid", beat(1, bars=4), 87, GM)
    result = call(files.encode, tmp_path / "in.mid", "--model", model, "--fast")

    lines = result.stdout.splitlines()
    assert [line.split()[:2] for line in lines] == [["bar", "1"], ["bar", "3"]]
    assert all("bits  onset F1 0." in line for line in lines)


def test_a_search_is_weighed_or_left_out(model: Path, tmp_path: Path) -> None:
    """Not both."""
    write_pattern(tmp_path / "in.mid", beat(1, bars=2), 120, GM)
    result = call(files.encode, tmp_path / "in.mid", "--model", model, "--fast", "--beta", 1)
    refused(result, "give --beta or --fast, not both")


def test_a_first_window_begins_with_the_first_bar_that_plays(tmp_path: Path) -> None:
    """A song's silent bars are skipped; what is too short is repeated."""
    song = np.concatenate([empty(3), beat(1, bars=2)])
    write_pattern(tmp_path / "song.mid", song, 120, GM)

    window = read_beat(tmp_path / "song.mid").first_window(4)
    assert window.shape == (1, 64, 9, 3)
    np.testing.assert_array_equal(window[0, :, :, ONSET], beat(1, bars=4)[..., ONSET])


COMMANDS = {
    "reconstruct": (files.reconstruct, ["IN", "OUT"]),
    "encode": (files.encode, ["IN"]),
    "vary": (making.vary, ["IN", "OUT"]),
    "interpolate from": (making.interpolate, ["IN", "GOOD", "OUT"]),
    "interpolate to": (making.interpolate, ["GOOD", "IN", "OUT"]),
}


@pytest.mark.parametrize(("command", "arguments"), COMMANDS.values(), ids=COMMANDS)
def test_what_cannot_be_played_is_one_sentence(
    command: click.Command, arguments: list[str], model: Path, tmp_path: Path
) -> None:
    """No file, an empty one, no MIDI, one cut short, no drums, 3-4: nothing written."""
    good, silent, waltz, text, cut, nothing = (
        tmp_path / f"{name}.mid" for name in ("good", "silent", "waltz", "text", "cut", "nothing")
    )
    write_pattern(good, beat(1, bars=2), 120, GM)
    write_pattern(silent, empty(2), 120, GM)
    midi = mido.MidiFile(good)
    midi.tracks[0][1] = mido.MetaMessage("time_signature", numerator=3, denominator=4, time=0)
    midi.save(waltz)
    text.write_text("hello")
    cut.write_bytes(good.read_bytes()[:-20])
    nothing.touch()
    out = tmp_path / "out.mid"
    sentences = {
        tmp_path / "no.mid": "no.mid cannot be read",
        nothing: "nothing.mid is not a MIDI file",
        text: "text.mid is not a MIDI file",
        cut: "cut.mid is a broken MIDI file",
        silent: "silent.mid holds no drum notes",
        waltz: "waltz.mid is not in 4-4",
    }
    for path, sentence in sentences.items():
        named = [{"IN": path, "GOOD": good, "OUT": out}[argument] for argument in arguments]
        refused(call(command, *named, "--model", model), sentence)
    assert not out.exists()


def test_reconstruct_refuses_a_folder_or_a_kit_that_is_not_there(
    model: Path, tmp_path: Path
) -> None:
    """Before it reads or writes anything."""
    write_pattern(tmp_path / "good.mid", beat(1, bars=2), 120, GM)
    good, out, nowhere = tmp_path / "good.mid", tmp_path / "out.mid", tmp_path / "no" / "out.mid"
    refused(call(files.reconstruct, good, nowhere, "--model", model), f"no folder {nowhere.parent}")
    assert not nowhere.parent.exists()
    refused(call(files.reconstruct, good, out, "--model", model, "--kit", "spoons"), "spoons")
    assert not out.exists()


def test_a_model_without_space_or_with_damage_is_one_sentence(model: Path) -> None:
    """Whatever command meets it."""
    (model / "space.safetensors").unlink()
    refused(call(files.grid, model), "space.safetensors")
    (model / "model.safetensors").write_bytes(b"cut")
    refused(call(files.grid, model), "model.safetensors")
