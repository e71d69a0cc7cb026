"""The native dialect: whatever comes and however it is cut, every byte is counted and nothing is ever raised."""

import json
import random
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from native_talk import feed
from toy_board import ToyBoard

from firmware_bridge.wire import native
from firmware_bridge.wire.dialect import Dialect
from firmware_bridge.wire.framing import frame
from firmware_bridge.wire.messages import Kind, Message
from firmware_bridge.wire.native import NativeDialect


def talk(crc_bits: int = 32, max_frame: int = 512) -> bytes:
    """A board's day: hello, streams mixed with answers, images in fragments, deltas, 64-bit ticks, a new hello."""
    board = ToyBoard(crc_bits, max_frame)
    pieces = [b"boot noise\r\n\0", board.hello()]
    for block in range(4):
        pieces += [
            board.samples(block * 20, 10), board.samples(block * 2, 2, stream=1, n=1),
            board.samples(block * 20 + 10, 7), board.samples(block * 20 + 17, 3, n=3, deltas=True),
            board.samples(block, 1, stream=2, n=1), board.say(Kind.PONG, token=block, tick_received=1, tick_sent=2),
            board.say(Kind.LOG, b"all well\n", level=1, tick=0), board.status(0, (0, 5, 0)),
            b"\0", board.samples(1000 + block, 1, tick64=True),
        ]  # fmt: skip
    return b"".join([*pieces, board.hello(nonce=9), board.samples(2000, 30)])


def test_it_is_a_dialect():
    assert isinstance(NativeDialect(), Dialect)


@pytest.mark.parametrize("crc_bits", [16, 32])
@pytest.mark.parametrize("max_frame", [64, 512, 4096])
def test_whole_or_one_byte_at_a_time_gives_the_same(crc_bits, max_frame):
    data = talk(crc_bits, max_frame)
    whole = feed(data)
    assert feed(data, range(1, len(data))) == whole
    assert len(whole[0]["imu"]) == 4 * 21 + 30
    assert len(whole[0]["cam"]) == 4
    assert whole[1]["before_identity"] == len(b"boot noise\r\n\0")
    assert whole[2] == 0


def test_trailing_garbage_is_held_back_and_changes_nothing_before_it():
    data = talk()
    assert feed(data + b"\x07garbage")[0] == feed(data)[0]
    assert feed(data + b"\x07garbage")[2] == 8


@pytest.mark.parametrize("crc_bits", [16, 32])
def test_both_ways_through_a_buffer_say_the_same(crc_bits, monkeypatch):
    rng = random.Random(3)
    data = bytearray(talk(crc_bits))
    for _ in range(12):
        data[rng.randrange(200, len(data))] ^= 1 << rng.randrange(8)
    few = feed(bytes(data))
    monkeypatch.setattr(native, "is_many", lambda buffer: True)
    assert feed(bytes(data)) == few


@st.composite
def damage(draw: st.DrawFn) -> bytes:
    data = bytearray(talk(draw(st.sampled_from([16, 32])), draw(st.sampled_from([40, 200, 4096]))))
    for _ in range(draw(st.integers(0, 6))):
        at, how = (
            draw(st.integers(0, len(data) - 1)),
            draw(st.sampled_from(["flip", "drop", "double", "splice", "cut"])),
        )
        long = draw(st.integers(1, 300))
        if how == "flip":
            data[at] ^= 1 << draw(st.integers(0, 7))
        elif how == "drop":
            del data[at : at + min(long, len(data) - 1)]
        elif how == "double":
            data[at:at] = data[at : at + long]
        elif how == "splice":
            data[at:at] = draw(st.binary(max_size=30))
        else:
            del data[at + 1 :]
    return bytes(data)


@settings(max_examples=120)
@given(damage(), st.lists(st.integers(0, 1000), min_size=9, max_size=9))
def test_damage_is_counted_to_the_byte_however_it_is_cut(data, per_mille):
    whole = feed(data)
    assert feed(data, sorted(at * len(data) // 1000 for at in per_mille)) == whole
    native_is_many, native.is_many = native.is_many, lambda buffer: True
    try:
        assert feed(data) == whole
    finally:
        native.is_many = native_is_many


BODIES = st.one_of(
    st.binary(min_size=4, max_size=60),
    st.builds(
        lambda kind, flags, rest: bytes([kind, flags]) + rest,
        st.sampled_from([int(kind) for kind in Kind]),
        st.integers(0, 31),
        st.binary(min_size=2, max_size=60),
    ),
)


@settings(max_examples=300)
@given(st.lists(BODIES, max_size=20), st.sampled_from([16, 32]))
def test_frames_with_a_right_checksum_and_any_content_never_raise(bodies, crc_bits):
    board = ToyBoard(crc_bits)
    feed(board.hello() + b"".join(frame(body, crc_bits) for body in bodies))


DESCRIPTIONS = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 300) | st.floats() | st.sampled_from(["imu", "<i2", "g", ""]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["model", "streams", "id", "name", "channels", "units", "dtype", "shape", "rate_hz", "scale", "offset"]
            ),
            inner,
            max_size=6,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=300)
@given(DESCRIPTIONS, st.integers(0, 255), st.integers(0, 70))
def test_a_description_of_any_shape_never_raises(description, crc_bits, max_frame):
    board = ToyBoard(16)
    text = json.dumps({"model": "m", "streams": [description]} if isinstance(description, dict) else description)
    fields = {"version": 1, "crc_bits": crc_bits, "max_frame": max_frame, "tick_hz": 1, "nonce": 0}
    feed(board.encoder.encode(Message(Kind.HELLO, fields, text.encode())) + board.samples(0, 5))


@pytest.mark.fuzz
@pytest.mark.timeout(120)
def test_random_bytes_and_random_frames_for_some_seconds():
    rng = np.random.default_rng(1)
    ends = time.monotonic() + 5
    rounds = 0
    while rounds <= 20 or time.monotonic() < ends:  # a slow machine takes longer for as many
        dialect, fed = NativeDialect(), 0
        board = ToyBoard(int(rng.choice([16, 32])), int(rng.choice([40, 300])))
        for _ in range(30):
            which = rng.integers(5)
            if which == 0:
                piece = rng.bytes(rng.integers(1, 400))
            elif which == 1:
                head = bytes([rng.integers(1, 10), rng.integers(0, 16), 0, 0])
                piece = frame(head + rng.bytes(rng.integers(1, 50)), int(rng.choice([16, 32])))
            else:
                piece = [board.hello(), board.samples(int(rng.integers(2**32)), 30), b"\0"][which - 2]
            dialect.feed(piece, 0)
            fed += len(piece)
            assert sum(dialect.books.values()) + dialect.pending == fed
            assert min(dialect.books.values()) >= 0
        dialect.end(0)
        assert sum(dialect.books.values()) == fed
        rounds += 1
