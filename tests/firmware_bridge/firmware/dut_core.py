"""A device under test in this process, C inside, on a line and a time of the test's own."""

import ctypes
import struct
from collections.abc import Callable

import numpy as np
from firmware_core import library

from firmware_bridge.oplist import Code, Op, OpList, Raw, pack, unpack
from firmware_bridge.wire.dutsession import Answer, DutSession, Patience, Sample

WINDOW, COLUMNS, OUTPUTS = 6, 2, 3
Line = Callable[[bytes], bytes]


def small_net(seed: int = 1) -> bytes:
    """An op list of one linear layer over 6 rows of 2 readings; its outputs are worth 0.25 a step."""
    chance = np.random.default_rng(seed)
    reads = Op(Code.INPUT, WINDOW, COLUMNS, WINDOW, COLUMNS, arrays={
        "column": np.arange(COLUMNS, dtype=np.uint16), "mult": np.ones(COLUMNS, np.int32),
        "shift": np.full(COLUMNS, 8, np.uint8), "offset": np.zeros(COLUMNS, np.int64),
    })  # fmt: skip
    at = reads.elements
    weights = {
        "bias": np.zeros(OUTPUTS, np.int32), "mult": np.full(OUTPUTS, 2**30, np.int32),
        "shift": np.full(OUTPUTS, 6, np.uint8),
        "weight": chance.integers(-127, 128, (OUTPUTS, WINDOW, COLUMNS)).astype(np.int8),
    }  # fmt: skip
    linear = Op(
        Code.LINEAR, WINDOW, COLUMNS, 1, OUTPUTS, output=at, kernel=WINDOW, out_scale=0.25, out_zero=-3, arrays=weights
    )  # fmt: skip
    return pack(OpList(WINDOW, COLUMNS, Raw.I16, at + OUTPUTS, (reads, linear)))


NET = small_net()


def window(seed: int) -> bytes:
    return np.random.default_rng(seed).integers(-32768, 32768, (WINDOW, COLUMNS)).astype("<i2").tobytes()


def expected(data: bytes, blob: bytes = NET) -> tuple[float, ...]:
    """What the small net answers, by the definitions of the op list."""
    last = unpack(blob).ops[-1]
    seen = (np.frombuffer(data, "<i2").astype(np.int64) + 128) >> 8
    seen = np.clip(seen, -128, 127).reshape(-1)
    acc = last.arrays["weight"].astype(np.int64).reshape(OUTPUTS, -1) @ seen
    steps = np.clip(-3 + ((acc * 2**30 + (1 << 37)) >> 38), -128, 127) + 3
    return tuple(float(step) * 0.25 for step in steps)


class CoreDut:
    """The board: bytes in, bytes out. One at a time: it is one machine."""

    def __init__(self, blob: bytes = NET, start_tick: int = 0) -> None:
        self._core, self._blob, self.tick = library(), blob, start_tick
        self.power()

    def power(self) -> None:
        """Switch it on, or press its reset button."""
        self._core.host_dut_power(ctypes.c_uint32(self.tick & 0xFFFFFFFF), self._blob, len(self._blob))

    def talk(self, data: bytes) -> bytes:
        """Hand over bytes, let it work to the end, and return what it says; a step takes a microsecond."""
        said = bytearray()
        buffer = ctypes.create_string_buffer(4096)
        for at in range(0, len(data) or 1, 256):
            part = data[at : at + 256]
            assert self._core.host_receive(part, len(part)) == len(part)
            while True:
                wait = self._core.host_dut_step(self.tick & 0xFFFFFFFF)
                self.tick += 1
                count = self._core.host_take(buffer, 4096)
                said += buffer.raw[:count]
                if wait and not count:
                    break
        return bytes(said)


class Meeting:
    """A session and a board, with a line between them that may spoil what passes."""

    def __init__(
        self, board: CoreDut | None = None, to: Line = bytes, back: Line = bytes, read_back: bool = False,
        patience: Patience | None = None,
    ) -> None:  # fmt: skip
        self.board = board or CoreDut()
        self.to, self.back = to, back
        self.told: list[tuple[str, str]] = []
        self.now = 1_700_000_000_000_000_000
        self.session = DutSession(
            lambda way, text, _: self.told.append((way, text)), patience or Patience(), read_back=read_back
        )
        self.steps = 0
        self.on_step: Callable[[int], None] = lambda step: None

    def ask(self, sample: Sample) -> Answer | None:
        """Bring it to the board; when nothing moves, time goes on to what is waited for."""
        session = self.session
        session.begin(sample, self.now)
        while session.working:
            self.steps += 1
            self.on_step(self.steps)
            came = self.back(self.board.talk(self.to(session.due(self.now))))
            self.now += 1000
            if came:
                session.feed(came, self.now)
            elif session.working:
                self.now = session.next_ns
            assert self.steps < 5000
        return session.answer


def bits(value: float) -> int:
    return int(struct.unpack("<I", struct.pack("<f", value))[0])
