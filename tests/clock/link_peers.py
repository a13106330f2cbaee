"""A player and another Link peer in one session, in real time: prints what each saw of the other.

Run as a program of its own in a network of its own (see test_link_peers.py): on a shared network it
would start and stop whatever others play there.
"""

import json
import time
from collections.abc import Callable

import numpy as np
from link import Link

from livevae.decoder.bank import Bank, Shape
from livevae.midi.memory_port import MemoryPort
from livevae.pattern.quantised import quantised
from livevae.pattern.render import Feel, render
from livevae.player.player import Player
from tests.player.stage import GRID, KIT, beat

QUANTUM = 4.0


class LivePort(MemoryPort):
    """A memory port on which time passes by itself."""

    def now_ns(self) -> int:
        self.time_ns = time.perf_counter_ns()
        return self.time_ns


class Duet:
    """The player, the other peer, and how the one's time reads in the other's."""

    def __init__(self) -> None:
        self.other = Link(97)
        self.other.startStopSyncEnabled = True
        self.other.enabled = True
        self.port = LivePort()
        bank = Bank.in_memory(Shape(16, 2, 2))
        kicks = beat({"kick": [0, 4, 8, 12]})
        render(kicks, Feel(), 0, 0)  # as the player process does: numpy's first time takes 100 ms
        bank.write_grid(np.tile(quantised(kicks), (2, 2, 1, 1, 1)))
        self.player = Player(self.port, bank, kit=KIT, controls=GRID | {"clock": 2.0})

    def until(self, condition: Callable[[], object], within_s: float = 10.0) -> bool:
        """Play on until something is so; return whether it came to be."""
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            self.player.step()
            if condition():
                return True
            time.sleep(0.003)
        return False

    def play_s(self, seconds: float) -> None:
        self.until(lambda: False, seconds)

    def kicks_ns(self, since_ns: int) -> list[int]:
        return [ns for ns, m in self.port.sent() if m[0] & 0xF0 == 0x90 and ns >= since_ns]

    def phase_ms(self, time_ns: int) -> float:
        """Return how far a moment lies from the other peer's nearest bar line."""
        clock = self.other.clock()
        apart_us = clock.micros() - time.perf_counter_ns() / 1000
        state = self.other.captureAppSessionState()
        phase = state.phaseAtTime(round(time_ns / 1000 + apart_us), QUANTUM)
        return (phase - QUANTUM * round(phase / QUANTUM)) * 60_000 / state.tempo()

    def set_other(self, tempo: float | None = None, playing: bool | None = None) -> None:
        state = self.other.captureAppSessionState()
        now_us = self.other.clock().micros()
        if tempo is not None:
            state.setTempo(tempo, now_us)
        if playing is not None:
            state.setIsPlaying(playing, now_us)
        self.other.commitAppSessionState(state)

    def other_state(self) -> tuple[float, bool]:
        state = self.other.captureAppSessionState()
        return round(state.tempo(), 2), state.isPlaying()

    def bar_errors_ms(self, since_ns: int) -> list[float]:
        """Return how far every fourth kick, from the first on, lies from the other's bar lines."""
        return [round(self.phase_ms(ns), 3) for ns in self.kicks_ns(since_ns)[::4]]


def main() -> None:
    duet = Duet()
    player = duet.player
    met = duet.until(lambda: player.status().link_peers == 1 and duet.other.numPeers() == 1)
    duet.play_s(0.5)
    stood_still = not player.status().playing and player.status().values["play"] == 0
    duet.set_other(tempo=140.0)
    heard_tempo = duet.until(lambda: abs(player.status().values["bpm"] - 140) < 0.01)

    # Not just before a bar line: the news takes some hundredths of a second.
    duet.until(lambda: -900 < duet.phase_ms(time.perf_counter_ns()) < -300)
    started_ns = time.perf_counter_ns()
    duet.set_other(playing=True)
    heard_start = duet.until(lambda: player.status().playing)
    duet.play_s(4.5)
    followed = duet.bar_errors_ms(started_ns)

    player.command("bpm", 170.0)
    told_tempo = duet.until(lambda: duet.other_state() == (170.0, True))
    player.command("play", 0.0)
    told_stop = duet.until(lambda: duet.other_state() == (170.0, False))
    duet.play_s(0.2)
    silent = not duet.kicks_ns(time.perf_counter_ns() - 100_000_000)

    started_ns = time.perf_counter_ns()
    player.command("play", 1.0)
    told_start = duet.until(lambda: duet.other_state() == (170.0, True))
    duet.play_s(3.5)
    led = duet.bar_errors_ms(started_ns)

    player.command("clock", 1.0)
    left = duet.until(lambda: duet.other.numPeers() == 0)
    seen = {name: value for name, value in locals().items() if isinstance(value, bool | list)}
    print(json.dumps(seen))


if __name__ == "__main__":
    main()
