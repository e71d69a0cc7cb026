"""A pseudo terminal hands over all its bytes, ends a wait when woken, says when it is gone, and closes at once."""

import fcntl
import os
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import serial
import serial.rfc2217
from bench_parts import PtyBoard
from transport_bench import PAYLOAD, read_all

from firmware_bridge.errors import (
    PortBusy,
    PortLost,
)
from firmware_bridge.serialline import drain
from firmware_bridge.transport import open_transport


@pytest.fixture
def board(tmp_path: Path) -> Iterator[PtyBoard]:
    board = PtyBoard(tmp_path).plug()
    yield board
    if board.master >= 0:
        board.unplug()


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


def readable(terminal: int) -> int:
    """How many bytes a terminal has for whoever reads it."""
    return int.from_bytes(fcntl.ioctl(terminal, termios.FIONREAD, bytes(4)), sys.byteorder)


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
    end = os.open(board.port, os.O_RDWR | os.O_NOCTTY)
    transport = open_transport(board.port)
    board.say(b"a" * 3000)
    board.say(b"b" * 1000)
    while readable(end) < 4000:  # a worker of the system's own carries them there, a little later
        os.sched_yield()
    assert transport.read(1.0) == b"a" * 3000 + b"b" * 1000
    transport.close()
    os.close(end)


@pytest.mark.pty
def test_an_unplugged_pty_is_lost_after_its_last_bytes(board: PtyBoard) -> None:
    transport = open_transport(board.port)
    board.say(b"last")
    assert transport.read(60.0) == b"last"
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
    assert time.monotonic() - began < 25.0  # Linux itself would wait for 30 s until such a line is empty


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
    assert transport.read(120.0) == b""
    assert time.monotonic() - began < 100.0
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
    thread = threading.Thread(target=lambda: done.append(transport.read(120.0)))
    thread.start()
    transport.wake()
    thread.join(60.0)
    assert done == [b""]
    transport.close()


@pytest.mark.pty
def test_a_port_that_another_program_locked_names_that_program(board: PtyBoard) -> None:
    with serial.Serial(board.port, exclusive=True), pytest.raises(PortBusy, match=f"pid {os.getpid()}"):
        open_transport(board.port)
    open_transport(f"{board.port}?exclusive=off").close()
