"""A bridge to live boards that writes down what is taken from it, so that a failure has its recording.

Rule of this room: from the first byte on, before anything is judged; what becomes of the file is another's work.
"""

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from firmware_bridge.bridge import Bridge
from firmware_bridge.clock import Clock
from firmware_bridge.events import Arrival
from firmware_bridge.roles import PortSpec
from hil.recording.header import BoardSetup, Header
from hil.recording.writer import RecordingWriter

__all__ = ["KeptBridge", "opened"]


class KeptBridge(Bridge):
    """A bridge with a recording of its own.

    Args:
        path: A file that does not exist.
        ports: As for `Bridge`.
        clock: Time.
        more: As for `Bridge`.

    Raises:
        FileError: The file cannot be made.
    """

    def __init__(self, path: Path, ports: Sequence[PortSpec], clock: Clock, **more: Any) -> None:
        super().__init__(ports, clock, **more)
        setups = tuple(BoardSetup(one.role, one.port, one.dialect, one.nonce) for one in self.boards())
        self._writer = RecordingWriter(path, Header(clock.now_ns(), setups))

    def __enter__(self) -> "KeptBridge":
        try:
            super().__enter__()
        except BaseException:
            self._writer.close()
            raise
        return self

    def take(self, max_wait_s: float) -> list[Arrival]:
        """Return what came, written down; see `Bridge.take`."""
        arrivals = super().take(max_wait_s)
        for arrival in arrivals:
            self._writer.write(arrival)
        return arrivals

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            super().__exit__(kind, error, trace)
        finally:
            self._writer.close()


def opened(keep: Path | None, ports: Sequence[PortSpec], clock: Clock, **more: Any) -> Bridge:
    """Return a bridge for live boards, one that writes into `keep` where that is given."""
    return Bridge(ports, clock, **more) if keep is None else KeptBridge(keep, ports, clock, **more)
