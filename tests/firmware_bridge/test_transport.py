"""Any port opens, hands over all its bytes, ends a wait when woken, says when it is gone, and closes at once."""

import contextlib
import errno
import os
import shlex
import socket
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import serial
import serial.rfc2217
from bench_parts import FakeSystem, PtyBoard

from firmware_bridge.errors import (
    BridgeError,
    PortBusy,
    PortDenied,
    PortEnded,
    PortLost,
    PortMissing,
    TransportError,
    UsageError,
)
from firmware_bridge.hints import Facts, Holder
from firmware_bridge.process import open_process
from firmware_bridge.serialline import drain
from firmware_bridge.transport import HandlerTransport, Transport, open_transport

PAYLOAD = bytes(range(256)) * 40


@pytest.fixture
def board(tmp_path: Path) -> Iterator[PtyBoard]:
    board = PtyBoard(tmp_path).plug()
    yield board
    if board.master >= 0:
        board.unplug()


def read_all(transport: Transport, count: int) -> bytes:
    """Read until `count` bytes came (each read waits at most 5 s, so a lost byte ends the test)."""
    data = b""
    while len(data) < count:
        part = transport.read(5.0)
        assert part, f"only {len(data)} of {count} bytes came"
        data += part
    return data


def read_to_the_end(transport: Transport, into: list[bytes] | None = None) -> None:
    """Read until the transport raises."""
    while True:
        part = transport.read(5.0)
        if into is not None:
            into.append(part)


def pump(data: bytes, write: Callable[[bytes], int]) -> threading.Thread:
    def run() -> None:
        sent = 0
        while sent < len(data):
            try:
                sent += write(data[sent : sent + 1000])
            except BlockingIOError:
                os.sched_yield()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


@pytest.mark.pty
def test_a_pty_hands_over_every_byte_both_ways(board: PtyBoard) -> None:
    transport = open_transport(board.port)
    try:
        thread = pump(PAYLOAD, lambda data: os.write(board.master, data))
        assert read_all(transport, len(PAYLOAD)) == PAYLOAD
        thread.join()
        assert transport.read(0.0) == b""
        assert transport.write(b"PING\x00\xff\n") == 7
        assert board.heard() == b"PING\x00\xff\n"
    finally:
        transport.close()


@pytest.mark.pty
def test_one_read_returns_everything_that_is_there(board: PtyBoard) -> None:
    transport = open_transport(board.port)
    board.say(b"a" * 3000)
    board.say(b"b" * 1000)
    assert transport.read(1.0) == b"a" * 3000 + b"b" * 1000
    transport.close()


@pytest.mark.pty
def test_an_unplugged_pty_is_lost_after_its_last_bytes(board: PtyBoard) -> None:
    transport = open_transport(board.port)
    board.say(b"last")
    assert transport.read(1.0) == b"last"
    board.unplug()
    for _ in range(2):  # and stays lost
        with pytest.raises(PortLost, match="plug it in again"):
            transport.read(1.0)
    with pytest.raises(PortLost):
        transport.write(b"x")
    transport.close()
    transport.close()


@pytest.mark.pty
def test_a_board_that_reads_nothing_blocks_neither_writing_nor_closing(board: PtyBoard) -> None:
    transport = open_transport(board.port)
    written = 0
    for _ in range(1000):
        count = transport.write(b"x" * 4096)
        written += count
        if not count:
            break
    assert 0 < written < 1000 * 4096
    assert transport.read(0.0) == b""
    began = time.monotonic()
    transport.close()
    assert time.monotonic() - began < 1.0


def test_closing_lets_a_last_command_leave_a_slow_line_but_waits_for_no_blocked_one() -> None:
    slept: list[float] = []
    slow = iter(range(30, -1, -1))
    assert drain(lambda: next(slow), slept.append)
    assert len(slept) == 30
    slept.clear()
    assert not drain(lambda: 4096, slept.append)
    assert sum(slept) <= 0.1
    slept.clear()
    endless = iter(range(10_000, 0, -1))
    assert not drain(lambda: next(endless), slept.append)
    assert sum(slept) <= 0.51


@pytest.mark.pty
def test_when_the_board_reads_again_a_waiting_read_ends_so_that_the_rest_is_written(board: PtyBoard) -> None:
    transport = open_transport(board.port)
    while transport.write(b"x" * 4096):
        pass
    while board.heard(65536):
        pass
    began = time.monotonic()
    assert transport.read(30.0) == b""
    assert time.monotonic() - began < 10.0
    assert transport.write(b"rest") == 4
    assert transport.read(0.05) == b""
    transport.close()


