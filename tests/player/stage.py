"""A player on a memory port, a script of what it hears, and simple patterns for it to play."""

import numpy as np

from livevae.clock.timeline import NS_PER_MINUTE, NS_PER_MS
from livevae.decoder.bank import Bank, Shape
from livevae.midi.binding import Binding
from livevae.midi.kit import kit_notes
from livevae.midi.memory_port import MemoryPort
from livevae.pattern.pattern import OFFSET, ONSET, VELOCITY, VOICES, Pattern, empty
from livevae.pattern.quantised import quantised
from livevae.player.player import Player
from tests.player.ledger import Note, notes

KIT = kit_notes("gm")
PITCH = dict(zip(VOICES, KIT, strict=True))
CLOCK, START, CONTINUE, STOP, SONG_POSITION = 0xF8, 0xFA, 0xFB, 0xFC, 0xF2
KNOBS = {"x": Binding(20), "y": Binding(21)}
GRID: dict[str, float] = {"humanize": 0.0}
"""Controls under which every hit is exactly on its step."""


def beat(hits: dict[str, list[int]], bars: int = 1, offset: float = 0.0) -> Pattern:
    """Return a pattern with certain hits at the given steps of each voice."""
    pattern = empty(bars)
    for voice, steps in hits.items():
        cells = pattern[steps, VOICES.index(voice)]
        cells[:, ONSET], cells[:, VELOCITY], cells[:, OFFSET] = 1.0, 0.8, offset
        pattern[steps, VOICES.index(voice)] = cells
    return pattern


class Stage:
    """Time moves by small passes, and at once to every message, as on a real port."""

    def __init__(
        self,
        pattern: Pattern | None = None,
        controls: dict[str, float] | None = None,
        bindings: dict[str, Binding] | None = None,
        seed: int = 0,
        pass_ns: int = 3 * NS_PER_MS,
        clock_source: str = "",
    ) -> None:
        """Put ``pattern`` at every point of the grid; without one there is no grid."""
        self.port = MemoryPort(clock_source=clock_source)
        steps = 16 if pattern is None else len(pattern)
        self.bank = Bank.in_memory(Shape(steps, 2, 2))
        if pattern is not None:
            self.bank.write_grid(np.tile(quantised(pattern), (2, 2, 1, 1, 1)))
        self.player = Player(
            self.port,
            self.bank,
            kit=KIT,
            seed=seed,
            bindings={name: (b,) for name, b in (KNOBS if bindings is None else bindings).items()},
            controls=GRID | (controls or {}),
        )
        self.bpm = 120.0
        self.next_tick_ns = 100.0 * NS_PER_MS
        self.pass_ns = pass_ns
        self.player.step()

    @property
    def tick_ns(self) -> float:
        """From one tick of the script's clock to the next."""
        return NS_PER_MINUTE / self.bpm / 24

    @property
    def bar_ns(self) -> float:
        """From one bar line to the next."""
        return 96 * self.tick_ns

    def hear(self, *message: int) -> None:
        """Let a message come in now."""
        self.port.feed(self.port.now_ns(), bytes(message))
        self.player.step()

    def control(self, cc: int, value: int) -> None:
        """Turn a knob now, on channel 1."""
        self.hear(0xB0, cc, value)

    def pass_until(self, time_ns: float) -> None:
        """Let time pass up to ``time_ns`` with the player awake."""
        while self.port.now_ns() + self.pass_ns < time_ns:
            self.port.advance(self.port.now_ns() + self.pass_ns)
            self.player.step()
        self.port.advance(max(round(time_ns), self.port.now_ns()))
        self.player.step()

    def sleep_until(self, time_ns: float) -> None:
        """Let time pass with the player held up."""
        self.port.advance(round(time_ns))

    def ticks(self, count: int, jitter_ns: np.ndarray | None = None) -> None:
        """Send ``count`` clock ticks in tempo; a tick is heard as late as its jitter says."""
        for number in range(count):
            late_ns = 0.0 if jitter_ns is None else jitter_ns[number]
            self.pass_until(self.next_tick_ns + late_ns)
            self.hear(CLOCK)
            self.next_tick_ns += self.tick_ns

    def lock(self, beats: int = 2) -> int:
        """Send clock while stopped, then Start; return when the first downbeat will be."""
        self.ticks(24 * beats)
        self.pass_until(self.next_tick_ns - 2 * NS_PER_MS)
        self.hear(START)
        return round(self.next_tick_ns)

    def bars(self, count: float) -> None:
        """Send so many bars of clock."""
        self.ticks(round(96 * count))

    def finish(self) -> list[Note]:
        """Stop, let everything ring out, and return the notes."""
        self.pass_until(self.next_tick_ns - 2 * NS_PER_MS)
        self.hear(STOP)
        self.pass_until(self.port.now_ns() + 300 * NS_PER_MS)
        return notes(self.port.sent())

    def counts(self) -> dict[str, int]:
        """Return the bars played, by where they came from."""
        return {source: n for source, n in self.player.status().bars.items() if n}
