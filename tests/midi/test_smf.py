"""Standard MIDI files in and out."""

from pathlib import Path

import mido
import numpy as np
import pytest

from livevae.errors import UsageError, WorkError
from livevae.midi.kit import TD11_FOLD, kit_notes
from livevae.midi.smf import (
    MAX_FILE_BYTES,
    Drums,
    read_drums,
    to_pattern,
    write_pattern,
)
from livevae.pattern.pattern import OFFSET, ONSET, VELOCITY, VOICES, empty

KICK, SNARE, CLOSED_HAT = (VOICES.index(name) for name in ("kick", "snare", "closed_hat"))
GM = kit_notes("gm")


def midi_file(
    path: Path,
    notes: list[tuple[int, int, int]],
    channel: int = 9,
    kind: int = 0,
    meta: tuple[mido.MetaMessage, ...] = (),
    ticks_per_beat: int = 480,
) -> Path:
    """Write (tick, pitch, velocity) notes as one track."""
    track = mido.MidiTrack(meta)
    now = 0
    for tick, pitch, velocity in notes:
        track.append(
            mido.Message("note_on", channel=channel, note=pitch, velocity=velocity, time=tick - now)
        )
        now = tick
    mido.MidiFile(type=kind, ticks_per_beat=ticks_per_beat, tracks=[track]).save(path)
    return path


def drums(*notes: tuple[float, int, float]) -> Drums:
    """Return notes given as (position in steps, voice, velocity)."""
    steps, voices, velocities = zip(*notes, strict=True)
    return Drums(
        beats=np.array(steps, float) / 4,
        voices=np.array(voices),
        velocities=np.array(velocities, np.float32),
        bpm=120.0,
        metres=(),
    )


def test_notes_are_read_in_beats_with_voice_velocity_tempo_and_metre(tmp_path: Path) -> None:
    """What a file says is what is read."""
    meta = (
        mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(96), time=0),
        mido.MetaMessage("time_signature", numerator=4, denominator=4, time=0),
    )
    read = read_drums(midi_file(tmp_path / "a.mid", [(0, 36, 127), (720, 38, 64)], meta=meta))

    assert read.beats.tolist() == [0.0, 1.5]
    assert read.voices.tolist() == [KICK, SNARE]
    assert read.velocities.tolist() == pytest.approx([1.0, 64 / 127])
    assert read.bpm == pytest.approx(96)
    assert read.is_four_four
    assert len(read.metres) == 1


def test_note_on_with_velocity_zero_is_a_note_off(tmp_path: Path) -> None:
    """Running-status note-offs are not hits."""
    read = read_drums(midi_file(tmp_path / "a.mid", [(0, 36, 100), (240, 36, 0)]))

    assert len(read.beats) == 1


def test_tracks_of_a_type_1_file_are_merged_in_time_order(tmp_path: Path) -> None:
    """Kick and snare on tracks of their own make one beat."""
    tracks = [
        mido.MidiTrack([mido.Message("note_on", channel=9, note=note, velocity=9, time=time)])
        for note, time in ((38, 480), (36, 0))
    ]
    mido.MidiFile(type=1, ticks_per_beat=480, tracks=tracks).save(tmp_path / "a.mid")

    assert read_drums(tmp_path / "a.mid").voices.tolist() == [KICK, SNARE]


def test_other_channels_are_not_drums_where_channel_10_plays(tmp_path: Path) -> None:
    """A bass line on note 36 is no kick."""
    track = mido.MidiTrack(
        [
            mido.Message("note_on", channel=0, note=36, velocity=9, time=0),
            mido.Message("note_on", channel=9, note=38, velocity=9, time=0),
        ]
    )
    mido.MidiFile(type=0, tracks=[track]).save(tmp_path / "a.mid")

    assert read_drums(tmp_path / "a.mid").voices.tolist() == [SNARE]


def test_a_clip_on_one_channel_is_taken_as_drums(tmp_path: Path) -> None:
    """DAWs export drum clips on channel 1."""
    read = read_drums(midi_file(tmp_path / "a.mid", [(0, 36, 9)], channel=0))

    assert read.voices.tolist() == [KICK]


def test_pitches_are_folded_by_the_table_given(tmp_path: Path) -> None:
    """The TD-11's hi-hat edge (22) is a closed hat, General MIDI's low kick (35) is not its."""
    path = midi_file(tmp_path / "a.mid", [(0, 22, 9), (0, 35, 9)])

    assert read_drums(path, TD11_FOLD).voices.tolist() == [CLOSED_HAT]
    assert read_drums(path).voices.tolist() == [CLOSED_HAT, KICK]


