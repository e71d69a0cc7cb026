"""A serial line on a system with terminals: its settings, and reading it on our own descriptor.

pyserial has opened the line; from here on nothing of it is called that could block. Closing lets a last command leave a
slow line, and waits for no board that takes nothing.
"""

import contextlib
import os
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from firmware_bridge.address import PARITIES, SerialSettings
from firmware_bridge.descriptor import DescriptorTransport

__all__ = ["drain", "on_descriptor", "set_up"]

_TTY_CHUNK = 4096
"""What the kernel's terminal layer hands over at most in one read."""


def set_up(line: Any, settings: SerialSettings) -> None:
    """Give a pyserial port that is not open yet its settings."""
    line.baudrate = settings.baud
    line.bytesize = settings.bits
    line.parity = PARITIES[settings.parity]
    line.stopbits = int(settings.stop) if settings.stop == int(settings.stop) else settings.stop
    line.rtscts, line.dsrdtr, line.xonxoff = (settings.flow == flow for flow in ("rtscts", "dsrdtr", "xonxoff"))
    if settings.dtr is not None:
        line.dtr = settings.dtr
    if settings.rts is not None:
        line.rts = settings.rts


def on_descriptor(name: str, device: str, line: Any, settings: SerialSettings) -> DescriptorTransport:
    """Return the transport over an open pyserial port.

    Args:
        name: The port as it was given, for sentences.
        device: What was opened.
        line: The pyserial port.
        settings: What was asked for.
    """
    import fcntl
    import termios

    fd = line.fileno()
    notes: list[str] = []
    # One byte is enough, and nothing there is EAGAIN rather than an empty read, which then always means a hang-up.
    attributes = termios.tcgetattr(fd)
    attributes[6][termios.VMIN], attributes[6][termios.VTIME] = 1, 0
    termios.tcsetattr(fd, termios.TCSANOW, attributes)
    if settings.low_latency:
        try:
            line.set_low_latency_mode(True)
        except (AttributeError, NotImplementedError, ValueError, OSError):
            notes.append(f"{name}: the driver has no low-latency mode, so bytes may come some milliseconds late")
    # A pseudo terminal would stay exclusive as long as its other side is open, even after we are gone.
    keep_out = settings.exclusive and not os.path.realpath(device).startswith("/dev/pts/")
    if keep_out:
        with contextlib.suppress(OSError):
            fcntl.ioctl(fd, termios.TIOCEXCL)

    def unsent() -> int:
        try:
            return int(line.out_waiting)
        except OSError:
            return 0

    def close() -> None:
        drain(unsent)
        with contextlib.suppress(termios.error, OSError):
            termios.tcflush(fd, termios.TCIOFLUSH)  # else close waits up to 30 s for a board that takes no bytes
        if keep_out:
            with contextlib.suppress(OSError):
                fcntl.ioctl(fd, termios.TIOCNXCL)
        with contextlib.suppress(OSError):
            line.close()

    return DescriptorTransport(
        name, fd, read=partial(os.read, fd), write=partial(os.write, fd), close=close,
        chunk=_TTY_CHUNK, notes=tuple(notes),
    )  # fmt: skip


def drain(unsent: Callable[[], int], sleep: Callable[[float], object] = time.sleep) -> bool:
    """Give the last command time to leave a slow line: as long as it gets shorter, half a second at most.

    Args:
        unsent: Bytes that the driver still holds.
        sleep: Waits.

    Returns:
        Whether everything left.
    """
    left, stuck = unsent(), 0
    for _ in range(50):
        if left == 0 or stuck == 5:
            break
        sleep(0.01)
        before, left = left, unsent()
        stuck = stuck + 1 if left >= before else 0
    return left == 0
