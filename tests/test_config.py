"""livevae.toml and --set: what they may say, and what the sentence is when they may not."""

from pathlib import Path

import msgspec
import pytest

from livevae.checks import check_table
from livevae.config import MAX_FILE_BYTES, Config, Decoder, Midi, load
from livevae.errors import UsageError
from livevae.midi.binding import Binding
from livevae.parameters import PARAMETERS

SHIPPED = Path(__file__).parent.parent / "livevae.toml"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in an empty folder, with no configuration of the user's own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("livevae.config.user_config", lambda: tmp_path / "own" / "livevae.toml")
    return tmp_path


def read(text: str, *settings: tuple[str, str]) -> Config:
    """Return what a file with this text gives."""
    Path("f.toml").write_text(text, encoding="utf-8")
    return load(Path("f.toml"), settings)


def refused(text: str, *parts: str) -> None:
    """Check that a file is refused in one sentence that holds ``parts`` and the file's name."""
    with pytest.raises(UsageError) as caught:
        read(text)
    for part in ("f.toml", *parts):
        assert part in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_shipped_file_says_what_the_defaults_are() -> None:
    """Word for word."""
    assert load(SHIPPED) == Config() == load()
    assert Config().map == {"x": (Binding(20),), "y": (Binding(21),)}


def test_every_key_there_is_stands_in_the_shipped_file() -> None:
    """It is the reference that people edit."""
    shipped = msgspec.toml.decode(SHIPPED.read_bytes())
    for struct, table in ((Config, shipped), (Midi, shipped["midi"])):
        assert set(table) == {field.name for field in msgspec.structs.fields(struct)}


def test_a_file_here_goes_before_ones_own_and_a_given_one_before_both(elsewhere: Path) -> None:
    """One file is read, not a mixture."""
    (elsewhere / "own").mkdir()
    (elsewhere / "own" / "livevae.toml").write_text("seed = 1\nmodel = 'mine'")
    assert load().seed == 1
    (elsewhere / "livevae.toml").write_text("seed = 2")
    assert load() == Config(seed=2)
    (elsewhere / "given.toml").write_text("seed = 3")
    assert load(elsewhere / "given.toml").seed == 3


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("foo = 1", ["no key foo", "known: model, seed"]),
        ("modle = 'a'", ["no key modle", "did you mean model?"]),
        ("[midi]\nbackand = 'jack'", ["midi.backand", "did you mean midi.backend?"]),
        ("[decoder]\nthread = 1", ["decoder.thread", "did you mean decoder.threads?"]),
        ("seed = -1", ["seed is -1", "a whole number from 0 to 4294967295"]),
        ("seed = 1.5", ["seed is 1.5", "a whole number from 0"]),
        ("model = 3", ["model is 3", "must be a model's name or folder"]),
        ("midi = 1", ["midi is 1", "must be a table: [midi]"]),
        ("[midi]\nbackend = 'alsa'", ["midi.backend is 'alsa'", "one of: auto, jack, rtmidi"]),
        ("[midi]\nchannel = 0", ["midi.channel is 0", "a whole number from 1 to 16"]),
        ("[midi]\nchannel = 17", ["midi.channel is 17", "a whole number from 1 to 16"]),
        ("[midi]\nname = ''", ["midi.name is ''", "text of 1 to 32 characters"]),
        ("[midi]\ninputs = 'a'", ["midi.inputs is 'a'", 'a list of port names, like ["Live"]']),
        ("[midi]\noutputs = [1]", ["midi.outputs is [1]", 'a list of port names, like ["Live"]']),
        ("[midi]\nkit = 3", ["midi.kit is 3", "gm, ableton, logic, td11", "list of 9 notes"]),
        ("[midi]\nkit = 'gmm'", ["midi.kit", "gm, ableton, logic, td11"]),
        ("[midi]\nkit = [1, 2]", ["midi.kit", "9 notes"]),
        ("[midi]\nkit = [36, 38, 42, 46, 43, 47, 50, 49, 128]", ["midi.kit", "0 to 127"]),
        (
            "[decoder]\ndevice = 'gpu'",
            ["decoder.device is 'gpu'", "auto, cpu, cuda, cuda:N or mps"],
        ),
        ("[decoder]\nthreads = 0", ["decoder.threads is 0", "a whole number from 1 to 64"]),
        ("map = 3", ["map", "table"]),
        ("[map]\nx = 20", ["map.x", "{ cc = 22 }"]),
        ("[map]\nx = { cc = 120 }", ["map.x.cc is 120", "a whole number from 0 to 119"]),
        (
            "[map]\nx = { cc = 1, channel = 0 }",
            ["map.x.channel is 0", "from 1 to 16"],
        ),
        ("[map]\nx = { channel = 2 }", ["map.x", "{ cc = 22 }"]),
        (
            "[map]\nkick.density = { cc = 1, chanel = 2 }",
            ["map.kick.density.channel?"],
        ),
        ("[map]\nfoo = { cc = 1 }", ["no control 'foo'"]),
        ("[map]\nkick.desity = { cc = 1 }", ["'kick.desity'", "did you mean kick.density"]),
        ("[map]\nx = { cc = 1 }\ny = { cc = 1 }", ["map.y", "cc 1 moves x already"]),
        ("controls = 3", ["controls", "table"]),
        ("[controls]\ndensty = 1", ["'densty'", "did you mean density"]),
        ("[controls]\nx = 2", ["x is 2", "from 0 to 1"]),
        ("[controls]\nx = nan", ["x is nan", "from 0 to 1"]),
        ("[controls]\nkick = 1", ["no control 'kick'", "kick.mute"]),
        ("[controls]\nkick.mute = 2", ["kick.mute is 2", "on or off"]),
        ("[controls]\nclock = 'midy'", ["clock is 'midy'", "midi, internal"]),
        ("a = [", ["not valid TOML"]),
        ("a = 1\na = 2", ["not valid TOML"]),
        ("seed = " + "9" * 5000, ["not valid TOML: a number in it is too large"]),
        ("seed = 0x" + "f" * 5000, ["not valid TOML: a number in it is too large"]),
        ("[controls]\nx = 0x" + "f" * 500, ["not valid TOML: a number in it is too large"]),
        (f"model = ['{'a' * 500}']", ["model is ['aaa", "...aaa", "'], but must be"]),
        ("a = " + "[" * 5000, ["not valid TOML"]),
        ("[controls]\n" + ".".join("a" * 5000) + " = 1", ["nested too deeply"]),
        ("[map]\n" + ".".join("a" * 5000) + " = 1", ["nested too deeply"]),
    ],
)
def test_what_is_wrong_is_said_with_file_and_key_and_what_would_be_right(
    text: str, parts: list[str]
) -> None:
    """One sentence each."""
    refused(text, *parts)