def test_another_metre_is_known(tmp_path: Path) -> None:
    """Three-four is not four-four."""
    meta = (mido.MetaMessage("time_signature", numerator=3, denominator=4, time=0),)

    assert not read_drums(midi_file(tmp_path / "a.mid", [(0, 36, 9)], meta=meta)).is_four_four


def test_notes_go_to_the_nearest_step_and_late_is_positive() -> None:
    """A quarter of a step late is +0.25, early is -0.25."""
    pattern = to_pattern(drums((4.25, KICK, 0.5), (7.75, SNARE, 0.25)))

    assert pattern[4, KICK].tolist() == pytest.approx([1, 0.5, 0.25])
    assert pattern[8, SNARE].tolist() == pytest.approx([1, 0.25, -0.25])
    assert pattern[..., ONSET].sum() == 2


def test_a_note_half_a_step_early_belongs_to_the_step_that_follows() -> None:
    """Offsets lie in [-0.5, 0.5)."""
    pattern = to_pattern(drums((2.5, KICK, 0.5)))

    assert pattern[3, KICK].tolist() == pytest.approx([1, 0.5, -0.5])


def test_the_loudest_of_a_cell_stays_whichever_comes_first() -> None:
    """A flam keeps its main stroke."""
    for notes in (((0.0, 1, 0.9), (0.2, 1, 0.3)), ((0.0, 1, 0.3), (0.2, 1, 0.9))):
        assert to_pattern(drums(*notes))[0, 1, VELOCITY] == pytest.approx(0.9)


def test_a_pattern_is_as_many_bars_as_its_notes_need() -> None:
    """A note that rounds up to the next bar line opens a bar; none at all leave one bar."""
    assert len(to_pattern(drums((15.4, KICK, 0.5)))) == 16
    assert len(to_pattern(drums((15.5, KICK, 0.5)))) == 32
    assert to_pattern(drums((20.0, KICK, 0.5)), bars=1)[..., ONSET].sum() == 0


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    """Onsets, velocities and microtiming survive a file."""
    rng = np.random.default_rng(1)
    pattern = empty(2)
    pattern[..., ONSET] = rng.random((32, 9)) < 0.3
    pattern[..., VELOCITY] = rng.integers(1, 128, (32, 9)) / 127
    pattern[..., OFFSET] = rng.uniform(-0.45, 0.45, (32, 9))
    pattern[0, :, OFFSET] = 0
    pattern *= pattern[..., :1]

    write_pattern(tmp_path / "a.mid", pattern, 93.0, GM)
    read = read_drums(tmp_path / "a.mid")

    np.testing.assert_allclose(to_pattern(read, 2), pattern, atol=1 / 240)
    assert read.bpm == pytest.approx(93, abs=0.01)
    assert read.is_four_four


def test_a_written_file_is_type_1_on_channel_10_and_ends_with_its_last_bar(
    tmp_path: Path,
) -> None:
    """Other programs see a tempo track and a drum track."""
    pattern = empty(1)
    pattern[0, KICK] = (1, 1, 0)
    write_pattern(tmp_path / "a.mid", pattern, 120, GM)

    midi = mido.MidiFile(tmp_path / "a.mid")
    assert midi.type == 1
    assert [message.type for message in midi.tracks[0][:2]] == ["set_tempo", "time_signature"]
    assert {m.channel for m in midi.tracks[1] if not m.is_meta} == {9}
    assert sum(message.time for message in midi.tracks[1]) == 4 * 480


def test_hits_below_half_are_not_written(tmp_path: Path) -> None:
    """A pattern holds probabilities; a file holds hits."""
    pattern = empty(1)
    pattern[0, KICK], pattern[4, KICK] = (0.49, 1, 0), (0.5, 1, 0)
    write_pattern(tmp_path / "a.mid", pattern, 120, GM)

    assert read_drums(tmp_path / "a.mid").beats.tolist() == [1.0]


