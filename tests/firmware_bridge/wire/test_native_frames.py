"""The native dialect: what each frame means, from HELLO to the last fragment of an image."""

import numpy as np
import pytest
from native_talk import feed
from toy_board import INFO, ToyBoard

from firmware_bridge.errors import UsageError
from firmware_bridge.wire.dialect import Answer, Damaged, Described, Samples, Text
from firmware_bridge.wire.encode import samples_frames
from firmware_bridge.wire.framing import frame
from firmware_bridge.wire.messages import Kind, Message
from firmware_bridge.wire.native import NativeDialect


def test_hello_tells_who_it_is():
    described = NativeDialect().feed(ToyBoard().hello(nonce=5), 0)[0]
    assert isinstance(described, Described)
    assert (described.info, described.nonce) == (INFO, 5)


def test_what_comes_before_hello_is_counted_apart():
    board = ToyBoard(32)
    early = board.samples(0, 10) + b"\0\0xx\0"
    _, books, _ = feed(early + board.hello() + board.samples(10, 5))
    assert books["before_identity"] == len(early)


def test_hello_names_the_checksum_of_all_later_frames():
    wide, narrow = ToyBoard(32), ToyBoard(16)
    data = wide.hello() + wide.samples(0, 5) + narrow.hello() + narrow.samples(5, 5) + wide.samples(10, 5)
    heard, books, _ = feed(data)
    assert [row[0] for row in heard["imu"]] == list(range(10))
    assert books["crc"] == len(wide.samples(10, 5))


def test_a_newer_board_is_refused_in_a_sentence_and_its_samples_are_not_used():
    board, dialect = ToyBoard(), NativeDialect()
    heard = dialect.feed(board.hello(version=2) + board.samples(0, 5), 0)
    assert heard[0] == Text(dialect.refused, "error")
    assert "version 2" in dialect.refused
    assert not any(isinstance(each, Samples | Described) for each in heard)
    dialect.feed(board.hello(), 0)
    assert dialect.refused == ""


@pytest.mark.parametrize(
    ("description", "said"),
    [
        (b"{", "no JSON"), (b"[]", "no JSON object"), (b'{"streams":3}', "no list"),
        (b'{"streams":[{"dtype":"i2"}]}', "no name"), (b'{"streams":[{"name":"a","dtype":"i3"}]}', "dtype"),
        (b'{"streams":[{"name":"a","dtype":"i2"}]}', "shape"),
        (b'{"streams":[{"name":"a","dtype":"i2","shape":[2],"units":["g"]}]}', "2 units"),
        (b'{"streams":[{"name":"a","dtype":"i2","shape":[1],"rate_hz":-1}]}', "rate_hz"),
        (b'{"streams":[{"name":"a","dtype":"i2","shape":[2],"scale":[1,2,3]}]}', "scale"),
        (b'{"streams":[{"name":"a","dtype":"i2","shape":[1]},{"name":"a","dtype":"i2","shape":[1]}]}', "share"),
    ],
)  # fmt: skip
def test_a_hello_that_cannot_be_used_says_why(description, said):
    board, dialect = ToyBoard(), NativeDialect()
    data = board.encoder.encode(
        Message(Kind.HELLO, {"version": 1, "crc_bits": 16, "max_frame": 99, "tick_hz": 1, "nonce": 0}, description)
    )
    heard = dialect.feed(data, 0)
    assert isinstance(heard[0], Text)
    assert said in heard[0].text
    assert dialect.books["malformed"] > 0
    assert dialect.books["frames"] + dialect.books["malformed"] == len(data)


def test_a_minimal_description_gets_defaults():
    dialect = NativeDialect()
    fields = {"version": 1, "crc_bits": 16, "max_frame": 99, "tick_hz": 0, "nonce": 0}
    text = b'{"streams":[{"name":"a","dtype":"i2","channels":["x","y"]}],"colour":"red"}'
    described = dialect.feed(ToyBoard().encoder.encode(Message(Kind.HELLO, fields, text)), 0)[0]
    assert isinstance(described, Described)
    stream = described.info.stream("a")
    assert (stream.shape, stream.units, stream.rate_hz, stream.tick_hz) == ((2,), ("?", "?"), None, None)
    assert described.info.extra == {"colour": "red"}
    assert described.info.model == "unknown"


