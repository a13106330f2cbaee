"""Gear on LiveVAE's clock, as the MIDI 1.0 text has it: where it takes the song to be."""

from collections.abc import Iterable
from dataclasses import dataclass

CLOCK, START, CONTINUE, STOP, SONG_POSITION = 0xF8, 0xFA, 0xFB, 0xFC, 0xF2
NOTICE_NS = 1_000_000


@dataclass(frozen=True)
class Tick:
    """A clock tick, and the number in the song that it is for the gear; None while it stands."""

    time_ns: int
    number: int | None


def system(events: Iterable[tuple[int, bytes]]) -> list[tuple[int, bytes]]:
    """Return the messages that are no channel's."""
    return [event for event in events if event[1][0] >= 0xF0]


def words(events: Iterable[tuple[int, bytes]]) -> list[int]:
    """Return the transport messages, by their status."""
    return [message[0] for _, message in system(events) if message[0] != CLOCK]


def follow(events: Iterable[tuple[int, bytes]]) -> list[Tick]:
    """Return the ticks as the gear takes them, checked.

    It is told of a new position only while it stands, is told to start only while it stands, and
    to stop only while it plays; the first tick after Start or Continue is the position.
    """
    ticks: list[Tick] = []
    playing, position = False, 0
    for time_ns, message in system(events):
        if message[0] == CLOCK:
            ticks.append(Tick(time_ns, position if playing else None))
            position += playing
        elif message[0] == STOP:
            assert playing, f"stopped twice at {time_ns}"
            playing = False
        else:
            assert not playing, f"told where to go while it plays, at {time_ns}"
            if message[0] == SONG_POSITION:
                position = (message[1] | message[2] << 7) * 6
            else:
                playing = True
                position = 0 if message[0] == START else position
    return ticks


def played(events: Iterable[tuple[int, bytes]]) -> dict[int, int]:
    """Return the time of each tick of the song, for a song that is played through once."""
    times = {}
    for tick in follow(events):
        if tick.number is not None:
            assert tick.number not in times, f"tick {tick.number} comes twice"
            times[tick.number] = tick.time_ns
    return times
