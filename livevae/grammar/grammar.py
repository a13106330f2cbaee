"""The grammar: phrases of eight bars, A A A B A A A fill, endlessly varied within their style.

A take has one groove. Each phrase of it gives every voice one of the groove's lines and draws its
uncertain hits once, so that bars share a backbone as a producer's loop does; each bar then changes
some of those draws.
"""

from __future__ import annotations

import zlib
from typing import Final

import numpy as np
import numpy.typing as npt

from livevae.grammar.style import (
    ACCENT,
    GHOST,
    HIT,
    REST,
    SYMBOLS,
    Part,
    Style,
    load_style,
    style_names,
    symbols_of,
)
from livevae.pattern.pattern import (
    MAX_OFFSET,
    N_VOICES,
    OFFSET,
    ONSET,
    STEPS_PER_BAR,
    VELOCITY,
    VOICES,
    Pattern,
    empty,
)
from livevae.training.dataset import Recording, Split, pack

__all__ = ["corpus", "load_style", "play", "style_names"]

PHRASE_BARS: Final = 8
BAR_FOUR, BAR_EIGHT = 3, 7
LAST_OFFBEAT: Final = 14
SOFTEST: Final = 0.05

KICK, CLOSED_HAT, OPEN_HAT, CRASH = (
    VOICES.index(voice) for voice in ("kick", "closed_hat", "open_hat", "crash")
)
ORNAMENTED: Final[npt.NDArray[np.bool_]] = np.array(
    [voice not in ("kick", "open_hat", "crash") for voice in VOICES]
)

_TENTHS = [tenth / 10 for tenth in range(1, 10)]
_CHANCES = np.array([0, 1, 1, 1, 0.5, *_TENTHS])
_KINDS = np.array([REST, ACCENT, HIT, GHOST, GHOST, *[HIT] * 9])
assert len(SYMBOLS) == len(_CHANCES) == len(_KINDS)  # noqa: S101 - three columns of one table

Symbols = npt.NDArray[np.int8]
Draws = npt.NDArray[np.float64]


def play(style: Style, bars: int, rng: np.random.Generator) -> Pattern:
    """Play ``bars`` bars of a style: ``float32[bars * 16, 9, 3]`` of definite hits.

    Onsets are 0 or 1, velocities in (0, 1], offsets -0.5..0.5 of a 16th.
    """
    groove = _one_of(style.groove, rng)
    phrases = [_phrase(style, groove, rng) for _ in range(0, bars, PHRASE_BARS)]
    steps = bars * STEPS_PER_BAR
    symbols = np.concatenate([symbols for symbols, _ in phrases]).reshape(-1, N_VOICES)[:steps]
    draws = np.concatenate([draws for _, draws in phrases]).reshape(-1, N_VOICES)[:steps]

    chances = _CHANCES * np.where(_KINDS == ACCENT, 1, 1 - style.variation.thin)
    hits = draws < chances[symbols]
    ornaments = _beside(symbols) & (draws < style.variation.ornament)
    symbols[ornaments] = GHOST
    hits |= ornaments
    hits[:, CLOSED_HAT] &= ~hits[:, OPEN_HAT]  # they are one pair of cymbals

    touches = style.voice.in_order()
    kinds = np.array([0.0, style.velocity.accent, style.velocity.hit, style.velocity.ghost])
    velocities = kinds[_KINDS[symbols]] * [touch.level for touch in touches]
    velocities += style.velocity.spread * rng.standard_normal(hits.shape)

    offsets = np.tile([touch.late for touch in touches], (steps, 1))
    offsets[1::2] += 2 * rng.uniform(*style.swing) / 100 - 1
    offsets += style.jitter * rng.standard_normal(hits.shape)

    pattern = empty(bars)
    pattern[..., ONSET] = hits
    pattern[..., VELOCITY] = np.clip(velocities, SOFTEST, 1) * hits
    pattern[..., OFFSET] = np.clip(offsets, -MAX_OFFSET, MAX_OFFSET) * hits
    return pattern


def _phrase(style: Style, groove: Part, rng: np.random.Generator) -> tuple[Symbols, Draws]:
    """Return what eight bars may play and the draws that decide: [8, 16, 9] both."""
    symbols = np.zeros((PHRASE_BARS, STEPS_PER_BAR, N_VOICES), np.int8)
    variation = style.variation
    touches = style.voice.in_order()
    for number, voice in enumerate(VOICES):
        lines = groove.lines(voice)
        if not lines or rng.random() >= touches[number].chance:
            continue
        line = symbols_of(lines[rng.integers(len(lines))])
        symbols[:, :, number] = np.tile(line, (PHRASE_BARS // len(line), 1))
        if rng.random() < variation.alternate:
            symbols[BAR_FOUR, :, number] = symbols_of(lines[rng.integers(len(lines))])[-1]

    for bar in (BAR_FOUR, BAR_EIGHT):
        hats, offbeat = symbols[bar, :, CLOSED_HAT], symbols[bar, LAST_OFFBEAT]
        if rng.random() < variation.open and hats.any() and offbeat[OPEN_HAT] == REST:
            offbeat[OPEN_HAT] = HIT
    if style.fill and rng.random() < variation.fill:
        fill = _one_of(style.fill, rng)
        for number, voice in enumerate(VOICES):
            lines = fill.lines(voice)
            if lines:
                symbols[BAR_EIGHT, :, number] = symbols_of(lines[rng.integers(len(lines))])
    elif rng.random() < variation.drop:
        symbols[BAR_EIGHT, :, KICK] = REST
    if rng.random() < variation.crash:
        symbols[0, 0, CRASH] = ACCENT

    draws = np.broadcast_to(rng.random(symbols.shape[1:]), symbols.shape)
    changed = rng.random(symbols.shape) < variation.change
    return symbols, np.where(changed, rng.random(symbols.shape), draws)


def _beside(symbols: Symbols) -> npt.NDArray[np.bool_]:
    """Return the rests right before or after a written hit of a voice that is ornamented."""
    written = symbols != REST
    beside = np.zeros(symbols.shape, np.bool_)
    beside[1:] |= written[:-1]
    beside[:-1] |= written[1:]
    beside &= ~written
    beside &= ORNAMENTED
    return beside


def _one_of(parts: tuple[Part, ...], rng: np.random.Generator) -> Part:
    weights = np.cumsum([part.weight for part in parts])
    return parts[int(np.searchsorted(weights, rng.random() * weights[-1], side="right"))]


def corpus(recordings_per_style: int, bars: int, seed: int) -> Split:
    """Play every style that comes with LiveVAE, as a split to train on.

    Each style has ``recordings_per_style`` recordings of ``bars`` bars, the same for the same
    seed whatever other styles there are.
    """
    recordings: list[Recording] = []
    patterns = []
    for name in style_names():
        style = load_style(name)
        for number in range(recordings_per_style):
            rng = np.random.default_rng([seed, zlib.crc32(name.encode()), number])
            patterns.append(play(style, bars, rng))
            recordings.append(
                Recording(
                    name=f"style/{name}/{number}",
                    first_bar=len(recordings) * bars,
                    bars=bars,
                    style=name,
                    bpm=round(rng.uniform(*style.bpm), 1),
                )
            )
    cells = np.concatenate(patterns).reshape(-1, STEPS_PER_BAR, N_VOICES, 3)
    return Split(tuple(recordings), pack(cells))
