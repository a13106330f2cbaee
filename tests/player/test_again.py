"""``again``: the bar you just heard, as long as it is on."""

from tests.player.stage import PITCH, Stage, beat

FOUR = beat({"kick": [0], "snare": [16 + 4], "crash": [32 + 8], "ride": [48 + 12]}, bars=4)
VOICE = {PITCH[voice]: voice for voice in ("kick", "snare", "crash", "ride")}


def heard(stage: Stage, downbeat_ns: int) -> list[str]:
    """Return what is struck: the bars of FOUR differ by their voice, and their beat."""
    names = []
    for note in stage.finish():
        bar, at_ns = divmod(note.on_ns - downbeat_ns, round(stage.bar_ns))
        names.append(f"{bar}.{1 + round(4 * at_ns / stage.bar_ns)} {VOICE[note.pitch]}")
    return names


def test_the_last_whole_bar_is_repeated_from_the_next_line_until_it_is_turned_off() -> None:
    """And then the song is where it would have been."""
    stage = Stage(FOUR)
    downbeat_ns = stage.lock()
    stage.bars(2.3)
    stage.player.command("again", 1.0)
    stage.bars(3)
    stage.player.command("again", 0.0)
    stage.bars(1.5)
    assert heard(stage, downbeat_ns) == [
        "0.1 kick",
        "1.2 snare",
        "2.3 crash",
        *("3.2 snare", "4.2 snare", "5.2 snare"),
        "6.3 crash",
    ]


def test_the_bar_comes_with_the_feel_it_had() -> None:
    """A mute since then does not silence it."""
    stage = Stage(FOUR)
    downbeat_ns = stage.lock()
    stage.bars(2.2)
    stage.player.command("snare.mute", 1.0)
    stage.bars(0.2)
    stage.player.command("again", 1.0)
    stage.bars(1.5)
    assert heard(stage, downbeat_ns)[-1] == "3.2 snare"


def test_before_a_bar_has_been_heard_nothing_is_repeated() -> None:
    """The song goes on."""
    stage = Stage(FOUR)
    downbeat_ns = stage.lock()
    stage.bars(0.5)
    stage.player.command("again", 1.0)
    stage.bars(1.4)
    assert heard(stage, downbeat_ns) == ["0.1 kick", "1.2 snare"]
