"""Parts that tests of the timebase share: a board's clock behind a jittery link."""

from collections.abc import Callable

import numpy as np

from firmware_bridge.timebase import ClockFit, Timebase

START = 1_700_000_000_000_000_000


HZ = 1_000_000


JUST_BEFORE_WRAP = 2**32 - 20_000_000


class Bench:
    """A host that pings a board with a known clock through a link with known delays."""

    def __init__(self, seed: int, ppm: float = 50.0, first_tick: int = JUST_BEFORE_WRAP, hz: float = 10.0) -> None:
        self.rng = np.random.default_rng(seed)
        self.ppm, self.first_tick, self.hz = ppm, first_tick, hz
        self.timebase = Timebase(HZ)

    def tick(self, t_ns: np.ndarray | float) -> np.ndarray:
        return self.first_tick + np.floor(np.asarray(t_ns) * (1 + self.ppm * 1e-6) / 1000).astype(np.int64)

    def exchanges(self, seconds: float, delay: Callable[[np.random.Generator, int], np.ndarray]) -> np.ndarray:
        """Sent, tick and received of every ping, times since START."""
        n = int(seconds * self.hz)
        sent = np.arange(n) * 1e9 / self.hz + self.rng.uniform(0, 1e6, n)
        there = sent + delay(self.rng, n)
        back = there + delay(self.rng, n)
        return np.array([sent.astype(np.int64), self.tick(there), np.maximum.accumulate(back).astype(np.int64)])

    def ping(self, rows: np.ndarray) -> ClockFit:
        for sent, tick, received in rows.T.tolist():
            wire = np.array([tick % 2**32], np.uint64)
            unwrapped = self.timebase.unwrap(wire, 32, START + received)
            self.timebase.exchange(START + sent, int(unwrapped[0]), START + received)
        fit = self.timebase.fit(START + int(rows[2, -1]))
        assert fit is not None
        return fit

    def offset_error_ns(self, fit: ClockFit) -> float:
        now = fit.at_ns - START
        true_tick = self.first_tick + now * (1 + self.ppm * 1e-6) / 1000
        return (fit.offset_ns - START) - (now - true_tick * 1000)


def one_sided(rng: np.random.Generator, n: int) -> np.ndarray:
    return rng.exponential(1e6, n)
