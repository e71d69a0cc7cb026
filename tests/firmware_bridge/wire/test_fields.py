import struct

import numpy as np
import pytest
from cobs import cobs
from hypothesis import given, settings
from hypothesis import strategies as st
from speech import BOOT, cut, damage, hear, identity, tables, texts

from firmware_bridge.errors import UsageError
from firmware_bridge.wire.boardfile import BoardFile, parse_board_file
from firmware_bridge.wire.dialect import Dialect, Samples
from firmware_bridge.wire.fields import DAMAGE, EXPLAINED
from firmware_bridge.wire.messages import Kind, Message
from firmware_bridge.wire.sums import FEW, SUMS

FIXED = """
schema = 1
[board]
model = "dev kit"
[frame]
sync = "aa 55"
length = 17
endian = "big"
checksum = { kind = "crc16-modbus", endian = "little" }
text = "log"
[[stream]]
name = "imu"
unit = "g"
scale = 0.001
rate = 100.0
fields = [{ name = "x", at = 3, type = "i16" }, { name = "y", at = 5, type = "i24" }]
counter = { at = 2, type = "u8" }
tick = { at = 8, type = "u32", hz = 1e6 }
valid = { at = 12, type = "u8", mask = 1 }
[[stream]]
name = "nibbles"
fields = [{ name = "low", at = 13, type = "u8", bits = [0, 3] }, { name = "high", at = 13, type = "i8", bits = [4, 7] }]
"""
CHECK = {
    "crc8": 0xF4, "crc8-maxim": 0xA1, "crc16-ccitt": 0x29B1, "crc16-xmodem": 0x31C3, "crc16-kermit": 0x2189,
    "crc16-x25": 0x906E, "crc16-modbus": 0x4B37, "crc16-arc": 0xBB3D, "crc32": 0xCBF43926, "crc32-mpeg2": 0x0376E6E7,
    "crc32c": 0xE3069283, "sum8": 0xDD, "negated-sum8": 0x23, "xor8": 0x31, "sum16": 0x01DD, "fletcher16": 0x1EDE,
    "fletcher8": 0x15DD,
}  # fmt: skip


def crc(data: bytes, kind: str = "crc16-modbus") -> bytes:
    value = int(SUMS[kind].compute(np.frombuffer(data, np.uint8)[None])[0])
    return value.to_bytes(SUMS[kind].size, "little")


def frame(number: int, x: int, y: int, valid: int = 1, nibbles: int = 0xE7) -> bytes:
    body = b"\xaa\x55" + struct.pack(">Bh", number & 255, x) + y.to_bytes(3, "big", signed=True)
    body += struct.pack(">IBBB", number * 10_000, valid | 0x80, nibbles, 0)
    return body + crc(body)


FRAMES = b"".join(frame(i, i - 50, -(i**3)) for i in range(100))


@pytest.fixture(scope="module")
def fixed() -> BoardFile:
    return parse_board_file(FIXED)


@pytest.mark.parametrize("kind", SUMS)
@pytest.mark.parametrize("rows", [1, FEW + 5])
def test_checksums_have_their_catalogue_values(kind: str, rows: int) -> None:
    frames = np.frombuffer(b"123456789" * rows, np.uint8).reshape(rows, 9)
    assert SUMS[kind].compute(frames).tolist() == [CHECK[kind]] * rows


@given(st.binary(min_size=40, max_size=40), st.sampled_from(sorted(SUMS)))
def test_a_checksum_of_many_frames_is_that_of_each(data: bytes, kind: str) -> None:
    frames = np.tile(np.frombuffer(data, np.uint8).reshape(4, 10), (FEW, 1))
    many = SUMS[kind].compute(frames).tolist()
    assert many == [int(SUMS[kind].compute(row[None])[0]) for row in frames]


