"""Augmentation: each change does what it says and nothing else."""

import torch

from livevae.training.augment import Augmentation, augmented

NOTHING = Augmentation(
    rotate=0,
    exchange=0,
    swap_voices=0,
    transfer_groove=0,
    drop_voices=0,
    dropped_voices=0,
    scale_velocity=0,
)


def batch(n: int = 64, bars: int = 4) -> torch.Tensor:
    """Return random beats [n, bars, 16, 9, 3]."""
    torch.manual_seed(0)
    hits = (torch.rand(n, bars, 16, 9, 1) < 0.3).float()
    touch = torch.rand(n, bars, 16, 9, 2).clamp(min=0.01) * torch.tensor([1.0, 0.5])
    return hits * torch.cat([torch.ones_like(hits), touch], dim=-1)


def changed(before: torch.Tensor | None = None, **how: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Return a batch, and the batch with only the given changes made."""
    before = batch() if before is None else before
    fields = {name: getattr(NOTHING, name) for name in NOTHING.__struct_fields__} | how
    generator = torch.Generator().manual_seed(0)
    return before, augmented(before.clone(), Augmentation(**fields), generator)


def test_no_change_is_no_change() -> None:
    """With every probability at nothing the batch comes back."""
    before, after = changed()

    assert torch.equal(before, after)


def test_rotation_keeps_the_bars_and_their_cyclic_order() -> None:
    """Each example is one of its own rotations, and not all stay as they were."""
    before, after = changed(rotate=1)

    for old, new in zip(before, after, strict=True):
        assert any(torch.equal(old.roll(-turn, 0), new) for turn in range(4))
    assert not torch.equal(before, after)


def test_exchanged_bars_come_whole_from_the_batch() -> None:
    """Every bar is its own or one of another example."""
    before, after = changed(exchange=1, exchanged_bars=0.5)

    lent = 0
    for old, new in zip(before.flatten(0, 1), after.flatten(0, 1), strict=True):
        if not torch.equal(old, new):
            assert any(torch.equal(new, bar) for bar in before.flatten(0, 1))
            lent += 1
    assert 0.3 < lent / 256 < 0.7


def test_swapped_voices_come_whole_from_another_example() -> None:
    """Each voice of an example is somebody's voice, unmixed."""
    before, after = changed(swap_voices=1)

    for example in after[:8]:
        for voice in range(9):
            theirs = before[:, :, :, voice]
            assert any(torch.equal(example[:, :, voice], one) for one in theirs)
    assert not torch.equal(before, after)


def test_a_transferred_groove_keeps_the_hits_and_plays_them_as_another_example_does() -> None:
    """Shared hits are the other's to the letter; nothing else is moved by chance."""
    before, after = changed(transfer_groove=1)

    assert torch.equal(before[..., 0], after[..., 0])
    assert after[..., 1][before[..., 0] > 0].min() > 0
    assert not after[..., 1:][before[..., 0] == 0].any()
    for old, new in zip(before[:8], after[:8], strict=True):
        shared = [(old[..., 0] > 0) & (other[..., 0] > 0) for other in before]
        assert any(
            torch.equal(new[hits], other[hits]) for hits, other in zip(shared, before, strict=True)
        )
    assert not torch.equal(before, after)


def test_a_transferred_groove_moves_hits_of_its_own_by_what_lies_between_the_means() -> None:
    """A soft and early drummer's hit, played as a loud and late one would; a third voice stays."""
    pair = torch.zeros(2, 1, 16, 9, 3)
    pair[0, 0, [0, 4], 0] = torch.tensor([[1.0, 0.2, -0.2], [1.0, 0.4, -0.1]])
    pair[0, 0, 8, 2] = torch.tensor([1.0, 0.3, 0.1])
    pair[1, 0, 2, 0] = torch.tensor([1.0, 0.8, 0.3])
    _, played = changed(torch.cat([pair] * 8), transfer_groove=1)

    loud = [one for one in played if one[0, 0, 0, 0] and one[0, 0, 0, 1] > 0.5]
    assert loud
    for one in loud:
        torch.testing.assert_close(one[0, 0, 0], torch.tensor([1.0, 0.7, 0.25]))
        torch.testing.assert_close(one[0, 4, 0], torch.tensor([1.0, 0.9, 0.35]))
        torch.testing.assert_close(one[0, 8, 2], pair[0, 0, 8, 2])


def test_dropped_voices_fall_silent_through_the_window() -> None:
    """A voice is as it was or not there at all."""
    before, after = changed(drop_voices=1, dropped_voices=0.5)

    same = (before == after).all(dim=4).all(dim=2).all(dim=1)
    silent = (after == 0).all(dim=4).all(dim=2).all(dim=1)
    assert (same | silent).all()
    assert 0.3 < silent.float().mean() < 0.7


def test_scaled_velocities_stay_in_range_and_leave_onsets_and_timing() -> None:
    """Only velocities change, together, and none passes full."""
    before, after = changed(scale_velocity=1)

    assert torch.equal(before[..., [0, 2]], after[..., [0, 2]])
    assert after[..., 1].max() <= 1
    assert not torch.equal(before[..., 1], after[..., 1])


def test_silent_bars_are_not_lent() -> None:
    """A bar in which nothing is played stays alone; a batch of nothing else stays silent."""
    mostly_silent = torch.zeros(8, 4, 16, 9, 3)
    mostly_silent[0, 0] = batch(1)[0, 0]

    _, after = changed(mostly_silent, exchange=1, exchanged_bars=1)
    assert all(torch.equal(bar, mostly_silent[0, 0]) for bar in after.flatten(0, 1))
    _, after = changed(torch.zeros(8, 4, 16, 9, 3), exchange=1, exchanged_bars=1)
    assert not after.any()


def test_equal_generators_make_equal_changes() -> None:
    """All chance comes from the generator, none from torch's own."""
    everything = dict.fromkeys(NOTHING.__struct_fields__, 0.5)
    before = batch()
    torch.manual_seed(1)
    _, one = changed(before, **everything)
    torch.manual_seed(2)
    _, other = changed(before, **everything)

    assert torch.equal(one, other)
