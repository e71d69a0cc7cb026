"""What boards print, as samples for the tests of the text dialects, and a way to feed them."""

from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np

from firmware_bridge.wire.dialect import Damaged, Described, Dialect, Heard, Samples, Text

BOOT = (
    b"\x00\xf8\xffets Jul 29 2019 12:21:46\r\n\r\nrst:0x1 (POWERON_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)\r\n"
    b"configsip: 0, SPIWP:0xee\r\nclk_drv:0x00,q_drv:0x00\r\nmode:DIO, clock div:1\r\nload:0x3fff0030,len:1344\r\n"
    b"ho 0 tail 12 room 4\r\nentry 0x400805e4\r\n\x1b[0;32mI (1234) main: started 3 sensors\x1b[0m\r\n"
    b"*** Booting Zephyr OS build v3.7.0 ***\r\n[00:00:00.250,000] <wrn> imu: self test 12, 13\r\nMPU6050 found!\r\n"
)

CSV = b"millis,ax (g),ay (g),temp[degC]\r\n" + b"".join(
    b"%d,%.3f,%.3f,25.1\r\n" % (1000 + 20 * i, i / 7, 1 - i / 9) for i in range(60)
)
BARE = b"".join(b"%d %d %d\n" % (i % 7, 3 * i % 11, -i) for i in range(300))
TAGGED = b"".join(
    b"IMU,%d,%.2f\nPPG,%d\n" % (2 * i, i / 3, 500 + i % 9) if i % 5 else b"# battery ok\nIMU,%d,%.2f\n" % (2 * i, i / 3)
    for i in range(80)
)
TELEPLOT = b"".join(
    b">temp:%d:%.2f\xc2\xa7\xc2\xb0C|g\n>hum:%d:%d\n" % (i * 100, 20 + i / 10, i * 100, 50) for i in range(40)
)
PLOTTER = b"".join(b"ax:%.2f, ay:%.2f\taz:1.0\n" % (i / 10, i) for i in range(300))
JSON = b"".join(
    b'{"t_ms":%d,"acc":[1,2,%d],"temp":%d.5,"img":[[1,2,3],[4,5,%d]],"mag":{"x":1,"y":2}}\r\n' % (i * 10, i, i, i)
    for i in range(60)
)
SPEECH = {"csv": CSV, "bare": BARE, "tagged": TAGGED, "teleplot": TELEPLOT, "plotter": PLOTTER, "json": JSON}


def cut(data: bytes, places: Iterable[int]) -> list[bytes]:
    """Cut bytes at places."""
    edges = [0, *sorted({place for place in places if 0 < place < len(data)}), len(data)]
    return [data[start:stop] for start, stop in pairwise(edges)]


def hear(dialect: Dialect, parts: Sequence[bytes], step_ns: int = 0, end: bool = True) -> list[Heard]:
    """Feed parts, `step_ns` apart, and check after each that every byte is in one bucket or pending."""
    heard: list[Heard] = []
    now, fed = 10**18, 0
    for part in parts:
        heard += dialect.feed(part, now)
        fed += len(part)
        now += step_ns
        assert dialect.pending >= 0
        assert all(count >= 0 for count in dialect.books.values())
        assert sum(dialect.books.values()) + dialect.pending == fed
    if end:
        heard += dialect.end(now)
        assert dialect.pending == 0
        assert sum(dialect.books.values()) == fed
    return heard


def tables(heard: Iterable[Heard]) -> dict[str, tuple[list[object], list[int], list[int]]]:
    """Put samples together by stream: readings, ticks and numbers as plain lists (NaN as text, so that it equals)."""
    found: dict[str, tuple[list[object], list[int], list[int]]] = {}
    for item in heard:
        if isinstance(item, Samples):
            raw, ticks, numbers = found.setdefault(item.stream.name, ([], [], []))
            assert item.raw.shape == (len(item.raw), *item.stream.shape)
            assert item.raw.dtype == np.dtype(item.stream.dtype)
            assert not item.raw.flags.writeable
            raw += [str(row) for row in item.raw.tolist()]
            ticks += item.ticks.tolist() if item.ticks is not None else []
            numbers += item.number.tolist() if item.number is not None else []
    return found


def identity(heard: Iterable[Heard]) -> Described:
    """Return the last identity that was told."""
    return [item for item in heard if isinstance(item, Described)][-1]


def texts(heard: Iterable[Heard]) -> list[Text]:
    """Return the lines for people."""
    return [item for item in heard if isinstance(item, Text)]


def damage(heard: Iterable[Heard]) -> dict[str, int]:
    """Return damaged bytes by bucket."""
    found: dict[str, int] = {}
    for item in heard:
        if isinstance(item, Damaged):
            found[item.kind] = found.get(item.kind, 0) + item.count
    return found
