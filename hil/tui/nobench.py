"""A screen without a bench: recordings and the doctor work, and whatever needs a board says how to get one."""

from typing import Any

from firmware_bridge.clock import Clock, SystemClock
from firmware_bridge.errors import UsageError
from hil.views.snapshot import Snapshot
from hil.views.view import View

__all__ = ["NoBench"]


class NoBench:
    """A client where no engine is.

    Args:
        clock: Dates its empty pictures.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()

    def snapshot(self, view: View) -> Snapshot:
        """Return a bench without boards."""
        return Snapshot(0, self._clock.now_ns(), "live")

    def command(self, verb: str, **args: Any) -> dict[str, Any]:
        """Refuse.

        Raises:
            UsageError: Always.
        """
        raise UsageError("no bench runs behind this screen", verb, "start it with a port: hil ui PORT, or hil demo")
