"""The player in a Link session: its controls are the session's, and the session hears of them."""

from livevae.clock.link import LinkClock, Session
from livevae.clock.timeline import NS_PER_MS, Timeline, Transport
from livevae.player.player import Player
from tests.player.gear import START, follow, words
from tests.player.ledger import NOTE_ON
from tests.player.stage import KIT, Stage, beat

FOUR = {"kick": [0, 4, 8, 12]}


class Script(LinkClock):
    """A session that plays what the test says, and keeps what it is told."""

    def __init__(self) -> None:
        super().__init__(lambda: 0)
        self.told: list[tuple[str, float]] = []

    def join(self, bpm: float) -> None:
        self.told.append(("join", bpm))

    def leave(self) -> None:
        self.told.append(("leave", 0.0))
        self.session = None

    def set_tempo(self, bpm: float, _at_ns: int) -> None:
        self.told.append(("tempo", bpm))

    def play(self, playing: bool, _at_ns: int) -> None:
        self.told.append(("play", playing))

    def publish(self, bpm: float, beat_0_ns: int | None, peers: int = 1) -> None:
        """Let the session stand, or play with its beat 0 at a time."""
        playing = beat_0_ns is not None
        timeline = Timeline.at_tempo(bpm, beat_0_ns or 0)
        jumps = self.transport.jumps + (playing != self.transport.playing)
        self.transport = Transport(timeline, playing, True, jumps, 0.0)
        self.session = Session(bpm, playing, peers)


def stage_in(link: LinkClock, **controls: float) -> Stage:
    """Return a stage whose player is in the session."""
    stage = Stage(beat(FOUR))
    stage.player = Player(
        stage.port,
        stage.bank,
        kit=KIT,
        link=link,
        controls={"humanize": 0.0, "clock": 2.0, **controls},
    )
    return stage


def test_the_session_is_joined_with_the_tempo_that_is_set_and_left_with_the_clock() -> None:
    """And not touched besides: joining starts nothing."""
    link = Script()
    stage = stage_in(link, bpm=93.0)
    stage.pass_until(100 * NS_PER_MS)
    assert link.told == [("join", 93.0)]
    assert not stage.player.status().clock_alive
    stage.player.command("clock", 0.0)
    stage.player.step()
    assert link.told == [("join", 93.0), ("leave", 0.0)]


def test_bpm_and_play_are_what_the_session_makes_of_them() -> None:
    """So that a knob goes on from there."""
    link = Script()
    stage = stage_in(link)
    link.publish(141.0, None, peers=3)
    stage.pass_until(20 * NS_PER_MS)
    status = stage.player.status()
    assert (status.values["bpm"], status.values["play"], status.link_peers) == (141.0, 0.0, 3)
    link.publish(400.0, 50 * NS_PER_MS)
    stage.pass_until(40 * NS_PER_MS)
    status = stage.player.status()
    assert (status.values["bpm"], status.values["play"]) == (300.0, 1.0)
    assert ("play", 1.0) not in link.told


def test_the_song_plays_from_the_bar_line_on_which_the_session_begins_it() -> None:
    """However long before that it is known."""
    link = Script()
    stage = stage_in(link)
    link.publish(120.0, 700 * NS_PER_MS)
    stage.pass_until(1300 * NS_PER_MS)
    struck = [ns for ns, message in stage.port.sent() if message[0] & 0xF0 == NOTE_ON]
    assert struck == [700 * NS_PER_MS, 1200 * NS_PER_MS]


def test_gear_on_midi_clock_starts_on_that_bar_line_too() -> None:
    """It hears ticks before, and no Start: there is no song before its beginning."""
    link = Script()
    stage = stage_in(link, clock_out=1.0)
    link.publish(120.0, 700 * NS_PER_MS)
    stage.pass_until(1300 * NS_PER_MS)
    assert words(stage.port.sent()) == [START]
    ticks = follow(stage.port.sent())
    assert ticks[0].time_ns < 100 * NS_PER_MS
    assert [tick.time_ns for tick in ticks if tick.number in (0, 24)] == [
        700 * NS_PER_MS,
        1200 * NS_PER_MS,
    ]


def test_knobs_for_bpm_and_play_move_the_session() -> None:
    """And only while it is the clock."""
    link = Script()
    stage = stage_in(link)
    link.publish(120.0, None)
    stage.pass_until(20 * NS_PER_MS)
    stage.player.command("play", 1.0)
    stage.player.command("bpm", 150.0)
    stage.player.step()
    assert link.told[1:] == [("play", 1.0), ("tempo", 150.0)]
    stage.player.command("clock", 1.0)
    stage.player.command("bpm", 90.0)
    stage.player.step()
    assert link.told[3:] == [("leave", 0.0)]
