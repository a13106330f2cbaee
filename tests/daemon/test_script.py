"""Scripted performances, offline: the moves fall where they are written."""

from pathlib import Path

import pytest

from livevae.config import Config
from livevae.daemon.offline import perform
from livevae.daemon.script import Move, load_script
from livevae.decoder.bank import Bank, Shape
from livevae.errors import UsageError
from livevae.midi.recording import Take
from tests.player.stage import PITCH, beat

KICKS, SNARES = beat({"kick": [0, 4, 8, 12]}), beat({"snare": [0, 4, 8, 12]})
CONFIG = Config(controls={"x": 0.0, "humanize": 0.0})


class Decoder:
    """Decodes kicks on the left of the map, and snares on the right."""

    def __init__(self, bank: Bank) -> None:
        """Answer ``bank``."""
        self._bank = bank

    def answer_fill(self) -> None:
        """Have no fill."""

    def answer(self) -> None:
        """Decode what is wanted now."""
        wanted = self._bank.wanted()
        if wanted is not None and self._bank.exact(wanted) is None:
            self._bank.answer(wanted, SNARES if wanted[0] > 0.5 else KICKS)


def script(folder: Path, text: str) -> Path:
    """Return a file with a script."""
    path = folder / "performance.toml"
    path.write_text(text)
    return path


def performed(folder: Path, text: str) -> Take:
    """Return what a script plays."""
    bank = Bank.in_memory(Shape(16, 2, 2))
    return perform(CONFIG, bank, Decoder(bank), load_script(script(folder, text)))


def struck(take: Take, voice: str) -> list[float]:
    """Return the beats on which a voice is struck."""
    return [
        round(beats, 3)
        for beats, message in take.events
        if message[0] & 0xF0 == 0x90 and message[1] == PITCH[voice]
    ]


def test_moves_are_heard_from_their_places_and_a_new_position_on_its_boundary(
    tmp_path: Path,
) -> None:
    """A level at once, the place on the map at the next bar line."""
    take = performed(
        tmp_path,
        """
        bars = 4
        [[move]]
        at = "2.3"
        set = { x = 1 }
        [[move]]
        at = "3.3"
        set = { "snare.level" = 0 }
        [[move]]
        at = "4.1.5"
        set = { "snare.level" = 100 }
        """,
    )
    assert struck(take, "kick") == [0, 1, 2, 3, 4, 5, 6, 7]
    assert struck(take, "snare") == [8, 9, 13, 14, 15]
    assert len(take.bar_ns) == 4


def test_the_order_in_the_file_is_free_and_a_trigger_is_pulled(tmp_path: Path) -> None:
    """Undo, from the first beat on."""
    take = performed(
        tmp_path,
        """
        bars = 2
        move = [
          { at = "2.1", set = { undo = true } },
          { at = "1.1", set = { "kick.level" = 0, x = 0.2 } },
        ]
        """,
    )
    assert struck(take, "kick") == [4, 5, 6, 7]


def test_a_change_of_tempo_leaves_every_note_on_its_beat(tmp_path: Path) -> None:
    """And the bars have their lengths."""
    take = performed(tmp_path, 'bars = 3\nmove = [{ at = "3.1", set = { bpm = 60 } }]')
    assert struck(take, "kick") == list(range(12))
    assert take.bar_ns == (2_000_000_000, 2_000_000_000, 4_000_000_000)


def test_the_same_script_gives_the_same_take(tmp_path: Path) -> None:
    """To the last bit."""
    text = 'bars = 3\nmove = [{ at = "2.1", set = { humanize = 180, swing = 61 } }]'
    assert performed(tmp_path, text) == performed(tmp_path, text)


def test_a_script_is_read_as_moves_in_the_order_of_their_places(tmp_path: Path) -> None:
    """Bars and beats count from 1."""
    text = """bars = 8
        move = [{ at = "8.4.75", set = { x = 1 } }, { at = "1.1", set = { clock_out = false } }]"""
    with pytest.raises(UsageError, match="no script can set clock_out"):
        load_script(script(tmp_path, text))
    read = load_script(script(tmp_path, text.replace("clock_out = false", "swing = 60")))
    assert read.bars == 8
    assert read.moves == (Move(0, (("swing", 60.0),)), Move(31.75, (("x", 1.0),)))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "bars"),
        ("bars = 0", ">= 1"),
        ("bars = 4\ntempo = 3", "tempo"),
        ('bars = 4\nmove = [{ at = "5.1", set = {} }]', "a bar from 1 to 4"),
        ('bars = 4\nmove = [{ at = "1.5", set = {} }]', "a beat from 1 to 4"),
        ('bars = 4\nmove = [{ at = "1.0", set = {} }]', "a beat from 1 to 4"),
        ('bars = 4\nmove = [{ at = "one", set = {} }]', "at is 'one'"),
        ('bars = 4\nmove = [{ at = "1.1", set = { y = 2 } }]', "from 0 to 1"),
        ('bars = 4\nmove = [{ at = "1.1", set = { yy = 2 } }]', "no control 'yy'"),
        ('bars = 4\nmove = [{ at = "1.1", set = { kick.mute = true } }]', "quotes"),
        ('bars = 4\nmove = [{ at = "1.1", set = { model = "a" } }]', "model is a name"),
        ("bars = ", "no script"),
    ],
)
def test_what_is_no_script_is_refused_in_a_sentence_that_names_the_file(
    tmp_path: Path, text: str, sentence: str
) -> None:
    """Whatever is wrong with it."""
    path = script(tmp_path, text)
    with pytest.raises(UsageError, match=sentence) as refused:
        load_script(path)
    assert str(refused.value).startswith(f"{path} is no script: ")
    assert "\n" not in str(refused.value)
    with pytest.raises(UsageError, match="cannot be read"):
        load_script(tmp_path / "none")
