"""The C core in this process: compiled by the host's gcc, driven by a time of the test's own."""

import ctypes
from collections.abc import Callable
from functools import cache

import pytest

from firmware_bridge.firmware.build import built
from firmware_bridge.virtual.board import VirtualBoard
from firmware_bridge.virtual.boards import make_board

HZ = 1_000_000
_MOST = 1 << 16


@cache
def library() -> ctypes.CDLL:
    core = ctypes.CDLL(str(built("host")))
    core.host_body.restype = ctypes.POINTER(ctypes.c_uint8)
    for name in ("host_step", "host_receive", "host_take", "host_read", "host_refused"):
        getattr(core, name).restype = ctypes.c_uint32
    core.host_read.argtypes = [ctypes.c_uint8]
    return core


def reading(seed: int, number: int, tick: int) -> list[int]:
    """Return the six readings of the stand-in sensor, from the C that makes them."""
    sample = (ctypes.c_int16 * 6)()
    library().hil_imu6_read(seed, number, tick & 0xFFFFFFFF, sample)
    return list(sample)


class CoreBoard:
    """A board as carriers see it (`virtual.board.VirtualBoard`), C inside. One at a time: it is one machine."""

    def __init__(self, seed: int = 0, rate_mhz: int = 0, start_tick: int = 0) -> None:
        self._core = library()
        self._begin = (start_tick, seed, rate_mhz)
        self._started_ns: int | None = None
        self._buffer = ctypes.create_string_buffer(_MOST)
        self._wait = 0
        self._at = 0

    def receive(self, data: bytes, now_ns: int) -> None:
        self._advance(now_ns)
        for at in range(0, len(data), 1024):
            part = data[at : at + 1024]
            assert self._core.host_receive(part, len(part)) == len(part)
            self._run(self._at)

    def poll(self, now_ns: int) -> bytes:
        self._advance(now_ns)
        count = self._core.host_take(self._buffer, _MOST)
        return self._buffer.raw[:count]

    def next_due_ns(self) -> int:
        assert self._started_ns is not None
        return self._started_ns + (self._at + max(self._wait, 1)) * 1000

    def _advance(self, now_ns: int) -> None:
        if self._started_ns is None:
            self._started_ns = now_ns
            self._core.host_power(*self._begin)
            self._run(0)
        end = (now_ns - self._started_ns) // 1000
        while self._at + self._wait <= end:
            self._run(self._at + self._wait)
        self._at = end

    def _run(self, at: int) -> None:
        """Let the board work at a tick until it has nothing left to do there."""
        self._at = at
        while not (wait := self._core.host_step((self._begin[0] + at) & 0xFFFFFFFF)):
            pass
        self._wait = wait


class CoreReader:
    """The parser alone."""

    def __init__(self, crc_bits: int, max_frame: int) -> None:
        self._core = library()
        self._core.host_reader(max_frame, crc_bits)

    def feed(self, data: bytes) -> list[bytes]:
        """Return header and payload of every good frame."""
        lengths = map(self._core.host_read, data)
        return [bytes(self._core.host_body()[:length]) for length in lengths if length]

    @property
    def refused(self) -> int:
        return int(self._core.host_refused())


BOARDS: dict[str, Callable[[], VirtualBoard]] = {
    "C": lambda: CoreBoard(seed=3),
    "twin": lambda: make_board("imu", {"seed": "3", "crc": "32", "tx_buffer": "8192"}),
}
both = pytest.mark.parametrize("make", BOARDS.values(), ids=BOARDS)
