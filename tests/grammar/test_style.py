"""Style files: the shipped ones hold what they say, a wrong one is one sentence with its key."""

from pathlib import Path

import pytest

from livevae.errors import UsageError
from livevae.grammar.style import ACCENT, GHOST, HIT, REST, load_style, style_names, symbols_of

HEAD = 'name = "mine"\ndescription = "My own."\nbpm = [100, 110]\n'
GROOVE = '[[groove]]\nkick = "X... X... X... X..."\n'


def style_file(folder: Path, text: str) -> Path:
    """Write a style file."""
    path = folder / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_every_asked_for_style_is_there_under_the_name_that_it_says() -> None:
    """Fourteen at least, these among them."""
    names = style_names()
    assert len(names) >= 14
    assert {
        *("house", "techno", "trap", "drum-and-bass", "garage", "breakbeat", "electro", "dub"),
        *("footwork", "reggaeton", "afrobeats", "lo-fi"),
    } <= set(names)
    assert [load_style(name).name for name in names] == list(names)


def test_a_style_of_ones_own_is_read_from_its_path(tmp_path: Path) -> None:
    """As a path or as text."""
    path = style_file(tmp_path, HEAD + GROOVE)
    assert load_style(path) == load_style(str(path))
    assert load_style(path).bpm == (100, 110)


def test_a_line_is_read_with_spaces_and_bar_lines_wherever_they_are() -> None:
    """Two bars here."""
    symbols = symbols_of("X.og .... .... ....|.... .... .... ...X")
    assert symbols.shape == (2, 16)
    assert symbols[0, :4].tolist() == [ACCENT, REST, HIT, GHOST]
    assert symbols[1, 15] == ACCENT


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (GROOVE, "mine.toml: Object missing required field `name`"),
        (HEAD, "mine.toml: Object missing required field `groove`"),
        (HEAD + "[[groove]]\nkik = 'x'", "mine.toml: groove 1: Object contains unknown field"),
        (HEAD + GROOVE + "snare = 3", "mine.toml: groove 1: snare: Expected"),
        (HEAD + GROOVE + GROOVE + "snare = 'X...'", "groove 2: snare: 'X...' has 4 steps"),
        (HEAD + GROOVE + "snare = 'x...'", "groove 1: snare: 'x' means nothing; the symbols are"),
        (HEAD + GROOVE + "[[fill]]\nride = '" + 32 * "o" + "'", "fill 1: ride: 'oooooooooooo...oo"),
        (HEAD + GROOVE + "[voice]\nkik = {}", "mine.toml: voice: Object contains unknown field"),
        (HEAD + GROOVE + "[voice]\nkick = { late = 1 }", "mine.toml: voice: kick: late: Expected"),
        (HEAD + GROOVE + "[variation]\nfill = 2", "mine.toml: variation: fill: Expected"),
        (HEAD + "swing = [60, 55]\n" + GROOVE, "mine.toml: swing: write the lower number first"),
        (HEAD + "swing = [40, 55]\n" + GROOVE, "mine.toml: swing 1: Expected"),
        ("name = ", "mine.toml is not valid TOML"),
        ("name = " + 5000 * "[", "mine.toml is not valid TOML"),
        (HEAD + GROOVE + "#" * (1 << 18), "mine.toml is larger than 256 KiB"),
    ],
)
def test_a_wrong_file_is_one_sentence_with_file_and_key(
    text: str, sentence: str, tmp_path: Path
) -> None:
    """Counted from one, as musicians do."""
    with pytest.raises(UsageError) as refusal:
        load_style(style_file(tmp_path, text))
    assert sentence in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_file_that_is_no_text_or_not_there_is_one_sentence(tmp_path: Path) -> None:
    """Nor is a folder."""
    path = tmp_path / "mine.toml"
    with pytest.raises(UsageError, match=r"mine\.toml cannot be read"):
        load_style(path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match=r"mine\.toml is not valid TOML"):
        load_style(path)
    (tmp_path / "folder.toml").mkdir()
    with pytest.raises(UsageError, match=r"folder\.toml cannot be read"):
        load_style(tmp_path / "folder.toml")


@pytest.mark.parametrize("name", ["hose", "", "/", "../style", "house.py"])
def test_a_style_that_is_not_there_is_refused_with_those_that_are(name: str) -> None:
    """One sentence."""
    with pytest.raises(UsageError, match=r"give the path of a \.toml file or one of: .*house"):
        load_style(name)
