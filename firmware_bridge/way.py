"""The way to one board: resolve its name, lock the port, open it; and the same again after it was lost.

The board is followed by its USB identity, never by the port's name. Devices and `rfc2217://` servers are locked; a
`socket://` server decides by itself whom it serves, and every `exec:` or `virtual://` is a board of its own.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager

from firmware_bridge.address import Address, SerialSettings, parse_port
from firmware_bridge.clock import Clock
from firmware_bridge.errors import PortMissing
from firmware_bridge.lock import PortLock
from firmware_bridge.plan import never
from firmware_bridge.ports import System, UsbIdentity, find_device, identity_of
from firmware_bridge.transport import Transport, open_transport

__all__ = ["Way", "held", "lock_key"]


def lock_key(address: Address, device: str) -> str | None:
    """Return what is locked for a port; None where nothing is.

    Args:
        address: What the user asked for.
        device: Of a serial line, as `find_device` says.
    """
    if address.scheme in ("serial", "usb"):
        key = os.path.realpath(device)
        # Nothing to lock; opening says what is missing.
        return None if key.startswith("/dev/") and not os.path.exists(key) else key
    return address.target if address.scheme == "rfc2217" else None


@contextmanager
def held(ports: Sequence[str], wait_s: float = 0.0, system: System | None = None) -> Iterator[None]:
    """Hold ports without opening them, for a program of its own that does (one that flashes a board).

    Args:
        ports: Where the boards are.
        wait_s: How long to wait for another user.
        system: What to ask about the machine.

    Raises:
        TransportError: One is held by somebody else, or cannot be found.
    """
    with ExitStack() as stack:
        for port in ports:
            address = parse_port(port)
            device = find_device(address, system or System()) if address.scheme in ("serial", "usb") else ""
            if key := lock_key(address, device):
                lock = PortLock(key)
                lock.acquire(wait_s)
                stack.callback(lock.release)
        yield


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
        device = find_device(self.address, self._system, self.usb) if self.is_serial else ""
        key = lock_key(self.address, device)
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
