"""Files of a corpus read by symusic: the same drums as mido finds, or the reason why not."""

import io
import random

import mido
import numpy as np
import pytest

from livevae.errors import UsageError
from livevae.midi.kit import TD11_FOLD
from livevae.midi.smf import MAX_FILE_BYTES, read_drums, to_pattern
from livevae.training.dataset import CELL_BYTES, pack
from livevae.training.reading import Reading, Unusable, read, read_fast

END = b"\x00\xff\x2f\x00"


def raw(*tracks: bytes, kind: int = 1, division: int = 480) -> bytes:
    """Return a MIDI file of tracks given as their events' bytes."""
    header = [6, kind, len(tracks), division]
    parts = [b"MThd", *(n.to_bytes(4 if i == 0 else 2) for i, n in enumerate(header))]
    for track in tracks:
        parts += [b"MTrk", len(track).to_bytes(4), track]
    return b"".join(parts)


def hit(delta: int, pitch: int, velocity: int = 90, channel: int = 9) -> bytes:
    """Return a note-on after ``delta`` ticks."""
    return bytes((delta, 0x90 | channel, pitch, velocity))


def end(delta: int, pitch: int, channel: int = 9) -> bytes:
    """Return a note-off."""
    return bytes((delta, 0x80 | channel, pitch, 0))


BEAT = hit(0, 36) + end(60, 36) + hit(60, 38, 70) + end(60, 38)
TEMPO = b"\xff\x51\x03\x06\x1a\x80"
THREE_FOUR = b"\x00\xff\x58\x04\x03\x02\x18\x08"

ODD = {
    "type 0": raw(BEAT + END, kind=0),
    "type 1, drums on two tracks": raw(BEAT + END, hit(7, 42) + end(1, 42) + END),
    "running status": raw(bytes((0, 0x99, 36, 90, 9, 36, 0, 9, 38, 80, 9, 38, 0)) + END),
    "a note that never ends": raw(hit(0, 36) + hit(50, 38) + end(9, 38) + END),
    "one note-off for two notes": raw(hit(0, 36) + hit(60, 36) + end(9, 36) + END),
    "nothing ever ends": raw(hit(0, 36) + hit(60, 36) * 40 + hit(0, 38) * 3 + END),
    "ended on another track": raw(hit(0, 36) + END, end(9, 36) + END),
    "no length": raw(hit(0, 36) + end(0, 36) + hit(60, 36) + end(9, 36) + END),
    "twice at once": raw(hit(0, 36, 50) + hit(0, 36, 99) + end(9, 36) + end(0, 36) + END),
    "no end of track": raw(BEAT),
    "a late end of track": raw(hit(0, 36) + b"\x87\x68\xff\x2f\x00"),
    "drums beside a piano": raw(hit(0, 60, channel=0) + end(9, 60, 0) + BEAT + END),
    "one channel, not the tenth": raw(hit(0, 36, channel=2) + end(9, 36, 2) + END),
    "one channel on two tracks": raw(*[hit(0, 36, 9 + n, 2) + end(9, 36, 2) + END for n in (0, 1)]),
    "one channel, and nothing ever ends": raw(hit(0, 36, channel=2) * 3 + END),
    "two channels of one program": raw(
        *[hit(0, 36, channel=channel) + end(9, 36, channel) + END for channel in (2, 3)]
    ),
    "two channels, one of notes that never end": raw(
        hit(0, 36, channel=2) + hit(0, 36, channel=3) + end(9, 36, channel=3) + END
    ),
    "a kit changed on the way": raw(b"\x00\xc9\x08" + BEAT + b"\x00\xc9\x19" + BEAT + END),
    "tempos out of order": raw(b"\x60" + TEMPO + BEAT + END, b"\x00\xff\x51\x03\x05\x16\x15" + END),
    "no tempo worth the name": raw(b"\x00\xff\x51\x03\x00\x00\x00" + BEAT + END),
    "three-four": raw(THREE_FOUR + BEAT + END),
    "an odd division": raw(BEAT + END, division=97),
    "pitches that are no drums": raw(hit(0, 36) + hit(5, 100) + hit(0, 0) + hit(0, 127) + END),
    "a system-exclusive message": raw(b"\x00\xf0\x04\x41\x10\x42\xf7" + BEAT + END),
    "bar after bar": raw((BEAT + hit(100, 46) + end(100, 46)) * 200 + END),
    "type 2": raw(BEAT + END, kind=2),
    "SMPTE": raw(BEAT + END, division=0xE828),
    "no division": raw(BEAT + END, division=0),
    "cut short": raw(BEAT + END)[:-6],
    "text": b"This is not a MIDI file.",
}


