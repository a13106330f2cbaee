"""Kit maps and foldings."""

import pytest

from livevae.midi.kit import GM_FOLD, KITS, TD11_FOLD, kit_notes
from livevae.pattern.pattern import N_VOICES, VOICES


@pytest.mark.parametrize("name", KITS)
def test_a_kit_is_nine_different_notes_that_fold_back_to_their_voices(name: str) -> None:
    """What LiveVAE plays it would read again as the same drums."""
    notes = kit_notes(name)
    assert len(set(notes)) == N_VOICES
    for voice, note in enumerate(notes):
        assert GM_FOLD[note] == voice


def test_the_gm_kit_is_the_one_of_the_design() -> None:
    """In voice order."""
    assert kit_notes("gm") == (36, 38, 42, 46, 43, 47, 50, 49, 51)


def test_the_td11_fold_knows_every_pad_of_the_groove_dataset() -> None:
    """Twenty-two pitches, nine voices."""
    assert len(TD11_FOLD) == 22
    assert set(TD11_FOLD.values()) == set(range(N_VOICES))
    assert VOICES[TD11_FOLD[22]] == "closed_hat"
    assert VOICES[TD11_FOLD[26]] == "open_hat"
    assert VOICES[TD11_FOLD[58]] == "low_tom"


def test_ones_own_kit_is_taken_as_it_is() -> None:
    """Twice the same note, too: one pad for two voices."""
    own = (0, 127, 1, 1, 2, 3, 4, 5, 6)
    assert kit_notes(own) == own


@pytest.mark.parametrize(
    "kit", ["", "GM", "rock", (), (36,) * 8, (36,) * 10, (128,) * 9, (-1,) * 9]
)
def test_no_kit_is_refused_with_what_would_be_one(kit: str | tuple[int, ...]) -> None:
    """The names, or nine notes."""
    with pytest.raises(ValueError, match=r"choose one of gm|9 notes"):
        kit_notes(kit)
