"""What is made of a Link session: scripted, without a network and without waiting."""

import importlib.util
from dataclasses import dataclass, field

import pytest

from livevae.clock import link as link_module
from livevae.clock.link import QUANTUM, LinkClock, LinkPeer, require_link
from livevae.clock.timeline import NS_PER_MS, Timeline, Transport
from livevae.errors import UsageError

US = 1_000_000
APART_NS = 7_000_000_123
"""How far the port's clock is ahead of Link's."""


@dataclass
class Clock:
    """Link's clock, set by hand, in microseconds."""

    us: int = 0

    def micros(self) -> int:
        return self.us

    def port_ns(self) -> int:
        """Return the port's time at the same moment."""
        return self.us * 1000 + APART_NS


@dataclass
class ScriptedLink:
    """A session with the semantics of Link's own documentation, for one peer's eyes."""

    clock_: Clock
    bpm: float = 120.0
    origin: tuple[float, float] = (0.0, 0.0)
    """A moment in microseconds and the beat that falls on it."""
    playing: bool = False
    playing_at_us: int = 0
    peers: int = 0
    enabled: bool = True
    commits: list[str] = field(default_factory=list)

    def clock(self) -> Clock:
        return self.clock_

    def numPeers(self) -> int:  # noqa: N802 - the library's names
        return self.peers

    def captureAppSessionState(self) -> "ScriptedLink":  # noqa: N802
        return self

    def commitAppSessionState(self, _state: object) -> None:  # noqa: N802
        self.commits.append("commit")

    def tempo(self) -> float:
        return self.bpm

    def isPlaying(self) -> bool:  # noqa: N802
        return self.playing

    def beatAtTime(self, us: float, _quantum: float) -> float:  # noqa: N802
        return self.origin[1] + (us - self.origin[0]) * self.bpm / 60e6

    def setTempo(self, bpm: float, us: int) -> None:  # noqa: N802
        self.origin = (us, self.beatAtTime(us, QUANTUM))
        self.bpm = bpm

    def setIsPlaying(self, playing: bool, us: int) -> None:  # noqa: N802
        self.playing, self.playing_at_us = playing, us

    def requestBeatAtTime(self, beat: float, us: float, quantum: float) -> None:  # noqa: N802
        if self.peers:
            phase = (self.beatAtTime(us, quantum) - beat) % quantum
            us += (quantum - phase) % quantum * 60e6 / self.bpm
        self.origin = (us, beat)

    def requestBeatAtStartPlayingTime(self, beat: float, quantum: float) -> None:  # noqa: N802
        self.requestBeatAtTime(beat, self.playing_at_us, quantum)

    def setIsPlayingAndRequestBeatAtTime(  # noqa: N802
        self, playing: bool, us: int, beat: float, quantum: float
    ) -> None:
        self.setIsPlaying(playing, us)
        self.requestBeatAtTime(beat, us, quantum)


class Desk:
    """A peer of a scripted session, polled as its thread does."""

    def __init__(self, **session: object) -> None:
        self.clock = Clock(US)
        self.link = ScriptedLink(self.clock, **session)  # type: ignore[arg-type]
        stopped = Transport(Timeline.at_tempo(120, 0))
        self.peer = LinkPeer(self.link, self.clock.port_ns, stopped)
        self.session = self.peer.poll()

    def pass_s(self, seconds: float) -> None:
        """Let time pass, with a poll every ten milliseconds."""
        for _ in range(round(seconds * 100)):
            self.clock.us += 10_000
            self.session = self.peer.poll()

    @property
    def beats(self) -> float:
        """The published position now."""
        return self.peer.transport.timeline.beats_at(self.clock.port_ns())


def test_a_session_that_stands_still_has_a_tempo_and_a_running_line() -> None:
    """For the clock that is sent to other gear meanwhile."""
    desk = Desk(bpm=97.0)
    desk.pass_s(1)
    assert not desk.peer.transport.playing
    assert desk.peer.transport.locked
    assert desk.peer.transport.timeline.bpm == pytest.approx(97)
    assert desk.session.bpm == 97
    assert desk.beats == pytest.approx(desk.link.beatAtTime(desk.clock.us, QUANTUM), abs=1e-6)


def test_alone_a_start_plays_from_beat_0_at_the_time_it_is_told() -> None:
    """Nobody else's bar line has to be waited for."""
    desk = Desk(origin=(0.0, 0.7))
    desk.pass_s(0.31)
    start_ns = desk.clock.port_ns() + 30 * NS_PER_MS
    desk.peer.play(True, start_ns)
    desk.pass_s(0.01)
    assert desk.peer.transport.playing
    assert desk.peer.transport.start_beats == 0
    assert desk.peer.transport.timeline.time_at(0) == pytest.approx(start_ns, abs=1000)
    assert desk.session.playing


