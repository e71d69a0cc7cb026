"""Lets pyserial open `virtual://NAME?parameter=value`: the carrier of a virtual board, without a thread.

Bytes are made when they are read: a read asks the board for what is due and otherwise waits, by the injected clock,
until something will be. Writing, `cancel_read` and `close` wake a waiting read from any thread. The name of this file
is how pyserial finds it, once `firmware_bridge.virtual.register()` was called. Nothing here needs termios, fcntl or a
pty, so it works wherever Python does.

Every opening starts a fresh board, as boards do that reset when their port is opened.
"""

import threading
from typing import Any

from serial.serialutil import PortNotOpenError, SerialBase, SerialException

from firmware_bridge.clock import Clock, SystemClock
from firmware_bridge.virtual.board import NEVER, VirtualBoard
from firmware_bridge.virtual.boards import make_board, parse_port

__all__ = ["Serial"]


class Serial(SerialBase):
    """A pyserial port with a virtual board behind it.

    Set `clock` before `open()` (make the port with `do_not_open=True`) to drive it by another clock. A wrong name or
    parameter raises `UsageError` (a ValueError) from `open()`, in one sentence.
    """

    clock: Clock
    _port: str | None
    _timeout: float | None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.clock = SystemClock()
        self.board: VirtualBoard | None = None
        self._lock = threading.Lock()
        self._woken = threading.Event()
        self._cancelled = False
        self._made = bytearray()
        super().__init__(*args, **kwargs)

    def open(self) -> None:
        """Power the board.

        Raises:
            UsageError: No such board or parameter.
            SerialException: Already open, or no port named.
        """
        if self._port is None:
            raise SerialException("Port must be configured before it can be used.")
        if self.is_open:
            raise SerialException("Port is already open.")
        board = make_board(*parse_port(self._port))
        with self._lock:
            board.receive(b"", self.clock.now_ns())
            self.board = board
            self._made.clear()
            self._cancelled = False
            self._woken.clear()
            self.is_open = True

    def close(self) -> None:
        """Take the board's power away; a waiting read returns."""
        with self._lock:
            self.is_open = False
            self.board = None
            self._woken.set()

    @property
    def in_waiting(self) -> int:
        """Bytes that can be read at once."""
        with self._lock:
            self._fetch()
            return len(self._made)

    @property
    def out_waiting(self) -> int:
        """0: a board takes what it is sent at once."""
        return 0

    def read(self, size: int = 1) -> bytes:
        """Return up to `size` bytes: waits for all of them, for the timeout, for `cancel_read` or for `close`.

        Raises:
            PortNotOpenError: The port is closed.
        """
        deadline = NEVER if self._timeout is None else self.clock.now_ns() + round(self._timeout * 1e9)
        while True:
            with self._lock:
                now = self._fetch()
                if self._cancelled or len(self._made) >= size or now >= deadline:
                    self._cancelled = False
                    taken = bytes(self._made[:size])
                    del self._made[:size]
                    return taken
                self._woken.clear()
                due = self.board.next_due_ns() if self.board else 0
            self.clock.wait_until_ns(min(max(due, now + 1), deadline), self._woken)
            if not self.is_open:
                return b""

    def write(self, data: Any) -> int:
        """Hand bytes to the board; what it answers can be read at once.

        Raises:
            PortNotOpenError: The port is closed.
        """
        sent = bytes(data)
        with self._lock:
            if self.board is None:
                raise PortNotOpenError()
            self.board.receive(sent, self.clock.now_ns())
            self._woken.set()
        return len(sent)

    def flush(self) -> None:
        """Do nothing: a board takes what it is sent at once."""

    def cancel_read(self) -> None:
        """Let a read that waits in another thread return what it has."""
        with self._lock:
            self._cancelled = True
            self._woken.set()

    def cancel_write(self) -> None:
        """Do nothing: writing never waits."""

    def reset_input_buffer(self) -> None:
        """Throw away what can be read at once."""
        with self._lock:
            self._fetch()
            self._made.clear()

    def reset_output_buffer(self) -> None:
        """Do nothing: nothing waits to be written."""

    def _fetch(self) -> int:
        """Take what is due from the board and return the time; the lock is held."""
        if self.board is None:
            raise PortNotOpenError()
        now = self.clock.now_ns()
        self._made += self.board.poll(now)
        return now

    def _reconfigure_port(self) -> None:
        """Baud rate and the like mean nothing to a virtual board."""

    def _update_break_state(self) -> None:
        """Nothing to do."""

    _update_rts_state = _update_dtr_state = _update_break_state

    @property
    def cts(self) -> bool:
        """Always: there is no line."""
        return True

    @property
    def dsr(self) -> bool:
        """Always: there is no line."""
        return True

    @property
    def ri(self) -> bool:
        """Never: there is no line."""
        return False

    @property
    def cd(self) -> bool:
        """Always: there is no line."""
        return True
