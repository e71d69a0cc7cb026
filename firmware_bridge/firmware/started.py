"""One emulated board in a process of its own, on a leash: how it is spawned, whether it lives, how it ended.

Rule of this room: processes and pipes, no protocol. The board's line is a pseudo terminal that the process names on its
standard output, or one end of a socket pair. Its standard input is the leash: when the bench goes, however it goes, the
process sees the end of it and goes, too.
"""

import contextlib
import os
import select
import socket
import subprocess
import sys
import time
from pathlib import Path

from firmware_bridge.errors import NoAnswer, PortLost, TransportError

__all__ = ["Started", "leashed", "spawn"]

_READY_WITHIN_S = 20.0
_GRACE_S = 1.0


class Started:
    """A board that runs.

    Args:
        name: The port, for sentences.
        process: What runs it.
        line: Our end of its socket; None where it has a terminal.

    Attributes:
        terminal: Path of its pseudo terminal; empty where it has a socket.
        pid: Process id of the leash or of the emulator itself.
    """

    def __init__(self, name: str, process: "subprocess.Popen[bytes]", line: socket.socket | None = None) -> None:
        assert process.stdin is not None
        assert process.stderr is not None
        self.name = name
        self.line = line
        self.terminal = ""
        self.pid = process.pid
        self._process = process
        self._leash, self._stderr = process.stdin, process.stderr
        self._words = b""
        os.set_blocking(self._stderr.fileno(), False)

    def ready(self) -> None:
        """Wait until the board can be talked to; ends it where it does not come to that.

        Raises:
            PortLost: It ended instead.
            NoAnswer: It showed no sign of life in time.
        """
        try:
            if self.line is None:
                self._wait_for_terminal()
            else:
                self._wait_for_byte(self.line)
        except BaseException:
            self.stop()
            raise

    def _wait_for_terminal(self) -> None:
        stdout = self._process.stdout
        assert stdout is not None
        told, deadline = b"", time.monotonic() + _READY_WITHIN_S
        while not told.endswith(b"\n"):
            if not select.select([stdout], [], [], max(0.0, deadline - time.monotonic()))[0]:
                raise NoAnswer("the emulator named no terminal", self.name, "run `hil firmware list`")
            part = os.read(stdout.fileno(), 256)
            if not part:
                raise self.lost(None)
            told += part
        self.terminal = told.decode().strip()

    def _wait_for_byte(self, line: socket.socket) -> None:
        if not select.select([line], [], [], _READY_WITHIN_S)[0]:
            raise NoAnswer("the emulator runs and the firmware says nothing", self.name, "run `hil firmware build`")
        try:
            alive = line.recv(1, socket.MSG_PEEK)
        except OSError as error:
            raise self.lost(error) from None
        if not alive:
            raise self.lost(None)

    def listen(self) -> bool:
        """Keep the last words of its stderr; false at their end."""
        try:
            words = os.read(self._stderr.fileno(), 4096)
        except BlockingIOError:
            return True
        self._words = (self._words + words)[-2048:]
        return bool(words)

    @property
    def stderr(self) -> int:
        """Descriptor to wait on for `listen`."""
        return self._stderr.fileno()

    def lost(self, error: OSError | None) -> TransportError:
        """Return the error that says how it ended."""
        try:
            code = self._process.wait(_GRACE_S)
        except subprocess.TimeoutExpired:
            return PortLost("the emulator closed its line and goes on running", self.name, "report this")
        with contextlib.suppress(OSError, ValueError):
            while self.listen() and select.select([self._stderr], [], [], 0)[0]:
                pass
        lines = self._words.decode(errors="replace").strip().splitlines()
        said = f" and said `{lines[-1].strip()[:200]}`" if lines else ""
        signal_number = -code if code < 0 else code - 128
        how = f"was ended by signal {signal_number}" if signal_number > 0 else f"ended with exit code {code}"
        return PortLost(f"the emulator {how}{said}", self.name, "the bridge starts another")

    def stop(self) -> None:
        """End it: let the leash go, and where that does not help end the process by its id."""
        with contextlib.suppress(OSError):
            self._leash.close()
        for more in (self._process.terminate, self._process.kill, None):
            try:
                self._process.wait(_GRACE_S)
                break
            except subprocess.TimeoutExpired:
                if more is not None:
                    more()
        for stream in (self.line, self._process.stdout, self._stderr):
            if stream is not None:
                stream.close()


def leashed(name: str, command: list[str], fd: int, line: socket.socket) -> Started:
    """Start a program that knows of no leash; `fd` is its end of the line."""
    leash = [sys.executable, "-I", "-S", str(Path(__file__).with_name("leash.py")), *command]
    return spawn(name, leash, (fd,), line)


def spawn(name: str, command: list[str], fds: tuple[int, ...] = (), line: socket.socket | None = None) -> Started:
    """Start a program that holds its leash itself; `fds` stay open in it.

    Args:
        name: The port, for sentences.
        command: Program and arguments.
        fds: Descriptors that it inherits.
        line: Our end of its socket; None: it names a terminal.
    """
    environment = {**os.environ, "HIL_LEASH_FDS": ",".join(map(str, fds))} if fds else None
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0, pass_fds=fds,
        env=environment, start_new_session=True,
    )  # fmt: skip
    return Started(name, process, line)