def test_fields_counter_tick_and_validity(fixed: BoardFile) -> None:
    dialect = fixed.dialect()
    assert isinstance(dialect, Dialect)
    heard = hear(dialect, [FRAMES])
    imu = next(item for item in heard if isinstance(item, Samples) and item.stream.name == "imu")
    assert imu.raw.tolist() == [[i - 50, -(i**3)] for i in range(100)]
    assert imu.raw.dtype == np.dtype("<i4")
    assert imu.number is not None
    assert (imu.number.tolist(), imu.number_bits) == (list(range(100)), 8)
    assert imu.ticks is not None
    assert imu.ticks.tolist() == [i * 10_000 for i in range(100)]
    assert imu.valid is not None
    assert imu.valid.all()
    assert (imu.stream.checked, imu.stream.counted, imu.stream.rate_inferred) == (True, True, False)
    assert tables(heard)["nibbles"][0][0] == "[7, -2]"
    assert dict(dialect.books) == {"framing": 400, "payload": 1300}
    assert identity(heard).info.dialect == "fields"


def test_a_sample_that_the_board_does_not_trust_is_marked(fixed: BoardFile) -> None:
    heard = hear(fixed.dialect(), [frame(0, 1, 2) + frame(1, 1, 2, valid=0)])
    imu = next(item for item in heard if isinstance(item, Samples) and item.stream.name == "imu")
    assert imu.valid is not None
    assert imu.valid.tolist() == [True, False]


def test_a_spoilt_frame_is_counted_and_the_next_is_read(fixed: BoardFile) -> None:
    spoilt = bytearray(frame(1, 2, 3))
    spoilt[6] ^= 1
    heard = hear(fixed.dialect(), [frame(0, 1, 1) + spoilt + frame(2, 5, 5)])
    assert damage(heard) == {"bad_checksum": 17}
    assert tables(heard)["imu"][2] == [0, 2]


def test_a_good_frame_behind_a_false_beginning_is_found(fixed: BoardFile) -> None:
    heard = hear(fixed.dialect(), [b"\xaa\x55\x01" + frame(7, 1, 1) + b"\xaa" + frame(8, 2, 2) + b"\xaa\x55"])
    assert tables(heard)["imu"][2] == [7, 8]
    assert damage(heard) == {"bad_checksum": 3, "resync": 1, "torn_frame": 2}


def test_lines_between_frames_are_for_people(fixed: BoardFile) -> None:
    heard = hear(fixed.dialect(), [BOOT + frame(0, 1, 1) + b"W (12) imu: late\r\n" + frame(1, 1, 1) + b"half a li"])
    told = [text.text for text in texts(heard)]
    assert "load:0x3fff0030,len:1344" in told
    assert "W (12) imu: late" in told
    assert damage(heard) == {"resync": BOOT.index(b"\n") + 1}


def test_commands_are_text_or_hexadecimal(fixed: BoardFile) -> None:
    assert fixed.dialect().send("go\n") == b"go\n"
    assert fixed.dialect().send("hex: 0a ff") == b"\x0a\xff"
    for wrong in ("hex: 0", Message(Kind.IDENTIFY)):
        with pytest.raises(UsageError):
            fixed.dialect().send(wrong)


BLOCKS = """
schema = 1
[board]
model = "block sender"
[frame]
sync = "7e"
length = { at = 1, type = "u8", add = 3 }
payload = 3
id = { at = 2, size = 1 }
checksum = { kind = "sum8", from = 1, to = -1, at = -1 }
ignore = ["09"]
[[stream]]
name = "block"
id = "01"
repeat = { at = 1, size = 4 }
fields = [{ name = "a", at = 0, type = "i16" }, { name = "b", at = 2, type = "i16" }]
counter = { at = 0, type = "u8", per = "frame" }
[[stream]]
name = "image"
id = ["02"]
at = 1
type = "u8"
shape = [2, 3]
unit = "degC"
"""


def block(kind: int, number: int, payload: bytes) -> bytes:
    body = bytes([len(payload) + 2, kind, number]) + payload
    return b"\x7e" + body + bytes([sum(body) & 255])


