"""How well this computer keeps time: the step of its clock, how late it wakes, how busy it is.

Rule of this room: `measure` looks, `judge` decides; the second is pure.
"""

import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hil.doctor.finding import OK, UNKNOWN, WARNING, Finding

__all__ = ["Host", "judge", "measure"]

WAKES = 60
"""How often the computer is asked to wake after a millisecond."""


@dataclass(frozen=True, slots=True)
class Host:
    """What was measured.

    Attributes:
        step_ns: Least step of the clock that dates arrivals.
        late_us: How late each of some sleeps of a millisecond ended, microseconds.
        cores: Processors that this process may use.
        load: Programs that want to run, averaged over the last minute; None where the system does not say.
    """

    step_ns: int
    late_us: tuple[float, ...]
    cores: int
    load: float | None


def measure(wakes: int = WAKES) -> Host:
    """Look at this computer; takes about `wakes` milliseconds."""
    steps = []
    for _ in range(200):
        before = time.perf_counter_ns()
        while (after := time.perf_counter_ns()) == before:
            pass
        steps.append(after - before)
    late = []
    for _ in range(wakes):
        due = time.perf_counter_ns() + 1_000_000
        time.sleep(0.001)
        late.append((time.perf_counter_ns() - due) / 1e3)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    return Host(min(steps), tuple(late), cores, load)


def judge(host: Host) -> Iterator[Finding]:
    """Yield what that means for a bench."""
    coarse = host.step_ns > 1000
    yield Finding(
        WARNING if coarse else OK, "host", "clock", f"its least step is {host.step_ns} ns",
        "times of arrivals are no finer than that: use a newer system" if coarse else "", host.step_ns, "ns",
    )  # fmt: skip
    middle, worst = _quantile(host.late_us, 0.5), _quantile(host.late_us, 0.99)
    slow = worst > 2000
    yield Finding(
        WARNING if slow else OK, "host", "waking",
        f"a sleep ends {middle:.0f} µs late, 1 of 100 more than {worst:.0f} µs",
        "end what else runs, or give capture its own core (`taskset`): commands leave so late" if slow else "",
        worst, "us",
    )  # fmt: skip
    if host.load is None:
        yield Finding(UNKNOWN, "host", "load", "this system does not tell it", "look at its task manager")
    else:
        busy = host.load > host.cores
        yield Finding(
            WARNING if busy else OK, "host", "load",
            f"{host.load:.1f} programs want to run on {host.cores} cores",
            "end some: nothing is lost, but arrivals are dated later and models lag" if busy else "", host.load, "1",
        )  # fmt: skip


def _quantile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0
