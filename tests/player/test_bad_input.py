"""What a bad wire, a careless program or a flood does to the player: nothing that is heard."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livevae.clock.timeline import NS_PER_MS
from tests.player.ledger import by_pitch, notes
from tests.player.stage import (
    CLOCK,
    CONTINUE,
    PITCH,
    SONG_POSITION,
    START,
    STOP,
    Stage,
    beat,
)

FOUR = {"kick": [0, 4, 8, 12]}
HARMLESS = [
    b"",
    bytes((60, 100)),
    bytes((0x90, 60)),
    bytes((0xB0, 119, 0x90, 60, 60)),
    bytes((SONG_POSITION, 8)),
    bytes((SONG_POSITION, 0x90, 1)),
    bytes((0xF0, *range(100), 0xF7)),
    bytes((0xF0, *range(128))),
    bytes((0xF7,)),
    bytes((0xF6,)),
    bytes((0xFE,)),
    bytes((0xF4, 1, 2, 3)),
    bytes((0xB0, 119, 5, 119, 6, 119)),
]
"""Bad or meant for others: nothing of it may move transport, knobs or notes."""


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.integers(0, 60), st.binary(max_size=12)), max_size=60))
def test_whatever_bytes_come_in_bars_keep_coming_and_no_note_hangs(
    packets: list[tuple[int, bytes]],
) -> None:
    """Then a Start, and the beat is there."""
    stage = Stage(beat(FOUR), {"humanize": 100.0})
    stage.lock()
    for ticks, packet in packets:
        stage.ticks(ticks % 7)
        stage.hear(*packet)
    for name in ("humanize", "sync_delay"):
        stage.player.command(name, 0.0)
    stage.hear(STOP)
    stage.ticks(48)
    stage.hear(START)
    begun_ns = round(stage.next_tick_ns)
    before = sum(stage.counts().values())
    stage.bars(1.9)
    struck = np.array(by_pitch(stage.finish())[PITCH["kick"]])
    np.testing.assert_allclose(
        struck[struck >= begun_ns - NS_PER_MS],
        begun_ns + np.arange(8) * 500 * NS_PER_MS,
        atol=NS_PER_MS // 10,
    )
    assert sum(stage.counts().values()) == before + 2


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.integers(0, 95), st.sampled_from(HARMLESS)), max_size=40))
def test_between_the_ticks_of_a_song_harmless_bytes_change_no_note(
    packets: list[tuple[int, bytes]],
) -> None:
    """Byte for byte what is sent without them."""

    def play(disturbances: dict[int, list[bytes]]) -> list[tuple[int, bytes]]:
        stage = Stage(beat(FOUR))
        stage.lock()
        for tick in range(96):
            stage.ticks(1)
            for packet in disturbances.get(tick, []):
                stage.hear(*packet)
        stage.finish()
        return stage.port.sent()

    disturbances: dict[int, list[bytes]] = {}
    for tick, packet in packets:
        disturbances.setdefault(tick, []).append(packet)
    assert play(disturbances) == play({})


@pytest.mark.parametrize(
    "around", [(0xF0, 1, 2, 3, 0xF7), (0x90, 60, 100), (0xB0, 119, 1), (0xE0, 1, 2)]
)
def test_transport_inside_other_messages_is_not_lost(around: tuple[int, ...]) -> None:
    """Start, every tick and Stop in the midst of other bytes: the song is the same."""
    stage = Stage(beat(FOUR))
    head, tail = around[:2], around[2:]
    stage.hear(*head, START, *tail)
    begun_ns = round(stage.next_tick_ns)
    for _ in range(4 * 24 - 6):
        stage.pass_until(stage.next_tick_ns)
        stage.hear(*head, CLOCK, *tail)
        stage.next_tick_ns += stage.tick_ns
    stage.hear(*head, STOP, *tail)
    now_ns = stage.port.now_ns()
    stage.pass_until(now_ns + 300 * NS_PER_MS)
    heard = notes(stage.port.sent())
    assert [note.on_ns for note in heard] == pytest.approx(
        [begun_ns + number * 500 * NS_PER_MS for number in range(4)], abs=1000
    )
    assert max(note.off_ns for note in heard) <= now_ns + NS_PER_MS


@pytest.mark.parametrize("position", [(127, 127), (126, 127)])
def test_the_last_song_position_there_is_plays_on(position: tuple[int, int]) -> None:
    """16383 sixteenths, four hours at 120 BPM in: nothing wraps and no bar is missed."""
    stage = Stage(beat({"closed_hat": list(range(16))}))
    stage.ticks(48)
    stage.hear(SONG_POSITION, *position)
    stage.hear(CONTINUE)
    stage.bars(1)
    assert stage.player.status().beats > 4095
    assert len(stage.finish()) in (16, 17)
    assert "missed" not in stage.counts()


@pytest.mark.parametrize("position", [(128, 0), (0, 128), (8, 0x90), (255, 255)])
def test_a_song_position_out_of_range_moves_nothing(position: tuple[int, int]) -> None:
    """What should be data is the beginning of another message."""
    stage = Stage(beat(FOUR))
    stage.ticks(48)
    stage.hear(SONG_POSITION, *position)
    stage.hear(CONTINUE)
    stage.ticks(1)
    assert stage.player.status().playing
    assert stage.player.status().beats == pytest.approx(0, abs=1e-3)


def test_ten_thousand_messages_a_second_leave_the_song_as_it_is_and_the_player_idle() -> None:
    """Every kind there is, for two bars: a tenth of a core is for bad days, this takes less."""
    flood = [*HARMLESS, bytes((0x93, 60, 100)), bytes((0xD0, 5)), bytes((0xB5, 1, 64))]

    def play(per_ms: int) -> tuple[list[tuple[int, bytes]], float]:
        stage = Stage(beat(FOUR))
        stage.lock()
        begun = time.thread_time()
        for tick in range(192):
            until_ns = stage.next_tick_ns
            while per_ms and stage.port.now_ns() + 3 * NS_PER_MS < until_ns:
                stage.port.advance(stage.port.now_ns() + 3 * NS_PER_MS)
                for number in range(3 * per_ms):
                    stage.port.feed(stage.port.now_ns(), flood[(tick + number) % len(flood)])
                stage.player.step()
            stage.ticks(1)
        spent_s = time.thread_time() - begun
        stage.finish()
        return stage.port.sent(), spent_s

    quiet, quiet_s = min((play(0) for _ in range(3)), key=lambda played: played[1])
    flooded, flooded_s = min((play(10) for _ in range(3)), key=lambda played: played[1])
    assert flooded == quiet
    assert (flooded_s - quiet_s) / 4 < 0.1
