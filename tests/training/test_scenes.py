"""Starting scenes: which beats are chosen, and what they are called."""

from pathlib import Path

import numpy as np
import pytest
import torch

from livevae.errors import WorkError
from livevae.grammar.grammar import style_names
from livevae.latent.presets import load_scenes, save_scene
from livevae.pattern.pattern import ONSET, Pattern, empty
from livevae.training import scenes as subject
from livevae.training.dataset import Recording, Split, load_split, pack
from livevae.training.prepare import prepare
from livevae.training.scenes import electronic_beats, far_apart, most_typical, typical_beats
from livevae.training.sounds import PLAYED, PROGRAMMED
from tests.model.test_vae import small
from tests.training.beats import beat, collection

HASH = "0123456789abcdef" * 4


def split(styles: list[str], groove_midi: bool = True) -> Split:
    """Return a split with one recording of five bars for each style."""
    recordings = [
        Recording(name=f"kit/{n}.mid", first_bar=5 * n, bars=5, style=style, bpm=90 + n)
        for n, style in enumerate(styles)
    ]
    cells = np.concatenate([beat(n, 5) for n in range(len(styles))]).reshape(-1, 16, 9, 3)
    return Split(tuple(recordings), pack(cells), groove_midi)


def steady(*more: int) -> Pattern:
    """Return two bars alike with a kick on one, quarters on the hat and hats on the steps given."""
    bar = empty(1)
    bar[[0], 0, ONSET] = 1
    bar[[0, 4, 8, 12, *more], 2, ONSET] = 1
    return np.tile(bar, (2, 1, 1))


def test_the_typical_window_is_the_one_most_like_the_others() -> None:
    """Two of three have a hat on step two."""
    windows = np.stack([steady(), steady(2), steady(2, 6), steady(2), steady(7, 9, 11)])

    assert most_typical(windows) == 1


@pytest.mark.parametrize("fault", ["no kick on one", "no time kept", "bars differ"])
def test_an_unsteady_window_is_chosen_only_where_there_is_no_other(fault: str) -> None:
    """Though it were the most common."""
    odd = steady(2)
    if fault == "no kick on one":
        odd[16, 0, ONSET] = 0
    elif fault == "no time kept":
        odd[:, 2, ONSET] = 0
    else:
        odd[16:, :, ONSET] = np.roll(odd[16:, :, ONSET], 3, axis=0)
        odd[16, 0, ONSET] = 1
        odd[[16, 20], 2, ONSET] = 1

    assert most_typical(np.stack([odd, odd, odd, steady(6)])) == 3
    assert most_typical(np.stack([odd, odd, odd])) == 0


def test_each_style_has_one_beat_with_its_words_and_tempo() -> None:
    """In alphabetical order; a style without words goes by its own name."""
    beats = typical_beats(split(["rock", "zydeco", "funk"]), bars=2)

    assert [beat.style for beat in beats] == ["funk", "rock", "zydeco"]
    assert [beat.name for beat in beats] == [PLAYED["funk"][0], PLAYED["rock"][0], "zydeco"]
    assert [beat.bpm for beat in beats] == [92, 90, 91]
    assert beats[0].source.startswith("kit/2.mid, bar ")
    assert all(beat.window.shape == (32, 9, 3) for beat in beats)
    assert [b.style for b in typical_beats(split(["rock", "zydeco"]), 2, PLAYED)] == ["rock"]


def test_without_styles_each_recording_is_its_own_and_in_one_recording_each_window() -> None:
    """So that a map can be spanned over twenty loops, or over one."""
    assert [beat.style for beat in typical_beats(split(["", ""]), 2)] == ["0.mid", "1.mid"]
    assert len(typical_beats(split([""]), 2)) == 4


def test_a_recording_without_a_style_among_others_goes_by_its_own_name() -> None:
    """As where a folder of loops is prepared together with Groove MIDI."""
    beats = typical_beats(split(["rock", ""], groove_midi=False), 2)
    assert [beat.name for beat in beats] == ["1.mid", PLAYED["rock"][0]]


def test_every_style_of_the_grammar_has_a_beat_and_a_name_that_says_how_it_sounds() -> None:
    """The description is the style's own."""
    beats = electronic_beats(bars=2)

    assert [beat.style for beat in beats] == list(style_names())
    assert set(PROGRAMMED) == set(style_names())
    assert len({beat.name for beat in beats} | {name for name, _ in PLAYED.values()}) == len(
        beats
    ) + len(PLAYED)
    assert all(beat.description.endswith(".") for beat in beats)
    again = electronic_beats(bars=2)
    np.testing.assert_array_equal(beats[3].window, again[3].window)


def test_points_far_apart_begin_with_the_most_typical() -> None:
    """And go on with the farthest from those chosen."""
    points = np.array([[0, 0], [1, 0], [0, 9], [8, 0], [7, 1]], np.float32)

    assert far_apart(points, 3) == [1, 2, 3]
    assert far_apart(points[:1], 4) == [0, 0, 0, 0]
    assert far_apart(np.zeros((3, 2), np.float32), 3) == [0, 1, 2]


def test_scenes_are_beats_that_the_model_plays_as_they_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The others are left out; where hardly any is left the sentence says so."""
    vae, styles = small(), split(["rock", "funk", "soul", "pop"])
    beats = [*typical_beats(styles, 2), *electronic_beats(2)]
    points = torch.arange(len(beats)).float()[:, None].expand(-1, 8).numpy()
    monkeypatch.setattr(subject, "points_of", lambda _vae, _beats: points)
    played = np.stack([beat.window for beat in beats])
    played[1] = 0
    monkeypatch.setattr(subject, "decoded", lambda _vae, _z: played)
    scenes = subject.starting_scenes(vae, styles, "m", HASH)

    assert [scene.style for scene in scenes] == [b.style for b in beats if b is not beats[1]]
    assert scenes[1].z == (2.0,) * 8
    assert (scenes[0].model, scenes[0].weights, scenes[0].bpm) == ("m", HASH, 91)
    for scene in scenes:
        scene.check("m", HASH, 8)

    played[3:] = 0
    with pytest.raises(WorkError, match=r"m plays only 2 of .* longer"):
        subject.starting_scenes(vae, styles, "m", HASH)


def test_whatever_files_are_called_and_however_slow_their_scenes_can_be_opened(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A name may hold a line break, a tempo may be out of a scene's range."""
    odd = Recording(name="kit/a\nb.mid", first_bar=0, bars=5, bpm=10)
    own = Split((odd,), pack(beat(0, 5).reshape(-1, 16, 9, 3)))
    beats = [*typical_beats(own, 2), *electronic_beats(2)]
    monkeypatch.setattr(subject, "points_of", lambda _vae, _beats: np.ones((len(beats), 8)))
    played = np.stack([beat.window for beat in beats])
    monkeypatch.setattr(subject, "decoded", lambda _vae, _z: played)

    for scene in subject.starting_scenes(small(), own, "m", HASH):
        save_scene(scene, tmp_path)
    assert load_scenes(tmp_path)["a b.mid, window 1"].bpm == 20


def test_a_collection_of_ones_own_gives_scenes_too(tmp_path: Path) -> None:
    """Named by its files; no style is asked for."""
    prepare([collection(tmp_path / "src")], tmp_path / "out")
    beats = typical_beats(load_split(tmp_path / "out", "train"), bars=2)

    assert len(beats) >= 4
    assert all(beat.name.startswith("beat") for beat in beats)