def test_a_file_that_cannot_be_read_is_refused_by_name(elsewhere: Path) -> None:
    """Missing, a folder, too large, not text."""
    (elsewhere / "folder").mkdir()
    (elsewhere / "huge").write_bytes(b"#" * (MAX_FILE_BYTES + 1))
    (elsewhere / "bytes").write_bytes(b"\xff\xfe\x00")
    for name in ("missing", "folder", "huge", "bytes"):
        with pytest.raises(UsageError, match=name):
            load(elsewhere / name)


def test_a_byte_order_mark_is_no_error() -> None:
    """Old Windows editors write one."""
    assert read("\ufeffseed = 4").seed == 4


def test_controls_are_read_by_their_dotted_names() -> None:
    """Bare, quoted or as a table; switches as booleans, words or numbers."""
    for text in ("kick.mute = true", "'kick.mute' = 'on'", "[controls.kick]\nmute = 1"):
        assert read(f"[controls]\n{text}").controls == {"kick.mute": 1.0}
    assert read("[controls]\nclock = 'internal'\nbpm = 99").controls == {"clock": 1, "bpm": 99}
    assert read("[controls]\nx = 0.25").control("x") == 0.25
    assert read("").control("bpm") == PARAMETERS["bpm"].default


def test_bindings_left_out_keep_their_defaults_unless_their_message_is_taken() -> None:
    """As the shipped file promises: delete what you do not change."""
    both = {"x": (Binding(20),), "y": (Binding(21),)}
    assert read("[map]\ndensity = { cc = 22, channel = 3 }").map == both | {
        "density": (Binding(22, 3),)
    }
    assert read("[map]\nx = { cc = 1 }").map == {"x": (Binding(1),), "y": (Binding(21),)}
    taken = read("[map]\nkick.density = { cc = 20 }").map
    assert taken == {"kick.density": (Binding(20),), "y": (Binding(21),)}
    assert read("[map]\nx = { cc = 21 }\ny = { cc = 20 }").map == {
        "x": (Binding(21),),
        "y": (Binding(20),),
    }


