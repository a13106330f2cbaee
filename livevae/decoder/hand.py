"""Where a hand will want to be next."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from livevae.latent.lattice import Positions
from livevae.parameters import PARAMETERS, POSITION

AHEAD: Final = 3
"""How many of the hand's next positions are foreseen."""
KNOB_STEPS: Final = 127
"""A control change has 128 values: a knob stands on one of them, to the last bit."""

_FILL: Final = POSITION.index("attribute.fill")
_LOW: Final = np.array([PARAMETERS[name].low for name in POSITION])
_RANGE: Final = np.array([PARAMETERS[name].high for name in POSITION]) - _LOW


def ahead(before: Positions, now: Positions, wishes: int) -> Positions:
    """Return up to ``AHEAD`` positions [n, 16] that come next if the hand goes on as it does.

    Args:
        before: the position [16] seen before ``now``.
        now: the position [16] seen last.
        wishes: how many the hand has asked for since ``before``, ``now`` included.
    """
    step = (now - before) / max(wishes, 1)
    on_knob = now == _knob((now - _LOW) / _RANGE)
    found = {now.tobytes()}
    positions = []
    for number in range(1, AHEAD + 1):
        units = np.clip((now + number * step - _LOW) / _RANGE, 0.0, 1.0)
        turned = np.where(on_knob, _knob(units), _LOW + _RANGE * units).astype(np.float32)
        position = np.where(step == 0, now, turned)
        if position.tobytes() not in found:
            found.add(position.tobytes())
            positions.append(position)
    return np.array(positions, np.float32).reshape(-1, len(POSITION))


def filled(position: Positions) -> Positions:
    """Return the position [16] where the beat at ``position`` is played as a fill."""
    fill = position.copy()
    fill[_FILL] = PARAMETERS[POSITION[_FILL]].high
    return fill


def _knob(units: npt.NDArray[np.float64]) -> Positions:
    """Return the nearest positions of knobs, as ``Parameter.from_unit`` reckons them."""
    positions: Positions = (_LOW + _RANGE * (np.round(units * KNOB_STEPS) / KNOB_STEPS)).astype(
        np.float32
    )
    return positions
