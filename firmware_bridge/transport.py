"""Opens any port and reads and writes its bytes: with `ports` and pyserial's handlers the only room with serial in it.

A transport never blocks longer than it was told and hands over everything that is there. On POSIX a serial device is
set up by pyserial and then read on its own descriptor (measured: pyserial's read of 32 bytes reaches 3 % of what
`os.read` does); Windows, `rfc2217://` and `virtual://` go through pyserial's own calls.
"""

import contextlib
import socket
import sys
from collections.abc import Callable
from typing import Any, Protocol
from urllib.parse import urlsplit

from firmware_bridge.address import Address, SerialSettings, parse_port
from firmware_bridge.clock import Clock
from firmware_bridge.descriptor import DescriptorTransport
from firmware_bridge.emulated import open_emulated
from firmware_bridge.errors import BridgeError, PortEnded, PortLost, TransportError, UsageError
from firmware_bridge.hints import explain
from firmware_bridge.ports import System, UsbIdentity, find_device
from firmware_bridge.process import open_process
from firmware_bridge.serialline import on_descriptor, set_up

__all__ = ["HandlerTransport", "Transport", "open_transport"]

_SLICE_S = 0.05
"""How long one pyserial read may wait; a wake-up is noticed within it where a handler cannot cancel a read."""
_CONNECT_S = 5.0


class Transport(Protocol):
    """A way to a board, opened.

    Attributes:
        name: The port as it was given.
        notes: Sentences about wishes that the driver did not grant.
    """

    name: str
    notes: tuple[str, ...]

    def read(self, max_wait_s: float) -> bytes:
        """Return everything that is there, waiting at most so long for the first byte; `b""` if none came.

        Raises:
            PortLost: The board's side is gone.
        """

    def write(self, data: bytes) -> int:
        """Write what fits now; return how many bytes that was.

        Raises:
            PortLost: The board's side is gone.
        """

    def wake(self) -> None:
        """End a `read` that waits in another thread."""

    def close(self) -> None:
        """Close it; bytes that the board does not take are not waited for."""


def open_transport(
    port: str,
    clock: Clock | None = None,
    settings: SerialSettings | None = None,
    *,
    system: System | None = None,
    known: UsbIdentity | None = None,
    make_serial: Callable[[], Any] | None = None,
) -> Transport:
    """Open a port.

    Args:
        port: Where the board is (see `address`).
        clock: Time of virtual boards; the system's by default.
        settings: Serial settings of a board file; options in the port win over them.
        system: What to ask about the machine; this machine by default.
        known: USB identity of the board that was here before.
        make_serial: Makes an unopened serial port; pyserial's by default.

    Raises:
        UsageError: The port or an option cannot be meant.
        PortMissing: Nothing is there.
        PortDenied: This user may not open it.
        PortBusy: Somebody else has it open.
        TransportError: Anything else that the system refuses.
    """
    address = parse_port(port)
    system = system or System()
    match address.scheme:
        case "socket":
            return _open_socket(address, system)
        case "exec":
            return open_process(address.text, address.target)
        case "virtual":
            return _open_virtual(address, clock)
        case "firmware":
            return open_emulated(address.text, address.target)
        case "rfc2217":
            return _open_rfc2217(address, address.settings(settings), system)
    device = find_device(address, system, known)
    return _open_serial(address, device, address.settings(settings), system, make_serial)


def _open_serial(
    address: Address, device: str, settings: SerialSettings, system: System, make_serial: Callable[[], Any] | None
) -> Transport:
    if make_serial is None:
        import serial

        make_serial = serial.Serial
    line = make_serial()
    line.port = device
    set_up(line, settings)
    line.timeout = _SLICE_S if sys.platform == "win32" else 0
    line.write_timeout = 0
    if settings.exclusive and sys.platform != "win32":
        line.exclusive = True
    try:
        line.open()
    except (OSError, ValueError) as error:  # pyserial's own exception is an OSError
        raise explain(error, address.text, system.facts(device, error)) from None
    if sys.platform == "win32" or not hasattr(line, "fileno"):
        return HandlerTransport(address.text, line)
    return on_descriptor(address.text, device, line, settings)


def _open_socket(address: Address, system: System) -> DescriptorTransport:
    split = urlsplit(f"//{address.target}")
    try:
        connection = socket.create_connection((split.hostname or "", split.port or 0), timeout=_CONNECT_S)
    except OSError as error:
        raise explain(error, address.text, system.facts(address.target, error)) from None
    connection.setblocking(False)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    return DescriptorTransport(
        address.text, connection.fileno(), read=connection.recv, write=connection.send, close=connection.close
    )


def _open_virtual(address: Address, clock: Clock | None) -> "HandlerTransport":
    import serial

    from firmware_bridge.virtual import register

    register()
    try:
        line: Any = serial.serial_for_url(address.target, do_not_open=True, timeout=_SLICE_S, write_timeout=0)
        if clock is not None:
            line.clock = clock
        line.open()
    except BridgeError:
        raise
    except (OSError, ValueError) as error:
        raise UsageError(str(error), address.text, "`hil ports` lists the virtual boards") from None
    return HandlerTransport(address.text, line)


def _open_rfc2217(address: Address, settings: SerialSettings, system: System) -> "HandlerTransport":
    import serial

    line = serial.serial_for_url(address.target, do_not_open=True, timeout=_SLICE_S)  # it writes within 5 s or fails
    try:
        set_up(line, settings)
        line.open()
    except (OSError, ValueError) as error:
        raise explain(error, address.text, system.facts(address.target, error)) from None
    return HandlerTransport(address.text, line)


class HandlerTransport:
    """A transport over pyserial's own calls, for ports that have no descriptor to wait on.

    Args:
        name: The port, for sentences.
        line: An open pyserial port with a short read timeout and no write timeout.
    """

    def __init__(self, name: str, line: Any) -> None:
        self.name = name
        self.notes: tuple[str, ...] = ()
        self._line = line
        self._woken = False

    def read(self, max_wait_s: float) -> bytes:
        """Return everything that is there, waiting at most so long for the first byte; `b""` if none came.

        Raises:
            PortLost: The board's side is gone.
        """
        left = max_wait_s
        try:
            while True:
                waiting = self._line.in_waiting
                if waiting or left > 0:
                    data: bytes = self._line.read(waiting or 1)
                    if data:
                        more = self._line.in_waiting
                        return data + self._line.read(more) if more else data
                if self._woken or left <= 0:
                    self._woken = False
                    return b""
                left -= _SLICE_S
        except PortEnded:
            raise
        except (OSError, TypeError, AttributeError) as error:  # pyserial trips over its own closed descriptor
            raise self._gone(error) from None

    def write(self, data: bytes) -> int:
        """Write what fits now; return how many bytes that was.

        Raises:
            PortLost: The board's side is gone.
        """
        import serial

        try:
            count = self._line.write(data)
        except serial.SerialTimeoutException:
            return 0
        except (OSError, TypeError, AttributeError) as error:
            raise self._gone(error) from None
        return len(data) if count is None else int(count)

    def _gone(self, error: Exception) -> TransportError:
        if isinstance(error, TransportError):
            return error
        return PortLost(
            f"the device went away ({error})", self.name, "plug it in again; the bridge joins again by itself"
        )

    def wake(self) -> None:
        """End a `read` that waits in another thread."""
        self._woken = True
        with contextlib.suppress(Exception):
            self._line.cancel_read()

    def close(self) -> None:
        """Close it; a second time does nothing."""
        with contextlib.suppress(Exception):
            self._line.close()