@pytest.mark.parametrize(
    ("name", "text", "changed"),
    [
        ("x", "0.3", Config(controls={"x": 0.3})),
        ("controls.x", "0.3", Config(controls={"x": 0.3})),
        ("kick.mute", "on", Config(controls={"kick.mute": 1})),
        ("controls.kick.mute", "off", Config(controls={"kick.mute": 0})),
        ("clock", "internal", Config(controls={"clock": 1})),
        ("model", "my model", Config(model="my model")),
        ("model", "~/a/b.c", Config(model="~/a/b.c")),
        ("seed", "7", Config(seed=7)),
        ("midi.kit", "td11", Config(midi=Midi(kit="td11"))),
        ("midi.channel", "1", Config(midi=Midi(channel=1))),
        ("midi.inputs", '["a", "b c"]', Config(midi=Midi(inputs=("a", "b c")))),
        (
            "map.kick.density.cc",
            "22",
            Config(map={"x": (Binding(20),), "y": (Binding(21),), "kick.density": (Binding(22),)}),
        ),
        (
            "map.x",
            "{ cc = 3, channel = 2 }",
            Config(map={"x": (Binding(3, 2),), "y": (Binding(21),)}),
        ),
    ],
)
def test_set_overrides_any_key_and_any_control(name: str, text: str, changed: Config) -> None:
    """Text needs no quotes."""
    assert load(None, [(name, text)]) == changed


def test_the_model_is_no_control_of_the_hand() -> None:
    """Not under [controls], and no control change can move it: one sentence each."""
    with pytest.raises(UsageError, match=r"model is a name: write it at the top"):
        read('[controls]\nmodel = "groove-2bar"')
    with pytest.raises(UsageError, match=r"model is a name: write it at the top"):
        read("", ("controls.model", "groove-2bar"))
    with pytest.raises(UsageError, match=r"no knob can choose a model; say `livevae set model"):
        read("[map]\nmodel = { cc = 22 }")
    with pytest.raises(UsageError, match=r"'modle'; did you mean model\?"):
        read("", ("modle", "groove-2bar"))


def test_set_goes_before_the_file_and_the_last_one_before_the_others() -> None:
    """What is not set stays as the file has it."""
    text = "seed = 1\n[midi]\nchannel = 3\n[controls]\nkick.mute = true\nx = 0.1\n[map]\nx.cc = 5"
    config = read(text, ("x", "0.2"), ("x", "0.3"), ("midi.kit", "td11"), ("map.x.channel", "2"))
    assert config.controls == {"kick.mute": 1, "x": 0.3}
    assert config.midi == Midi(channel=3, kit="td11")
    assert config.seed == 1
    assert config.map["x"] == (Binding(5, 2),)


@pytest.mark.parametrize(
    ("name", "text", "parts"),
    [
        ("foo", "1", ["'foo'"]),
        ("", "1", ["''"]),
        ("densty", "1", ["'densty'", "did you mean density"]),
        ("kick.mut", "1", ["'kick.mut'", "did you mean kick.mute"]),
        ("midi.foo", "1", ["midi.foo", "known: backend"]),
        ("midi.", "1", ["midi."]),
        ("midi", "3", ["midi is 3", "must be a table"]),
        ("midi.channel", "ten", ["midi.channel is 'ten'", "from 1 to 16"]),
        ("midi.backend.deep.er", "1", ["midi.backend"]),
        ("midi.name" + ".a" * 5000, "1", ["midi.name", "text of 1 to 32"]),
        ("midi.inputs", "a", ["midi.inputs is 'a'", 'like ["Live"]']),
        ("map.x", "20", ["map.x", "{ cc = 22 }"]),
        ("map.density.cc", "20.5", ["map.density.cc is 20.5", "from 0 to 119"]),
        ("map.foo.cc", "2", ["'foo'"]),
        ("controls.foo", "2", ["'foo'"]),
        ("controls", "2", ["controls"]),
        ("seed", "9" * 5000, ["seed is '999", "a whole number from 0"]),
        ("seed", "[" * 5000, ["seed"]),
        ("x", "2", ["x is 2", "from 0 to 1"]),
    ],
)
def test_a_wrong_set_is_refused_with_its_name(name: str, text: str, parts: list[str]) -> None:
    """One sentence each, and never the file's fault."""
    with pytest.raises(UsageError) as caught:
        load(None, [(name, text)])
    for part in parts:
        assert part in str(caught.value)
    assert "None" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_error_of_the_file_is_not_blamed_on_set() -> None:
    """Even if a set would mend it."""
    with pytest.raises(UsageError, match=r"f\.toml: midi\.channel"):
        read("[midi]\nchannel = 99", ("midi.channel", "1"))


@pytest.mark.parametrize("struct", [Config, Midi, Decoder, Binding])
def test_every_key_can_say_what_would_be_right(struct: type[msgspec.Struct]) -> None:
    """A key added without words for it would be a traceback."""
    for field in msgspec.structs.fields(struct):
        if field.name in ("map", "controls"):
            continue
        with pytest.raises(UsageError, match=f"^{field.name} is .*, but must be [a-z]"):
            check_table({field.name: object()}, struct)
