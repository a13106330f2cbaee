"""What makes each style that style: facts that its takes must show."""

import functools

import msgspec
import numpy as np
import numpy.typing as npt
import pytest

from livevae.grammar.grammar import load_style, play, style_names
from livevae.grammar.style import Part, Style, Touch, Touches, Variation
from livevae.pattern.pattern import OFFSET, ONSET, STEPS_PER_BAR, VELOCITY, VOICES, Pattern

KICK, SNARE, CLOSED_HAT, OPEN_HAT, LOW_TOM = range(5)
CRASH = VOICES.index("crash")
LOUD = 0.5
TAKES = 40
ONE, TWO, THREE, FOUR = BEATS = (0, 4, 8, 12)

STILL = Variation(change=0, alternate=0, thin=0, ornament=0, fill=0, drop=0, open=0, crash=0)


def bars_of(style: Style) -> Pattern:
    """Play eight bars of many takes: float32[takes, 8, 16, 9, 3]."""
    played = [play(style, 8, np.random.default_rng(seed)) for seed in range(TAKES)]
    return np.stack(played).reshape(TAKES, 8, STEPS_PER_BAR, len(VOICES), 3)


@functools.cache
def rates(name: str, voice: int) -> list[float]:
    """Return how often a voice is hit at each step, ghosts left out, without fills and the like."""
    style = msgspec.structs.replace(load_style(name), variation=STILL)
    cells = bars_of(style)[..., voice, :]
    hits = (cells[..., ONSET] == 1) & (cells[..., VELOCITY] > LOUD)
    found: list[float] = hits.mean(axis=(0, 1)).tolist()
    return found


def steps_at(name: str, voice: int, above: float) -> list[int]:
    """Return the steps that are hit in more than this share of bars."""
    return [step for step, rate in enumerate(rates(name, voice)) if rate > above]


def test_house_has_four_on_the_floor_claps_on_two_and_four_and_open_off_beats() -> None:
    assert [rates("house", KICK)[beat] for beat in BEATS] == [1, 1, 1, 1]
    assert steps_at("house", SNARE, 0.9) == [TWO, FOUR]
    assert steps_at("house", OPEN_HAT, 0) == [2, 6, 10, 14]


def test_techno_and_amapiano_are_mostly_four_on_the_floor() -> None:
    assert steps_at("techno", KICK, 0.6) == list(BEATS)
    assert steps_at("amapiano", KICK, 0.6) == list(BEATS)


def test_the_log_drum_of_amapiano_keeps_off_the_beat() -> None:
    """It pushes."""
    assert set(steps_at("amapiano", LOW_TOM, 0.3)) <= {3, 6, 9, 11, 14}


@pytest.mark.parametrize("name", ["trap", "dubstep"])
def test_half_time_has_its_snare_on_three_only(name: str) -> None:
    assert rates(name, SNARE)[THREE] == 1
    assert max(rate for step, rate in enumerate(rates(name, SNARE)) if step != THREE) < 0.05


def test_trap_is_straight() -> None:
    assert load_style("trap").swing == (50, 50)


def test_drill_has_its_snare_on_three_and_then_on_four_and_hats_in_threes() -> None:
    style = msgspec.structs.replace(load_style("drill"), variation=STILL)
    snares = bars_of(style)[..., SNARE, :]
    loud = (snares[..., ONSET] == 1) & (snares[..., VELOCITY] > LOUD)
    assert (loud[:, 0::2] == (np.arange(STEPS_PER_BAR) == THREE)).all()
    assert (loud[:, 1::2] == (np.arange(STEPS_PER_BAR) == FOUR)).all()
    assert steps_at("drill", CLOSED_HAT, 0.6) == [0, 3, 6, 8, 11, 14]


