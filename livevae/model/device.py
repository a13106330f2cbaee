"""Which device a model runs on, and on how many threads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from livevae.errors import UsageError


def resolve_device(wanted: str) -> str:
    """Return the device that ``auto`` stands for here, or ``wanted`` if it is there.

    Raises:
        UsageError: it is not; the sentence says what to choose.
    """
    counts = {
        "cuda": torch.cuda.device_count(),
        "mps": int(torch.mps.is_available()),
        "cpu": 1,
    }
    if wanted == "auto":
        return next(kind for kind, count in counts.items() if count)
    try:
        device = torch.device(wanted)
    except RuntimeError:
        raise UsageError(
            f"there is no device {wanted!r}; choose auto, cpu, cuda, cuda:N or mps"
        ) from None
    wrapped = str(device) != wanted  # torch keeps a number's last 8 bits: 256 would be 0
    if wrapped or (device.index or 0) >= counts.get(device.type, 0):
        there = [kind for kind, count in counts.items() if count == 1]
        there += [f"{kind}:0 to {kind}:{n - 1}" for kind, n in counts.items() if n > 1]
        raise UsageError(
            f"the device {wanted} is not there; choose auto or one of: {', '.join(there)}"
        )
    return wanted


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Have torch use so many threads for a while."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