@pytest.mark.parametrize("name", ODD)
def test_symusic_and_mido_find_the_same_drums(name: str) -> None:
    """Note by note, with tempo and metres; and what one refuses the other does."""
    try:
        expected = read_drums(ODD[name])
    except UsageError:
        with pytest.raises(Unusable):
            read_fast(ODD[name])
        return
    found = read_fast(ODD[name])

    np.testing.assert_array_equal(found.beats, expected.beats)
    np.testing.assert_array_equal(found.voices, expected.voices)
    np.testing.assert_array_equal(found.velocities, expected.velocities)
    assert (found.bpm, found.metres) == (expected.bpm, expected.metres)


@pytest.mark.parametrize("seed", range(20))
def test_any_mess_of_notes_gives_the_same_pattern(seed: int) -> None:
    """Notes and note-offs at random, on a few channels and tracks, whether or not they match."""
    rng = random.Random(seed)
    tracks = [
        b"".join(
            rng.choice((hit, end))(rng.randrange(120), rng.randrange(35, 60), channel=channel)
            for channel in rng.choices((9, 0, 3), (6, 1, 1), k=300)
        )
        for _ in range(rng.randrange(1, 4))
    ]
    data = raw(*(track + END for track in tracks))

    np.testing.assert_array_equal(
        to_pattern(read_fast(data, TD11_FOLD)), to_pattern(read_drums(data, TD11_FOLD))
    )


def test_a_reading_holds_the_cells_of_the_pattern() -> None:
    """Packed, with their bars, the tempo, and a fingerprint of nothing but the cells."""
    first = raw(b"\x00" + TEMPO + BEAT * 9 + END)
    reading, again = read(first, groove=False), read(raw(BEAT * 9 + END), groove=False)

    assert isinstance(reading, Reading)
    assert isinstance(again, Reading)
    assert reading.cells == pack(to_pattern(read_drums(first))).tobytes()
    assert len(reading.cells) == reading.bars * 16 * 9 * CELL_BYTES
    assert reading.bpm == pytest.approx(150)
    assert (again.fingerprint, again.bpm) == (reading.fingerprint, 120)


def test_groove_midi_is_folded_as_it_was_played() -> None:
    """Note 22 is a closed hat of the TD-11's, and nothing in a file of another collection."""
    data = raw(hit(0, 22) + end(9, 22) + hit(0, 36) + end(9, 36) + END)
    only_td11 = raw(hit(0, 35) + end(9, 35) + END)

    assert isinstance(read(data, groove=True), Reading)
    assert read(only_td11, groove=True) == "no drums"
    assert isinstance(read(only_td11, groove=False), Reading)


def test_each_file_that_cannot_be_used_has_its_reason() -> None:
    """In the words that prepare counts."""
    far = hit(0, 36) + end(9, 36) + b"\xff\xff\xff\x7f\xff\x01\x00" * 8 + hit(0, 36) + END
    music = mido.MidiFile(tracks=[mido.MidiTrack([mido.MetaMessage("text", text="no notes")])])
    silent = io.BytesIO()
    music.save(file=silent)

    assert read(b"", groove=False) == "empty"
    assert read(silent.getvalue(), groove=False) == "empty"
    assert read(b"MThd broken", groove=False) == "broken"
    assert read(b"MThd" + bytes(MAX_FILE_BYTES), groove=False) == "too large"
    assert read(raw(far), groove=False) == "too long"
    assert read(ODD["three-four"], groove=False) == "other metre"
    assert read(ODD["two channels of one program"], groove=False) == "no drums"
    assert read(raw(hit(0, 100) + end(9, 100) + END), groove=False) == "no drums"