def test_drum_and_bass_is_the_two_step_at_174() -> None:
    """Kick on one and on the "and" of three, snare on two and four."""
    low, high = load_style("drum-and-bass").bpm
    assert low <= 174 <= high
    assert steps_at("drum-and-bass", KICK, 0.5) == [ONE, 10]
    assert steps_at("drum-and-bass", SNARE, 0.5) == [TWO, FOUR]


def test_garage_skips_kicks_on_two_three_and_four() -> None:
    assert steps_at("garage", KICK, 0.5) == [ONE, 10]
    assert steps_at("garage", SNARE, 0.5) == [TWO, FOUR]


def test_breakbeat_has_backbeats_ghosts_and_a_kick_that_syncopates() -> None:
    """Ghosts around the snare are soft."""
    assert steps_at("breakbeat", KICK, 0.5) == [ONE, 2, 10]
    assert steps_at("breakbeat", SNARE, 0.5) == [TWO, FOUR]
    cells = bars_of(load_style("breakbeat"))[..., 7, SNARE, :]
    ghosts = cells[cells[..., ONSET] == 1, VELOCITY]
    assert ghosts.size > TAKES
    assert np.median(ghosts) < LOUD


def test_electro_breaks_the_kick_between_hard_backbeats() -> None:
    assert steps_at("electro", SNARE, 0.5) == [TWO, FOUR]
    assert steps_at("electro", KICK, 0.5) == [ONE, 6, 10]


def test_dub_drops_on_three_with_kick_and_rim_and_not_always_on_one() -> None:
    assert rates("dub", KICK)[THREE] == rates("dub", SNARE)[THREE] == 1
    assert steps_at("dub", SNARE, 0.05) == [THREE]
    assert 0.2 < rates("dub", KICK)[ONE] < 0.8


def test_footwork_kicks_in_threes_and_claps_on_four() -> None:
    assert {0, 3, 6} <= set(steps_at("footwork", KICK, 0.4))
    assert steps_at("footwork", SNARE, 0.5) == [FOUR]


def test_reggaeton_is_the_dembow() -> None:
    """Four kicks, and the snare where three-three-two falls between them."""
    assert steps_at("reggaeton", KICK, 0.9) == list(BEATS)
    assert steps_at("reggaeton", SNARE, 0.99) == [3, 6, 11, 14]


def test_afrobeats_rims_begin_with_the_threes() -> None:
    assert rates("afrobeats", KICK)[ONE] == rates("afrobeats", KICK)[THREE] == 1
    assert {3, 6} <= set(steps_at("afrobeats", SNARE, 0.4))
    assert TWO not in steps_at("afrobeats", SNARE, 0)


def test_jersey_club_has_five_kicks() -> None:
    assert steps_at("jersey-club", KICK, 0.5) == [0, 4, 8, 11, 14]


@pytest.mark.parametrize("name", ["boom-bap", "lo-fi", "synthwave"])
def test_backbeat_styles_have_their_snare_on_two_and_four(name: str) -> None:
    assert steps_at(name, SNARE, 0.5) == [TWO, FOUR]


@pytest.mark.parametrize("name", ["dub", "lo-fi", "boom-bap"])
def test_late_styles_have_a_snare_behind_the_kick(name: str) -> None:
    cells = bars_of(load_style(name))[:, :, ::2]
    late = [cells[..., v, OFFSET][cells[..., v, ONSET] == 1].mean() for v in (KICK, SNARE)]
    assert late[1] - late[0] > 0.04


@pytest.mark.parametrize("name", style_names())
def test_swing_makes_every_second_sixteenth_late_by_what_the_style_says(name: str) -> None:
    """MPC percent: the second 16th of a pair at 60% of the eighth is a fifth of a 16th late."""
    style = load_style(name)
    cells = bars_of(style)
    offsets = cells[..., OFFSET] - np.array([touch.late for touch in style.voice.in_order()])
    even, odd = (
        offsets[:, :, half::2][cells[:, :, half::2, :, ONSET] == 1].mean() for half in (0, 1)
    )
    low, high = (2 * percent / 100 - 1 for percent in style.swing)
    assert low - 0.02 <= odd - even <= high + 0.02


