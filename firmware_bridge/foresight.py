"""Lines of exchanges that are about to be taken, all fitted at once: a replay knows what the next answers are.

Rule of this room: nothing is believed. A line is used only for exactly the exchanges that it was fitted to, and what
was not foreseen is fitted when it comes.
"""

from collections import defaultdict, deque
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from firmware_bridge.envelope import Line, fit_line, fit_lines, kept
from firmware_bridge.evidence import Rows

__all__ = ["Foresight"]

Int64 = npt.NDArray[np.int64]


class Foresight:
    """Lines by the exchanges they were fitted to, in the order in which they will be asked for.

    Args:
        windows: int64 `(3, N)` each: sent, ticks, received.
        ns_per_tick: Nominal length of a tick.
    """

    def __init__(self, windows: Sequence[Int64] = (), ns_per_tick: float = 1.0) -> None:
        alike: dict[int, list[int]] = defaultdict(list)
        for at, window in enumerate(windows):
            alike[kept(window.shape[1])].append(at)
        lines: dict[int, Line | None] = {}
        for size, several in alike.items():
            sent, ticks, received = np.stack([windows[at][:, -size:] for at in several], axis=1)
            lines.update(zip(several, fit_lines(sent, ticks, received, ns_per_tick), strict=True))
        self._coming = deque(([row.tobytes() for row in window], lines[at]) for at, window in enumerate(windows))

    def line(self, rows: Rows, ns_per_tick: float) -> Line | None:
        """Return the line of the exchanges `rows`, as `fit_line` gives it."""
        if self._coming:
            window, line = self._coming.popleft()
            if [row.tobytes() for row in rows if row is not None] == window:
                return line
            self._coming.clear()
        return fit_line(*rows, ns_per_tick)
