"""The overlapping Allan deviation of a million readings: ours, with its intervals, against `allantools` without any.

Both take the same rate readings and give the same octave averaging times; they are first proven to agree. Times are CPU
times of the thread, on one thread (neither side's products are long enough to start more).
"""

from functools import partial

import numpy as np
import numpy.typing as npt

from firmware_bridge.errors import MissingPart
from hil.bench.row import Row, judge, paired
from hil.dsp.allan import deviation

__all__ = ["run"]

READINGS = 1_000_000
RATE_HZ = 100.0
BAR = 2.5
AGREEMENT = 1e-9


def _readings(seed: int = 1) -> npt.NDArray[np.float64]:
    rng = np.random.default_rng(seed)
    return rng.standard_normal(READINGS) + 1e-3 * np.cumsum(rng.standard_normal(READINGS))


def run(quick: bool = False) -> list[Row]:
    """Measure octave and ten-a-decade averaging times.

    Args:
        quick: Fewer rounds (still enough for an interval).

    Raises:
        MissingPart: No `allantools`.
        AssertionError: The two do not agree; nothing can be compared.
    """
    try:
        import allantools
    except ImportError:
        raise MissingPart("allantools, the peer, is not here", "bench allan", "pip install allantools") from None

    readings = _readings()
    rows = []
    for name, taus in (("octave", "octave"), ("ten a decade", "log10")):
        ours = partial(deviation, readings, RATE_HZ, "oadev", taus=taus)
        theirs = partial(allantools.oadev, readings, RATE_HZ, "freq", taus)
        curve, reference = ours(), theirs()
        worst = np.abs(curve.deviation / reference[1] - 1).max() if len(curve.tau_s) == len(reference[0]) else np.inf
        if not worst < AGREEMENT:
            raise AssertionError(f"the two deviations differ by {worst:.1e}; nothing can be compared")
        pairs = paired(ours, theirs, 9 if quick else 15, cpu=True)
        title, speed = f"overlapping Allan deviation, {name} times", READINGS / pairs.ours_s / 1e6
        rows.append(judge(title, speed, "Mreadings/s", "allantools.oadev", pairs.ratios, BAR))
    return rows
