"""Both decoders say the same of any bytes, and every byte is in exactly one bucket."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_bridge.wire.checksum import append, checksum, columns
from firmware_bridge.wire.frames import DAMAGE, Frames
from firmware_bridge.wire.framing import Decoder, cobs_encode, decode, decode_bulk, decode_live, frame
from firmware_bridge.wire.messages import Kind

BODIES = st.builds(
    lambda kind, rest: bytes([kind]) + rest,
    st.sampled_from([Kind.HELLO, Kind.SAMPLES, Kind.NAK, Kind.LOG, 0xEE]),
    st.one_of(
        st.binary(min_size=3, max_size=40),
        st.binary(min_size=3, max_size=6),
        st.integers(250, 520).map(lambda n: bytes([7]) * n),
        st.integers(3, 600).map(bytes),
    ),
)


def bodies(frames: Frames) -> list[bytes]:
    return [frames.body(index) for index in range(len(frames))]


def told(frames: Frames) -> tuple[list[bytes], list[int], list[tuple[int, str, int]]]:
    return bodies(frames), frames.size.tolist(), [(at, DAMAGE[kind], n) for at, kind, n in frames.damaged]


@st.composite
def damaged_stream(draw: st.DrawFn) -> tuple[bytes, int, int]:
    """Frames, then bytes flipped, dropped, doubled, spliced and cut, with junk and lone zeros between."""
    crc_bits = draw(st.sampled_from([16, 32]))
    pieces = [
        draw(
            st.one_of(
                BODIES.map(lambda body: frame(body, crc_bits)),
                BODIES.map(lambda body: bytes(cobs_encode(append(body, 48 - crc_bits))) + b"\0"),  # the other CRC
                st.binary(max_size=12).map(lambda junk: bytes(cobs_encode(junk)) + b"\0"),
                st.binary(max_size=300),
                st.just(b"\0\0"),
            )
        )
        for _ in range(draw(st.integers(0, 12)))
    ]
    stream = bytearray(b"".join(pieces))
    for _ in range(draw(st.integers(0, 4))):
        if not stream:
            break
        at = draw(st.integers(0, len(stream) - 1))
        how = draw(st.sampled_from(["flip", "drop", "double", "splice", "cut"]))
        if how == "flip":
            stream[at] ^= 1 << draw(st.integers(0, 7))
        elif how == "drop":
            del stream[at : at + draw(st.integers(1, 40))]
        elif how == "double":
            stream[at:at] = stream[at : at + draw(st.integers(1, 40))]
        elif how == "splice":
            stream[at:at] = draw(st.binary(max_size=20))
        else:
            del stream[at:]
    return bytes(stream), crc_bits, draw(st.sampled_from([65535, 300, 40, 12]))


@settings(max_examples=400)
@given(damaged_stream())
def test_both_decoders_agree_and_lose_no_byte(case):
    stream, crc_bits, max_frame = case
    complete = stream[: stream.rfind(b"\0") + 1]
    live, bulk = decode_live(complete, crc_bits, max_frame), decode_bulk(complete, crc_bits, max_frame)
    assert told(live) == told(bulk)
    assert live.size.sum() + sum(n for _, _, n in live.damaged) == len(complete)


@settings(max_examples=200)
@given(damaged_stream(), st.lists(st.integers(0, 5000), max_size=3))
def test_a_stream_may_be_cut_anywhere(case, places: list[int]):
    stream, crc_bits, max_frame = case

    def run(cuts: list[int]) -> tuple[list[bytes], dict[str, int], int]:
        decoder = Decoder()
        decoder.max_frame = max_frame
        found: list[bytes] = []
        buckets = dict.fromkeys(DAMAGE, 0)
        for start, stop in zip([0, *cuts], [*cuts, len(stream)], strict=True):
            complete, skipped = decoder.take(stream[start:stop])
            frames = decode(complete, crc_bits, max_frame)
            found += bodies(frames)
            buckets["frames"] += int(frames.size.sum())
            for _, kind, n in frames.damaged:
                buckets[DAMAGE[kind]] += n
            buckets["oversize"] += skipped + decoder.overflow()
        return found, buckets, decoder.pending

    whole = run([])
    assert sum(whole[1].values()) + whole[2] == len(stream)
    assert run(list(range(1, len(stream)))) == whole
    assert run(sorted(place % (len(stream) + 1) for place in places)) == whole


@given(st.lists(BODIES, max_size=30), st.sampled_from([16, 32]))
def test_what_was_framed_comes_back(sent, crc_bits):
    stream = b"".join(frame(body, crc_bits) for body in sent)
    for decoder in (decode_live, decode_bulk):
        frames = decoder(stream, crc_bits)
        assert bodies(frames) == sent
        assert not frames.damaged


@pytest.mark.parametrize(
    ("name", "stream"),
    [
        ("idle", b"\0"),
        ("cobs", b"\x05a\0"),
        ("short", bytes(cobs_encode(b"abcde")) + b"\0"),
        ("crc", bytes(cobs_encode(b"\x02\0\0\0xxxxxx")) + b"\0"),
        ("oversize", frame(bytes([2]) + bytes(80), 16)),
        ("oversize", bytes([3]) * 90 + b"\0"),
    ],
)
def test_each_kind_of_damage_has_its_bucket(name, stream):
    for decoder in (decode_live, decode_bulk):
        assert told(decoder(stream, 16, 64)) == ([], [], [(0, name, len(stream))])


def test_hello_and_nak_carry_the_narrow_checksum_on_a_wide_link():
    stream = frame(b"\x01\0\0\0hello", 32) + frame(b"\x02\0\0\0samples", 32) + frame(b"\x07\0\0\0nak", 32)
    for decoder in (decode_live, decode_bulk):
        assert bodies(decoder(stream, 32)) == [b"\x01\0\0\0hello", b"\x02\0\0\0samples", b"\x07\0\0\0nak"]
    wide = bytes(cobs_encode(append(b"\x01\0\0\0hello", 32))) + b"\0"
    for decoder in (decode_live, decode_bulk):
        assert told(decoder(wide, 32))[2] == [(0, "crc", len(wide))]


def test_the_longest_frame_allowed_passes_and_one_byte_more_does_not():
    for decoder in (decode_live, decode_bulk):
        assert len(decoder(frame(bytes([2] * 298), 16), 16, 300)) == 1
        assert len(decoder(frame(bytes([2] * 299), 16), 16, 300)) == 0


def test_known_answers_of_both_checksums():
    assert checksum(b"123456789", 16) == 0x29B1
    assert checksum(b"123456789", 32) == 0xCBF43926


@given(st.integers(1, 70), st.integers(1, 5), st.sampled_from([16, 32]), st.integers(0, 2**32 - 1))
@settings(max_examples=50)
def test_checksums_of_columns_equal_those_of_single_messages(length, n, bits, seed):
    cols = np.random.default_rng(seed).integers(0, 256, (length, n)).astype(np.uint8)
    assert columns(cols, bits).tolist() == [checksum(cols[:, k].tobytes(), bits) for k in range(n)]


@pytest.mark.parametrize("crc_bits", [16, 32])
def test_large_groups_of_mixed_lengths_take_the_tables_and_agree(crc_bits):
    rng = np.random.default_rng(5)
    lengths = rng.choice([5, 34, 34, 34, 61, 300, 900], 3000)
    sent = [bytes([2]) + rng.integers(0, 256, n).astype(np.uint8).tobytes() for n in lengths]
    stream = bytearray(b"".join(frame(body, crc_bits) for body in sent))
    for at in rng.integers(0, len(stream), 60):
        stream[at] ^= 0x10
    stream += b"\0"
    assert told(decode_live(bytes(stream), crc_bits)) == told(decode_bulk(bytes(stream), crc_bits))


def test_a_frame_without_end_is_discarded_in_bounded_memory():
    decoder = Decoder()
    decoder.max_frame = 100
    total = 0
    for _ in range(50):
        complete, skipped = decoder.take(b"x" * 70)
        total += skipped + decoder.overflow()
        assert complete == b""
        assert decoder.pending <= 102
    assert decoder.take(b"yy\0ab\0") == (b"ab\0", 3)
    assert total + decoder.pending == 50 * 70
