"""Starts one emulated board in a process of its own, on a leash, and stops it by its process id.

Rule of this room: processes and pipes, no protocol. The board's line is a pseudo terminal that the process names on its
standard output, or one end of a socket pair. Its standard input is the leash: when the bench goes, however it goes, the
process sees the end of it and goes, too.
"""

import contextlib
import os
import select
import socket
import subprocess
import time
from pathlib import Path

from firmware_bridge.errors import NoAnswer, PortLost, TransportError
from firmware_bridge.firmware.build import built
from firmware_bridge.firmware.kinds import lacking
from firmware_bridge.firmware.wanted import Wanted

__all__ = ["Started", "start"]

_NAMED_WITHIN_S = 10.0
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

    def named(self) -> None:
        """Wait until the process has told its terminal.

        Raises:
            PortLost: It ended instead.
            NoAnswer: It told none in time.
        """
        stdout = self._process.stdout
        assert stdout is not None
        told, deadline = b"", time.monotonic() + _NAMED_WITHIN_S
        while not told.endswith(b"\n"):
            ready, _, _ = select.select([stdout], [], [], max(0.0, deadline - time.monotonic()))
            part = os.read(stdout.fileno(), 256) if ready else b""
            if ready and not part:
                raise self.lost(None)
            if not ready:
                raise NoAnswer("the emulator named no terminal", self.name, "run `hil firmware list`")
            told += part
        self.terminal = told.decode().strip()

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


def start(name: str, wanted: Wanted) -> Started:
    """Start a board.

    Args:
        name: The port, for sentences.
        wanted: What to start.

    Raises:
        MissingPart: An emulator or a compiler is not installed.
        BuildFailed: The firmware does not compile here.
        TransportError: The process ended before it told its terminal.
    """
    if lack := lacking(wanted.kind):
        raise lack
    program = built(wanted.kind.helper)
    started = _spawn(name, _native(program, wanted))
    try:
        started.named()
    except BaseException:
        started.stop()
        raise
    return started


def _native(program: Path, wanted: Wanted) -> list[str]:
    rate = ["--rate", str(wanted.rate_hz)] if wanted.rate_hz else []
    return [str(program), *rate, "--seed", str(wanted.seed), "--serial", wanted.serial, "--leash"]


def _spawn(name: str, command: list[str]) -> Started:
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0,
        start_new_session=True,
    )  # fmt: skip
    return Started(name, process)
