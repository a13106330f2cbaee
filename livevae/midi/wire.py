"""What LiveVAE listens to in what came in: whole messages out of whatever a wire has left of them.

Ports hand over packets. Most are one whole message; bad cables, busy drivers and other programs
also deliver messages cut short, several in one, with running status, or with a real-time byte in
their midst, which the MIDI 1.0 text allows anywhere, in System Exclusive too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

REALTIME: Final = bytes(range(0xF8, 0x100))
BELOW_REALTIME: Final = bytes(range(0xF8))
SONG_POSITION: Final = b"\xf2"
_OF_ONE_BYTE: Final = bytes(range(0xC0, 0xE0))

_HEARD: Final = re.compile(
    rb"[\x80-\x9f\xb0-\xbf\xe0-\xef\xf2]"
    rb"(?:[\xf8-\xff]*[\x00-\x7f][\xf8-\xff]*[\x00-\x7f])*"
    rb"|[\xc0-\xdf](?:[\xf8-\xff]*[\x00-\x7f])*"
    rb"|[\xf8-\xff]"
)
"""A status byte that LiveVAE listens to, and what follows it: pairs of data bytes, or single ones
after a program change and channel pressure. Pressure of single keys (0xA0) is not listened to."""


def heard(packet: bytes) -> Iterator[bytes]:
    """Yield the real-time messages, song positions and messages of channels in ``packet``, whole.

    A real-time byte inside another message comes before it, as it did on the wire.
    """
    for found in _HEARD.findall(packet):
        for byte in found.translate(None, BELOW_REALTIME):
            yield bytes((byte,))
        if found[0] < REALTIME[0]:
            status, data = found[:1], found[1:].translate(None, REALTIME)
            if status == SONG_POSITION:
                data = data[:2]  # only messages of a channel have running status
            size = 1 if status in _OF_ONE_BYTE else 2
            for at in range(0, len(data), size):
                yield status + data[at : at + size]
