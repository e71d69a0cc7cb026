"""`exec:COMMAND`: any process that prints bytes is a board; what it reads on stdin is what we send.

The process gets a group of its own and the whole group ends when the port is closed; nothing is ended that was not
started here. What it writes to stderr is kept for the sentence that says why it ended.
"""

import contextlib
import os
import shlex
import signal
import socket
import subprocess
import sys
import threading

from firmware_bridge.descriptor import DescriptorTransport
from firmware_bridge.errors import PortDenied, PortEnded, PortLost, PortMissing, TransportError, UsageError

__all__ = ["open_process"]

_PUMP = sys.platform == "win32"
"""Where pipes cannot be waited on, a thread copies them into a socket pair that can."""

_GRACE_S = 0.5


def open_process(name: str, command: str, *, pump: bool = _PUMP) -> DescriptorTransport:
    """Start a process and return the transport over its stdin and stdout.

    Args:
        name: The port, for sentences.
        command: Program and arguments as a shell would split them (no shell is involved).
        pump: Copy its output through a socket pair, as on Windows.

    Raises:
        UsageError: The command's quotes do not close.
        PortMissing: There is no such program.
        PortDenied: It may not be run.
    """
    try:
        arguments: str | list[str] = command if sys.platform == "win32" else shlex.split(command)
    except ValueError as error:
        raise UsageError(f"the command cannot be split ({error})", name, "close the quotes") from None
    try:
        process = subprocess.Popen(
            arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0,
            start_new_session=True,
        )  # fmt: skip
    except FileNotFoundError as error:
        what = f"there is no program `{error.filename or command}`"
        raise PortMissing(what, name, "install it, or check its path") from None
    except OSError as error:
        what = f"the program cannot be started ({error.strerror})"
        raise PortDenied(what, name, "make it executable with chmod +x") from None
    return _Process(name, process).transport(pump)


class _Process:
    def __init__(self, name: str, process: "subprocess.Popen[bytes]") -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        self.name = name
        self.process = process
        self.stdin, self.stdout, self.stderr = process.stdin, process.stdout, process.stderr
        self.words = b""
        self.ours: socket.socket | None = None
        self.listener: threading.Thread | None = None
        self.closing = False

    def transport(self, pump: bool) -> DescriptorTransport:
        if pump:
            self.ours, theirs = socket.socketpair()
            self.ours.setblocking(False)
            threading.Thread(target=self._pump, args=(theirs,), name=f"pump {self.name}", daemon=True).start()
            self.listener = threading.Thread(target=self._listen, name=f"stderr {self.name}", daemon=True)
            self.listener.start()
            return DescriptorTransport(
                self.name, self.ours.fileno(), read=self.ours.recv, write=self.stdin.write, close=self.close,
                writer=self.ours.fileno(), lost=self.lost,
            )  # fmt: skip
        for stream in (self.stdin, self.stdout, self.stderr):
            os.set_blocking(stream.fileno(), False)
        inlet, outlet = self.stdin.fileno(), self.stdout.fileno()
        return DescriptorTransport(
            self.name, outlet, read=lambda count: os.read(outlet, count), write=lambda data: os.write(inlet, data),
            writer=inlet, close=self.close, lost=self.lost, aside=(self.stderr.fileno(), self.talk),
        )  # fmt: skip

    def _pump(self, theirs: socket.socket) -> None:
        with theirs, contextlib.suppress(OSError, ValueError):
            while data := os.read(self.stdout.fileno(), 65536):
                theirs.sendall(data)

    def _listen(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            while self.talk():
                pass

    def talk(self) -> bool:
        """Keep the last words of stderr; false at its end."""
        try:
            words = os.read(self.stderr.fileno(), 4096)
        except BlockingIOError:
            return True
        self.words = (self.words + words)[-2048:]
        return bool(words)

    def lost(self, error: OSError | None) -> TransportError:
        try:
            code = self.process.wait(_GRACE_S)
        except subprocess.TimeoutExpired:
            return PortLost("the process closed its output and goes on running", self.name, "look at its program")
        if self.listener is not None:
            self.listener.join(_GRACE_S)  # it may not have come to the last words yet
        if not self.closing:
            with contextlib.suppress(BlockingIOError, OSError, ValueError):
                while not _PUMP and self.ours is None and self.talk():
                    pass
        lines = self.words.decode(errors="replace").strip().splitlines()
        said = f" and said `{lines[-1].strip()[:200]}`" if lines else ""
        if code == 0:
            return PortEnded(f"the process ended with exit code 0{said}", self.name)
        how = f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
        return PortLost(f"the process {how}{said}", self.name, "run it by hand to see why")

    def close(self) -> None:
        """End the process with all its children: a request, half a second, then force."""
        self.closing = True
        for stream in (self.stdin, self.stdout, self.stderr) if self.ours is None else (self.stdin,):
            with contextlib.suppress(OSError):
                stream.close()
        running = self.process.poll() is None
        self._signal(getattr(signal, "SIGTERM", 15))
        if running:
            try:
                self.process.wait(_GRACE_S)
            except subprocess.TimeoutExpired:
                self._signal(getattr(signal, "SIGKILL", 9))
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self.process.wait(_GRACE_S)
        if self.ours is not None:
            self.ours.close()
            for stream in (self.stdout, self.stderr):
                with contextlib.suppress(OSError):
                    stream.close()

    def _signal(self, number: int) -> None:
        with contextlib.suppress(OSError):
            if sys.platform == "win32":
                self.process.terminate()
            else:
                os.killpg(self.process.pid, number)
