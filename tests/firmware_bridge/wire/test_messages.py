"""The native messages are frozen: the bytes of version 1 never change."""

import itertools
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_bridge.wire.encode import encode

from firmware_bridge.wire.messages import (  # isort: skip
    STATUS_MODEL, STATUS_ROW, TABLE, VERSION, Flag, Kind, Message, pack, status_model, status_rows, unpack,
)  # fmt: skip

GOLDEN = [
    line.split()
    for line in (Path(__file__).parent / "messages_v1.txt").read_text().splitlines()
    if not line.startswith("#")
]

CODES = {
    "HELLO": 0x01, "SAMPLES": 0x02, "RESULT": 0x03, "CREDIT": 0x04, "PONG": 0x05, "ACK": 0x06, "NAK": 0x07,
    "LOG": 0x08, "STATUS": 0x09, "IDENTIFY": 0x40, "START": 0x41, "STOP": 0x42, "SET_RATE": 0x43, "PING": 0x44,
    "GET_STATUS": 0x45, "INJECT": 0x46, "MODEL_BEGIN": 0x47, "MODEL_CHUNK": 0x48, "MODEL_END": 0x49, "INFER": 0x4A,
    "STREAM_INFER": 0x4B, "TAP": 0x4C, "RESET": 0x4D,
}  # fmt: skip


def example(kind: Kind, flags: Flag) -> Message:
    count = itertools.count(1)
    fields = {}
    for name, code in TABLE[kind].fields:
        wide = flags & Flag.TICK64 and name.startswith("tick") and name != "tick_hz"
        width = 8 if wide else struct.calcsize(code)
        fields[name] = int.from_bytes(bytes(next(count) & 0xFF for _ in range(width)), "little")
    return Message(kind, fields, b"\0tail" if TABLE[kind].tail else b"", flags)


@pytest.mark.parametrize(("name", "flags", "payload", "framed"), GOLDEN)
def test_the_bytes_of_every_message_are_those_of_version_1(name, flags, payload, framed):
    message, payload = example(Kind[name], Flag[flags]), payload.strip("-")
    assert pack(message).hex() == payload
    assert encode(message, 0x0102, 32).hex() == framed
    assert unpack(message.kind, message.flags, bytes.fromhex(payload)) == message


def test_every_message_has_a_golden_line_and_a_row():
    assert {name for name, *_ in GOLDEN} == {kind.name for kind in Kind} == {kind.name for kind in TABLE}


def test_codes_flags_and_the_row_of_status_are_those_of_version_1():
    assert {kind.name: int(kind) for kind in Kind} == CODES
    assert {flag.name: int(flag) for flag in Flag} == {"MORE": 1, "FRAGMENT": 2, "DELTAS": 4, "TICK64": 8}
    assert (VERSION, STATUS_ROW.format, STATUS_ROW.size) == (1, "<BIIIII", 21)
    assert (STATUS_MODEL.format, STATUS_MODEL.size) == ("<BIII", 13)
    assert {kind.name for kind, shape in TABLE.items() if shape.crc16} == {"HELLO", "NAK", "IDENTIFY"}


@given(st.integers(0, 255), st.integers(0, 255), st.binary(max_size=60))
def test_any_payload_is_a_message_that_packs_to_the_same_bytes_or_none(kind, flags, payload):
    message = unpack(kind, flags, payload)
    if message is not None:
        assert pack(message) == payload


def test_a_payload_that_is_too_short_or_has_a_tail_where_none_may_be_is_no_message():
    assert unpack(Kind.PING, 0, b"\1\2\3") is None
    assert unpack(Kind.PING, 0, b"\1\2\3\4\5") is None
    assert unpack(0xEE, 0, b"") is None


def test_a_message_that_cannot_be_packed_says_why():
    with pytest.raises(ValueError, match="PING takes no tail"):
        pack(Message(Kind.PING, {"token": 1}, b"x"))
    with pytest.raises(KeyError):
        pack(Message(Kind.PING))


def test_who_knows_only_the_rows_of_status_reads_past_what_it_says_of_a_model():
    rows = [STATUS_ROW.pack(stream, 1, 2, 3, 4, 5) for stream in range(3)]
    fields = {"nonce": 1, "tick": 2, "refused": 0}
    plain = Message(Kind.STATUS, fields, b"".join(rows))
    counted = Message(Kind.STATUS, fields, plain.tail + STATUS_MODEL.pack(2, 9, 4, 1))
    assert status_rows(counted) == status_rows(plain)
    assert status_model(plain) is None
    assert status_model(counted) == {"stream": 2, "due": 9, "skipped": 4, "unsent": 1}


def test_fields_are_read_by_name_and_unknown_ones_are_no_attributes():
    message = Message(Kind.PING, {"token": 7})
    assert message.token == 7
    with pytest.raises(AttributeError, match="credit"):
        _ = message.credit
