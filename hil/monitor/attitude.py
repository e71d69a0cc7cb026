"""The attitude of a board while somebody looks at it: readings go in as they come, its turn at a time comes out.

Rule of this room: as in `stability`, nothing is computed until a screen asks and nothing is kept once none asks any
more. It is for screens alone: no recording holds it, for it follows from the readings that are there. The heading
counts from the moment somebody began to look.
"""

import bisect
import threading
from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from firmware_bridge.batch import Batch
from firmware_bridge.errors import BridgeError
from firmware_bridge.streams import Stream
from hil.monitor.figures import refused
from hil.monitor.ondemand import OnDemand
from hil.views.figure import Ask, FigureView

if TYPE_CHECKING:
    from hil.orientation import Orientation

__all__ = ["Attitude", "attitudes"]

BEFORE_S = 10.0
"""Seconds of readings at hand that the filter settles on when somebody begins to look."""
EVERY_NS = 20_000_000
"""Time between two attitudes that are kept."""
KEPT = 30_000
WAITING = 2_000_000

Turn = tuple[tuple[float, ...], bool]
"""Seven figures of the derived stream, and whether the board lay still."""


class Attitude:
    """One stream's attitude over the last minutes.

    Args:
        stream: A stream with a gyroscope and an accelerometer.
        where: For messages.
    """

    def __init__(self, stream: Stream, where: str) -> None:
        self.stream = stream
        self._where = where
        self._lock = threading.Lock()
        self._waiting: deque[Batch] = deque()
        self._came = self._used = 0
        self._filter: Orientation | None = None
        self._times: list[int] = []
        self._turns: list[Turn] = []

    @property
    def full(self) -> bool:
        """Whether too much waits because nobody asks."""
        return self._came - self._used > WAITING

    def take(self, batches: Sequence[Batch]) -> None:
        """Keep batches, in order, until somebody asks."""
        self._waiting.extend(batches)
        self._came += sum(len(batch) for batch in batches)

    def at(self, ask: Ask, end_ns: int) -> FigureView:
        """Return the attitude at or before a time."""
        with self._lock:
            try:
                self._work()
            except BridgeError as error:
                self._used = self._came
                self._waiting.clear()
                return refused(ask, str(error))
            place = bisect.bisect_right(self._times, end_ns) - 1
            if place < 0:
                return refused(ask, "no readings here")
            figures, resting = self._turns[place]
            return FigureView(
                ask, np.array(figures[:4], np.float32), marks=np.array([figures[4:]], np.float32),
                samples=self._used, end_ns=self._times[place], resting=resting,
            )  # fmt: skip

    def _work(self) -> None:
        if self._filter is None:
            from hil.orientation import Orientation

            self._filter = Orientation(self.stream, self._where)
        while self._waiting:
            batch = self._waiting.popleft()
            self._used += len(batch)
            if len(batch):
                self._keep(self._filter.batch(batch), self._filter.resting)
        if len(self._times) > 2 * KEPT:
            del self._times[:-KEPT], self._turns[:-KEPT]

    def _keep(self, made: Batch, resting: bool) -> None:
        for at, t_ns in enumerate(made.t_ns.tolist()):
            if not self._times or t_ns - self._times[-1] >= EVERY_NS:
                self._times.append(t_ns)
                self._turns.append((tuple(made.raw[at].tolist()), resting))


def attitudes() -> OnDemand[Attitude]:
    """Return the attitudes that screens ask for; each begins with the last readings that are at hand."""

    def few(batch: Batch) -> Batch:
        return batch.part(max(0, len(batch) - int(BEFORE_S * (batch.stream.rate_hz or 0.0))), len(batch))

    return OnDemand(lambda role, stream: Attitude(stream, f"{role}/{stream.name}"), few)
