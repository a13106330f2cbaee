"""The figures of a report, as tables that a Markdown reader shows."""

import re

import pytest

from livevae.pattern.descriptors import ATTRIBUTES
from livevae.training.attributes import AttributeReport, Knob
from livevae.training.curve import RateDistortion, RatePoint
from livevae.training.discriminator import ToldApart
from livevae.training.evaluate import OnsetScores
from livevae.training.figures import figures
from livevae.training.floors import Floor
from livevae.training.interpolation import Interpolation, PathFigures
from livevae.training.realism import DESCRIPTORS, Likeness, Realism
from livevae.training.report import Report
from livevae.training.speed import DecodeTime
from livevae.training.units import LatentUse

QUICK = Report(
    split="test",
    windows=1918,
    parameters=1,
    onset=OnsetScores(0.711, 0.722, 0.733),
    onset_f1_by_voice={"kick": 0.744, "closed_hat": 0.755},
    step_accuracy=0.566,
    bits=130.1,
    velocity_mae=14.5,
    timing_mae_ms=13.9,
    zero_offset_mae_ms=22.7,
    floors={"nearest training window": Floor(0.752, 13.9)},
)


def knob(number: int) -> Knob:
    others = [name for name in ATTRIBUTES if name != ATTRIBUTES[number]]
    return Knob(0.977, 0.988, 0.991, 0.012, 0.034, 2.61, dict.fromkeys(others, number / 100))


def whole() -> Report:
    """Return a report with every section."""
    points = [RatePoint(beta, 60 / beta, 0.9, 0.8, 9.1, 8.2) for beta in (0.5, 1.0)]
    within = RatePoint(1.3, 47.7, 0.861, 0.678, 10.3, 9.4)
    path = PathFigures(0.987, 1.58)
    like = Likeness(
        0.128,
        dict.fromkeys(DESCRIPTORS, 0.81),
        dict.fromkeys(DESCRIPTORS, 0.23),
        ToldApart(0.634, 0.021),
        0.795,
    )
    return Report(
        **{name: getattr(QUICK, name) for name in QUICK.__struct_fields__[:11]},
        refined={
            "all that is played": RateDistortion(240, points, {"48": within}),
            "onsets alone": RateDistortion(240, points, {}),
        },
        latent=LatentUse(3, 2, [1.5, 0.0, 2.25], 1.0, 0.5, 16),
        interpolation=Interpolation(1024, path, PathFigures(0.999, 1.33), path),
        decode=DecodeTime(2.31, 3.42, 1089, 2, 0.53),
        attributes=AttributeReport(240, {name: knob(i) for i, name in enumerate(ATTRIBUTES)}),
        realism=Realism(1024, 0.13, 0.75, {"prior": like, "training": like}),
    )


def test_a_quick_report_has_reconstruction_floors_and_voices_only() -> None:
    text = figures(QUICK, 4)

    assert text.startswith("## Figures: test split\n")
    assert re.findall("### (.*)", text) == ["Reconstruction", "Step accuracy", "Voices"]
    assert "1,918 windows of 4 bars" in text
    for row in (
        "| **this model** | **0.711** | 130.1 |",
        "| nearest training window (floor) | 0.752 | 13.9 |",
        "| closed hat | 0.755 |",
        "| timing MAE of true hits, ms | 13.9 |",
        "| with no microtiming at all, ms (floor) | 22.7 |",
    ):
        assert row in text


def test_step_accuracy_is_beside_what_was_published() -> None:
    """For the decode at z = mu, and for every curve within every budget."""
    text = figures(whole(), 4)

    for row in (
        "| **this model**, z = mu | 4 | **0.566** |",
        "| this model, refined for all that is played within 48 bits | 4 | 0.678 |",
        "| hierarchical MusicVAE | 16 | 0.879 |",
        "| flat MusicVAE | 16 | 0.549 |",
    ):
        assert row in text


@pytest.mark.parametrize(
    "row",
    [
        "| **within 48 bits** | 47.7 | 0.861 | 0.678 | 10.3 | 9.4 |",
        "| beta 0.5 | 120.0 | 0.900 | 0.800 | 9.1 | 8.2 |",
        "| slerp, paced as `livevae interpolate` does | 99.9% | 1.33 |",
        "| test split | 0.130 |  |  |  | 0.750 |",
        "| prior | 0.128 | 0.634 ± 0.021 | 0.810 | 0.230 | 0.795 |",
        "| velocity spread | 0.81, 0.23 | 0.81, 0.23 |",
        "| density | 0.977 | 0.988 | 0.991 | 1.2% | 3.4% | 2.61 |",
        "| syncopation | 0.01 | - | 0.01 | 0.01 | 0.01 | 0.01 |",
        "| one decode of 4 bars on 1 thread, median | 2.3 ms |",
        "| a map of 1,089 points on 2 threads | 0.53 s |",
    ],
)
def test_every_section_has_its_rows(row: str) -> None:
    assert row in figures(whole(), 4).splitlines()


def test_bits_of_every_latent_unit_are_listed() -> None:
    text = figures(whole(), 4)

    assert "2 of 3 units are active" in text
    assert "\n1.50, 0.00, 2.25\n" in text


def test_every_table_is_one() -> None:
    """A blank line before it, a rule below its header, and as many cells in each row."""
    text = figures(whole(), 4)
    tables = re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE)

    assert len(tables) == 12
    for table in tables:
        lines = table.splitlines()
        assert f"\n\n{table}" in text
        assert set(lines[1]) == set("| -:")
        assert len({line.count("|") for line in lines}) == 1
