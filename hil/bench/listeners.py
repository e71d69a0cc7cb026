"""Those who read in the latency benchmark, each in a process of its own: `python -m hil.bench.listeners KIND PATH ...`.

`epoll` is a bare epoll loop with `os.read`; `sleep` asks every port how much is waiting and sleeps 1 ms, as beginners
write it with pyserial; `engine` is the whole engine (links, decoding, pipeline, monitor) with a screen attached from
another process, timed where the transport hands over bytes: there an arrival gets its stamp. On each line `N` of
standard input it reads until N frames came from every port, and answers with what each read was: when it returned and
how many frames it brought.
"""

import json
import os
import select
import subprocess
import sys
import time
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from firmware_bridge.way import Way

__all__ = ["Reads"]

Reads = list[list[tuple[int, int]]]
"""For each port its reads: `perf_counter_ns` when it returned, frames in it."""

_PATIENCE_S = 20.0
_END = b"\0"


@contextmanager
def _epoll(paths: list[str]) -> Iterator[Callable[[int], Reads]]:
    fds = [os.open(path, os.O_RDWR | os.O_NOCTTY) for path in paths]
    poll = select.epoll()
    for fd in fds:
        tty.setraw(fd)
        poll.register(fd, select.EPOLLIN)

    def listen(count: int) -> Reads:
        reads: Reads = [[] for _ in fds]
        into = dict(zip(fds, reads, strict=True))
        missing = count * len(fds)
        while missing > 0:
            for fd, _ in poll.poll():
                data = os.read(fd, 4096)
                stamp = time.perf_counter_ns()
                frames = data.count(_END)
                into[fd].append((stamp, frames))
                missing -= frames
        return reads

    yield listen


@contextmanager
def _sleep(paths: list[str]) -> Iterator[Callable[[int], Reads]]:
    import serial

    ports = [serial.Serial(path, 115200, timeout=0) for path in paths]

    def listen(count: int) -> Reads:
        reads: Reads = [[] for _ in ports]
        missing = count * len(ports)
        while missing > 0:
            for port, into in zip(ports, reads, strict=True):
                if waiting := port.in_waiting:
                    data = port.read(waiting)
                    stamp = time.perf_counter_ns()
                    frames = data.count(_END)
                    into.append((stamp, frames))
                    missing -= frames
            time.sleep(0.001)
        return reads

    yield listen


_SCREEN = """
import sys, time
from hil.door.attach import attach
from hil.views.view import View
client = attach(sys.argv[1], sys.argv[2])
while True:
    client.snapshot(View(columns=240))
    time.sleep(0.1)
"""
"""A screen at 10 frames a second: what it asks for; what it paints costs its own process only."""


@contextmanager
def _engine(paths: list[str]) -> Iterator[Callable[[int], Reads]]:
    from hil.config import EngineConfig, PortConfig
    from hil.door.server import Server
    from hil.engine.engine import Engine

    reads: Reads = [[] for _ in paths]
    original = Way.open

    def opening(self: Way, *rest: Any) -> Any:
        transport: Any = original(self, *rest)
        into, read = reads[paths.index(self.port)], transport.read

        def timed(max_wait_s: float) -> bytes:
            data: bytes = read(max_wait_s)
            if data:
                into.append((time.perf_counter_ns(), data.count(_END)))
            return data

        transport.read = timed
        return transport

    Way.open = opening  # type: ignore[assignment, method-assign]
    with Engine(EngineConfig(ports=tuple(PortConfig(port=path, dialect="native") for path in paths))) as engine:
        server = Server(engine)
        screen = subprocess.Popen([sys.executable, "-c", _SCREEN, server.address, server.token])

        def listen(count: int) -> Reads:
            end = time.monotonic() + _PATIENCE_S
            while any(sum(frames for _, frames in port) < count for port in reads) and time.monotonic() < end:
                time.sleep(0.02)
            told = [list(port) for port in reads]
            for port in reads:
                port.clear()
            return told

        yield listen
        screen.kill()
        screen.wait()
        server.close()


def main() -> None:
    """Run the process."""
    kind, paths = sys.argv[1], sys.argv[2:]
    with {"epoll": _epoll, "sleep": _sleep, "engine": _engine}[kind](paths) as listen:
        print(json.dumps("ready"), flush=True)
        for line in sys.stdin:
            print(json.dumps(listen(int(line))), flush=True)


if __name__ == "__main__":
    main()
