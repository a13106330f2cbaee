"""The cases of the benchmark: which clock, on which port, under which load."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

import msgspec

from livevae.bench import scripts
from livevae.pattern.pattern import STEPS_PER_BAR

PERIOD: Final = 64
LONG_PERIOD: Final = 1024
Backend = Literal["jack", "rtmidi"]
_ONE_BAR: Final = STEPS_PER_BAR
_TWO_BARS: Final = 2 * STEPS_PER_BAR


class Case(msgspec.Struct, frozen=True):
    """One clock on one kind of port.

    ``judged_from`` is the step from which errors count (a follower needs ticks to lock on);
    ``watched`` names the largest error at the steps that the script is about. When ``busy``, every
    core is, and a knob is swept so that the decoder decodes without pause. Where ``compared``, the
    references follow the same clock; they are on RtMidi in any case.
    """

    name: str
    title: str
    clock: scripts.Clock
    judged_from: int = _ONE_BAR
    backend: Backend = "jack"
    period: int = PERIOD
    watched: str = ""
    busy: bool = False
    compared: bool = True


_IDLE: Final = (
    Case("steady_jack_64", "steady, jack, 64 frames", scripts.steady),
    Case("steady_jack_1024", "steady, jack, 1,024 frames", scripts.steady, period=LONG_PERIOD),
    Case("steady_rtmidi", "steady, rtmidi", scripts.steady, backend="rtmidi", compared=False),
    Case("jitter", "clock jitter of 1.5 ms, after two bars", scripts.jitter, _TWO_BARS),
    Case("ramp", "ramp from 120 to 160 BPM", scripts.ramp),
    Case("dropout", "drop-outs of 150 ms", scripts.dropout, watched="on_return_ms"),
    Case("jump", "tempo jump x1.5", scripts.jump, watched="from_one_beat_after_ms"),
    Case(
        "start",
        "start to first downbeat",
        scripts.start,
        0,
        watched="first_downbeat_ms",
        compared=False,
    ),
)
_ALSO_BUSY: Final = ("steady_jack_64", "steady_rtmidi", "jitter", "ramp", "dropout")

CASES: Final[Mapping[str, Case]] = {
    case.name: case
    for case in (
        *_IDLE,
        *(
            msgspec.structs.replace(
                case, name=f"busy_{case.name}", title=f"{case.title}; busy", busy=True
            )
            for case in _IDLE
            if case.name in _ALSO_BUSY
        ),
    )
}
