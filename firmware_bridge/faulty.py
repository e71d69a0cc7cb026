"""Frame, byte and link faults on a living port: a thin shell around the way to a board.

The recorder stands behind it: recorded bytes are what was received after these faults. What a board is told goes
through untouched.
"""

from collections.abc import Callable
from typing import Any

from firmware_bridge.clock import Clock
from firmware_bridge.errors import PortLost, PortMissing
from firmware_bridge.faults.uplink import Uplink
from firmware_bridge.plan import never
from firmware_bridge.ports import UsbIdentity
from firmware_bridge.transport import Transport
from firmware_bridge.way import Way

__all__ = ["FaultyTransport", "FaultyWay"]


class FaultyTransport:
    """An open port with faults on what it receives.

    Args:
        transport: The port.
        uplink: What goes wrong; lives longer than one connection.
        clock: The clock of the port.
    """

    def __init__(self, transport: Transport, uplink: Uplink, clock: Clock) -> None:
        self._transport, self._uplink, self._clock = transport, uplink, clock
        self.name = transport.name
        self.notes = transport.notes

    def read(self, max_wait_s: float) -> bytes:
        """Return what has come through, waiting at most so long; `b""` if nothing has.

        Raises:
            PortLost: The board's side is gone, really or by a fault.
        """
        now = self._clock.now_ns()
        deadline = now + round(max(0.0, max_wait_s) * 1e9)
        while True:
            cut = self._uplink.cut_ns()
            if cut is not None and now >= cut:
                self._uplink.lose(now)
                raise PortLost("the connection was lost (fault link.disconnect)", self.name, "wait until it is back")
            if data := self._uplink.pull(now):
                return data
            until = min(when for when in (deadline, cut, self._uplink.next_ns()) if when is not None)
            data = self._transport.read(max(0.0, (until - now) / 1e9))
            now = self._clock.now_ns()
            if data:
                self._uplink.push(data, now)
            elif now >= deadline or now < until:  # in time, or woken
                return self._uplink.pull(now)

    def write(self, data: bytes) -> int:
        """Write what fits now; return how many bytes that was."""
        return self._transport.write(data)

    def wake(self) -> None:
        """End a `read` that waits in another thread."""
        self._transport.wake()

    def close(self) -> None:
        """Close the port."""
        self._transport.close()


class FaultyWay:
    """The way to a board that loses its connection when the faults say so.

    Args:
        way: The way itself.
        uplink: What goes wrong.
        clock: The clock of its ports.
    """

    def __init__(self, way: Way, uplink: Uplink, clock: Clock) -> None:
        self._way, self._uplink, self._clock = way, uplink, clock
        self.port = way.port
        self.settings = way.settings

    @property
    def usb(self) -> UsbIdentity | None:
        """USB identity of the board, once it was opened."""
        return self._way.usb

    @property
    def is_serial(self) -> bool:
        """Whether it is a serial line."""
        return self._way.is_serial

    def open(self, wait_s: float = 0.0, given_up: Callable[[], bool] = never) -> Any:
        """Open the port.

        Raises:
            PortMissing: A fault keeps it away.
            TransportError: As `Way.open`.
        """
        now = self._clock.now_ns()
        if self._uplink.down_ns(now) is not None:
            raise PortMissing("the board is away (fault link.disconnect)", self.port, "wait until it is back")
        self._uplink.lose(now)  # another connection: its frames begin anew
        return FaultyTransport(self._way.open(wait_s, given_up), self._uplink, self._clock)

    def wake(self) -> None:
        """End a read that waits in another thread."""
        self._way.wake()

    def close(self) -> None:
        """Close and unlock."""
        self._way.close()

    def is_gone(self, error: Exception) -> bool:
        """Whether the device itself is away."""
        return self._way.is_gone(error)