def test_a_run_of_frames_is_one_samples_with_numbers_ticks_and_values():
    board, dialect = ToyBoard(), NativeDialect()
    dialect.feed(board.hello(), 0)
    (samples,) = dialect.feed(board.samples(100, 50, n=5), 0)
    assert isinstance(samples, Samples)
    assert samples.number.tolist() == list(range(100, 150))
    assert samples.ticks.tolist() == [1000 * k for k in range(100, 150)]
    np.testing.assert_array_equal(samples.raw, board.raw(100, 50))
    assert not samples.raw.flags.writeable


def test_numbers_and_ticks_wrap_inside_a_frame():
    board, dialect = ToyBoard(), NativeDialect()
    dialect.feed(board.hello(), 0)
    data = board.encoder.samples(0, 2**32 - 3, 2**32 - 2500 + 1000 * np.arange(10), board.raw(0, 10), n=5)
    (samples,) = dialect.feed(data, 0)
    assert samples.number.tolist() == [2**32 - 3, 2**32 - 2, 2**32 - 1, 0, 1, 2, 3, 4, 5, 6]
    assert samples.ticks.tolist() == [(2**32 - 2500 + 1000 * k) % 2**32 for k in range(10)]


def test_deltas_give_each_sample_its_own_tick():
    board, dialect = ToyBoard(), NativeDialect()
    dialect.feed(board.hello(), 0)
    ticks = np.array([5, 1007, 1999, 3100, 70000, 70001])
    (samples,) = dialect.feed(board.encoder.samples(0, 0, ticks[:4], board.raw(0, 4), n=4, deltas=True), 0)
    assert samples.ticks.tolist() == ticks[:4].tolist()
    (samples,) = dialect.feed(
        board.encoder.samples(0, 4, ticks[4:] + 2**40, board.raw(4, 2), deltas=True, tick64=True), 0
    )
    assert (samples.ticks.tolist(), samples.tick_bits) == ((ticks[4:] + 2**40).tolist(), 64)


def test_a_board_without_a_clock_gives_no_ticks():
    board, dialect = ToyBoard(tick_hz=0), NativeDialect()
    dialect.feed(board.hello(), 0)
    (samples,) = dialect.feed(board.encoder.samples(0, 0, np.zeros(5, int), board.raw(0, 5), n=5), 0)
    assert samples.ticks is None


def test_an_image_comes_as_fragments_and_a_lost_one_costs_that_image_only():
    board, dialect = ToyBoard(max_frame=256), NativeDialect()
    dialect.feed(board.hello(), 0)
    images = [board.samples(k, 1, stream=2, n=1) for k in range(3)]
    parts = images[1].split(b"\0")
    damaged = b"\0".join(parts[:2] + parts[3:])
    heard = dialect.feed(images[0] + damaged + images[2], 0)
    assert [each.number.tolist() for each in heard if isinstance(each, Samples)] == [[0], [2]]
    np.testing.assert_array_equal(heard[0].raw, board.raw(0, 1, stream=2))
    assert dialect.books["fragment"] == len(damaged)
    assert dialect.counter.lost == 1


def test_the_end_of_one_image_and_the_start_of_the_next_never_make_a_chimera():
    board, dialect = ToyBoard(max_frame=256), NativeDialect()
    dialect.feed(board.hello(), 0)
    first = board.samples(0, 1, stream=2, n=1).split(b"\0")
    second = board.samples(1, 1, stream=2, n=1).split(b"\0")
    heard = dialect.feed(b"\0".join(first[:3] + second[3:]), 0)
    assert not any(isinstance(each, Samples) for each in heard)


def test_frames_that_nobody_knows_or_that_do_not_fit_have_their_buckets():
    board = ToyBoard()
    payload = board.encoder.payload
    unknown = [
        payload(0x33, 0, b"abc"), payload(Kind.PING, 0, b"abcd"), payload(Kind.PONG, 0x20, bytes(12)),
        payload(Kind.SAMPLES, 0, b"\x63\x01" + bytes(12)),
    ]  # fmt: skip
    malformed = [
        payload(Kind.PONG, 0, bytes(11)), payload(Kind.SAMPLES, 0, b"\0\x02" + bytes(12)),
        payload(Kind.SAMPLES, 0, b"\0\0" + bytes(8)), payload(Kind.PONG, 1, bytes(12)), payload(Kind.SAMPLES, 0, b""),
    ]  # fmt: skip
    heard, books, _ = feed(board.hello() + b"".join(unknown + malformed) + board.samples(0, 5))
    assert (books["unknown"], books["malformed"]) == (sum(map(len, unknown)), sum(map(len, malformed)))
    assert len(heard["imu"]) == 5