@pytest.mark.parametrize("by_whom", ["us", "another"])
def test_with_peers_the_song_begins_on_the_next_bar_line_of_the_session(by_whom: str) -> None:
    """Whoever starts it; until then the position is negative, and nothing sounds."""
    desk = Desk(peers=2)
    desk.pass_s(0.5)  # at beat 3 of the session: 1.5 s at 120 BPM
    jumps = desk.peer.transport.jumps
    if by_whom == "us":
        desk.peer.play(True, desk.clock.port_ns() + 20 * NS_PER_MS)
    else:
        desk.link.setIsPlaying(True, desk.clock.us)
    desk.pass_s(0.01)
    assert desk.peer.transport.jumps == jumps + 1
    assert desk.peer.transport.start_beats == 0
    bar_line_ns = 2_000_000 * 1000 + APART_NS
    assert desk.peer.transport.timeline.time_at(0) == pytest.approx(bar_line_ns, abs=1000)
    desk.pass_s(1)
    assert desk.peer.transport.jumps == jumps + 1
    assert desk.beats == pytest.approx(1.02, abs=1e-6)


def test_a_session_that_plays_already_is_joined_where_it_is() -> None:
    """In its bar, not from the top."""
    desk = Desk(peers=1, playing=True, playing_at_us=-20 * US, origin=(0.0, 40.0))
    assert desk.peer.transport.playing
    assert desk.peer.transport.start_beats == pytest.approx(42)
    assert desk.beats == pytest.approx(42)


def test_a_start_that_is_heard_of_a_little_late_still_begins_at_beat_0() -> None:
    """The network takes its time. Much later it goes on from where it is: no hit limps."""
    for late_us, start_beats in ((12_000, 0.0), (70_000, 0.14)):
        desk = Desk()
        desk.link.setIsPlaying(True, desk.clock.us + 10_000 - late_us)
        desk.pass_s(0.01)
        assert desk.beats == pytest.approx(late_us / 500_000)
        assert desk.peer.transport.start_beats == pytest.approx(start_beats)


def test_a_stop_is_a_jump_and_the_line_runs_on() -> None:
    """All falls silent."""
    desk = Desk()
    desk.peer.play(True, desk.clock.port_ns())
    desk.pass_s(1)
    jumps = desk.peer.transport.jumps
    desk.link.setIsPlaying(False, desk.clock.us)
    desk.pass_s(0.5)
    assert not desk.peer.transport.playing
    assert not desk.session.playing
    assert desk.peer.transport.jumps == jumps + 1
    assert desk.beats == pytest.approx(3, abs=0.1)


def test_a_tempo_of_the_session_bends_the_line_and_is_no_jump() -> None:
    """Ours or another's."""
    desk = Desk()
    desk.peer.play(True, desk.clock.port_ns())
    desk.pass_s(1)
    jumps = desk.peer.transport.jumps
    at_beats = desk.beats
    desk.peer.set_tempo(240.0, desk.clock.port_ns())
    desk.pass_s(0.5)
    assert desk.beats == pytest.approx(at_beats + 2, abs=1e-3)
    assert desk.peer.transport.jumps == jumps
    assert desk.session.bpm == 240


def test_a_session_joined_while_playing_alone_is_a_jump_to_its_place() -> None:
    """Two sessions become one: the phase of one of them moves."""
    desk = Desk()
    desk.peer.play(True, desk.clock.port_ns())
    desk.pass_s(1)
    jumps = desk.peer.transport.jumps
    desk.link.origin = (desk.link.origin[0], desk.link.origin[1] + 1.3)
    desk.pass_s(0.02)
    assert desk.peer.transport.jumps == jumps + 1
    assert desk.peer.transport.start_beats == pytest.approx(desk.beats, abs=0.1)


def test_clocks_that_drift_apart_are_followed_and_noise_between_them_is_averaged() -> None:
    """50 millionths and a tenth of a millisecond: the position strays by less than that tenth."""
    desk = Desk()
    noise_ns = iter([90_000, -40_000, 15_000, -70_000, 30_000] * 400)
    begun_us = desk.clock.us

    def port_ns() -> int:
        drift = 1 + 50e-6
        return round(desk.clock.us * 1000 + (desk.clock.us - begun_us) * 1000 * (drift - 1))

    desk.peer = LinkPeer(desk.link, lambda: port_ns() + next(noise_ns), desk.peer.transport)
    desk.pass_s(2)
    strayed_ms = []
    for _ in range(800):
        desk.pass_s(0.01)
        true_beats = desk.link.beatAtTime(desk.clock.us, QUANTUM)
        told_beats = desk.peer.transport.timeline.beats_at(port_ns())
        strayed_ms.append(abs(told_beats - true_beats) * 500)
    assert max(strayed_ms) < 0.05


def test_a_clock_that_stood_still_is_taken_anew_at_once() -> None:
    """After a suspend."""
    desk = Desk()
    desk.pass_s(1)
    desk.peer._now = lambda: desk.clock.port_ns() + 5 * US * 1000
    desk.pass_s(0.01)
    told = desk.peer.transport.timeline.beats_at(desk.clock.port_ns() + 5 * US * 1000)
    assert told == pytest.approx(desk.link.beatAtTime(desk.clock.us, QUANTUM), abs=1e-6)


def test_without_the_library_one_sentence_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """And under which licence the library is."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(UsageError, match=r"pip install 'livevae\[link\]'.*GPL"):
        require_link()


def test_a_clock_that_finds_no_library_says_so_and_stands_still() -> None:
    """A knob may be turned to it at any time."""

    def connect(bpm: float) -> object:
        raise ImportError

    clock = LinkClock(lambda: 0, connect)
    clock._attend(120.0, clock._leave)
    assert clock.problem == link_module.MISSING
    assert not clock.transport.playing
