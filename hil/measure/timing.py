"""When samples came: rate, jitter, unequal steps, bursts, gaps.

Rule of this room: the board's ticks say when a sample was taken, host times only when it was seen; where the board
sends no ticks its jitter is unknown, and bursts of host stamps are reported as what they are. Steps are taken between
consecutive numbers only.
"""

import math

import numpy as np
import numpy.typing as npt

from firmware_bridge.streams import Stream
from hil.measure.continuity import Stretch
from hil.measure.figure import Figure
from hil.measure.intervals import NONE, count_interval, sd_interval, share_interval
from hil.measure.make import Maker
from hil.recording.arrays import StreamArrays

__all__ = ["Timing"]

Float = npt.NDArray[np.float64]

_AWAY = 0.1
"""A step is unequal beyond this share of the usual one; a burst is below it."""


class Timing:
    """Adds up the steps of a stream.

    Args:
        stream: What is measured.
        usual_s: The usual step in seconds (median of the first portion); 0 where unknown.
    """

    def __init__(self, stream: Stream, usual_s: float) -> None:
        self._stream = stream
        self._usual = usual_s
        self._per_s = stream.tick_hz or 1e9
        self._last: tuple[int, int, int, int] | None = None
        self._count = self._gaps = self._samples = self._missing = 0
        self._sum = self._squares = 0.0
        self._unequal = self._nominal = self._bursts = self._seen = self._backwards = 0
        self._worst = 0.0
        self._first_s = math.inf
        self._last_s = -math.inf
        self._run = self._longest_run = 0

    def add(self, portion: StreamArrays, stretches: list[Stretch]) -> None:
        """Take the next portion."""
        if not len(portion):
            return
        self._samples += len(portion)
        self._gaps += sum(not stretch.goes_on for stretch in stretches) - (self._last is None)
        t_s = portion.t_s
        self._first_s, self._last_s = min(self._first_s, float(t_s[0])), max(self._last_s, float(t_s[-1]))
        ahead, same = np.diff(portion.numbers), np.diff(portion.boot) == 0
        self._missing += int((ahead[same & (ahead > 1)] - 1).sum())
        if self._last is not None and self._last[3] == portion.boot[0]:
            self._missing += max(0, int(portion.numbers[0]) - self._last[0] - 1)
        inside = same & (ahead == 1)
        steps = np.diff(portion.ticks)[inside] / self._per_s
        stamps = np.diff(portion.t_ns)[inside] / 1e9
        if self._last is not None and stretches[0].goes_on:
            steps = np.append(steps, (int(portion.ticks[0]) - self._last[1]) / self._per_s)
            stamps = np.append(stamps, (int(portion.t_ns[0]) - self._last[2]) / 1e9)
        self._last = int(portion.numbers[-1]), int(portion.ticks[-1]), int(portion.t_ns[-1]), int(portion.boot[-1])
        self._take(steps, stamps)

    def _take(self, steps: Float, stamps: Float) -> None:
        usual = self._usual
        away = steps - usual
        self._count += len(steps)
        self._sum += float(away.sum())
        self._squares += float(np.einsum("i,i->", away, away))
        if len(away):
            self._worst = max(self._worst, float(away[np.argmax(np.abs(away))]), key=abs)
        self._unequal += int(np.count_nonzero(np.abs(away) > _AWAY * usual))
        self._backwards += int(np.count_nonzero(steps < 0))
        if self._stream.rate_hz:
            nominal = round(self._per_s / self._stream.rate_hz) / self._per_s
            self._nominal += int(np.count_nonzero(np.abs(steps - nominal) < 1.01 / self._per_s))
        close = stamps < _AWAY * usual
        self._bursts += int(np.count_nonzero(close))
        self._seen += len(stamps)
        if close.any():
            edges = np.flatnonzero(np.diff(np.concatenate(([0], close.astype(np.int8), [0]))))
            self._longest_run = max(self._longest_run, int((edges[1::2] - edges[::2]).max()) + 1)

    # ---- figures -----------------------------------------------------------------------------------------------------

    @property
    def samples(self) -> int:
        """Samples so far."""
        return self._samples

    @property
    def missing(self) -> int:
        """Numbers between the first and the last sample of each boot that are not there."""
        return self._missing

    @property
    def unequal_share(self) -> float:
        """Share of steps that are more than a tenth away from the usual one, 0 to 1."""
        return self._unequal / self._count if self._count else 0.0

    @property
    def rate_hz(self) -> float | None:
        """Samples a second while none are missing, by ticks or times; None below two samples."""
        mean = self._usual + self._sum / self._count if self._count else 0.0
        return 1.0 / mean if mean > 0 else None

    def figures(self, make: Maker, clock_ppm: float | None) -> list[Figure]:
        """Return the figures.

        Args:
            make: Of the stream.
            clock_ppm: How much faster the board's clock runs than the host's; None where nobody knows.
        """
        if self.rate_hz is None:
            few = "there are fewer than two consecutive samples"
            return [make.unknown(key, few, n=self._samples) for key in ("rate", "effective_rate", "jitter")]
        return [
            self._rate(make, clock_ppm), self._effective(make), *self._jitters(make),
            self._share(make, "unequal_steps", self._unequal, self._count, self._unequal_note()),
            self._share(make, "bursts", self._bursts, self._seen, self._burst_note()),
            make("gaps", self._gaps, *count_interval(self._gaps), n=self._samples, method="count, Poisson",
                 condition=self._gap_condition()),
        ]  # fmt: skip

    def _spread(self) -> float:
        mean = self._sum / self._count
        return math.sqrt(max(0.0, self._squares / self._count - mean * mean))

    def _rate(self, make: Maker, clock_ppm: float | None) -> Figure:
        rate = self.rate_hz or math.nan
        if self._stream.tick_hz is None:
            by = "by times of arrival, the board sends none"
        elif clock_ppm is None:
            by = "by the board's own clock, whose drift is unknown"
        else:
            rate *= 1 + clock_ppm * 1e-6
            by = "by the board's clock, its drift against the host taken off"
        error = 1.96 * self._spread() * math.sqrt(2) / (self._count / rate) if self._count > 1 else math.nan
        return make("rate", rate, rate * (1 - error), rate * (1 + error), condition=by, n=self._count,
                    method="mean step; spread of its ends")  # fmt: skip

    def _effective(self, make: Maker) -> Figure:
        span = self._last_s - self._first_s
        if span <= 0:
            return make.unknown("effective_rate", "all samples have the same time")
        rate = (self._samples - 1) / span
        return make("effective_rate", rate, condition=f"over {span:.1f} s, missing samples included", n=self._samples,
                    method="samples over time; exact")  # fmt: skip

    def _jitters(self, make: Maker) -> list[Figure]:
        if self._stream.tick_hz is None:
            why = "the board sends no time of its own; the host's stamps tell when bytes came, not when it sampled"
            return [make.unknown(key, why) for key in ("jitter", "jitter_worst")]
        share = self._nominal / self._count
        if share > 0.5 and self._stream.rate_hz:
            why = (
                f"{100 * share:.1f} % of the steps are exactly the nominal one: the board stamps frames or counts "
                "ticks, so that jitter inside a frame does not show"
            )
            spread = f"all steps as sent: {self._spread() * 1e6:.3g} us, worst {self._worst * 1e6:.3g} us"
            return [make.unknown(key, why, note=spread, n=self._count) for key in ("jitter", "jitter_worst")]
        jitter = self._spread() * 1e6
        resolution = f"one tick is {1e6 / self._per_s:.3g} us"
        backwards = f"{self._backwards} steps go back in time" if self._backwards else ""
        return [
            make("jitter", jitter, *(sd_interval(jitter, self._count) if jitter else NONE), condition=resolution,
                 n=self._count, method="standard deviation of steps, chi-squared", note=backwards),
            make("jitter_worst", abs(self._worst) * 1e6, condition=resolution, n=self._count, method="extreme",
                 note=f"{self._worst * 1e6:+.6g} us away from the usual {self._usual * 1e6:.6g} us"),
        ]  # fmt: skip

    def _share(self, make: Maker, key: str, hits: int, n: int, note: str) -> Figure:
        ends = share_interval(hits, n)
        return make(key, 100 * hits / n if n else None, *ends, condition="between consecutive samples", n=n,
                    method="share, Clopper-Pearson", note=note)  # fmt: skip

    def _unequal_note(self) -> str:
        return f"the usual step is {self._usual * 1e3:.6g} ms, the worst is {self._worst * 1e3:+.6g} ms away from it"

    def _burst_note(self) -> str:
        if not self._bursts:
            return ""
        return f"up to {self._longest_run} samples share one stamp: they were handed over together"

    def _gap_condition(self) -> str:
        return "by the board's numbers" if self._stream.counted else "by times: the board does not number its samples"