@pytest.mark.parametrize("name", style_names())
def test_bars_share_a_backbone_and_differ_in_details(name: str) -> None:
    """The halves of a phrase share more hits than two takes do; a take holds several bars."""
    hits = bars_of(load_style(name))[..., ONSET].reshape(TAKES, 8, -1) == 1

    def shared(one: npt.NDArray[np.bool_], other: npt.NDArray[np.bool_]) -> float:
        return float((one & other).sum() / (one | other).sum())

    within = shared(hits[:, :3], hits[:, 4:7])
    across = shared(hits[:-1, :3], hits[1:, :3])
    assert within > 0.6
    assert within > across + 0.1
    distinct = [len(np.unique(take, axis=0)) for take in hits]
    assert np.mean(distinct) > 2.5


def tiny(**parts: object) -> Style:
    """Return a style of one kick on one and a closed hat on the last off-beat."""
    groove = Part(kick="X... .... .... ....", closed_hat=".... .... .... ..o.")
    whole = {"name": "tiny", "description": "d", "bpm": (100, 110), "groove": (groove,)}
    return Style(**(whole | {"variation": STILL} | parts))  # type: ignore[arg-type]


def test_without_variation_a_line_is_played_as_it_is_written() -> None:
    bars = bars_of(tiny())
    assert np.argwhere(bars[0, 0, :, :, ONSET]).tolist() == [[0, KICK], [14, CLOSED_HAT]]
    assert (bars[..., ONSET] == bars[0, 0, ..., ONSET]).all()


def test_accents_hits_and_ghosts_are_heard_in_this_order_and_uncertain_ones_as_often_as_said() -> (
    None
):
    groove = Part(kick="Xog. ?5.. .... ....")
    changing = msgspec.structs.replace(STILL, change=1)
    kick = bars_of(tiny(groove=(groove,), variation=changing))[..., KICK, :]
    accent, hit, ghost = (kick[:, :, step, VELOCITY].mean() for step in range(3))
    assert accent > hit + 0.1 > ghost + 0.3
    assert kick[..., ONSET].mean(axis=(0, 1))[4:6] == pytest.approx(0.5, abs=0.1)
    assert kick[:, :, 4, VELOCITY].max() < LOUD


def test_uncertain_hits_are_decided_once_for_a_phrase_unless_they_are_to_change() -> None:
    groove = (Part(kick="5555 5555 5555 5555"),)
    kept = bars_of(tiny(groove=groove))[..., KICK, ONSET]
    assert (kept == kept[:, :1]).all()
    assert (kept[0] != kept[1]).any()
    changing = msgspec.structs.replace(STILL, change=1)
    changed = bars_of(tiny(groove=groove, variation=changing))[..., KICK, ONSET]
    assert (changed[:, 0] != changed[:, 1]).mean() == pytest.approx(0.5, abs=0.1)


def test_bar_four_may_take_another_line() -> None:
    """And no other bar may."""
    groove = Part(kick=("X... .... .... ....", ".... X... .... ...."))
    alternating = msgspec.structs.replace(STILL, alternate=1)
    steps = bars_of(tiny(groove=(groove,), variation=alternating))[..., KICK, ONSET].argmax(axis=2)
    others = np.delete(steps, 3, axis=1)
    assert (others == others[:, :1]).all()
    assert (steps[:, 3] != steps[:, 0]).any()


def test_thinning_leaves_out_hits_and_ghosts_but_no_accents() -> None:
    groove = (Part(kick="Xogo gogo gogo gogo"),)
    thinned = msgspec.structs.replace(STILL, thin=0.3, change=1)
    kick = bars_of(tiny(groove=groove, variation=thinned))[..., KICK, ONSET].mean(axis=(0, 1))
    assert kick[0] == 1
    assert kick[1:].mean() == pytest.approx(0.7, abs=0.03)