@pytest.mark.pty
def test_serial_options_reach_the_terminal(board: PtyBoard) -> None:
    transport = open_transport(f"{board.port}?baud=9600&stop=2&flow=rtscts")
    attributes = termios.tcgetattr(board.master)
    assert attributes[4] == attributes[5] == termios.B9600
    assert attributes[2] & termios.CSTOPB
    assert attributes[2] & termios.CRTSCTS
    assert not attributes[3] & (termios.ICANON | termios.ECHO)
    assert any("low-latency" in note for note in transport.notes)
    transport.close()


@pytest.mark.pty
def test_a_wake_from_another_thread_ends_a_read(board: PtyBoard) -> None:
    transport = open_transport(board.port)
    done: list[bytes] = []
    thread = threading.Thread(target=lambda: done.append(transport.read(30.0)))
    thread.start()
    transport.wake()
    thread.join(10.0)
    assert done == [b""]
    transport.close()


# -- sockets -----------------------------------------------------------------------------------------------------


@pytest.fixture
def server() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening


def test_a_socket_hands_over_more_than_one_byte_at_a_time_and_ends_when_closed(server: socket.socket) -> None:
    transport = open_transport(f"socket://127.0.0.1:{server.getsockname()[1]}")
    peer, _ = server.accept()
    with peer:
        peer.sendall(PAYLOAD)
        assert read_all(transport, len(PAYLOAD)) == PAYLOAD
        assert transport.write(b"hello") == 5
        assert peer.recv(100) == b"hello"
        peer.sendall(b"bye")
    assert read_all(transport, 3) == b"bye"
    with pytest.raises(PortLost, match="the other side closed it"):
        transport.read(5.0)
    transport.close()


