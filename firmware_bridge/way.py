"""The way to one board: resolve its name, lock the port, open it; and the same again after it was lost.

The board is followed by its USB identity, never by the port's name. Devices and `rfc2217://` servers are locked; a
`socket://` server decides by itself whom it serves, and every `exec:` or `virtual://` is a board of its own.
"""

import os
from collections.abc import Callable

from firmware_bridge.address import SerialSettings, parse_port
from firmware_bridge.clock import Clock
from firmware_bridge.errors import PortMissing
from firmware_bridge.lock import PortLock
from firmware_bridge.plan import never
from firmware_bridge.ports import System, UsbIdentity, find_device, identity_of
from firmware_bridge.transport import Transport, open_transport

__all__ = ["Way"]


class Way:
    """Opens and closes one port any number of times.

    Args:
        port: Where the board is.
        clock: Time of virtual boards.
        settings: Serial settings of a board file.
        system: What to ask about the machine.

    Raises:
        UsageError: The port or an option cannot be meant.
    """

    def __init__(
        self,
        port: str,
        clock: Clock | None = None,
        settings: SerialSettings | None = None,
        system: System | None = None,
    ) -> None:
        self.port = port
        self.address = parse_port(port)
        self.settings = self.address.settings(settings)
        self.usb: UsbIdentity | None = None
        self._given = settings
        self._clock = clock
        self._system = system or System()
        self._lock: PortLock | None = None
        self._transport: Transport | None = None
        self._known = False

    @property
    def is_serial(self) -> bool:
        """Whether a serial line with a baud rate and control lines is meant."""
        return self.address.scheme in ("serial", "usb")

    def open(self, wait_s: float = 0.0, given_up: Callable[[], bool] = never) -> Transport:
        """Lock and open the port.

        Args:
            wait_s: How long to wait for another user of the port.
            given_up: Asked while waiting; true ends it.

        Raises:
            TransportError: It cannot be opened; the sentence says why and what to do.
            UsageError: The address cannot be meant.
        """
        key = None
        device = ""
        if self.is_serial:
            device = find_device(self.address, self._system, self.usb)
            key = os.path.realpath(device)
            if key.startswith("/dev/") and not os.path.exists(key):
                key = None  # nothing to lock; opening says what is missing
        elif self.address.scheme == "rfc2217":
            key = self.address.target
        lock = PortLock(key) if key else None
        if lock is not None:
            lock.acquire(wait_s, given_up)
        try:
            transport = open_transport(self.port, self._clock, self._given, system=self._system, known=self.usb)
        except BaseException:
            if lock is not None:
                lock.release()
            raise
        self._lock, self._transport = lock, transport
        if self.is_serial and not self._known:
            self._known = True
            self.usb = identity_of(device, self._system)
        return transport

    def wake(self) -> None:
        """End a read that waits in another thread."""
        transport = self._transport
        if transport is not None:
            transport.wake()

    def close(self) -> None:
        """Close and unlock; a second time does nothing."""
        transport, self._transport = self._transport, None
        lock, self._lock = self._lock, None
        try:
            if transport is not None:
                transport.close()
        finally:
            if lock is not None:
                lock.release()

    def is_gone(self, error: Exception) -> bool:
        """Whether the device itself is away (unplugged), rather than closed or held."""
        return isinstance(error, PortMissing)
