"""The clock exchanges that are remembered: the latest ones, in bounded memory, as arrays."""

import numpy as np
import numpy.typing as npt

__all__ = ["FEWEST_KEPT", "Evidence", "Rows"]

Int64 = npt.NDArray[np.int64]
Rows = tuple[Int64 | None, Int64, Int64]
"""Sent (None where ticks only arrive), ticks, received; `(N,)` each."""

_MOST = 2048
FEWEST_KEPT = 300
"""Exchanges that are kept however old: five minutes of one ping a second."""


class Evidence:
    """The latest exchanges of one clock.

    Args:
        ways: 2 for pings, 1 where ticks only arrive.
    """

    def __init__(self, ways: int) -> None:
        self.ways = ways
        self._rows = np.zeros((3, 2 * _MOST), np.int64)
        self._start = self._end = 0

    def __len__(self) -> int:
        return self._end - self._start

    def add(self, sent_ns: int, tick: int, received_ns: int) -> None:
        """Remember one exchange; an answer that was overtaken (its tick is before the last one's) is passed over."""
        if len(self) and tick < self._rows[1, self._end - 1]:
            return
        if self._end == self._rows.shape[1]:
            kept = self._rows[:, self._end - _MOST :].copy()
            self._rows[:, :_MOST] = kept
            self._start, self._end = 0, _MOST
        self._rows[:, self._end] = sent_ns, tick, received_ns
        self._end += 1
        self._start = max(self._start, self._end - _MOST)

    def copy(self) -> "Evidence":
        """Return the same exchanges, to go on from without changing these."""
        other = Evidence(self.ways)
        other._rows[:, : len(self)] = self._rows[:, self._start : self._end]
        other._end = len(self)
        return other

    def clear(self) -> None:
        """Forget everything."""
        self._start = self._end = 0

    def agrees(self, sent_ns: int, tick: int, received_ns: int, ns_per_tick: float, slack_ns: int) -> bool:
        """Return whether an exchange can follow the last one, for any clock that is right within a fifth."""
        if not len(self):
            return True
        sent, last, received = map(int, self._rows[:, self._end - 1])
        passed = (tick - last) * ns_per_tick
        return 0.8 * (sent_ns - received) - slack_ns <= passed <= 1.2 * (received_ns - sent) + slack_ns

    def keep_earlier(self, tick: int, received_ns: int, ns_per_tick: float) -> None:
        """Let this arrival take the place of the last one where it was less delayed."""
        if not len(self):
            return
        last = self._rows[:, self._end - 1]
        if tick >= last[1] and received_ns - last[2] < (tick - int(last[1])) * ns_per_tick:
            last[1], last[2] = tick, received_ns

    def forget(self, before_ns: int) -> None:
        """Forget what was received before `before_ns`, but never the last `FEWEST_KEPT`."""
        last = self._end - FEWEST_KEPT
        if self._start < last:
            self._start += int(self._rows[2, self._start : last].searchsorted(before_ns))

    def rows(self) -> Rows:
        """Return (sent or None, ticks, received), int64 `(N,)` each."""
        sent, ticks, received = self._rows[:, self._start : self._end]
        return (sent if self.ways == 2 else None), ticks, received

    def window(self) -> Int64:
        """Return a copy of sent, ticks and received, int64 `(3, N)`."""
        return self._rows[:, self._start : self._end].copy()

    def best(self, ns_per_tick: float) -> tuple[int, int]:
        """Return (tick, UTC) of the least delayed one, its time taken half way between sending and receiving."""
        sent, ticks, received = self.rows()
        if sent is None:
            late = received - received[0] - np.rint((ticks - ticks[0]) * ns_per_tick).astype(np.int64)
            which = int(np.argmin(late))
            return int(ticks[which]), int(received[which])
        which = int(np.argmin(received - sent))
        return int(ticks[which]), int(sent[which] + (received[which] - sent[which]) // 2)

    def least_round_trip(self) -> int | None:
        """Return the least round trip in nanoseconds; None where the board was never pinged."""
        sent, _, received = self.rows()
        return None if sent is None or not len(received) else int((received - sent).min())

    def span_ns(self) -> int:
        """Return the time between the first and the last."""
        _, _, received = self.rows()
        return int(received[-1] - received[0]) if len(received) else 0
