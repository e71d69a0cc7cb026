"""How long pictures take and how many were left out: what a screen can say about itself.

Rule of this room: pure; times are arguments. A picture begins when an answer of the engine comes and ends when its
bytes are handed to the terminal's writer. It is timed twice, by the wall and by the CPU time of the screen's thread:
where other programs share the machine only the second is the screen's own doing. With `HIL_TIMES=FILE` in its
environment a screen writes these figures there when it ends.
"""

from collections import deque
from collections.abc import Iterable

__all__ = ["Pace"]

KEPT = 36_000
"""Pictures that are remembered: the last hour at ten a second."""


class Pace:
    """The account of one screen."""

    def __init__(self) -> None:
        self.drawn = 0
        self.late = 0
        """Pictures left out because the terminal had not taken the last one."""
        self.first_ns: int | None = None
        """CPU time of the whole process until its first picture."""
        self._begun: tuple[int, int] | None = None
        self._took: deque[tuple[int, int]] = deque(maxlen=KEPT)

    def begun(self, cpu_ns: int) -> None:
        """The first picture of a page is there, for which nobody was asked."""
        self.first_ns = self.first_ns or cpu_ns

    def begin(self, wall_ns: int, cpu_ns: int) -> None:
        """A picture begins; where the last one is not finished, they are one."""
        self._begun = self._begun or (wall_ns, cpu_ns)

    def end(self, wall_ns: int, cpu_ns: int) -> None:
        """It is handed over."""
        if self._begun is not None:
            self._took.append((wall_ns - self._begun[0], cpu_ns - self._begun[1]))
            self.drawn, self._begun = self.drawn + 1, None

    def figures(self) -> dict[str, object]:
        """Return what there is to say, milliseconds; a figure that no picture supports is None."""
        walls, cpus = zip(*self._took, strict=True) if self._took else ((), ())
        first = None if self.first_ns is None else self.first_ns / 1e6
        return {"schema": 1, "first_cpu_ms": first, "drawn": self.drawn, "late": self.late, "wall_ms": _told(walls),
                "cpu_ms": _told(cpus)}  # fmt: skip


def _told(took: Iterable[int]) -> dict[str, float | None]:
    """The order statistics of some times."""
    rising = sorted(took)
    places = {"p50": 0.5, "p99": 0.99, "p999": 0.999, "max": 1.0}
    return {
        name: rising[min(len(rising) - 1, int(share * len(rising)))] / 1e6 if rising else None
        for name, share in places.items()
    }
