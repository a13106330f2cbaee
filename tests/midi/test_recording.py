"""What was sent, as a file."""

from pathlib import Path

import mido
import pytest

from livevae.errors import WorkError
from livevae.midi.recording import TICKS_PER_BEAT, write_recording

ON, OFF = bytes((0x99, 36, 100)), bytes((0x89, 36, 0))


@pytest.mark.parametrize("bpm", [20.0, 97.3, 120.0, 300.0])
def test_every_message_lies_at_its_time_to_a_fraction_of_a_millisecond(
    tmp_path: Path, bpm: float
) -> None:
    """However long the piece: rounding does not add up."""
    events = [(round(number * 1.7e7), ON if number % 2 else OFF) for number in range(1, 5000)]
    write_recording(tmp_path / "a.mid", events, bpm, 400)
    ticks, read = 0, []
    file = mido.MidiFile(tmp_path / "a.mid")
    for message in file.tracks[1]:
        ticks += message.time
        if not message.is_meta:
            read.append((ticks * 60e9 / bpm / TICKS_PER_BEAT, bytes(message.bytes())))
    assert [message for _, message in read] == [message for _, message in events]
    for (got_ns, _), (asked_ns, _) in zip(read, events, strict=True):
        assert abs(got_ns - asked_ns) <= 0.6 * 60e9 / bpm / TICKS_PER_BEAT


def test_the_file_is_of_type_1_in_four_four_at_its_tempo_and_ends_on_the_beat(
    tmp_path: Path,
) -> None:
    """So that it loops in time."""
    write_recording(tmp_path / "a.mid", [(0, ON), (100_000_000, OFF)], 120, 8)
    file = mido.MidiFile(tmp_path / "a.mid")
    assert file.type == 1
    meta = {message.type: message for message in file.tracks[0]}
    assert meta["set_tempo"].tempo == 500_000
    assert (meta["time_signature"].numerator, meta["time_signature"].denominator) == (4, 4)
    for track in file.tracks:
        assert sum(message.time for message in track) == 8 * TICKS_PER_BEAT
    assert file.length == pytest.approx(4.0)


def test_a_recording_of_nothing_is_silence_of_its_length(tmp_path: Path) -> None:
    """And a note beyond the end makes it longer."""
    write_recording(tmp_path / "a.mid", [], 120, 4)
    assert mido.MidiFile(tmp_path / "a.mid").length == pytest.approx(2.0)
    write_recording(tmp_path / "a.mid", [(3_000_000_000, OFF)], 120, 4)
    assert mido.MidiFile(tmp_path / "a.mid").length == pytest.approx(3.0)


def test_a_place_that_cannot_be_written_is_refused_in_a_sentence(tmp_path: Path) -> None:
    """And leaves nothing behind."""
    (tmp_path / "file").write_text("mine")
    with pytest.raises(WorkError, match="cannot be written"):
        write_recording(tmp_path / "file" / "a.mid", [], 120, 4)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
