"""The pictures of an evaluation, drawn with matplotlib where it is installed."""

from __future__ import annotations

import importlib.util
import io
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from livevae.errors import UsageError
from livevae.files import write_atomically
from livevae.latent.interpolate import paced
from livevae.model.vae import Vae
from livevae.pattern.pattern import (
    N_VOICES,
    STEPS_PER_BAR,
    STEPS_PER_BEAT,
    VELOCITY,
    VOICES,
    Pattern,
)
from livevae.training.dataset import Split
from livevae.training.evaluate import Array, decoded, encoded, onset_scores, played
from livevae.training.interpolation import STEPS, pairs_of_windows
from livevae.training.metrics import Metrics
from livevae.training.report import MOST_WINDOWS, Report

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DPI: Final = 130
STYLES: Final = 10
"""As many styles have a colour of their own; the rest are grey."""
RECONSTRUCTIONS: Final = 4
INK: Final = "#1b1b1f"
MODEL: Final = "#0b6e99"
OTHER: Final = "#c8502d"
GREY: Final = "#9a9aa2"


def require_matplotlib() -> None:
    """Check that pictures can be drawn.

    Raises:
        UsageError: matplotlib is not installed.
    """
    if importlib.util.find_spec("matplotlib") is None:
        raise UsageError(
            "pictures need matplotlib, which is not installed; run pip install 'livevae[plots]'"
        )


def draw(
    folder: Path, vae: Vae, evaluated: Split, report: Report, metrics: list[Metrics], seed: int
) -> None:
    """Draw what there is to see of a model on a split into a folder, as PNG files.

    ``map``: the windows' posterior means by style; ``reconstructions``; ``interpolation``: one
    beat to another; ``curve``: onset F1 against bits; ``training``, where there are ``metrics``.

    Raises:
        WorkError: a file cannot be written.
    """
    bars = vae.config.bars
    starts = evaluated.some_starts(bars, MOST_WINDOWS)
    windows = evaluated.take(starts, bars)
    mu, _ = encoded(vae, windows)
    recordings = evaluated.recordings_of(starts)
    styles = [_literal(recording.style.split("/")[0] or "no style") for recording in recordings]
    chosen = np.random.default_rng(seed).permutation(len(starts))[:RECONSTRUCTIONS]
    if len(mu) > 1:  # one point spans no map
        _save(folder / "map.png", style_map(mu, styles))
    names = [styles[i] for i in chosen]
    _save(
        folder / "reconstructions.png",
        reconstructions(windows[chosen], decoded(vae, mu[chosen]), names),
    )
    pairs = pairs_of_windows(evaluated, bars, 1, seed)
    if len(pairs):
        a, b = encoded(vae, evaluated.take(pairs[0], bars))[0]
        points = paced(a, b, STEPS, lambda z: decoded(vae, z))
        _save(folder / "interpolation.png", way_between(decoded(vae, points)))
    _save(folder / "curve.png", rate_and_distortion(report))
    validated = [line for line in metrics if line.validation_f1 is not None]
    if validated:
        _save(folder / "training.png", training_curves(validated))


def style_map(mu: Array, styles: list[str]) -> Figure:
    """Draw posterior means [n, z_dim] on their two principal axes, coloured by style."""
    figure = _figure(8, 6.5)
    axes = figure.add_subplot()
    centred = mu - mu.mean(axis=0)
    _, sizes, directions = np.linalg.svd(centred, full_matrices=False)
    shares = np.square(sizes) / np.square(sizes).sum()
    x, y = (centred @ directions[:2].T).T
    of = np.array(styles)
    common = [style for style, _ in Counter(styles).most_common(STYLES)]
    rest = ~np.isin(of, common)
    axes.scatter(x[rest], y[rest], s=9, color=GREY, linewidths=0, alpha=0.6)
    colours = _colours(len(common))
    for style, colour in zip(common, colours, strict=True):
        at = of == style
        axes.scatter(x[at], y[at], s=11, color=colour, linewidths=0, alpha=0.75, label=style)
    axes.set_xlabel(f"first principal axis ({shares[0]:.0%} of the variance)")
    axes.set_ylabel(f"second principal axis ({shares[1]:.0%})")
    axes.set_title(f"{len(mu):,} windows by style")
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False, markerscale=2.5)
    return figure


def reconstructions(windows: Pattern, predicted: Pattern, names: list[str]) -> Figure:
    """Draw windows [n, steps, 9, 3] over their reconstructions, hits darker where louder."""
    bars = windows.shape[1] // STEPS_PER_BAR
    figure = _figure(max(7.0, 3.2 * min(bars, 5)), 3.6 * len(windows))
    panels = figure.subplots(2 * len(windows), 1, squeeze=False)[:, 0]
    for row, (true, heard, name) in enumerate(zip(windows, predicted, names, strict=True)):
        f1 = onset_scores(heard, true).f1
        _grid(panels[2 * row], true, f"{name}: as played")
        _grid(panels[2 * row + 1], heard, f"reconstructed at z = mu, onset F1 {f1:.2f}")
    return figure