def test_lost_frames_are_noticed_by_their_numbers_even_across_the_wrap():
    board, dialect = ToyBoard(), NativeDialect()
    board.encoder.seq = 65500
    dialect.feed(board.hello(), 0)
    frames = board.samples(0, 500, n=5).split(b"\0")
    dialect.feed(b"\0".join(frames[:30] + frames[33:60] + frames[61:]), 0)
    assert dialect.counter.lost == 4
    dialect.feed(b"\0".join([frames[-2], b""]), 0)
    assert (dialect.counter.lost, dialect.counter.repeated) == (4, 1)


def test_logs_and_answers_are_passed_on():
    board, dialect = ToyBoard(), NativeDialect()
    dialect.feed(board.hello(), 0)
    heard = dialect.feed(
        board.say(Kind.LOG, b"hot \xff\r\n", level=2, tick=1) + board.say(Kind.CREDIT, stream=1, total=9), 0
    )
    assert heard == [Text("hot \ufffd", "warning"), Answer(Message(Kind.CREDIT, {"stream": 1, "total": 9}))]


def test_the_end_of_a_connection_gives_the_torn_frame_a_bucket_and_asks_for_identity_anew():
    board, dialect = ToyBoard(), NativeDialect()
    data = board.hello() + board.samples(0, 5)
    dialect.feed(data[:-3], 0)
    assert dialect.pending > 0
    (torn,) = dialect.end(0)
    assert torn == Damaged("torn", dialect.books["torn"])
    assert sum(dialect.books.values()) == len(data) - 3
    dialect.feed(board.samples(5, 5), 0)
    assert dialect.books["before_identity"] > 0


def test_a_rate_holds_from_the_acknowledgement_on():
    board, dialect = ToyBoard(), NativeDialect()
    dialect.feed(board.hello(), 0)
    command = dialect.send(Message(Kind.SET_RATE, {"stream": 0, "rate_mhz": 250_000}))
    assert dialect.sent(command) == [Message(Kind.SET_RATE, {"stream": 0, "rate_mhz": 250_000})]
    heard = dialect.feed(board.samples(0, 5) + board.ack(Kind.SET_RATE, 0) + board.samples(5, 5), 0)
    before, _, after = heard
    assert (before.stream.rate_hz, after.stream.rate_hz) == (1000.0, 250.0)
    assert (np.diff(before.ticks) == 1000).all()
    assert (np.diff(after.ticks) == 4000).all()


def test_commands_are_framed_under_the_checksum_that_hello_named():
    board, dialect = ToyBoard(32), NativeDialect()
    ping = Message(Kind.PING, {"token": 1})
    assert dialect.send(Message(Kind.IDENTIFY)) == frame(b"\x40\0\0\0", 16)
    dialect.feed(board.hello(), 0)
    assert dialect.send(ping) == frame(b"\x44\0\x01\0\x01\0\0\0", 32)
    assert dialect.sent(dialect.send(ping)) == [ping]
    assert dialect.send("PING token=1") == frame(b"\x44\0\x03\0\x01\0\0\0", 32)
    with pytest.raises(UsageError):
        dialect.send("what is this")


def test_samples_frames_of_a_board_are_those_that_the_host_reads():
    board, dialect = ToyBoard(16), NativeDialect()
    dialect.feed(board.hello(), 0)
    seq = board.encoder.seq
    data = samples_frames(0, 7, np.arange(7, 19) * 1000, board.raw(7, 12), 16, seq, n=5)
    (*_, last) = heard = dialect.feed(data, 0)
    assert [len(each.raw) for each in heard] == [10, 2]
    assert last.number.tolist() == [17, 18]
    assert dialect.counter.lost == 0
