"""Plays offline: the very player, on the memory port, as fast as it goes."""

from __future__ import annotations

from collections import deque
from typing import Protocol

from livevae.clock.timeline import NEVER_NS
from livevae.config import Config
from livevae.daemon.script import Script
from livevae.daemon.take import cut
from livevae.decoder.bank import Bank
from livevae.midi.kit import kit_notes
from livevae.midi.memory_port import MemoryPort
from livevae.midi.recording import Take
from livevae.pattern.pattern import BEATS_PER_BAR
from livevae.player.player import Player
from livevae.player.tape import Tape

_PASS_NS = 1_000_000
_OFFLINE = {
    "clock": 1.0,
    "play": 1.0,
    "clock_out": 0.0,
    # A file has no latency to make up for.
    "sync_delay": 0.0,
    "latency.notes": 0.0,
}


class Decoder(Protocol):
    """What answers the wishes of an offline player; see ``decoder.service.Service``."""

    def answer(self) -> object:
        """Decode what is wanted now, if it is not there."""
        ...

    def answer_fill(self) -> object:
        """Decode the fill of what is wanted now, if it is not there."""
        ...


def play(config: Config, bank: Bank, decoder: Decoder, bars: int) -> list[tuple[int, bytes]]:
    """Return what ``bars`` bars on the internal clock send: nanoseconds from beat 0, message.

    The same config and model give the same bytes. Every bar and fill is decoded exactly: no
    pass begins before the decoder has answered the one before.
    """
    port = MemoryPort()
    _play(config, bank, decoder, Script(bars, ()), port, None)
    return [(time_ns - port.lead_ns, message) for time_ns, message in port.sent()]


def perform(config: Config, bank: Bank, decoder: Decoder, script: Script) -> Take:
    """Return the bars of a scripted performance; otherwise as ``play``.

    A hand moves as soon as what lies before the place of the move has been sent.
    """
    tape = Tape.in_memory(script.bars + 1)
    _play(config, bank, decoder, script, MemoryPort(), tape)
    return cut(tape.read(), script.bars)


def _play(
    config: Config,
    bank: Bank,
    decoder: Decoder,
    script: Script,
    port: MemoryPort,
    tape: Tape | None,
) -> None:
    player = Player(
        port,
        bank,
        kit=kit_notes(config.midi.kit),
        channel=config.midi.channel,
        seed=config.seed,
        bindings=config.map,
        controls=config.controls | _OFFLINE,
        tape=tape,
    )
    decoder.answer()
    decoder.answer_fill()
    moves = deque(script.moves)
    end_beats = script.bars * BEATS_PER_BAR
    # The player looks a lead ahead.
    while (horizon_ns := port.now_ns() + port.lead_ns) < _time_ns(player, end_beats):
        player.step()
        decoder.answer()
        decoder.answer_fill()
        move_ns = _time_ns(player, moves[0].beats) if moves else NEVER_NS
        if move_ns <= horizon_ns:
            player.change(moves.popleft().changes)
        else:
            port.advance(min(horizon_ns + _PASS_NS, move_ns) - port.lead_ns)
    player.command("play", 0.0)
    port.advance(_time_ns(player, end_beats))
    player.step()


def _time_ns(player: Player, beats: float) -> int:
    return player.transport().timeline.time_at(beats)