def test_notes_of_one_pitch_never_overlap(tmp_path: Path) -> None:
    """Each note is off before, or at, the next one's start, even crowded or on a shared pitch."""
    pattern = np.ones((16, 9, 3), np.float32)
    pattern[::2, :, OFFSET], pattern[1::2, :, OFFSET] = 0.5, -0.45
    write_pattern(tmp_path / "a.mid", pattern, 120, (36, 36, 42, 46, 43, 47, 50, 49, 51))

    sounding: set[int] = set()
    for message in mido.MidiFile(tmp_path / "a.mid").tracks[1]:
        if message.type == "note_on":
            assert message.note not in sounding
            sounding.add(message.note)
        elif message.type == "note_off":
            sounding.remove(message.note)
    assert not sounding


def test_markers_stand_at_their_bars(tmp_path: Path) -> None:
    """In the tempo track, in any script, and the drums are as they were."""
    markers = {2: "B: \u30d3\u30fc\u30c8.mid", 0: "A"}
    pattern = empty(4)
    pattern[::4, KICK] = (1, 0.8, 0.1)
    write_pattern(tmp_path / "plain.mid", pattern, 120, GM)
    write_pattern(tmp_path / "marked.mid", pattern, 120, GM, markers)

    plain, marked = (
        mido.MidiFile(tmp_path / f"{name}.mid", charset="utf-8") for name in ("plain", "marked")
    )
    tick, found = 0, {}
    for message in marked.tracks[0]:
        tick += message.time
        if message.type == "marker":
            found[tick] = message.text
    assert found == {0: "A", 2 * 4 * 480: markers[2]}
    assert marked.tracks[1] == plain.tracks[1]


def test_a_file_that_cannot_be_written_whole_is_left_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk is full: the last take is still there, and nothing half-written."""
    path = tmp_path / "a.mid"
    write_pattern(path, empty(2), 120, GM)
    before = path.read_bytes()

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(WorkError, match=r"a\.mid cannot be written: No space left on device"):
        write_pattern(path, empty(1), 120, GM)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_is_not_there_is_a_clear_error(tmp_path: Path) -> None:
    """Writing fails with one sentence."""
    with pytest.raises(WorkError, match="cannot be written"):
        write_pattern(tmp_path / "none" / "a.mid", empty(1), 120, GM)


GOOD = b"MThd\0\0\0\6\0\0\0\1\1\xe0MTrk\0\0\0\x0c\0\x99\x24\x40\x60\x89\x24\0\0\xff\x2f\0"


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "not a MIDI file"),
        (b"RIFF....WAVEfmt ", "not a MIDI file"),
        (GOOD[:9], "broken"),
        (GOOD[:-5], "broken"),
        (b"MThd\0\0\0\6\0\1\xff\xff\1\xe0", "broken"),
        (GOOD.replace(b"\0\0\0\x0c", b"\x7f\xff\xff\xff"), "broken"),
        (GOOD.replace(b"\0\0\0\6\0\0", b"\0\0\0\6\0\2"), "type-2"),
        (GOOD.replace(b"\1\xe0MTrk", b"\0\0MTrk"), "SMPTE"),
        (GOOD.replace(b"\1\xe0MTrk", b"\xe2\x50MTrk"), "SMPTE"),
        (GOOD.replace(b"\0\x99", b"\xff\xff\xff\x7f\x99").replace(b"\x0c", b"\x0f"), "longer"),
        (GOOD + bytes(MAX_FILE_BYTES), "larger"),
    ],
)
def test_a_hostile_file_is_one_sentence(data: bytes, sentence: str) -> None:
    """Empty, other kinds, cut short, lying about lengths, endless or huge: refused by name."""
    with pytest.raises(UsageError, match=sentence) as raised:
        read_drums(data, name="evil.mid")
    assert "evil.mid" in str(raised.value)


def test_every_damage_of_one_byte_is_survived() -> None:
    """No byte set to anything leads to another exception than UsageError."""
    for place in range(len(GOOD)):
        for value in (0, 1, 0x7F, 0x80, 0xF0, 0xFF):
            data = bytearray(GOOD)
            data[place] = value
            try:
                to_pattern(read_drums(bytes(data)))
            except UsageError:
                continue


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """The sentence says which file."""
    with pytest.raises(UsageError, match=r"nothing\.mid"):
        read_drums(tmp_path / "nothing.mid")


def test_silence_is_written_as_an_empty_bar(tmp_path: Path) -> None:
    """A pattern without hits is a file without notes, as long as the pattern."""
    write_pattern(tmp_path / "a.mid", empty(2), 120, GM)

    assert mido.MidiFile(tmp_path / "a.mid").length == pytest.approx(4.0)
    assert not read_drums(tmp_path / "a.mid").beats.size
