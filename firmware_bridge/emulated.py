"""`firmware://`: real firmware on an emulator, opened like any other port.

Opening starts the emulator and waits for its HELLO (a device under test: for its name), asking again and again for ten
seconds, which a busy machine may need; closing stops it. Every opening is a fresh board, as with boards that reset when
their port is opened. What was said before the port is open belongs to the starting and is not handed on, so that the
conversation begins at a quiet line.
"""

import os
import select
import time
from collections.abc import Callable
from typing import Protocol

from firmware_bridge.descriptor import DescriptorTransport
from firmware_bridge.errors import NoAnswer
from firmware_bridge.firmware.start import start
from firmware_bridge.firmware.started import Started
from firmware_bridge.firmware.wanted import wanted
from firmware_bridge.wire.dialect import Described
from firmware_bridge.wire.dut import LineReader, Say, command
from firmware_bridge.wire.encode import encode
from firmware_bridge.wire.messages import Kind, Message
from firmware_bridge.wire.native import NativeDialect

__all__ = ["open_emulated"]

_HELLO_WITHIN_S = 10.0
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
    what = wanted(target)
    started = start(name, what)
    fd = -1
    try:
        if started.line is not None:
            started.line.setblocking(False)
            fd = started.line.fileno()
        else:
            fd = os.open(started.terminal, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        _greet(started, fd, _TestedGreeting() if what.speaks == "dut" else _NativeGreeting())
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


class _Greeting(Protocol):
    """How a board is asked who it is.

    Attributes:
        asks: What to write.
        pending: Whether it is in the middle of a word.
    """

    asks: bytes

    @property
    def pending(self) -> bool: ...

    def hears(self, data: bytes) -> bool:
        """Return whether it has said who it is."""


class _NativeGreeting:
    def __init__(self) -> None:
        self.asks = encode(Message(Kind.IDENTIFY), 0, 16)
        self._dialect = NativeDialect()

    @property
    def pending(self) -> bool:
        return bool(self._dialect.pending)

    def hears(self, data: bytes) -> bool:
        return any(isinstance(heard, Described) for heard in self._dialect.feed(data, 0))


class _TestedGreeting:
    def __init__(self) -> None:
        self.asks = command("name")
        self.pending = True
        self._reader = LineReader()

    def hears(self, data: bytes) -> bool:
        kinds = [line.kind for line in self._reader.feed(data)]
        if kinds:
            self.pending = kinds[-1] is not Say.READY
        return Say.NAME in kinds


def _greet(started: Started, fd: int, greeting: _Greeting) -> None:
    """Ask who is there until it has been said and the line is quiet again."""
    greeted = False
    deadline = time.monotonic() + _HELLO_WITHIN_S
    ask_at = 0.0
    while not greeted or greeting.pending:
        now = time.monotonic()
        if now >= deadline:
            raise NoAnswer("the emulator runs and the firmware does not say who it is", started.name,
                           "build it anew: `hil firmware build`")  # fmt: skip
        if not greeted and now >= ask_at:
            os.write(fd, greeting.asks)
            ask_at = now + _ASK_AGAIN_S
        greeted |= _hears(started, fd, greeting, _ASK_AGAIN_S)
    while _waits(fd, _QUIET_S):
        _hears(started, fd, greeting, 0.0)


def _hears(started: Started, fd: int, greeting: _Greeting, wait_s: float) -> bool:
    if not _waits(fd, wait_s):
        return False
    try:
        data = os.read(fd, 4096)
    except OSError as error:
        raise started.lost(error) from None
    if not data:
        raise started.lost(None)
    return greeting.hears(data)


def _waits(fd: int, wait_s: float) -> bool:
    return bool(select.select([fd], [], [], wait_s)[0])
