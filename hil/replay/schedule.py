"""When what was recorded is due: an absolute schedule of recorded time against the host's.

Pure. `due = host base + recorded distance / speed`: every time is worked out from the last change of pace and from
nothing later, so that no error adds up however long a replay runs.
"""

from firmware_bridge.errors import UsageError

__all__ = ["FASTEST", "SLOWEST", "Schedule", "check_speed"]

SLOWEST, FASTEST = 0.1, 1000.0


class Schedule:
    """Where a replay is and when something is due.

    Args:
        speed: Times real time; None: as fast as it goes (everything is due).
        at_ns: Recorded time to begin at.
        now_ns: Host time now.
        paused: Begin standing still.

    Raises:
        UsageError: The speed is not between 0.1 and 1000.
    """

    def __init__(self, speed: float | None, at_ns: int, now_ns: int, *, paused: bool = False) -> None:
        self.speed = check_speed(speed)
        self.paused = paused
        self._recorded_ns, self._host_ns = at_ns, now_ns

    def due_ns(self, t_ns: int, now_ns: int) -> int:
        """Return the host time at which recorded time `t_ns` is due; `now_ns` where nothing is paced.

        What lies before the place that was begun at was due there.
        """
        if self.speed is None:
            return now_ns
        return self._host_ns + int(max(0, t_ns - self._recorded_ns) / self.speed)

    def place_ns(self, now_ns: int, done_ns: int, next_ns: int | None) -> int:
        """Return the recorded time that the schedule is at.

        Args:
            now_ns: Host time.
            done_ns: Recorded time of what was handed on last.
            next_ns: Recorded time of what comes next, which the place does not pass; None: nothing.
        """
        if self.paused or self.speed is None or next_ns is None:
            return done_ns
        place = self._recorded_ns + int((now_ns - self._host_ns) * self.speed)
        return max(done_ns, min(place, next_ns))

    def restart(self, at_ns: int, now_ns: int) -> None:
        """Count from here: recorded time `at_ns` is due now."""
        self._recorded_ns, self._host_ns = at_ns, now_ns


def check_speed(speed: float | None) -> float | None:
    """Return the speed if it can be meant.

    Raises:
        UsageError: It is not between 0.1 and 1000.
    """
    if speed is not None and not SLOWEST <= speed <= FASTEST:
        raise UsageError(f"speed {speed:g} is not possible", "replay", f"give {SLOWEST:g} to {FASTEST:g}, or max")
    return speed
