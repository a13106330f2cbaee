"""Follows an Ableton Link session: its tempo, its bars, its start and stop.

Link is an extra, `pip install 'livevae[link]'`; it is licensed under the GPL, so an installation
that has it may be passed on under the GPL's terms only. LiveVAE alone is not affected.

The library takes locks that its own threads hold, and its session may be captured by one thread
only. So a thread of this module's own asks it, a hundred times a second, and publishes what it
says as frozen values; the player reads those and leaves orders, and never waits for either.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import threading
from collections import deque
from collections.abc import Callable
from typing import Any, Final

import msgspec

from livevae.clock.timeline import NS_PER_MINUTE, NS_PER_MS, Timeline, Transport
from livevae.errors import UsageError

QUANTUM: Final = 4.0
"""Beats whose phase all peers share: a bar."""
POLL_S: Final = 0.01
SMOOTHING: Final = 64
"""Polls over which the difference between Link's clock and the port's is averaged: two thirds of
a second, through which even clocks 50 millionths apart stray by only 30 microseconds."""
APART_NS: Final = 20 * NS_PER_MS
"""Beyond this the clocks have not drifted, but one of them stood still (a suspend, an xrun)."""
JUMP_BEATS: Final = 1 / 8
"""A session joined, or another's beats forced on it; what is less is the network's delay."""
LATE_START_NS: Final = 30 * NS_PER_MS
"""A start heard of this late is still played from its first beat; later, its hits would limp."""
NS_PER_US: Final = 1000
MISSING: Final = (
    "Ableton Link is not installed; `pip install 'livevae[link]'` (it is licensed under the GPL), "
    "or choose clock midi or internal"
)


class Session(msgspec.Struct, frozen=True):
    """What all peers of the session share, and how many there are besides LiveVAE."""

    bpm: float
    playing: bool
    peers: int


def require_link() -> None:
    """Make sure that the clock ``link`` can be followed.

    Raises:
        UsageError: the extra is not installed.
    """
    if importlib.util.find_spec("link") is None:
        raise UsageError(MISSING)


def open_link(bpm: float) -> Any:
    """Join the session on the local network, or begin one at ``bpm``.

    Raises:
        ImportError: the extra is not installed.
    """
    from link import Link  # noqa: PLC0415 - only where it is wanted

    link = Link(bpm)
    link.startStopSyncEnabled = True
    link.enabled = True
    return link


class LinkPeer:
    """One membership of a session, as seen in the port's clock. Not for several threads."""

    def __init__(self, link: Any, now: Callable[[], int], transport: Transport) -> None:
        """Go on from ``transport``, whose jumps are counted further."""
        self.transport = transport
        self._link = link
        self._clock = link.clock()
        self._now = now
        self._apart_ns = 0.0
        self._samples = 0

    def set_tempo(self, bpm: float, at_ns: int) -> None:
        """Give the session a tempo from ``at_ns`` on."""
        state = self._link.captureAppSessionState()
        state.setTempo(bpm, self._micros(at_ns))
        self._link.commitAppSessionState(state)

    def play(self, playing: bool, at_ns: int) -> None:
        """Start the session on the first bar line at or after ``at_ns``, or stop it.

        Alone in the session there is no bar line to wait for.
        """
        state = self._link.captureAppSessionState()
        at_us = self._micros(at_ns)
        if playing:
            state.setIsPlayingAndRequestBeatAtTime(True, at_us, 0.0, QUANTUM)
        else:
            state.setIsPlaying(False, at_us)
        self._link.commitAppSessionState(state)

    def poll(self) -> Session:
        """Publish the session as it stands now as ``transport``, and return what it shares."""
        now_us = self._compare_clocks()
        state = self._link.captureAppSessionState()
        playing = state.isPlaying()
        started = playing and not self.transport.playing
        if started:
            # As Link's own example does: the song begins on a bar line at or after the start.
            state.requestBeatAtStartPlayingTime(0.0, QUANTUM)
            self._link.commitAppSessionState(state)
        bpm = state.tempo()
        beats = state.beatAtTime(now_us, QUANTUM)
        now_ns = round(now_us * NS_PER_US + self._apart_ns)
        self._publish(Timeline(now_ns, beats, NS_PER_MINUTE / bpm), playing)
        return Session(bpm, playing, self._link.numPeers())

    def _publish(self, timeline: Timeline, playing: bool) -> None:
        old = self.transport
        beats = timeline.origin_beats
        moved = abs(beats - old.timeline.beats_at(timeline.origin_ns)) > JUMP_BEATS
        started = playing and not old.playing
        jump = playing != old.playing or (playing and moved)
        in_time = started and beats * timeline.beat_ns < LATE_START_NS
        start_beats = 0.0 if in_time else beats
        self.transport = Transport(
            timeline,
            playing,
            locked=True,
            jumps=old.jumps + jump,
            start_beats=start_beats if jump else old.start_beats,
        )

    def _compare_clocks(self) -> int:
        """Look at both clocks at once; return Link's, in its microseconds."""
        before_us = self._clock.micros()
        now_ns = self._now()
        now_us = (before_us + self._clock.micros()) // 2
        error_ns = now_ns - now_us * NS_PER_US - self._apart_ns
        if abs(error_ns) > APART_NS:
            self._samples = 0
        self._samples = min(self._samples + 1, SMOOTHING)
        self._apart_ns += error_ns / self._samples
        return int(now_us)

    def _micros(self, time_ns: int) -> int:
        return max(round((time_ns - self._apart_ns) / NS_PER_US), int(self._clock.micros()))


class LinkClock:
    """A clock source in the Link session, while it is joined."""

    def __init__(self, now: Callable[[], int], connect: Callable[[float], Any] = open_link) -> None:
        """Stand by; ``now`` is the port's clock, and nothing is on the network before ``join``."""
        self.transport = Transport(Timeline.at_tempo(120.0, now()))
        self.session: Session | None = None
        self.problem = ""
        self._now = now
        self._connect = connect
        self._orders: deque[Callable[[LinkPeer], None]] = deque()
        self._leave = threading.Event()

    def join(self, bpm: float) -> None:
        """Become a peer of the session, or begin one at ``bpm``; this takes a moment."""
        self._leave = threading.Event()
        self._orders.clear()
        if self.transport.playing:
            jumps = self.transport.jumps + 1
            self.transport = msgspec.structs.replace(self.transport, playing=False, jumps=jumps)
        threading.Thread(
            target=self._attend, args=(bpm, self._leave), name="link", daemon=True
        ).start()

    def leave(self) -> None:
        """Stop being a peer."""
        self._leave.set()

    def set_tempo(self, bpm: float, at_ns: int) -> None:
        """Give the session a tempo from ``at_ns`` on."""
        self._orders.append(lambda peer: peer.set_tempo(bpm, at_ns))

    def play(self, playing: bool, at_ns: int) -> None:
        """Start the session on the first bar line at or after ``at_ns``, or stop it."""
        self._orders.append(lambda peer: peer.play(playing, at_ns))

    def _attend(self, bpm: float, leave: threading.Event) -> None:
        _step_down()
        try:
            link = self._connect(bpm)
        except ImportError:
            self.problem = MISSING
            return
        peer = LinkPeer(link, self._now, self.transport)
        while not leave.wait(POLL_S):
            while self._orders:
                self._orders.popleft()(peer)
            self.session = peer.poll()
            self.transport = peer.transport
        link.enabled = False
        if leave is self._leave:
            self.session = None


def _step_down() -> None:
    """Give up the real-time priority that this thread, and Link's after it, has by inheritance."""
    with contextlib.suppress(AttributeError, OSError):
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
