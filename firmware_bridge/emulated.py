"""`firmware://`: real firmware on an emulator, opened like any other port.

Opening starts the emulator and waits for its HELLO, asking again and again for two seconds; closing stops it. Every
opening is a fresh board, as with boards that reset when their port is opened. What was said before the port is open
belongs to the starting and is not handed on, so that the conversation begins at a quiet line.
"""

import os
import select
import time
from collections.abc import Callable

from firmware_bridge.descriptor import DescriptorTransport
from firmware_bridge.errors import NoAnswer
from firmware_bridge.firmware.start import start
from firmware_bridge.firmware.started import Started
from firmware_bridge.firmware.wanted import wanted
from firmware_bridge.wire.dialect import Described
from firmware_bridge.wire.encode import encode
from firmware_bridge.wire.messages import Kind, Message
from firmware_bridge.wire.native import NativeDialect

__all__ = ["open_emulated"]

_HELLO_WITHIN_S = 2.0
_ASK_AGAIN_S = 0.2
_QUIET_S = 0.03


def open_emulated(name: str, target: str) -> DescriptorTransport:
    """Start a board and return the transport over its line.

    Args:
        name: The port, for sentences.
        target: `firmware://KIND/BOARD?parameter=value`.

    Raises:
        UsageError: No such kind, board or parameter.
        MissingPart: An emulator or compiler is not installed; the sentence says what to type.
        NoAnswer: The emulator runs and the firmware says nothing.
        PortLost: The emulator ended.
    """
    started = start(name, wanted(target))
    fd = -1
    try:
        if started.line is not None:
            started.line.setblocking(False)
            fd = started.line.fileno()
        else:
            fd = os.open(started.terminal, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        _greet(started, fd)
    except BaseException:
        _closer(started, fd)()
        raise
    return DescriptorTransport(
        name, fd, read=lambda count: os.read(fd, count), write=lambda data: os.write(fd, data),
        close=_closer(started, fd), lost=started.lost, aside=(started.stderr, started.listen),
    )  # fmt: skip


def _closer(started: Started, fd: int) -> Callable[[], None]:
    def close() -> None:
        if started.line is None and fd >= 0:
            os.close(fd)
        started.stop()

    return close


def _greet(started: Started, fd: int) -> None:
    """Ask who is there until HELLO has come and the line is quiet again."""
    dialect, greeted = NativeDialect(), False
    deadline = time.monotonic() + _HELLO_WITHIN_S
    ask_at = 0.0
    while not greeted or dialect.pending:
        now = time.monotonic()
        if now >= deadline:
            raise NoAnswer("the emulator runs and the firmware says no HELLO", started.name, "build it anew: "
                           "`hil firmware build`")  # fmt: skip
        if not greeted and now >= ask_at:
            os.write(fd, encode(Message(Kind.IDENTIFY), 0, 16))
            ask_at = now + _ASK_AGAIN_S
        greeted |= _hears(started, fd, dialect, _ASK_AGAIN_S)
    while _waits(fd, _QUIET_S):
        _hears(started, fd, dialect, 0.0)


def _hears(started: Started, fd: int, dialect: NativeDialect, wait_s: float) -> bool:
    if not _waits(fd, wait_s):
        return False
    try:
        data = os.read(fd, 4096)
    except OSError as error:
        raise started.lost(error) from None
    if not data:
        raise started.lost(None)
    return any(isinstance(heard, Described) for heard in dialect.feed(data, 0))


def _waits(fd: int, wait_s: float) -> bool:
    return bool(select.select([fd], [], [], wait_s)[0])
