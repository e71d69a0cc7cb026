"""One line of the benchmark table: ours against a peer in the same run, with the interval its claim must clear.

Rule: times on a shared machine move by a factor of two, ratios of neighbours hardly. So both sides run in turn, first
one ahead and then the other, and the claim is about the ratios of the pairs: the 95 % interval of their median, from
order statistics (no distribution assumed), must lie wholly on the good side of the bar. Fewer than 9 pairs make no row.
"""

import gc
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from time import perf_counter, thread_time
from typing import Any

__all__ = ["MINIMUM_PAIRS", "Pairs", "Row", "interval", "judge", "paired"]

MINIMUM_PAIRS = 9


@dataclass(frozen=True, slots=True)
class Row:
    """One figure.

    Attributes:
        name: What was done.
        value: Our figure (median), in `unit`.
        unit: Unit of `value`.
        against: The peer, or what the bar is about.
        ratio: Median of the pairs' ratios; above 1 is better than the peer. None where the bar is on `value` itself.
        low: Lower end of the 95 % interval of what the bar is about.
        high: Upper end.
        bar: What has to be cleared.
        ok: Whether the whole interval is on the good side.
    """

    name: str
    value: float
    unit: str
    against: str
    ratio: float | None
    low: float
    high: float
    bar: float
    ok: bool

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)

    def __str__(self) -> str:
        shown = f"{self.ratio:.3g}x" if self.ratio is not None else f"{self.value:.3g} {self.unit}"
        verdict = "ok" if self.ok else "NOT CLEARED"
        return (
            f"{self.name}: {self.value:.4g} {self.unit}, {shown} [{self.low:.3g}, {self.high:.3g}] "
            f"against {self.against} (bar {self.bar:g}): {verdict}"
        )


@dataclass(frozen=True, slots=True)
class Pairs:
    """Seconds of neighbouring runs, `ours[i]` beside `theirs[i]`."""

    ours: tuple[float, ...]
    theirs: tuple[float, ...]

    @property
    def ratios(self) -> tuple[float, ...]:
        """How many times longer the peer took, pair by pair."""
        return tuple(theirs / ours for ours, theirs in zip(self.ours, self.theirs, strict=True))

    @property
    def ours_s(self) -> float:
        """Median of our seconds."""
        return _median(self.ours)

    @property
    def theirs_s(self) -> float:
        """Median of the peer's seconds."""
        return _median(self.theirs)


def paired(
    ours: Callable[[], object],
    theirs: Callable[[], object],
    rounds: int = 11,
    *,
    repeat: int = 1,
    repeat_theirs: int | None = None,
    self_timed: bool = False,
    cpu: bool = False,
) -> Pairs:
    """Run two callables in turn, changing who is first, after one unmeasured run of each.

    Args:
        ours: What is claimed to be better.
        theirs: The peer, doing the same work.
        rounds: Pairs, at least 9.
        repeat: Calls a measurement; the seconds are of one call.
        repeat_theirs: The same for the peer, where it is much slower.
        self_timed: Whether the callables return the seconds they took (float) instead of being timed from outside.
        cpu: Whether to take this thread's CPU time in place of wall time: for work that waits for nothing, on a machine
            that others use too.

    Raises:
        ValueError: Fewer than 9 rounds.
    """
    if rounds < MINIMUM_PAIRS:
        raise ValueError(f"{rounds} pairs are too few for an interval; take at least {MINIMUM_PAIRS}")
    counts = (repeat, repeat_theirs or repeat)
    ours(), theirs()  # caches, lazy tables and branch predictors belong to neither side
    now = thread_time if cpu else perf_counter
    seconds: tuple[list[float], list[float]] = ([], [])
    for turn in range(rounds):
        for side in (0, 1) if turn % 2 == 0 else (1, 0):
            seconds[side].append(_seconds((ours, theirs)[side], counts[side], self_timed, now))
    return Pairs(tuple(seconds[0]), tuple(seconds[1]))


def interval(ratios: Sequence[float], confidence: float = 0.95) -> tuple[float, float]:
    """Return the order-statistics interval of the median that holds it with at least `confidence`.

    With 9 values these are the 2nd and the 8th (96.1 %), with 11 the 2nd and the 10th (98.8 %).

    Raises:
        ValueError: So few values that even their range is not enough.
    """
    ordered = sorted(ratios)
    n = len(ordered)
    outside = 0.0
    rank = 0  # values left out on each side
    while True:
        outside += 2 * math.comb(n, rank) / 2**n
        if 1 - outside < confidence or rank >= (n + 1) // 2:
            break
        rank += 1
    if rank == 0:
        raise ValueError(f"{n} values give no {confidence:.0%} interval of a median; take at least {MINIMUM_PAIRS}")
    return ordered[rank - 1], ordered[n - rank]


def judge(
    name: str,
    value: float,
    unit: str,
    against: str,
    figures: Sequence[float],
    bar: float,
    *,
    at_most: bool = False,
    ratio: bool = True,
) -> Row:
    """Make a row of at least 9 ratios (or, with `ratio=False`, of 9 plain figures).

    Args:
        name: What was done.
        value: Our figure.
        unit: Its unit.
        against: The peer.
        figures: What the bar is about, one a pair.
        bar: What the whole interval must clear.
        at_most: Whether the interval must lie below the bar rather than above.
        ratio: Whether `figures` are ratios.
    """
    if len(figures) < MINIMUM_PAIRS:
        raise ValueError(f"{name}: {len(figures)} figures are too few; take at least {MINIMUM_PAIRS}")
    low, high = interval(figures)
    ok = high <= bar if at_most else low >= bar
    return Row(name, value, unit, against, _median(figures) if ratio else None, low, high, bar, ok)


def _median(values: Sequence[float]) -> float:
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def _seconds(work: Callable[[], object], count: int, self_timed: bool, now: Callable[[], float]) -> float:
    if self_timed:
        told = [work() for _ in range(count)]
        return sum(seconds for seconds in told if isinstance(seconds, (int, float))) / count
    collecting = gc.isenabled()
    gc.collect()
    gc.disable()  # as timeit does: a collection would fall on one side by chance
    try:
        start = now()
        for _ in range(count):
            work()
        return (now() - start) / count
    finally:
        if collecting:
            gc.enable()
