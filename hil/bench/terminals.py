"""The other side of the transport benchmarks: a process with pseudo terminals that writes as it is told.

`python -m hil.bench.terminals COUNT` opens COUNT terminals and prints their paths, then obeys lines on standard input
and answers each with a line of JSON: `flood BYTES` writes so many bytes to the first; `hello FIRST COUNT` says who the
boards are; `ticks N FIRST COUNT` lets COUNT boards write one native frame (a sample of 6 axes) each millisecond, N
times, and answers with the times just before each write. It ends with its standard input.

Times are `perf_counter_ns`, one clock for all processes of a machine.
"""

import contextlib
import json
import os
import subprocess
import sys
import time
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from firmware_bridge.streams import BoardInfo, Stream
from firmware_bridge.wire.description import describe
from firmware_bridge.wire.encode import Encoder
from firmware_bridge.wire.messages import Kind, Message

__all__ = ["Terminals", "ask", "hear", "process", "tell", "terminals"]

_PIECE = 64 << 10
_IMU = Stream("imu", ("ax", "ay", "az", "gx", "gy", "gz"), ("g",) * 3 + ("rad/s",) * 3, "<i2", (6,), 1000.0)


@contextmanager
def process(module: str, *arguments: str) -> "Iterator[subprocess.Popen[str]]":
    """Run a module that obeys lines; it ends with the block."""
    command = [sys.executable, "-m", module, *arguments]
    running = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert running.stdin is not None
    assert running.stdout is not None
    try:
        yield running
    finally:
        running.stdin.close()
        running.wait()
        running.stdout.close()


def tell(running: "subprocess.Popen[str]", order: str) -> None:
    """Give an order."""
    assert running.stdin is not None
    running.stdin.write(order + "\n")
    running.stdin.flush()


def hear(running: "subprocess.Popen[str]") -> Any:
    """Return the answer to an order."""
    assert running.stdout is not None
    return json.loads(running.stdout.readline())


def ask(running: "subprocess.Popen[str]", order: str) -> Any:
    """Give an order and return the answer."""
    tell(running, order)
    return hear(running)


class Terminals:
    """The process, from the benchmark's side.

    Attributes:
        paths: Devices to open.
        process: To `tell` orders.
    """

    def __init__(self, running: "subprocess.Popen[str]") -> None:
        self.process = running
        self.paths: list[str] = hear(running)


@contextmanager
def terminals(count: int) -> Iterator[Terminals]:
    """Start the process; it ends with the block."""
    with process("hil.bench.terminals", str(count)) as running:
        yield Terminals(running)


class _Board:
    """A board that sends and hardly listens."""

    def __init__(self, master: int, index: int) -> None:
        os.set_blocking(master, False)
        self.master = master
        self._encoder = Encoder()
        self._number = 0
        info = BoardInfo("bench-imu", f"{index:04d}", "1", (_IMU,), "native")
        self._hello = Message(
            Kind.HELLO,
            {"version": 1, "crc_bits": 16, "max_frame": 1024, "tick_hz": 1_000_000, "nonce": 0},
            describe(info),
        )

    def hello(self) -> None:
        os.write(self.master, self._encoder.encode(self._hello))

    def frame(self) -> bytes:
        raw = np.full((1, 6), self._number % 1000, "<i2")
        self._number += 1
        return self._encoder.samples(0, self._number - 1, [1000 * self._number], raw)

    def throw_away(self) -> None:
        with contextlib.suppress(OSError):
            while os.read(self.master, 65536):
                pass


def _flood(master: int, count: int) -> str:
    os.set_blocking(master, True)
    piece = bytes(range(256)) * (_PIECE // 256)
    while count:
        count -= os.write(master, piece[: min(count, _PIECE)])
    return "done"


def _ticks(boards: list[_Board], count: int) -> list[list[int]]:
    """Boards are independent: their messages are spread evenly over the millisecond, by an absolute schedule."""
    frames = [[board.frame() for _ in range(count)] for board in boards]
    sent: list[list[int]] = [[] for _ in boards]
    start = time.perf_counter_ns() + 20_000_000
    for turn in range(count * len(boards)):
        left = start + turn * 1_000_000 // len(boards) - time.perf_counter_ns()
        if left > 0:
            time.sleep(left / 1e9)
        index = turn % len(boards)
        sent[index].append(time.perf_counter_ns())
        os.write(boards[index].master, frames[index][turn // len(boards)])
    for board in boards:
        board.throw_away()
    return sent


def main() -> None:
    """Run the process."""
    pairs = [os.openpty() for _ in range(int(sys.argv[1]))]
    for _, slave in pairs:
        tty.setraw(slave)
    print(json.dumps([os.ttyname(slave) for _, slave in pairs]), flush=True)
    boards = [_Board(master, index) for index, (master, _) in enumerate(pairs)]
    for line in sys.stdin:
        order, *words = line.split()
        numbers = [int(word) for word in words]
        answer: object = "done"
        if order == "flood":
            answer = _flood(boards[0].master, numbers[0])
        elif order == "hello":
            for board in boards[numbers[0] : numbers[0] + numbers[1]]:
                board.hello()
        else:
            answer = _ticks(boards[numbers[1] : numbers[1] + numbers[2]], numbers[0])
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