@pytest.mark.parametrize("scheme", ["socket", "rfc2217"])
def test_a_socket_where_nobody_listens_says_so(scheme: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        number = listening.getsockname()[1]
    with pytest.raises(PortMissing, match="nobody listens there"):
        open_transport(f"{scheme}://127.0.0.1:{number}", system=FakeSystem())


# -- rfc2217 -----------------------------------------------------------------------------------------------------


def serve_rfc2217(listening: socket.socket, line: Any) -> None:
    """Share a port as a serial server does, until the client has gone."""
    connection, _ = listening.accept()
    with connection, connection.makefile("wb", buffering=0) as answers:
        connection.settimeout(0.01)
        manager = serial.rfc2217.PortManager(line, answers)
        while True:
            with contextlib.suppress(TimeoutError):
                data = connection.recv(4096)
                if not data:
                    return
                line.write(b"".join(manager.filter(data)))
            connection.sendall(b"".join(manager.escape(line.read(4096))))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # pyserial's own
def test_a_port_shared_by_rfc2217_works_both_ways(server: socket.socket) -> None:
    line = serial.serial_for_url("loop://", timeout=0.01)
    thread = threading.Thread(target=serve_rfc2217, args=(server, line))
    thread.start()
    transport = open_transport(f"rfc2217://127.0.0.1:{server.getsockname()[1]}?baud=57600&parity=even")
    try:
        assert (line.baudrate, line.parity) == (57600, "E")
        assert transport.write(b"hello \xff\x00 there") == 14
        assert read_all(transport, 14) == b"hello \xff\x00 there"
        transport.wake()
        assert transport.read(30.0) == b""
    finally:
        transport.close()
        thread.join(10)


# -- processes ---------------------------------------------------------------------------------------------------


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
    began = time.monotonic()
    transport.close()
    assert time.monotonic() - began < 3.0
    for pid in map(int, lines.split()):
        assert _is_gone(pid), f"process {pid} lives on"


def _is_gone(pid: int) -> bool:
    """Whether a process has ended; a killed orphan may wait a moment for init to reap it (state Z)."""
    for _ in range(100_000):
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


# -- what cannot be opened: the sentence with the command that mends it ------------------------------------------


def refusing(error: Exception) -> Callable[[], Any]:
    def opening() -> None:
        raise error

    return lambda: SimpleNamespace(open=opening)


LINUX = Facts(user="ada", group="dialout", ports=("/dev/ttyACM0", "/dev/ttyACM1"))
SCREEN = Holder(4711, "screen", "bob", "09:15")


@pytest.mark.parametrize(
    ("error", "facts", "kind", "words"),
    [
        (OSError(errno.EACCES, "x"), LINUX, PortDenied, "sudo usermod -aG dialout ada"),
        (OSError(errno.EACCES, "x"), Facts(user="ada", group="dialout", in_group=True), PortDenied, "newgrp dialout"),
        (OSError(errno.EACCES, "x"), Facts(platform="darwin"), PortDenied, "chmod a+rw /dev/ttyUSB0"),
        (OSError(errno.EACCES, "x"), Facts(platform="win32"), PortBusy, "serial monitor"),
        (OSError(errno.EBUSY, "x"), Facts(holders=(SCREEN,)), PortBusy, "screen of user bob (pid 4711) since 09:15"),
        (OSError(errno.EBUSY, "x"), Facts(holders=(SCREEN,)), PortBusy, "`kill 4711`"),
        (OSError(errno.EAGAIN, "x"), Facts(), PortBusy, "sudo fuser -v /dev/ttyUSB0"),
        (
            OSError(errno.EBUSY, "x"),
            Facts(holders=(Holder(9, "ModemManager"),)),
            PortBusy,
            "disable --now ModemManager",
        ),
        (OSError(errno.EBUSY, "x"), Facts(running=frozenset({"ModemManager"})), PortBusy, "disable --now ModemManager"),
        (OSError(errno.EBUSY, "x"), Facts(holders=(Holder(9, "brltty"),)), PortBusy, "apt remove brltty"),
        (OSError(errno.ENOENT, "x"), Facts(running=frozenset({"brltty"})), PortMissing, "disable --now brltty"),
        (OSError(errno.ENOENT, "x"), LINUX, PortMissing, "there are /dev/ttyACM0, /dev/ttyACM1"),
        (OSError(errno.ENOENT, "x"), Facts(ports=("/dev/ttyS0", "/dev/ttyUSB1")), PortMissing, "`/dev/ttyUSB1`?"),
        (OSError("could not open port: [Errno 13] Permission denied"), LINUX, PortDenied, "usermod"),
        (OSError(errno.ENOENT, "x"), Facts(), PortMissing, "plug the board in and run `hil ports`"),
        (OSError(errno.EIO, "x"), Facts(), PortLost, "unplug the board"),
        (OSError(errno.ENOTTY, "x"), Facts(), TransportError, "no serial port"),
        (OSError("something new"), Facts(), TransportError, "`hil ports` tells"),
    ],
)
def test_a_port_that_does_not_open_ends_in_one_sentence_with_what_to_do(
    error: OSError, facts: Facts, kind: type[TransportError], words: str
) -> None:
    with pytest.raises(kind) as caught:
        open_transport("/dev/ttyUSB0", system=FakeSystem(known=facts), make_serial=refusing(error))
    sentence = str(caught.value)
    assert words in sentence
    assert sentence.startswith("/dev/ttyUSB0: ")
    assert "\n" not in sentence


def test_a_real_missing_port_and_a_file_that_is_no_port_say_so(tmp_path: Path) -> None:
    with pytest.raises(PortMissing, match="did you mean `/dev/ttyACM0`"):
        open_transport("/dev/ttyACMO", system=FakeSystem(known=Facts(ports=("/dev/ttyACM0", "/dev/ttyS0"))))
    plain = tmp_path / "plain"
    plain.write_bytes(b"no terminal")
    with pytest.raises(TransportError, match="no serial port"):
        open_transport(str(plain), system=FakeSystem())


@pytest.mark.pty
def test_a_port_that_another_program_locked_names_that_program(board: PtyBoard) -> None:
    with serial.Serial(board.port, exclusive=True), pytest.raises(PortBusy, match=f"pid {os.getpid()}"):
        open_transport(board.port)
    open_transport(f"{board.port}?exclusive=off").close()


def test_what_does_not_exist_yet_says_so_in_one_sentence() -> None:
    with pytest.raises(BridgeError, match="firmware://nowhere/nothing"):
        open_transport("firmware://nowhere/nothing")


# -- ports without a descriptor ----------------------------------------------------------------------------------


class Line:
    """A pyserial port that has no descriptor."""

    def __init__(self) -> None:
        self.buffer = bytearray()
        self.error: Exception | None = None
        self.reads = 0

    @property
    def in_waiting(self) -> int:
        if self.error:
            raise self.error
        return len(self.buffer)

    def read(self, count: int) -> bytes:
        self.reads += 1
        data = bytes(self.buffer[:count])
        del self.buffer[:count]
        return data

    def write(self, data: bytes) -> int:
        return len(data)

    def close(self) -> None: ...


def test_a_pyserial_handler_hands_over_everything_in_one_call() -> None:
    line = Line()
    line.buffer += PAYLOAD
    transport = HandlerTransport("x", line)
    assert transport.read(0.0) == PAYLOAD
    assert line.reads == 1
    transport.wake()
    assert transport.read(30.0) == b""
    line.error = OSError("device reports readiness to read but returned no data")
    with pytest.raises(PortLost):
        transport.read(0.0)
