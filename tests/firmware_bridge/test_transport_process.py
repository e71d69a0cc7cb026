"""A process is a board: its bytes, its last words, and nothing of it stays behind."""

import os
import shlex
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from transport_bench import read_all

from firmware_bridge.errors import (
    PortEnded,
    PortLost,
    PortMissing,
    UsageError,
)
from firmware_bridge.process import _Process, open_process
from firmware_bridge.transport import Transport, open_transport


def read_to_the_end(transport: Transport, into: list[bytes] | None = None) -> None:
    """Read until the transport raises."""
    while True:
        part = transport.read(5.0)
        if into is not None:
            into.append(part)


def python(code: str) -> str:
    return f"exec:{shlex.quote(sys.executable)} -c {shlex.quote(code)}"


@pytest.mark.parametrize("pumped", [False, True], ids=["pipes", "pumped"])
def test_a_process_is_a_board(pumped: bool) -> None:
    code = "import sys; data = sys.stdin.buffer.read(5); sys.stdout.buffer.write(data * 3); sys.stdout.flush()"
    port = python(code)
    transport = open_process(port, port[5:], pump=pumped)
    assert transport.write(b"abcde") == 5
    assert read_all(transport, 15) == b"abcdeabcdeabcde"
    with pytest.raises(PortEnded, match="exit code 0"):
        read_to_the_end(transport)
    transport.close()


@pytest.mark.parametrize("pumped", [False, True], ids=["pipes", "pumped"])
def test_a_process_that_fails_says_its_exit_code_and_its_last_words(pumped: bool) -> None:
    port = python("import sys; print('data', flush=True); print('no probe found', file=sys.stderr); sys.exit(7)")
    transport = open_process(port, port[5:], pump=pumped)
    data: list[bytes] = []
    with pytest.raises(PortLost, match="exit code 7 and said `no probe found`"):
        read_to_the_end(transport, data)
    assert b"".join(data).split() == [b"data"]
    transport.close()


def test_last_words_that_are_read_after_the_process_has_ended_are_told_all_the_same(monkeypatch) -> None:
    ended, talk, wait = threading.Event(), _Process.talk, subprocess.Popen.wait

    def waited(process: subprocess.Popen[bytes], timeout: float | None = None) -> int:
        code = wait(process, timeout)
        ended.set()
        return code

    monkeypatch.setattr(_Process, "talk", lambda self: ended.wait(60) and talk(self))
    monkeypatch.setattr(subprocess.Popen, "wait", waited)
    port = python("import sys; print('no probe found', file=sys.stderr); sys.exit(7)")
    transport = open_process(port, port[5:], pump=True)
    with pytest.raises(PortLost, match="exit code 7 and said `no probe found`"):
        read_to_the_end(transport)
    transport.close()


def test_closing_ends_the_process_and_its_children_even_if_they_resist() -> None:
    code = (
        "import os, signal, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "child = os.fork()\n"
        "print(os.getpid(), flush=True)\n"
        "while True: time.sleep(60)\n"
    )
    transport = open_transport(python(code))
    lines = b""
    while lines.count(b"\n") < 2:
        lines += transport.read(5.0)
    transport.close()
    for pid in map(int, lines.split()):
        assert _is_gone(pid), f"process {pid} lives on"


def _is_gone(pid: int) -> bool:
    """Whether a process has ended; a killed orphan may wait a moment for init to reap it (state Z)."""
    until = time.monotonic() + 30.0  # by themselves they never end
    while time.monotonic() < until:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state in "ZX":
            return True
        os.sched_yield()
    return False


def test_a_program_that_does_not_exist_or_a_broken_command_says_so() -> None:
    with pytest.raises(PortMissing, match="there is no program `no-such-program`"):
        open_transport("exec:no-such-program --fast")
    with pytest.raises(UsageError, match="close the quotes"):
        open_transport("exec:cat 'open")
