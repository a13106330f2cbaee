"""Onsets held against a script: errors, misses, extras, and what is none of the follower's."""

from __future__ import annotations

import math

import msgspec
import numpy as np
import pytest

from livevae.bench import scripts
from livevae.bench.meant import sixteenths
from livevae.bench.score import MS_PER_FRAME, Meant, Timing, late_ticks, onsets, score

SCRIPT = scripts.steady(6)
STEPS = len(SCRIPT.grid)
NOTE = 38
MEANT = sixteenths(SCRIPT, NOTE)


def played(errors: dict[int, int] | None = None) -> list[tuple[int, int]]:
    """Return an onset on every step, some of them so many frames late."""
    late = errors or {}
    return [(int(at) + late.get(step, 0), NOTE) for step, at in enumerate(SCRIPT.grid)]


def test_figures_are_of_signed_errors_and_of_their_sizes() -> None:
    timing = Timing.of([-1.0, 1.0, 1.0, 3.0])
    assert (timing.mean_ms, timing.sd_ms) == (1.0, pytest.approx(math.sqrt(2)))
    assert (timing.p50_ms, timing.max_ms, timing.notes) == (1.0, 3.0, 4)


def test_percentiles_are_those_of_the_sizes() -> None:
    timing = Timing.of(-np.arange(10_001) / 100)
    assert timing.p50_ms == pytest.approx(50)
    assert timing.p99_ms == pytest.approx(99)
    assert timing.p999_ms == pytest.approx(99.9)


def test_notes_on_the_grid_have_no_error() -> None:
    timing = score(SCRIPT, played(), MEANT)
    assert (timing.notes, timing.missed, timing.extra) == (STEPS, 0, 0)
    assert (timing.mean_ms, timing.max_ms) == (0, 0)


def test_a_late_note_is_late_by_its_frames() -> None:
    timing = score(SCRIPT, played({20: 48}), MEANT)
    assert timing.max_ms == pytest.approx(1.0)
    assert timing.mean_ms == pytest.approx(1.0 / STEPS)
    assert score(SCRIPT, played({20: -48}), MEANT).mean_ms == pytest.approx(-1.0 / STEPS)


def test_a_note_that_does_not_come_is_missed_wherever_it_was_due() -> None:
    heard = [onset for step, onset in enumerate(played()) if step not in (2, 40)]
    timing = score(SCRIPT, heard, MEANT, judged_from=16)
    assert timing.missed == 2
    assert timing.notes == STEPS - 16 - 1


def test_a_note_that_comes_twice_is_extra_and_counts_once() -> None:
    timing = score(SCRIPT, sorted([*played(), (int(SCRIPT.grid[5]) + 90, NOTE)]), MEANT)
    assert (timing.notes, timing.missed, timing.extra) == (STEPS, 0, 1)
    assert timing.max_ms == 0


def test_a_note_that_was_not_meant_is_extra() -> None:
    timing = score(SCRIPT, [*played(), (0, NOTE + 1)], MEANT)
    assert (timing.missed, timing.extra, timing.notes) == (0, 1, STEPS)


def test_a_note_that_may_sound_is_neither_missed_nor_extra() -> None:
    meant = Meant(MEANT.must - {(7, NOTE)}, MEANT.may)
    assert score(SCRIPT, played(), meant).extra == 0
    silent = [onset for step, onset in enumerate(played()) if step != 7]
    assert score(SCRIPT, silent, meant).missed == 0


def test_errors_count_from_where_a_follower_must_have_locked() -> None:
    assert score(SCRIPT, played({15: 48}), MEANT, judged_from=16).max_ms == 0
    assert score(SCRIPT, played({16: 48}), MEANT, judged_from=16).max_ms == pytest.approx(1.0)


def test_the_watched_figure_is_the_largest_error_at_the_watched_steps() -> None:
    script = msgspec.structs.replace(SCRIPT, watched=frozenset({3, 4}))
    heard = played({3: -96, 4: 48, 20: 480})
    timing = score(script, heard, MEANT, judged_from=16, watched="on_return_ms")
    assert timing.figures == {"on_return_ms": pytest.approx(2.0)}


def test_silence_has_no_figures_but_misses() -> None:
    script = msgspec.structs.replace(SCRIPT, watched=frozenset({3}))
    timing = score(script, [], MEANT, watched="on_return_ms")
    assert (timing.notes, timing.missed) == (0, STEPS)
    shown = msgspec.json.decode(msgspec.json.encode(timing))
    assert shown["sd_ms"] is None
    assert shown["figures"]["on_return_ms"] is None


def test_a_recording_is_read_from_the_beginning_of_the_script() -> None:
    recording = [
        (1000, b"\x99\x26\x40"),
        (1010, b"\x89\x26\x00"),
        (1020, b"\x99\x26\x00"),
        (1030, b"\x99\x2a\x40"),
        (1040, b"\xf8"),
    ]
    assert onsets(recording, 900, (38,)) == [(100, 38)]


def test_clocks_that_the_machine_held_up_are_counted() -> None:
    zero = 5000
    recording = [(zero + frame, message) for frame, message in SCRIPT.events]
    assert late_ticks(SCRIPT, recording, zero) == 0
    recording[10] = (recording[10][0] + 3, recording[10][1])
    del recording[20]
    assert late_ticks(SCRIPT, recording, zero) == 2


def test_a_frame_is_the_forty_eighth_part_of_a_millisecond() -> None:
    assert pytest.approx(1.0) == 48 * MS_PER_FRAME
