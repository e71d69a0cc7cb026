"""Reads and writes a file descriptor (terminal, socket, pipe) without ever blocking longer than it was told.

One wait on the descriptor and on a wake-up channel, then reads until nothing is there: two system calls for a small
message, and for a flood one wait in sixteen reads. Knows nothing of serial ports; whoever opens one hands in the
descriptor and how to close it.
"""

import contextlib
import errno
import os
import select
import socket
import sys
from collections.abc import Callable

from firmware_bridge.errors import PortLost, TransportError

__all__ = ["DescriptorTransport"]

_POLL = sys.platform.startswith("linux")
"""`poll` is trusted with terminals on Linux only (macOS answers wrongly there, Windows has none): else `select`."""

_MOST = 16
"""Reads after one wait; more would keep the bytes from being stamped."""


class _Waiter:
    """Waits until one of a few descriptors can be read, and if asked until one can be written."""

    def __init__(self, readers: tuple[int, ...], writer: int | None) -> None:
        self._readers = readers
        self._writer = writer
        self._poll = select.poll() if _POLL else None
        self.poll = None if self._poll is None else self._poll.poll
        self._watching = False
        for fd in readers:
            self.add(fd)

    def add(self, fd: int) -> None:
        if self._poll is not None:
            self._poll.register(fd, select.POLLIN)

    def drop(self, fd: int) -> None:
        self._readers = tuple(kept for kept in self._readers if kept != fd)
        if self._poll is not None:
            with contextlib.suppress(KeyError):
                self._poll.unregister(fd)

    def watch_writer(self, on: bool) -> None:
        """From now on also end the wait when the writer takes bytes again."""
        if on == self._watching or self._writer is None:
            return
        self._watching = on
        if self._poll is not None:
            reads = select.POLLIN if self._writer in self._readers else 0
            if on or reads:
                self._poll.register(self._writer, reads | (select.POLLOUT if on else 0))
            else:
                self._poll.unregister(self._writer)

    def wait(self, seconds: float) -> list[tuple[int, int]]:
        writers = [self._writer] if self._watching and self._writer is not None else []
        reads, _, _ = select.select(self._readers, writers, [], seconds)
        return [(fd, 1) for fd in reads]


class DescriptorTransport:
    """A transport over non-blocking descriptors.

    Args:
        name: The port, for sentences.
        fd: Where to read.
        read: Reads at most so many bytes; raises BlockingIOError when nothing is there, returns `b""` at the end.
        write: Writes what fits and returns how much; raises BlockingIOError when nothing fits. None: cannot write.
        close: Closes everything that was opened.
        writer: Descriptor to wait on for writing, where it is another one.
        chunk: Bytes a read.
        lost: Makes the error for the end of the line, from an OSError or None (end of file).
        aside: A further descriptor and what to do when it can be read; false from it ends that.
        notes: Sentences about what could not be set; nothing that stops the work.
    """

    def __init__(
        self,
        name: str,
        fd: int,
        *,
        read: Callable[[int], bytes],
        write: Callable[[bytes], int] | None,
        close: Callable[[], None],
        writer: int | None = None,
        chunk: int = 65536,
        lost: Callable[[OSError | None], TransportError] | None = None,
        aside: tuple[int, Callable[[], bool]] | None = None,
        notes: tuple[str, ...] = (),
    ) -> None:
        self.name = name
        self.notes = notes
        self._fd = fd
        self._read = read
        self._write = write
        self._close = close
        self._chunk = chunk
        self._lost = lost
        self._aside = aside
        self._failure: TransportError | None = None
        self._closed = False
        self._woken, self._waker = socket.socketpair()
        self._woken.setblocking(False)
        self._waker.setblocking(False)
        self._wake_fd = self._woken.fileno()
        readers = (fd, self._wake_fd) if aside is None else (fd, self._wake_fd, aside[0])
        self._half = chunk // 2
        self._waiter = _Waiter(readers, None if write is None else (fd if writer is None else writer))
        self._poll = self._waiter.poll

    def read(self, max_wait_s: float) -> bytes:
        """Return everything that is there, waiting at most `max_wait_s` for the first byte; `b""` if none came.

        Raises:
            PortLost: The device, peer or process is gone and every byte it left was returned before.
        """
        if self._failure is not None:
            raise self._failure
        poll = self._poll
        events = poll(int(max_wait_s * 1000 + 0.999)) if poll is not None else self._waiter.wait(max_wait_s)
        if (len(events) != 1 or events[0][0] != self._fd) and not self._sort_out(events):
            return b""
        try:
            data = self._read(self._chunk)
        except (BlockingIOError, InterruptedError):
            return b""
        except OSError as error:
            self._failure = self._gone(error)
            raise self._failure from None
        if 0 < len(data) < self._half:
            return data
        if not data:
            self._failure = self._gone(None)
            raise self._failure
        parts = [data]
        while len(parts) < _MOST and len(data) >= self._half:
            parts.append(data := self._take())
        return b"".join(parts)

    def _sort_out(self, events: list[tuple[int, int]]) -> bool:
        """See to everything but the data; return whether there is data, too."""
        ready = False
        for fd, _ in events:
            if fd == self._fd:
                ready = True
            elif fd == self._wake_fd:
                with contextlib.suppress(BlockingIOError):
                    self._woken.recv(4096)
            elif self._aside is not None and fd == self._aside[0] and not self._aside[1]():
                self._waiter.drop(fd)
        return ready

    def _take(self) -> bytes:
        """Read once more; what ends the line is kept for the next call, since there are bytes to hand over."""
        try:
            data = self._read(self._chunk)
        except (BlockingIOError, InterruptedError):
            return b""
        except OSError as error:
            self._failure = self._gone(error)
            return b""
        if not data:
            self._failure = self._gone(None)
        return data

    def _gone(self, error: OSError | None) -> TransportError:
        if self._lost is not None:
            return self._lost(error)
        why = "the other side closed it" if error is None else f"the device went away ({errno_name(error)})"
        return PortLost(why, self.name, "plug it in again; the bridge joins again by itself")

    def write(self, data: bytes) -> int:
        """Write what fits now and return how many bytes that was; the next `read` ends when more would fit.

        Raises:
            PortLost: The device, peer or process is gone.
            TransportError: This port takes no bytes at all.
        """
        if self._write is None:
            raise TransportError("takes no bytes", self.name, "this port can only be read")
        try:
            count = self._write(data)
        except (BlockingIOError, InterruptedError):
            count = 0
        except OSError as error:
            self._failure = self._failure or self._gone(error)
            raise self._failure from None
        self._waiter.watch_writer(count < len(data))
        return count

    def wake(self) -> None:
        """End a `read` that waits in another thread, or the next one."""
        with contextlib.suppress(OSError):
            self._waker.send(b"w")

    def close(self) -> None:
        """Close it; a second time does nothing."""
        if self._closed:
            return
        self._closed = True
        try:
            self._close()
        finally:
            self._woken.close()
            self._waker.close()


def errno_name(error: OSError) -> str:
    """Return such as `EIO: Input/output error`."""
    if error.errno is None:
        return str(error)
    return f"{errno.errorcode.get(error.errno, error.errno)}: {os.strerror(error.errno)}"
