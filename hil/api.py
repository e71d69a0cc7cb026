"""The Python API for notebooks: a recording or a live bench, each in one line.

Rule: thin. `open` is `Recording`, `connect` is `Bridge` with its lists flattened; nothing is computed here.
"""

from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from firmware_bridge.clock import Clock, SystemClock
from firmware_bridge.events import Item

if TYPE_CHECKING:
    from firmware_bridge.bridge import BoardState
    from firmware_bridge.wire.dialect import DialectSpec
    from firmware_bridge.wire.messages import Message
    from hil.recording.reader import Recording

__all__ = ["Bench", "connect", "open"]


def open(path: str | Path) -> "Recording":  # noqa: A001  (hil.open reads as open does)
    """Open a recording.

    Args:
        path: The file; one that was cut off opens too, and `lost` says what is missing.

    Returns:
        The recording: `read(board, stream, start_s, end_s)` gives arrays, `frame(...)` a pandas frame, `marks`,
        `labels` and `predictions()` what people and models said. It is a context manager.

    Raises:
        FileError: It cannot be read or is no recording.
    """
    from hil.recording.reader import Recording

    return Recording(path)


def connect(
    *ports: str, board_file: str | Path | None = None, dialect: "DialectSpec | str | None" = None,
    clock: Clock | None = None,
) -> "Bench":  # fmt: skip
    """Open boards; use the result in a `with` block.

    Args:
        ports: Ports, with a role where wanted (`watch=/dev/ttyACM0`); `virtual://watch` needs no hardware.
        board_file: How boards talk that do not say so themselves.
        dialect: How they talk: `native`, `lines` ..., with arguments as a `DialectSpec`; detected by default.
        clock: Time; the system's by default.

    Raises:
        UsageError: A port, dialect or board file cannot be meant.
    """
    return Bench(ports, board_file, dialect, clock or SystemClock())


class Bench:
    """Boards that are being listened to; see `connect`. Iterating gives batches and events as they come."""

    def __init__(
        self, ports: tuple[str, ...], board_file: str | Path | None, dialect: "DialectSpec | str | None", clock: Clock
    ) -> None:
        from dataclasses import replace

        from firmware_bridge.bridge import Bridge, parse_spec
        from firmware_bridge.wire.dialect import DialectSpec

        spec = DialectSpec(dialect) if isinstance(dialect, str) else dialect
        described = None if board_file is None else str(board_file)
        asked = [parse_spec(port) for port in ports]
        self._clock = clock
        self._bridge = Bridge(
            [replace(one, dialect=spec or one.dialect, board_file=described or one.board_file) for one in asked], clock
        )

    def __enter__(self) -> Self:
        self._bridge.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __iter__(self) -> Iterator[Item]:
        """Yield batches and events in order, until every board has ended or the bench is closed."""
        for arrivals in self._bridge:
            for arrival in arrivals:
                yield from arrival.items

    def listen(self, seconds: float | None = None) -> Iterator[Item]:
        """Yield batches and events for so many seconds, or until every board has ended."""
        if seconds is None:
            yield from self
            return
        until = self._clock.now_ns() + round(seconds * 1e9)
        while (left := until - self._clock.now_ns()) > 0:
            for arrival in self._bridge.take(min(0.1, left / 1e9)):
                yield from arrival.items

    def boards(self) -> "list[BoardState]":
        """Return the state of every board: identity, losses, clock."""
        return list(self._bridge.boards())

    def send(self, board: str, command: "Message | str | bytes") -> "Future[bytes]":
        """Send a command to a board; the result is the bytes that were written."""
        return self._bridge.send(board, command)

    def close(self) -> None:
        """Close all ports."""
        self._bridge.close()
