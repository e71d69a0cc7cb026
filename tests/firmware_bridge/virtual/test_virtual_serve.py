"""Boards on pseudo terminals: one process, a line with each path, gone when standard input ends."""

import os
import select
import subprocess
import sys
import time

import pytest

from firmware_bridge.wire.dialect import Answer, Samples
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
    process.communicate(timeout=20)
    return process.returncode


class Client:
    """Reads one terminal for a while."""

    def __init__(self, path: str) -> None:
        self.fd = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        self.dialect = NativeDialect()
        self.heard: list[object] = []

    def send(self, kind: Kind, **fields: int) -> None:
        os.write(self.fd, self.dialect.send(Message(kind, fields)))

    def take(self) -> None:
        try:
            self.heard += self.dialect.feed(os.read(self.fd, 65536), 0)
        except BlockingIOError:
            return

    def numbers(self) -> list[int]:
        return [int(n) for one in self.heard if isinstance(one, Samples) for n in one.number]


def run(clients: list[Client], seconds: float) -> None:
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        for fd in select.select([client.fd for client in clients], [], [], left)[0]:
            next(client for client in clients if client.fd == fd).take()


def test_eight_boards_at_1_khz_keep_pace_and_lose_nothing() -> None:
    process = serve(*(f"imu?seed={seed}" for seed in range(8)))
    clients = [Client(path) for path in paths(process, 8)]
    for client in clients:
        client.send(Kind.IDENTIFY)
    run(clients, 0.5)
    for client in clients:
        client.send(Kind.START, nonce=3, streams=0, injected=0)
    begun = time.monotonic()
    run(clients, 2.0)
    for client in clients:
        client.send(Kind.GET_STATUS)
    run(clients, 0.3)
    passed = time.monotonic() - begun
    for client in clients:
        numbers = client.numbers()
        assert numbers == list(range(len(numbers)))
        assert len(numbers) == pytest.approx(passed * 1000, rel=0.1)
        status = [one.message for one in client.heard if isinstance(one, Answer) and one.message.kind == Kind.STATUS][
            -1
        ]
        assert STATUS_ROW.unpack(status.tail)[2] == 0
        assert client.dialect.books["crc"] == client.dialect.books["cobs"] == 0
        os.close(client.fd)
    assert end(process) == 0


def test_a_terminal_that_nobody_reads_holds_its_board_back_and_no_frame_is_torn() -> None:
    process = serve("imu?tx_buffer=4000&rate=5000", "watch")
    imu, watch = (Client(path) for path in paths(process, 2))
    for client in (imu, watch):
        client.send(Kind.IDENTIFY)
    run([imu, watch], 0.5)
    for client in (imu, watch):
        client.send(Kind.START, nonce=3, streams=0, injected=0)
    run([watch], 1.0)
    run([imu, watch], 0.5)
    gaps = [b - a for a, b in zip(imu.numbers(), imu.numbers()[1:], strict=False) if b - a > 1]
    assert len(gaps) == 1
    assert imu.dialect.books["crc"] == imu.dialect.books["cobs"] == 0
    assert watch.numbers() == list(range(len(watch.numbers())))
    assert end(process) == 0


def test_bytes_can_be_thrown_away_as_on_a_line_without_flow_control() -> None:
    process = serve("imu?rate=5000", "--throw-away")
    (path,) = paths(process, 1)
    client = Client(path)
    client.send(Kind.IDENTIFY)
    run([client], 0.5)
    client.send(Kind.START, nonce=3, streams=0, injected=0)
    run([], 1.0)
    run([client], 0.5)
    damaged = sum(client.dialect.books[kind] for kind in ("crc", "cobs", "short", "oversize", "malformed"))
    assert damaged > 0
    assert end(process) == 0


def test_a_wrong_board_ends_with_a_sentence_and_status_2() -> None:
    process = serve("imu?sead=1")
    _, told = process.communicate(timeout=20)
    assert process.returncode == 2
    assert b"did you mean seed" in told
