"""What our transport costs over the bare system calls: bytes a second from a terminal, and the way of one message.

Throughput: a flood from another process, read through `open_transport` and by a bare blocking `os.read`. Latency: 8
boards in another process write a frame each millisecond; the figure is the median time from just before the write to
the stamp of the read, in the whole engine with a screen attached, beside a bare epoll loop and beside a loop that polls
and sleeps 1 ms (each in its own process, on its own terminals, in turn). A round in which other programs left the
machine no idle time is done again: then the figure is how the neighbours were scheduled, for either side. Linux only.
"""

import os
import statistics
import tty
from collections.abc import Callable
from contextlib import ExitStack
from time import perf_counter

from firmware_bridge.transport import open_transport
from hil.bench.row import Row, judge, paired
from hil.bench.terminals import Terminals, ask, hear, process, tell, terminals

__all__ = ["run"]

BOARDS = 8
_IDLE = 0.1
"""Share of processor time that must be left over for a round to count."""
_TRIES = 3


def run(quick: bool = False) -> list[Row]:
    """Return the rows; about a minute, `quick` half of it."""
    return [_throughput(quick), *_latency(quick)]


def _flood(source: Terminals, count: int, read: Callable[[], bytes]) -> float:
    """Seconds from the first bytes to the last of a flood."""
    tell(source.process, f"flood {count}")
    left = count - len(read())
    began = perf_counter()
    while left:
        left -= len(read())
    took = perf_counter() - began
    hear(source.process)
    return took


def _throughput(quick: bool) -> Row:
    count = (8 if quick else 24) << 20
    with terminals(1) as source:

        def ours() -> float:
            transport = open_transport(source.paths[0])
            try:
                return _flood(source, count, lambda: transport.read(5.0))
            finally:
                transport.close()

        def bare() -> float:
            fd = os.open(source.paths[0], os.O_RDWR | os.O_NOCTTY)
            try:
                tty.setraw(fd)
                return _flood(source, count, lambda: os.read(fd, 65536))
            finally:
                os.close(fd)

        pairs = paired(ours, bare, 11 if quick else 15, self_timed=True)
    return judge("serial read on a pty", count / pairs.ours_s / 1e6, "MB/s", "bare os.read", pairs.ratios, 0.8)


def _median_s(sent: list[list[int]], reads: list[list[tuple[int, int]]]) -> float:
    """Median seconds from write to stamp over all messages of all boards."""
    waits: list[int] = []
    for times, board in zip(sent, reads, strict=True):
        at = 0
        for stamp, frames in board:
            waits += [stamp - written for written in times[at : at + frames]]
            at += frames
        if at != len(times):
            raise RuntimeError(f"{len(times)} frames were written and {at} came")
    return statistics.median(waits) / 1e9


def _processor_time() -> tuple[int, int]:
    """Idle and whole processor time of this machine so far, in the kernel's ticks."""
    with open("/proc/stat", encoding="ascii") as file:
        ticks = [int(word) for word in file.readline().split()[1:9]]
    return ticks[3] + ticks[4], sum(ticks)


def _latency(quick: bool) -> list[Row]:
    ticks, rounds = (150, 25) if quick else (150, 41)
    with ExitStack() as stack:
        source = stack.enter_context(terminals(3 * BOARDS))
        places = {kind: place * BOARDS for place, kind in enumerate(("epoll", "sleep", "engine"))}
        listeners = {}
        for kind, first in places.items():
            listener = process("hil.bench.listeners", kind, *source.paths[first : first + BOARDS])
            listeners[kind] = stack.enter_context(listener)
            hear(listeners[kind])
        ask(source.process, f"hello {places['engine']} {BOARDS}")
        ask(listeners["engine"], "1")

        def measure(kind: str) -> tuple[float, bool]:
            before = _processor_time()
            tell(listeners[kind], str(ticks))
            sent = ask(source.process, f"ticks {ticks} {places[kind]} {BOARDS}")
            reads = hear(listeners[kind])
            idle, all_time = (after - then for after, then in zip(_processor_time(), before, strict=True))
            return _median_s(sent, reads), idle >= _IDLE * all_time

        measured: dict[str, list[float]] = {kind: [] for kind in places}
        for turn in range(rounds * _TRIES):
            order = ("epoll", "engine", "sleep") if turn % 2 else ("sleep", "engine", "epoll")
            told = {kind: measure(kind) for kind in order}
            enough = rounds * _TRIES - turn <= rounds - len(measured["engine"])  # no time left to be choosy
            if turn and (enough or all(calm for _, calm in told.values())):
                for kind, (seconds, _) in told.items():
                    measured[kind].append(seconds)
            if len(measured["engine"]) == rounds:
                break
    ours, epoll, sleep = (measured[kind] for kind in ("engine", "epoll", "sleep"))
    name, value = "one-way latency, 8 boards x 1 kHz, p50, screen attached", statistics.median(ours) * 1e6
    over = [mine / theirs for mine, theirs in zip(ours, epoll, strict=True)]
    under = [theirs / mine for mine, theirs in zip(ours, sleep, strict=True)]
    return [
        judge(name, value, "us", "bare epoll loop (ours over theirs)", over, 1.5, at_most=True),
        judge(name, value, "us", "poll + 1 ms sleep", under, 8.0),
    ]