def way_between(path: Pattern) -> Figure:
    """Draw patterns [points, steps, 9, 3] below each other, and how far each is from the ends."""
    figure = _figure(11, 9)
    columns = figure.add_gridspec(1, 2, width_ratios=(3, 1.3))
    rows = columns[0].subgridspec(len(path), 1, hspace=0.25)
    for row, pattern in enumerate(path):
        panel = figure.add_subplot(rows[row])
        panel.imshow(_shades(pattern), cmap="Greys", vmin=0, vmax=1, aspect="auto", origin="lower")
        _bar_lines(panel, len(pattern))
        panel.set_xticks([])
        panel.set_yticks([])
        panel.set_ylabel(str(row), rotation=0, va="center", ha="right", fontsize=8)
        if row == 0:
            panel.set_title("from one beat (0) to another, paced by what is heard")
    hits = played(path).reshape(len(path), -1)
    curve = figure.add_subplot(columns[1])
    points = np.arange(len(path))
    curve.plot((hits != hits[0]).sum(axis=1), points, color=MODEL, marker="o", label="the first")
    curve.plot((hits != hits[-1]).sum(axis=1), points, color=OTHER, marker="o", label="the last")
    curve.invert_yaxis()
    curve.set_yticks(points)
    curve.set_xlabel("Hamming distance, cells")
    curve.set_title("how far from")
    curve.legend(frameon=False)
    return figure


def rate_and_distortion(report: Report) -> Figure:
    """Draw onset F1 against bits: the model's points, and the floors."""
    figure = _figure(7.5, 5)
    axes = figure.add_subplot()
    for (name, curve), colour in zip(report.refined.items(), (MODEL, OTHER), strict=False):
        points = sorted([*curve.curve, *curve.within.values()], key=lambda point: point.bits)
        label = f"posteriors refined for {name} ({curve.windows} windows)"
        bits, f1 = [point.bits for point in points], [point.f1 for point in points]
        axes.plot(bits, f1, color=colour, marker="o", label=label)
    label = "the encoder's, at z = mu"
    axes.plot([report.bits], [report.onset.f1], "D", color=MODEL, markersize=8, label=label)
    for name, floor in report.floors.items():
        axes.scatter([floor.bits], [floor.f1], color=GREY, marker="s")
        axes.text(floor.bits + 4, floor.f1, name, fontsize=9, color=INK, verticalalignment="top")
    axes.set_xlim(left=-5)
    axes.set_xlabel("bits a window")
    axes.set_ylabel("onset F1")
    axes.set_title(f"Reconstruction of the {report.split} split, and what copying would score")
    axes.legend(loc="lower right", frameon=False)
    axes.grid(alpha=0.25)
    return figure


def training_curves(lines: list[Metrics]) -> Figure:
    """Draw validation F1, bits, and the parts of the loss over the steps of a training."""
    figure = _figure(8, 7)
    panels = figure.subplots(3, 1, sharex=True)
    steps = [line.step for line in lines]
    panels[0].plot(steps, [line.validation_f1 for line in lines], color=MODEL)
    panels[0].set_ylabel("validation\nonset F1")
    panels[1].plot(steps, [line.validation_bits for line in lines], color=MODEL, label="validation")
    panels[1].plot(steps, [line.bits for line in lines], color=GREY, label="training batch")
    panels[1].set_ylabel("KL, bits")
    panels[1].legend(frameon=False)
    for name, colour in (("onset", MODEL), ("velocity", OTHER), ("offset", GREY)):
        panels[2].plot(steps, [getattr(line, name) for line in lines], color=colour, label=name)
    panels[2].set_yscale("log")
    panels[2].set_ylabel("loss of a\ntraining batch")
    panels[2].set_xlabel("step")
    panels[2].legend(frameon=False)
    for panel in panels:
        panel.grid(alpha=0.25)
    return figure


def _grid(axes: Axes, pattern: Pattern, title: str) -> None:
    """Draw a pattern [steps, 9, 3] as a grid, kick at the bottom."""
    axes.imshow(_shades(pattern), cmap="Greys", vmin=0, vmax=1, aspect="auto", origin="lower")
    _bar_lines(axes, len(pattern))
    axes.set_yticks(range(N_VOICES), [voice.replace("_", " ") for voice in VOICES], fontsize=7)
    firsts = range(0, len(pattern), STEPS_PER_BAR)
    axes.set_xticks(firsts, [f"bar {i + 1}" for i in range(len(firsts))], fontsize=7)
    axes.set_title(title, fontsize=9, loc="left")


def _shades(pattern: Pattern) -> Array:
    """Return how dark each voice and step is, [9, steps]: the quietest hit can still be seen."""
    shades: Array = np.where(played(pattern), 0.2 + 0.8 * pattern[..., VELOCITY], 0.0).T
    return shades


def _bar_lines(axes: Axes, steps: int) -> None:
    for step in range(STEPS_PER_BEAT, steps, STEPS_PER_BEAT):
        bar = step % STEPS_PER_BAR == 0
        axes.axvline(step - 0.5, color=OTHER if bar else GREY, linewidth=0.8 if bar else 0.3)


def _literal(text: str) -> str:
    """Return text as matplotlib draws it unchanged: between two dollars it sees mathematics."""
    return text.replace("$", r"\$")


def _figure(width: float, height: float) -> Figure:
    """Return an empty figure of so many inches, with no window and no state shared."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - an extra

    return Figure(figsize=(width, height), layout="constrained")


def _colours(count: int) -> Any:
    from matplotlib import colormaps  # noqa: PLC0415 - an extra

    return colormaps["tab10"].colors[:count]  # type: ignore[attr-defined]


def _save(path: Path, figure: Figure) -> None:
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=DPI)
    write_atomically(path, picture.getvalue())
