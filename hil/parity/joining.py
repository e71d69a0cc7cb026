"""Which window a score is about: by the number of its last sample where the board says it, else by time.

Rule of this room: pure. A score that belongs to no whole window is counted under its reason and never judged. By time,
a constant lag between a window's last sample and its score is an argument: it is estimated elsewhere, and told.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from hil.parity.printed import Printed
from hil.parity.readings import Readings

__all__ = ["Joined", "by_number", "by_time"]

Ints = npt.NDArray[np.int64]

_BOOT = 1 << 44
"""More than the samples of a boot."""


@dataclass(frozen=True, slots=True, eq=False)
class Joined:
    """Scores and their windows.

    Attributes:
        rule: `sample number`, `board time` or `time of arrival`.
        rows: `(M,)`, index of each judged score.
        ends: `(M,)`, index of its window's last sample among the readings.
        warming: Scores about windows that begin before the readings do.
        torn: Scores about windows of which readings are missing or no numbers.
        strange: Scores that are about no sample there is.
        lost: Scores that never came, by the steps between those that did.
        lag: Samples between a window's last one and its score, by time; 0 by number.
        lag_s: The same in seconds.
    """

    rule: str
    rows: Ints
    ends: Ints
    warming: int
    torn: int
    strange: int
    lost: int
    lag: int = 0
    lag_s: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        plain = asdict(self)
        return {"rule": self.rule, "matched": len(self.rows)} | {
            name: plain[name] for name in ("warming", "torn", "strange", "lost", "lag", "lag_s")
        }


def by_number(readings: Readings, printed: Printed, memory: int) -> Joined:
    """Join by the number of the window's last sample, which the board said.

    Args:
        readings: What the board sampled.
        printed: What it said, with keys.
        memory: Samples in a window.
    """
    assert printed.key is not None
    whole = readings.boot * _BOOT + readings.numbers
    wanted = printed.boot * _BOOT + printed.key
    at = np.searchsorted(whole, wanted)
    there = whole[np.minimum(at, len(whole) - 1)] == wanted
    inside = (at > 0) & (at < len(whole)) & ~there
    lost = sum(_missing(printed.key[printed.boot == boot]) for boot in np.unique(printed.boot))
    joined = _joined("sample number", readings, np.where(there, at, -1), memory)
    return replace(joined, torn=joined.torn + int(inside.sum()), strange=int((~there & ~inside).sum()), lost=lost)


def by_time(readings: Readings, printed: Printed, memory: int, lag: int) -> Joined:
    """Join by time: a score is about the window that ended `lag` samples before it.

    The board's own clock is used where both streams carry it, else the time of arrival.

    Args:
        readings: What the board sampled.
        printed: What it said.
        memory: Samples in a window.
        lag: In samples.
    """
    own = printed.ticks is not None and printed.tick_hz == readings.stream.tick_hz
    said, sampled = (printed.ticks, readings.ticks) if own else (printed.t_ns, readings.t_ns)
    assert said is not None
    # Within a boot time rises; the board's clock begins anew with each.
    spread = max(int(sampled.max(initial=0)), int(said.max(initial=0))) + 1
    before = np.searchsorted(readings.boot * spread + sampled, printed.boot * spread + said, side="right") - 1
    ends = before - lag
    apart = (ends < 0) | (ends >= len(readings)) | (readings.boot[np.clip(ends, 0, None)] != printed.boot)
    joined = _joined("board time" if own else "time of arrival", readings, np.where(apart, -1, ends), memory)
    rate = readings.stream.rate_hz or 1.0
    lost = sum(_missing(said[printed.boot == boot]) for boot in np.unique(printed.boot))
    return replace(joined, strange=int(apart.sum()), lost=lost, lag=lag, lag_s=lag / rate)


def _joined(rule: str, readings: Readings, ends: Ints, memory: int) -> Joined:
    """Sort scores with an end (-1: none) into those that can be judged and the others."""
    known = ends >= 0
    judged = readings.whole(ends, memory)
    begin = readings.begin[np.where(known, ends, 0)]
    first = np.searchsorted(readings.boot, readings.boot[begin], side="left")
    short = known & ~judged
    warming = short & (begin == first)
    rows = np.flatnonzero(judged)
    return Joined(rule, rows, ends[rows], int(warming.sum()), int((short & ~warming).sum()), 0, 0)


def _missing(places: Ints) -> int:
    """Scores that are missing between those that came, which come in equal steps."""
    steps = np.diff(places)
    steps = steps[steps > 0]
    if len(steps) < 2:
        return 0
    usual = float(np.median(steps))
    return int(np.sum(np.maximum(np.rint(steps / usual) - 1, 0)))