def test_ornaments_are_ghosts_beside_the_hits_of_voices_that_take_them() -> None:
    """The steps beside step 14, each in a fifth of the bars; the kick takes none."""
    ornamented = msgspec.structs.replace(STILL, ornament=0.2, change=1)
    bars = bars_of(tiny(variation=ornamented))
    rate = bars[..., CLOSED_HAT, ONSET].mean(axis=(0, 1))
    assert rate[[13, 15]] == pytest.approx(0.2, abs=0.08)
    assert rate[14] == 1
    assert not rate[:13].any()
    assert bars[:, :, (13, 15), CLOSED_HAT, VELOCITY].max() < LOUD
    assert bars[..., KICK, ONSET].sum() == TAKES * 8


def test_the_last_bar_of_a_phrase_is_a_fill_for_the_voices_that_it_names() -> None:
    fill = Part(kick=".... .... .... ....", snare=".... .... .... XXXX")
    bars = bars_of(tiny(fill=(fill,), variation=msgspec.structs.replace(STILL, fill=1)))
    assert (bars[:, :7, 0, KICK, ONSET] == 1).all()
    assert not bars[:, :7, :, SNARE, ONSET].any()
    assert not bars[:, 7, :, KICK, ONSET].any()
    assert (bars[:, 7, 12:, SNARE, ONSET] == 1).all()
    assert (bars[:, 7, 14, CLOSED_HAT, ONSET] == 1).all()


def test_kicks_drop_hats_open_and_crashes_open_phrases_where_they_are_told_to() -> None:
    always = msgspec.structs.replace(STILL, drop=1, open=1, crash=1)
    bars = bars_of(tiny(variation=always))[..., ONSET] == 1
    assert bars[:, :7, 0, KICK].all()
    assert not bars[:, 7, :, KICK].any()
    assert bars[:, (3, 7), 14, OPEN_HAT].all()
    assert not bars[:, (3, 7), 14, CLOSED_HAT].any()
    assert bars[:, (0, 1, 2, 4, 5, 6), 14, CLOSED_HAT].all()
    assert np.argwhere(bars[0, :, :, CRASH]).tolist() == [[0, 0]]


def test_where_no_closed_hat_plays_none_opens() -> None:
    opening = msgspec.structs.replace(STILL, open=1)
    bars = bars_of(tiny(groove=(Part(kick="X... .... .... ...."),), variation=opening))
    assert not bars[..., OPEN_HAT, ONSET].any()


def test_a_voice_is_late_soft_and_absent_as_its_touch_says() -> None:
    touches = Touches(kick=Touch(late=0.2, level=0.5), closed_hat=Touch(chance=0))
    bars = bars_of(tiny(voice=touches, jitter=0))
    assert bars[:, :, 0, KICK, OFFSET] == pytest.approx(0.2)
    loose = bars_of(tiny(voice=touches, jitter=0.03))[:, :, 0, KICK, OFFSET]
    assert loose.mean() == pytest.approx(0.2, abs=0.01)
    assert loose.std() == pytest.approx(0.03, abs=0.01)
    assert bars[:, :, 0, KICK, VELOCITY].mean() == pytest.approx(0.46, abs=0.02)
    assert not bars[..., CLOSED_HAT, ONSET].any()


def test_a_heavier_groove_is_taken_more_often() -> None:
    heavy = Part(weight=3, kick="X... .... .... ....")
    light = Part(snare="X... .... .... ....")
    kicks = bars_of(tiny(groove=(heavy, light)))[:, 0, 0, KICK, ONSET]
    assert 0.6 < kicks.mean() < 0.95


def test_lines_of_several_bars_go_through_the_phrase() -> None:
    line = "X... .... .... ....|.... X... .... ...."
    kicks = bars_of(tiny(groove=(Part(kick=line),)))[0, :, :, KICK, ONSET]
    assert kicks.argmax(axis=1).tolist() == [0, 4] * 4
