"""The best linear estimators of a clock's next tick: what no follower can be better than.

References for tests, told what a follower has to find out: how the clock was made.
"""

import math
from collections.abc import Sequence


def least_squares_sd(ticks: int) -> float:
    """Return the error of the next tick on the line fitted to ``ticks`` ticks with white jitter.

    In standard deviations of that jitter. For a steady tempo it is the Cramér-Rao bound
    (Kay, "Fundamentals of Statistical Signal Processing: Estimation Theory", 1993, example 3.7).
    """
    return math.sqrt(2 * (2 * ticks + 1) / (ticks * (ticks - 1)))


def kalman(
    received_ns: Sequence[float], jitter_ns: float, drift_ns: float, tick_ns: float
) -> list[float]:
    """Return where the Kalman filter that knows the clock expects the tick after each.

    The clock's tempo walks at random: each tick is longer than the one before by a Gaussian
    ``drift_ns``, and heard with a Gaussian ``jitter_ns`` of delay. For that the filter is the best
    linear estimator (Kalman, "A New Approach to Linear Filtering and Prediction Problems", 1960).
    """
    at, tick = received_ns[0], tick_ns
    phase, both, tempo = jitter_ns**2, 0.0, tick_ns**2
    expected = []
    for time_ns in received_ns:
        error = time_ns - at
        noise = phase + jitter_ns**2
        phase_gain, tempo_gain = phase / noise, both / noise
        at, tick = at + phase_gain * error, tick + tempo_gain * error
        phase, both, tempo = (
            (1 - phase_gain) * phase,
            (1 - phase_gain) * both,
            tempo - tempo_gain * both,
        )
        at += tick
        phase, both, tempo = phase + 2 * both + tempo, both + tempo, tempo + drift_ns**2
        expected.append(at)
    return expected
