"""Starting scenes, chosen by themselves: for each style the most typical of its beats."""

from __future__ import annotations

import re
import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import compress
from typing import Final

import numpy as np
import numpy.typing as npt
import torch

from livevae.errors import WorkError
from livevae.grammar.grammar import load_style, play, style_names
from livevae.latent.presets import FASTEST_BPM, MAX_LINE, SCENE_FORMAT, SLOWEST_BPM, Scene
from livevae.latent.space import N_CORNERS, Array
from livevae.model.posterior import refined
from livevae.model.vae import Vae
from livevae.pattern.pattern import (
    BEATS_PER_BAR,
    ONSET,
    STEPS_PER_BAR,
    VOICES,
    Pattern,
)
from livevae.training.dataset import Split
from livevae.training.evaluate import decoded, scores_of_each
from livevae.training.sounds import PLAYED, PROGRAMMED

WINDOWS_PER_STYLE: Final = 320
PLAYED_PER_STYLE: Final = 32
MAX_STYLES: Final = 64
BETA: Final = 0.25
"""How much a scene's bits weigh: little enough for the beat to be heard as it was played."""
FAITHFUL: Final = 0.85
"""The onset F1 that a beat needs to go by its name."""
STEADY: Final = 0.75
TIMEKEEPERS: Final = ("closed_hat", "open_hat", "ride")

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Beat:
    """A beat that stands for its style: ``window`` [steps, 9, 3], in words, and how fast."""

    style: str
    name: str
    description: str
    source: str
    bpm: float
    window: Pattern


def typical_beats(split: Split, bars: int, styles: Iterable[str] | None = None) -> list[Beat]:
    """Return the most typical beat of each style of a split, or of each of ``styles`` it has.

    A recording without a style counts as its own; where all would be one style, each window does.
    Large styles are drawn from (seeded), and of more than 64 the smallest left out.
    """
    starts = split.window_starts(bars)
    recordings = split.recordings_of(starts)
    labels = np.array([r.style or r.name.rsplit("/", 1)[-1] for r in recordings], object)
    if len(set(labels)) == 1:
        labels = np.array([f"{label}, window {n}" for n, label in enumerate(labels, 1)], object)
    sizes = Counter(labels)
    wanted = set(sizes) if styles is None else set(sizes) & set(styles)
    largest = sorted(wanted, key=lambda label: (-sizes[label], label))

    rng = np.random.default_rng(0)
    beats = []
    for label in sorted(largest[:MAX_STYLES]):
        members = rng.permutation(np.flatnonzero(labels == label))[:WINDOWS_PER_STYLE]
        windows = split.take(starts[members], bars)
        chosen = most_typical(windows)
        recording = recordings[members[chosen]]
        bar = int(starts[members[chosen]]) - recording.first_bar + 1
        name, description = PLAYED.get(label, (label, f"The most typical beat of {label}."))
        source = f"{recording.name}, bar {bar}"
        beats.append(Beat(label, name, description, source, recording.bpm, windows[chosen]))
    return beats


def electronic_beats(bars: int) -> list[Beat]:
    """Return the most typical of some beats that the grammar plays in each of its styles."""
    beats = []
    for name in style_names():
        style = load_style(name)
        rng = np.random.default_rng(zlib.crc32(name.encode()))
        windows = np.stack([play(style, bars, rng) for _ in range(PLAYED_PER_STYLE)])
        window = windows[most_typical(windows)]
        sound, bpm = PROGRAMMED.get(name, name), float(np.mean(style.bpm))
        beats.append(Beat(name, sound, style.description, f"style {name}", bpm, window))
    return beats


def points_of(vae: Vae, beats: Sequence[Beat]) -> Array:
    """Return where beats lie in a model's space, [n, z_dim]: refined posterior means."""
    windows = torch.from_numpy(np.stack([beat.window for beat in beats]))
    device = next(vae.parameters()).device
    points: Array = refined(vae, windows.to(device), BETA).mu.cpu().numpy()
    return points


