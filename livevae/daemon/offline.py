"""Plays offline: the very player, on the memory port, as fast as it goes."""

from __future__ import annotations

from livevae.clock.timeline import NS_PER_MINUTE
from livevae.config import Config
from livevae.decoder.bank import Bank
from livevae.decoder.service import Service
from livevae.midi.kit import kit_notes
from livevae.midi.memory_port import MemoryPort
from livevae.pattern.pattern import BEATS_PER_BAR
from livevae.player.player import Player

_PASS_NS = 1_000_000
_OFFLINE = {
    "clock": 1.0,
    "play": 1.0,
    "clock_out": 0.0,
    # A file has no latency to make up for.
    "sync_delay": 0.0,
    "latency.notes": 0.0,
}


def play(config: Config, bank: Bank, service: Service, bars: int) -> list[tuple[int, bytes]]:
    """Return what ``bars`` bars on the internal clock send: nanoseconds from beat 0, message.

    The same config and model give the same bytes. Every bar and fill is decoded exactly: no
    pass begins before the decoder has answered the one before.
    """
    port = MemoryPort()
    player = Player(
        port,
        bank,
        kit=kit_notes(config.midi.kit),
        channel=config.midi.channel,
        seed=config.seed,
        bindings=config.map,
        controls=config.controls | _OFFLINE,
    )
    service.answer()
    service.answer_fill()
    beat_0_ns = port.lead_ns
    length_ns = round(bars * BEATS_PER_BAR * NS_PER_MINUTE / config.control("bpm"))
    # The player looks a lead ahead, and beat 0 lies a lead ahead of time 0.
    while port.now_ns() < length_ns:
        player.step()
        service.answer()
        service.answer_fill()
        port.advance(port.now_ns() + _PASS_NS)
    player.command("play", 0.0)
    port.advance(beat_0_ns + length_ns)
    player.step()
    return [(time_ns - beat_0_ns, message) for time_ns, message in port.sent()]
