"""What came back, matched one to one with what was pushed.

Rule of this room: pure; it counts and judges nothing. A reading is missing until it came back, whoever lost it; one
that came late or twice is out of order, as the books of the link say. The round trip is that of each reading, from when
it was handed to the link to when it came back, with the time that it waited in the board for its turn.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from firmware_bridge.batch import Batch, Int64
from firmware_bridge.ledger import Books

__all__ = ["Match", "Matcher"]


@dataclass(frozen=True, slots=True)
class Match:
    """What came of a stimulus.

    Attributes:
        stream: The board's stream that took the readings.
        total: Readings that were to be pushed.
        pushed: Readings that were.
        returned: Readings that came back as the board's own samples.
        missing: Readings that did not come back.
        starved: Samples that were due on the board and not there; None: it did not say.
        out_of_order: Samples that came late or twice.
        differing: Samples that came back with another value than was pushed.
        resent: Samples that were pushed again because frames were lost.
        results: Results of a network on the board that belong to a reading, one each.
        results_unmatched: Results that belong to none, or came twice.
        round_trip_ms: Median, 99th percentile and greatest time from push to return; None where none came back.
        exact: Whether the recorded raw values were pushed as they are, rather than in another scale.
        cut: Values that the board's range could not hold.
        gaps: Places of the recording where readings are missing.
        why: One sentence where it ended early.
    """

    stream: str
    total: int
    pushed: int
    returned: int
    missing: int
    starved: int | None
    out_of_order: int
    differing: int
    resent: int
    results: int
    results_unmatched: int
    round_trip_ms: tuple[float, float, float] | None
    exact: bool = True
    cut: int = 0
    gaps: int = 0
    why: str = ""

    @property
    def whole(self) -> bool:
        """Whether every reading came back as it was, once and in order, and none was late on the board."""
        return not (self.why or self.missing or self.starved or self.out_of_order or self.differing)

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        plain = {key: getattr(self, key) for key in self.__dataclass_fields__ if key != "round_trip_ms"}
        times = self.round_trip_ms or (None, None, None)
        return plain | {"round_trip_ms": dict(zip(("p50", "p99", "max"), times, strict=True)), "whole": self.whole}

    def lines(self) -> list[str]:
        """Return it for people."""
        starved = "unknown" if self.starved is None else f"{self.starved:,}"
        told = [
            f"{self.stream}: {self.pushed:,} of {self.total:,} readings pushed, {self.returned:,} came back",
            f"  missing {self.missing:,}, starved {starved}, out of order {self.out_of_order:,}, "
            f"differing {self.differing:,}, sent again {self.resent:,}",
        ]
        if self.round_trip_ms is not None:
            p50, p99, most = self.round_trip_ms
            told.append(f"  round trip p50 {p50:.2f} ms, p99 {p99:.2f} ms, max {most:.2f} ms")
        if self.results or self.results_unmatched:
            told.append(f"  results: {self.results:,} matched, {self.results_unmatched:,} that belong to no reading")
        if not self.exact:
            told.append(f"  converted to the board's scale; {self.cut:,} values beyond its range were cut")
        if self.gaps:
            told.append(f"  the recording has {self.gaps:,} gaps, over which readings followed each other")
        return told + ([f"  {self.why}"] if self.why else [])


class Matcher:
    """Matches samples with readings.

    Args:
        raw: `(N, *shape)`, what is pushed.
    """

    def __init__(self, raw: npt.NDArray[Any]) -> None:
        self._raw = raw
        self._sent_ns: Int64 = np.zeros(len(raw), np.int64)
        self._back_ns: Int64 = np.zeros(len(raw), np.int64)
        self.taken_ns: Int64 = np.zeros(len(raw), np.int64)
        """int64 `(N,)`, UTC at which the board took each reading by its clock; 0 where it did not come back."""
        self._differing = self._results = self._unmatched = 0
        self._told: set[int] = set()

    def sent(self, first: int, n: int, now: int) -> None:
        """Readings were handed to the link; when they are sent again, the first time counts."""
        part = self._sent_ns[first : first + n]
        part[part == 0] = now

    def came(self, first: int, batch: Batch, now: int) -> None:
        """A batch came back that begins with reading `first`."""
        span = slice(first, first + len(batch))
        there = self._raw[span]
        other = (there != batch.raw).reshape(len(there), -1).any(axis=1)
        self._differing += int(other.sum())
        self._back_ns[span] = now
        self.taken_ns[span] = batch.t_ns

    def result(self, reading: int, now: int) -> None:
        """A network on the board answered for the window that ends with a reading."""
        if not 0 <= reading < len(self._raw) or not self._sent_ns[reading] or reading in self._told:
            self._unmatched += 1
            return
        self._told.add(reading)
        self._results += 1

    def match(self, stream: str, pushed: int, resent: int, starved: int | None, books: Books | None) -> Match:
        """Return what came of it.

        Args:
            stream: Name of the board's stream.
            pushed: Readings that were sent at least once.
            resent: Samples that were sent again.
            starved: As the board says.
            books: The link's, of the time of the stimulus.
        """
        back = self._back_ns > 0
        took = (self._back_ns - self._sent_ns)[back] / 1e6
        times = None
        if len(took):
            p50, p99 = np.percentile(took, (50, 99))
            times = (float(p50), float(p99), float(took.max()))
        strayed = 0 if books is None else (books.total(stream).late or 0) + (books.total(stream).duplicate or 0)
        returned = int(back.sum())
        return Match(stream, len(self._raw), pushed, returned, len(self._raw) - returned, starved, strayed,
                     self._differing, resent, self._results, self._unmatched, times)  # fmt: skip
