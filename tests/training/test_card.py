"""The card: sections of which some are measured again and the others stay."""

import os
from pathlib import Path

import msgspec
import pytest

from livevae.errors import UsageError, WorkError
from livevae.training import card as subject
from livevae.training.card import read_card, with_section, write_figures
from livevae.training.config import load_preset
from tests.latent.test_space import space
from tests.training.test_figures import QUICK

CARD = "# mine\n\nA model.\n\n## Data\n\nSome.\n\n## What was tried\n\nThis and that.\n"
TEST = "## Figures: test split\n\nold\n"
VALIDATION = "## Figures: validation split\n\nold\n"
NEW = "## Figures: test split\n\nnew\n"


def test_figures_that_are_new_come_at_the_end() -> None:
    assert with_section(CARD, NEW) == CARD + "\n" + NEW


def test_figures_that_are_new_come_after_those_of_other_splits() -> None:
    """What follows stays below."""
    before, after = CARD.split("## What")
    card = before + VALIDATION + "\n## What" + after

    assert with_section(card, NEW) == before + VALIDATION + "\n" + NEW + "\n## What" + after


@pytest.mark.parametrize("last", [True, False])
def test_figures_take_the_place_of_those_of_the_same_split(last: bool) -> None:
    after = "" if last else "\n## Limits\n\nToms.\n"
    card = CARD + "\n" + TEST + after

    assert with_section(card, NEW) == CARD + "\n" + NEW + after


def test_to_measure_again_changes_nothing_else() -> None:
    once = with_section(CARD + "\n" + VALIDATION, NEW)
    assert with_section(once, NEW) == once


def test_subsections_go_with_their_section() -> None:
    old = TEST + "\n### Voices\n\nold\n"
    assert "old" not in with_section(CARD + "\n" + old, NEW)


def test_a_blank_line_is_put_where_a_hand_left_none() -> None:
    assert with_section("# mine", NEW) == "# mine\n\n" + NEW
    assert with_section("# mine\n", NEW) == "# mine\n\n" + NEW


def test_a_new_card_says_what_the_model_is_and_how_it_was_made() -> None:
    text = subject.card(
        "mine", "My loops.", ["livevae train loops"], load_preset("groove-2bar"), space(8), QUICK
    )

    for wanted in (
        "# mine\n",
        "2 bars of 16 steps",
        "My loops.",
        "livevae train loops",
        '"bar_width": 240',
        f"- (1, 0): {space(8).corner_names[1]}",
        "## Figures: test split",
    ):
        assert wanted in text


def test_a_model_without_a_card_gets_one_with_its_name(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    write_figures(folder, QUICK, 4)

    assert read_card(folder).startswith("# mine\n\n## Figures: test split\n")


def test_both_splits_have_their_figures(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text(CARD)
    for split in ("validation", "test", "validation"):
        write_figures(tmp_path, msgspec.structs.replace(QUICK, split=split), 4)
    text = read_card(tmp_path)

    assert text.startswith(CARD)
    assert [line for line in text.splitlines() if line.startswith("## Figures")] == [
        "## Figures: validation split",
        "## Figures: test split",
    ]


@pytest.mark.parametrize(
    ("data", "sentence"),
    [(b"\xff\xfe", "not UTF-8"), (b" " * (subject.MAX_CARD_BYTES + 1), "larger than a card")],
)
def test_a_file_that_is_no_card_is_refused_and_left(
    tmp_path: Path, data: bytes, sentence: str
) -> None:
    (tmp_path / "README.md").write_bytes(data)

    with pytest.raises(UsageError, match=sentence):
        write_figures(tmp_path, QUICK, 4)
    assert (tmp_path / "README.md").read_bytes() == data


def test_a_card_that_cannot_be_written_stays_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    (tmp_path / "README.md").write_text(CARD)
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(WorkError, match="No space left"):
        write_figures(tmp_path, QUICK, 4)
    assert read_card(tmp_path) == CARD