def starting_scenes(vae: Vae, split: Split, model: str, weights: str) -> list[Scene]:
    """Choose the scenes to start from, of the styles of a model's training set and the grammar's.

    Of the Groove MIDI Dataset these are the styles that ``sounds`` has words for. A beat that the
    model cannot play as it is named is left out. ``model`` and ``weights`` are the name and the
    sha256 that the scenes are bound to.

    Raises:
        WorkError: fewer than four are left, which is too few for a map.
    """
    bars = vae.config.bars
    own = typical_beats(split, bars, PLAYED if split.groove_midi else None)
    beats = [*own, *electronic_beats(bars)]
    points = points_of(vae, beats)
    windows = np.stack([beat.window for beat in beats])
    faithful = scores_of_each(decoded(vae, points), windows) >= FAITHFUL
    scenes = {}
    for beat, point in zip(compress(beats, faithful), points[faithful], strict=True):
        name = _line(beat.name)
        scenes[name] = Scene(
            format=SCENE_FORMAT,
            name=name,
            model=model,
            weights=weights,
            style=_line(beat.style),
            description=_line(beat.description),
            source=_line(beat.source),
            bpm=round(min(max(beat.bpm, SLOWEST_BPM), FASTEST_BPM), 1),
            z=tuple(point.tolist()),
        )
    if len(scenes) < N_CORNERS:
        raise WorkError(
            f"{model} plays only {len(scenes)} of {len(beats)} typical beats as they are; "
            "train it for longer"
        )
    return list(scenes.values())


def _line(text: str) -> str:
    """Return text as a scene can hold it: names of files may have any characters."""
    return re.sub(r"[\x00-\x1f\x7f]", " ", text)[:MAX_LINE]


def far_apart(points: Array, count: int) -> list[int]:
    """Choose ``count`` of points [n, d]: the most typical, then each the farthest from those.

    Of fewer points some are chosen more than once.
    """
    chosen = [int(np.linalg.norm(points - points.mean(axis=0), axis=1).argmin())]
    while len(chosen) < count:
        apart = np.linalg.norm(points[:, None] - points[None, chosen], axis=2).min(axis=1)
        # Points may coincide, as those of a model do that has hardly learned.
        apart[chosen] = -1
        chosen.append(int(apart.argmax()))
    return chosen


def most_typical(windows: Pattern) -> int:
    """Return the window nearest to the mean of the steady ones of [n, steps, 9, 3].

    Steady are those whose bars are alike, keep time, and begin with a kick, as far as there are
    any. What is typical is judged by the hits, not in z, so that all models agree on it.
    """
    alike, on_one = _alike(windows), _on_one(windows)
    choices = (alike & on_one, alike, on_one, np.ones(len(windows), bool))
    steady = np.flatnonzero(next(choice for choice in choices if choice.any()))
    hits = windows[steady][..., ONSET].reshape(len(steady), -1)
    return int(steady[np.linalg.norm(hits - hits.mean(axis=0), axis=1).argmin()])


def _on_one(windows: Pattern) -> Mask:
    """Say of each window whether every bar of it begins with a kick."""
    firsts = windows[:, ::STEPS_PER_BAR, VOICES.index("kick"), ONSET]
    on_one: Mask = np.all(firsts >= 0.5, axis=1)
    return on_one


def _alike(windows: Pattern) -> Mask:
    """Say of each window whether its bars are alike, and keep time with hats or ride."""
    hits = windows[..., ONSET].reshape(len(windows), -1, STEPS_PER_BAR, len(VOICES)) >= 0.5
    timekeepers = [VOICES.index(voice) for voice in TIMEKEEPERS]
    kept_time = (hits[..., timekeepers].sum(axis=(2, 3)) >= BEATS_PER_BAR).all(axis=1)
    common = (hits[:, 1:] & hits[:, :-1]).sum(axis=(2, 3))
    both = hits[:, 1:].sum(axis=(2, 3)) + hits[:, :-1].sum(axis=(2, 3))
    alike: Mask = np.all(2 * common >= STEADY * both, axis=1) & kept_time
    return alike
