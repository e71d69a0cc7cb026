"""Boards on pseudo terminals: one process, a line with each path, gone when standard input ends."""

import os
import select
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import pairwise, takewhile

import numpy as np
import pytest

from firmware_bridge.wire.dialect import Answer, Described, Samples
from firmware_bridge.wire.messages import STATUS_ROW, Kind, Message
from firmware_bridge.wire.native import NativeDialect

pytestmark = pytest.mark.pty
if sys.platform == "win32":
    pytest.skip("pseudo terminals exist on Linux and macOS", allow_module_level=True)


def serve(*arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "firmware_bridge.virtual.serve", *arguments], stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def paths(process: subprocess.Popen[bytes], count: int) -> list[str]:
    assert process.stdout is not None
    return [process.stdout.readline().decode().split()[0] for _ in range(count)]


def end(process: subprocess.Popen[bytes]) -> int:
    process.communicate(timeout=60)
    return process.returncode


class Client:
    """Reads one terminal, and keeps when each ping was sent and answered."""

    def __init__(self, path: str) -> None:
        self.fd = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        self.dialect = NativeDialect()
        self.heard: list[object] = []
        self._pings: dict[int, tuple[float, float]] = {}

    def send(self, kind: Kind, **fields: int) -> None:
        os.write(self.fd, self.dialect.send(Message(kind, fields)))

    def take(self) -> None:
        try:
            new = self.dialect.feed(os.read(self.fd, 65536), 0)
        except BlockingIOError:
            return
        for one in new:
            self.heard.append(one)
            if isinstance(one, Answer) and one.message.kind == Kind.PONG:
                sent, _ = self._pings[one.message.token]
                self._pings[one.message.token] = (sent, time.monotonic())

    def ping(self, token: int) -> None:
        self._pings[token] = (time.monotonic(), 0.0)
        self.send(Kind.PING, token=token)

    def between(self, one: int, other: int) -> tuple[float, float]:
        """Milliseconds that passed at the board from one ping to another: at least, and at most."""
        (sent, heard), (sent_later, heard_later) = self._pings[one], self._pings[other]
        return 1e3 * (sent_later - heard), 1e3 * (heard_later - sent)

    def answers(self, kind: Kind) -> list[Message]:
        return [one.message for one in self.heard if isinstance(one, Answer) and one.message.kind == kind]

    def gaps(self) -> list[int]:
        """How many numbers are missing at each place where some are."""
        numbers = self.numbers()
        return [b - a - 1 for a, b in pairwise(numbers) if b - a > 1]

    def numbers(self, before: object = None) -> list[int]:
        """The samples that came, or that came before something."""
        heard = takewhile(lambda one: one is not before, self.heard)
        return [int(n) for one in heard if isinstance(one, Samples) for n in one.number]


def until(clients: list[Client], good: Callable[[], bool]) -> None:
    """Read from terminals until something holds; a minute at most, for a machine that stands still for a while."""
    end = time.monotonic() + 60.0
    while not good():
        assert time.monotonic() < end, [len(client.heard) for client in clients]
        for fd in select.select([client.fd for client in clients], [], [], 0.1)[0]:
            next(client for client in clients if client.fd == fd).take()


def meet(clients: list[Client]) -> None:
    """Ask boards who they are, and start them once they have said so."""
    for client in clients:
        client.send(Kind.IDENTIFY)
    until(clients, lambda: all(any(isinstance(one, Described) for one in client.heard) for client in clients))
    for client in clients:
        client.send(Kind.START, nonce=3, streams=0, injected=0)


def test_eight_boards_at_1_khz_keep_pace_and_lose_nothing() -> None:
    """Pace is told by the boards' clocks: they run with ours, and what was due by them has been made and sent."""
    process = serve(*(f"imu?seed={seed}&tx_buffer=1000000" for seed in range(8)))  # for a reader that is held up
    clients = [Client(path) for path in paths(process, 8)]
    meet(clients)
    for token, count in ((1, 1), (2, 2000)):
        until(clients, lambda: all(len(client.numbers()) >= count for client in clients))  # noqa: B023
        for client in clients:
            client.ping(token)
        until(clients, lambda: all(client.answers(Kind.PONG)[token - 1 :] for client in clients))  # noqa: B023
    for client in clients:
        client.send(Kind.GET_STATUS)
    until(clients, lambda: all(client.answers(Kind.STATUS) for client in clients))
    for client in clients:
        numbers = client.numbers()
        assert numbers == list(range(len(numbers)))
        told = next(one for one in client.heard if isinstance(one, Answer) and one.message.kind == Kind.STATUS)
        assert STATUS_ROW.unpack(told.message.tail)[1:3] == (len(client.numbers(told)), 0)  # produced, dropped
        first, second = client.answers(Kind.PONG)
        passed_us = (second.tick_received - first.tick_received) % 2**32
        least, most = client.between(1, 2)
        assert least - 2 <= passed_us / 1000 <= most + 2
        ticks = np.concatenate([one.ticks for one in client.heard if isinstance(one, Samples)])
        assert (second.tick_received - int(ticks[0])) % 2**32 <= 1000 * (len(numbers) + 10)  # ten fill a frame
        assert client.dialect.books["crc"] == client.dialect.books["cobs"] == 0
        os.close(client.fd)
    assert end(process) == 0


def test_a_terminal_that_nobody_reads_holds_its_board_back_and_no_frame_is_torn() -> None:
    process = serve("imu?tx_buffer=4000&rate=5000", "watch")
    imu, watch = clients = [Client(path) for path in paths(process, 2)]
    meet(clients)
    for _ in range(30):
        heard = len(watch.numbers())
        until([watch], lambda: len(watch.numbers()) >= heard + 50)  # noqa: B023  # a second of its own
        read = len(imu.numbers())
        until(clients, lambda: len(imu.numbers()) >= read + 5000)  # noqa: B023
        if imu.gaps():
            break
    assert imu.gaps()
    asked = 0

    def told() -> bool:
        """Whether the board's word and the gaps meet: a reader that is held up loses more meanwhile."""
        nonlocal asked
        answers = imu.answers(Kind.STATUS)
        if answers and STATUS_ROW.unpack(answers[-1].tail)[2] == sum(imu.gaps()):
            return True
        if len(answers) == asked:
            imu.send(Kind.GET_STATUS)
            asked += 1
        return False

    until(clients, told)
    assert imu.dialect.books["crc"] == imu.dialect.books["cobs"] == 0
    assert watch.numbers() == list(range(len(watch.numbers())))
    assert end(process) == 0


def test_bytes_can_be_thrown_away_as_on_a_line_without_flow_control() -> None:
    process = serve("imu?rate=5000", "--throw-away")
    (path,) = paths(process, 1)
    client = Client(path)
    meet([client])

    def torn() -> bool:
        return any(client.dialect.books[kind] for kind in ("crc", "cobs", "short", "oversize", "malformed"))

    until([client], lambda: torn() or bool(time.sleep(0.3)))  # it is read too rarely: this is the very thing under test
    assert end(process) == 0


def test_a_wrong_board_ends_with_a_sentence_and_status_2() -> None:
    process = serve("imu?sead=1")
    _, told = process.communicate(timeout=60)
    assert process.returncode == 2
    assert b"did you mean seed" in told