def test_repeated_groups_arrays_kinds_and_what_is_ignored() -> None:
    dialect = parse_board_file(BLOCKS).dialect()
    pairs = [struct.pack("<8h", *range(8 * i, 8 * i + 8)) for i in range(300)]
    data = b"".join(block(1, i & 255, part) for i, part in enumerate(pairs))
    heard = hear(
        dialect, [data + block(2, 0, bytes(range(6))) + block(9, 0, b"xy") + block(8, 0, b"z") + block(2, 0, b"abc")]
    )
    raw, _, numbers = tables(heard)["block"]
    assert raw[:3] == ["[0, 1]", "[2, 3]", "[4, 5]"]
    assert numbers == list(range(1200))
    assert tables(heard)["image"][0] == ["[[0, 1, 2], [3, 4, 5]]"]
    books = dict(dialect.books)
    assert (books["ignored"], books["other_frames"], books["short_frame"]) == (7, 6, 8)


STUFFED = """
schema = 1
[board]
model = "stuffed"
[frame]
stuffing = "%s"
checksum = { kind = "crc32" }
max_length = 64
text = "log"
[[stream]]
name = "s"
at = 1
type = "u16"
shape = [3]
"""


def stuff(kind: str, body: bytes) -> bytes:
    if kind == "cobs":
        return cobs.encode(body) + b"\x00"
    if kind == "slip":
        return body.replace(b"\xdb", b"\xdb\xdd").replace(b"\xc0", b"\xdb\xdc") + b"\xc0"
    return body.replace(b"\x7d", b"\x7d\x5d").replace(b"\x7e", b"\x7d\x5e") + b"\x7e"


def stuffed_frames(kind: str, count: int = 40) -> list[bytes]:
    mark = stuff(kind, b"")[-1:]
    frames = []
    for i in range(count):
        body = bytes([i]) + struct.pack("<3H", i, 0xC0DB, 0x7E7D)
        frames.append(stuff(kind, body + crc(body, "crc32")))
    return [mark, *frames]


@pytest.mark.parametrize("kind", ["cobs", "slip", "hdlc"])
def test_stuffed_frames(kind: str) -> None:
    frames = stuffed_frames(kind)
    spoilt = bytearray(frames[5])
    spoilt[3] ^= 4
    dialect = parse_board_file(STUFFED % kind).dialect()
    heard = hear(dialect, [b"".join(frames) + bytes(spoilt) + b"I (1) boot: hi\n" + frames[0] + b"abc"])
    assert tables(heard)["s"][0] == [str([i, 0xC0DB, 0x7E7D]) for i in range(40)]
    assert sum(damage(heard).values()) == len(spoilt) + 3
    assert [text.text for text in texts(heard)] == ["I (1) boot: hi"]


def _dialects() -> dict[str, tuple[str, bytes]]:
    found = {kind: (STUFFED % kind, b"".join(stuffed_frames(kind, 8))) for kind in ("cobs", "slip", "hdlc")}
    return found | {"fixed": (FIXED, FRAMES[: 17 * 12])}


@pytest.mark.parametrize("kind", _dialects())
@settings(max_examples=60)
@given(data=st.data())
def test_any_split_of_damaged_bytes_gives_the_same(kind: str, data: st.DataObject) -> None:
    text, good = _dialects()[kind]
    noise = st.one_of(
        st.binary(max_size=40),
        st.sampled_from([b"\xaa", b"\xaa\x55", b"hello\r\n", b"x" * 1500, b"y" * 1020 + b"\n", good[:9], good]),
    )
    speech = b"".join(data.draw(st.lists(noise, max_size=6)))
    for place, flip in data.draw(st.lists(st.tuples(st.integers(0, 3000), st.integers(1, 255)), max_size=4)):
        if speech:
            place %= len(speech)
            speech = speech[:place] + bytes([speech[place] ^ flip]) + speech[place + 1 :]
    places = data.draw(st.one_of(st.lists(st.integers(0, len(speech)), max_size=15), st.just(list(range(len(speech))))))
    board = parse_board_file(text)
    whole, parts = board.dialect(), board.dialect()
    expected, got = hear(whole, [speech]), hear(parts, cut(speech, places))
    assert tables(got) == tables(expected)
    assert dict(parts.books) == dict(whole.books)
    assert texts(got) == texts(expected)
    assert damage(got) == damage(expected)
    assert set(damage(got)) <= DAMAGE
    assert set(whole.books) <= DAMAGE | EXPLAINED
