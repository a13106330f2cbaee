"""Kept scenes: files that people can read, and that nothing but scenes gets out of."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livevae.errors import UsageError, WorkError
from livevae.latent.kept import KEPT_FORMAT, KeptScene, controls_of, load_kept, save_kept
from livevae.parameters import BEAT, PARAMETERS
from livevae.player.performance import Performance

CORNERS = ("house", 'the "other"', "dub", "öl")


def kept(**changes: object) -> KeptScene:
    """Return a scene."""
    values = Performance({"x": 0.3, "kick.mute": 1.0}).values
    scene = KeptScene(KEPT_FORMAT, "verse 1", "mine", "0" * 64, CORNERS, controls_of(values))
    return msgspec.structs.replace(scene, **changes)


@given(st.dictionaries(st.sampled_from(BEAT), st.floats(0, 1)))
def test_a_scene_brings_back_every_control_to_the_last_bit(units: dict[str, float]) -> None:
    """Through its file's own text."""
    values = Performance({n: PARAMETERS[n].from_unit(u) for n, u in units.items()}).values
    seen = msgspec.convert(
        msgspec.json.decode(msgspec.json.encode(kept(controls=controls_of(values)))), KeptScene
    )
    assert dict(seen.changes()) == {name: values[name] for name in BEAT}


def test_the_file_is_readable_and_gives_the_same_scene(tmp_path: Path) -> None:
    """One line a control, as it is typed."""
    path = save_kept(kept(), tmp_path / "new" / "folder")
    text = path.read_text()
    assert path.name == "verse-1.toml"
    assert f'format = "{KEPT_FORMAT}"\nname = "verse 1"\nmodel = "mine"\n' in text
    assert '\n"x" = 0.3\n' in text
    assert '\n"kick.mute" = true\n' in text
    assert load_kept(path) == kept()


def test_a_control_that_is_not_named_goes_to_its_default() -> None:
    """What an older file does not know of must not stay as it happens to be."""
    changes = dict(kept(controls={"x": 1}).changes())
    assert changes.keys() == set(BEAT)
    assert changes["x"] == 1
    assert changes["swing"] == PARAMETERS["swing"].default


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        ('  "dub",\n', "", "length 4"),
        ('"x" = 0.3', '"x" = 1.5', "from 0 to 1"),
        ('"x" = 0.3', '"x" = nan', "from 0 to 1"),
        ('"x" = 0.3', '"sving" = 50', "did you mean swing"),
        ('"x" = 0.3', '"bpm" = 90', "bpm is no part of a scene"),
        ('"x" = 0.3', '"model" = "other"', "model is no part of a scene"),
        ("format = ", "form = ", "form"),
        ("[controls]", "[controls", "format"),
    ],
)
def test_a_file_that_is_no_scene_is_refused_in_a_sentence_that_names_it(
    tmp_path: Path, before: str, after: str, sentence: str
) -> None:
    """A missing corner, a value out of range, a control that there is not."""
    path = save_kept(kept(), tmp_path)
    assert before in path.read_text()
    path.write_text(path.read_text().replace(before, after))
    with pytest.raises(UsageError, match=sentence) as refused:
        load_kept(path)
    assert str(path) in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_scene_of_other_weights_or_another_map_is_refused() -> None:
    """It would be another beat."""
    kept().check("mine", "0" * 64, CORNERS)
    with pytest.raises(UsageError, match="kept on other weights of it"):
        kept().check("mine", "1" * 64, CORNERS)
    with pytest.raises(UsageError, match=r"kept on the model mine, .* `livevae set model mine`"):
        kept().check("theirs", "1" * 64, CORNERS)
    with pytest.raises(UsageError, match='another map of mine; `livevae grid mine --corners "hou'):
        kept().check("mine", "0" * 64, CORNERS[::-1])


def test_a_scene_replaces_the_one_of_its_name_and_no_other(tmp_path: Path) -> None:
    """Nor does it go where it cannot be written."""
    save_kept(kept(), tmp_path)
    again = kept(controls={"x": 0.9})
    assert load_kept(save_kept(again, tmp_path)) == again
    with pytest.raises(UsageError, match="holds the scene 'verse 1'; choose"):
        save_kept(kept(name="Verse: 1"), tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(WorkError, match="cannot be made"):
        save_kept(kept(), tmp_path / "file")
