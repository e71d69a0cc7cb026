"""Sockets, RFC 2217 and pyserial's handlers hand over everything in one call, and end when the other side does."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import serial
import serial.rfc2217
from bench_parts import FakeSystem
from transport_bench import PAYLOAD, read_all

from firmware_bridge.errors import (
    PortLost,
    PortMissing,
)
from firmware_bridge.transport import HandlerTransport, open_transport


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
    with socket.socket() as taken:  # nobody else can be given the port meanwhile
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(PortMissing, match="nobody listens there"):
            open_transport(f"{scheme}://127.0.0.1:{taken.getsockname()[1]}", system=FakeSystem())


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
    transport = open_transport(f"rfc2217://127.0.0.1:{server.getsockname()[1]}?baud=57600&parity=even&timeout=60")
    try:
        assert (line.baudrate, line.parity) == (57600, "E")
        assert transport.write(b"hello \xff\x00 there") == 14
        assert read_all(transport, 14) == b"hello \xff\x00 there"
        transport.wake()
        assert transport.read(30.0) == b""
    finally:
        transport.close()
        thread.join(60)


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
