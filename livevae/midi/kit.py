"""Which MIDI notes mean which voice: folding on the way in, kit maps on the way out."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from livevae.pattern.pattern import N_VOICES, VOICES

KITS: Final[Mapping[str, tuple[int, ...]]] = MappingProxyType(
    {
        # one output note for each voice, in voice order
        "gm": (36, 38, 42, 46, 43, 47, 50, 49, 51),
        # Ableton's and Logic's stock kits follow General MIDI for these voices, but their
        # low and mid toms sit on 41 and 45 (Live's 16-pad racks start at 36, C1).
        "ableton": (36, 38, 42, 46, 41, 45, 48, 49, 51),
        "logic": (36, 38, 42, 46, 41, 45, 48, 49, 51),
        "td11": (36, 38, 42, 46, 43, 45, 48, 49, 51),
    }
)
"""Output notes of the kits by name, nine each, in voice order."""


def _fold(table: Mapping[str, tuple[int, ...]]) -> Mapping[int, int]:
    return MappingProxyType(
        {note: VOICES.index(voice) for voice, notes in table.items() for note in notes}
    )


TD11_FOLD: Final = _fold(
    {
        "kick": (36,),
        "snare": (38, 37, 40),
        "closed_hat": (42, 22, 44),
        "open_hat": (46, 26),
        "low_tom": (43, 58),
        "mid_tom": (47, 45),
        "high_tom": (50, 48),
        "crash": (49, 52, 55, 57),
        "ride": (51, 53, 59),
    }
)
"""Roland TD-11 note -> voice index: what the Groove MIDI Dataset was played on."""

GM_FOLD: Final = _fold(
    {
        "kick": (35, 36),
        "snare": (37, 38, 39, 40),
        "closed_hat": (42, 44),
        "open_hat": (46,),
        "low_tom": (41, 43),
        "mid_tom": (45, 47),
        "high_tom": (48, 50),
        "crash": (49, 52, 55, 57),
        "ride": (51, 53, 59),
    }
)
"""General MIDI percussion note -> voice index; hand percussion has no voice and is left out."""


def kit_notes(kit: str | tuple[int, ...]) -> tuple[int, ...]:
    """Return the nine output notes of a kit, in voice order.

    Raises:
        ValueError: the name is unknown, or a custom kit is not nine notes of 0..127.
    """
    if isinstance(kit, str):
        if kit not in KITS:
            raise ValueError(f"there is no kit {kit!r}; choose one of {', '.join(KITS)}")
        return KITS[kit]
    if len(kit) != N_VOICES or not all(0 <= note <= 127 for note in kit):
        raise ValueError(f"a kit is {N_VOICES} notes from 0 to 127, one for each voice in order")
    return kit
