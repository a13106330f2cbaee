"""`livevae style`: a list of styles, and bars of one as a MIDI file."""

from pathlib import Path

import numpy as np
import pytest

from livevae.cli.style import style
from livevae.grammar.grammar import load_style, play, style_names
from livevae.midi.kit import kit_notes
from livevae.midi.smf import read_drums, to_pattern
from livevae.pattern.pattern import ONSET
from tests.cli.offline import call, refused


@pytest.mark.parametrize("arguments", [[], ["--list"]])
def test_without_a_name_the_styles_are_listed(arguments: list[str]) -> None:
    """One a line, with tempi and what they are."""
    result = call(style, *arguments)
    assert result.exit_code == 0
    assert [line.split()[0] for line in result.stdout.splitlines()] == list(style_names())
    assert "118 to 128 bpm  Four on the floor" in result.stdout


def test_the_file_holds_the_bars_of_the_style(tmp_path: Path) -> None:
    """The hits of the grammar with this seed, at the tempo asked for."""
    out = tmp_path / "out.mid"
    result = call(style, "house", out, "--bars", 4, "--seed", 7, "--bpm", 126)
    assert result.exit_code == 0, result.exception

    drums = read_drums(out)
    assert drums.bpm == pytest.approx(126, abs=0.01)
    played = play(load_style("house"), 4, np.random.default_rng(7))
    assert (to_pattern(drums, 4)[..., ONSET] == played[..., ONSET]).all()


def test_without_a_tempo_it_is_one_of_the_styles(tmp_path: Path) -> None:
    """For a file of one's own too, and its notes are the kit's."""
    source, out = tmp_path / "mine.toml", tmp_path / "out.mid"
    source.write_text(
        'name = "[/mine]"\ndescription = "d"\nbpm = [100, 104]\n'
        '[[groove]]\nlow_tom = "X... .... X... ...."\n[variation]\ncrash = 0.0\nornament = 0.0\n'
    )
    result = call(style, source, out, "--bars", 1, "--kit", "ableton")
    assert result.exit_code == 0
    assert "1 bars of [/mine] at 102 bpm" in result.stderr
    assert read_drums(out, {kit_notes("ableton")[4]: 4}).beats.size == 2
    assert read_drums(out).bpm == pytest.approx(102, abs=0.01)


def test_what_cannot_be_done_is_refused_before_a_file_is_written(tmp_path: Path) -> None:
    """No such style, no output, no such kit, no .mid."""
    out = tmp_path / "out.mid"
    refused(call(style, "hose", out), "there is no style 'hose'")
    refused(call(style, "house"), "livevae style house OUT.mid")
    refused(call(style, "house", out, "--kit", "spoons"), "spoons")
    refused(call(style, "house", tmp_path / "out.wav"), "must end in .mid")
    assert "nan is not in the range" in call(style, "house", out, "--bpm", "nan").output
    assert not list(tmp_path.iterdir())
