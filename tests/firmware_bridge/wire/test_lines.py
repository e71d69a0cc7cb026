import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from speech import BOOT, CSV, JSON, SPEECH, cut, damage, hear, identity, tables, texts

from firmware_bridge.errors import UsageError
from firmware_bridge.wire.dialect import Dialect, Samples
from firmware_bridge.wire.lines import DAMAGE, LineDialect
from firmware_bridge.wire.messages import Kind, Message
from firmware_bridge.wire.numbers import number, read_block, time_ns

MS = 1_000_000
ODD = [
    *SPEECH.values(), BOOT, b"\n", b"{", b"[[1],[2,3]]\n", b">a:b:c\n", b"1e999,2\n", b"9" * 400 + b"\n", b"-1,2\n",
    b"\x1b[", b"t,v\n1,nan\n2,nan\n3,nan\n", b'{"t":1e30,"v":1}\n{"t":2,"v":1}\n',
]  # fmt: skip
PLAIN = b"1,2\n" * 2000


def test_a_line_dialect_is_a_dialect() -> None:
    assert isinstance(LineDialect(), Dialect)


def test_csv_with_a_header_units_and_a_clock_after_boot_noise() -> None:
    heard = hear(LineDialect(), [BOOT + CSV])
    (stream,) = identity(heard).info.streams
    assert (stream.name, stream.channels, stream.units) == ("data", ("ax", "ay", "temp"), ("g", "g", "degC"))
    assert (stream.rate_hz, stream.rate_inferred, stream.tick_hz) == (50.0, True, 1000.0)
    assert (stream.counted, stream.checked, stream.dtype) == (False, False, "<f8")
    samples = [item for item in heard if isinstance(item, Samples)]
    assert np.concatenate([item.raw for item in samples])[3].tolist() == [0.429, 0.667, 25.1]
    assert np.concatenate([item.ticks for item in samples]).tolist() == list(range(1000, 2200, 20))
    assert all(item.tick_bits == 32 for item in samples)


def test_log_lines_keep_their_level_and_lose_their_colour() -> None:
    told = {text.text: text.level for text in texts(hear(LineDialect(), [BOOT + b"\x1b[31mE (9) wifi: lost\x1b[0m\n"]))}
    assert told["I (1234) main: started 3 sensors"] == "info"
    assert told["[00:00:00.250,000] <wrn> imu: self test 12, 13"] == "warning"
    assert told["E (9) wifi: lost"] == "error"
    assert told["MPU6050 found!"] == "info"


def test_garbage_is_counted_and_no_text() -> None:
    heard = hear(LineDialect(), [b"\xfe\x80\x13\x00\n" + CSV])
    assert damage(heard) == {"garbage_line": 5}


def test_tags_become_streams_and_a_column_that_counts_becomes_the_counter() -> None:
    data = b"".join(b"IMU,%d,%.1f,2\nPPG,%d\n" % (i, i / 2, 700 + i % 3) for i in range(20))
    heard = hear(LineDialect(), [data])
    info = identity(heard).info
    assert [(stream.name, stream.shape, stream.counted) for stream in info.streams] == [
        ("imu", (2,), True),
        ("ppg", (1,), False),
    ]
    assert tables(heard)["imu"][2] == list(range(20))
    assert info.streams[0].units == ("?", "?")


@pytest.mark.parametrize("bits", [8, 16, 32])
@pytest.mark.parametrize("size", [100, 10**7])
def test_a_learned_counter_may_wrap_after_one_or_two_bytes(bits: int, size: int) -> None:
    start = (1 << min(bits, 17)) - 100
    numbers = [number for number in range(start, start + 700) if number % 50]
    data = b"seq,v\n" + b"".join(b"%d,%d\n" % (number % (1 << bits), number % 5) for number in numbers)
    heard = hear(LineDialect(), cut(data, range(0, len(data), size)))
    found = tables(heard)["data"][2]
    assert [number - found[0] for number in found] == [number - numbers[0] for number in numbers]


def test_a_tag_that_comes_later_is_announced_again() -> None:
    data = CSV + b"GPS,47.1,8.5\n" + CSV[35:] + b"GPS,47.2,8.5\nGPS,47.3,8.5\n"
    heard = hear(LineDialect(), cut(data, range(0, len(data), 100)), 10 * MS)
    assert [stream.name for stream in identity(heard).info.streams] == ["data", "gps"]
    assert len(tables(heard)["gps"][0]) == 2
    assert "GPS,47.1,8.5" in [text.text for text in texts(heard)]


def test_teleplot_with_times_units_and_flags() -> None:
    heard = hear(LineDialect(), [SPEECH["teleplot"]])
    temp, hum = identity(heard).info.streams
    assert (temp.name, temp.units, temp.rate_hz, temp.tick_hz) == ("temp", ("°C",), 10.0, 1000.0)
    assert hum.name == "hum"
    assert tables(heard)["temp"][1][:3] == [0, 100, 200]


def test_teleplot_with_several_samples_a_line() -> None:
    data = b"".join(b">v:%d:1.5;%d:2.5\n" % (i * 20, i * 20 + 10) for i in range(20))
    assert tables(hear(LineDialect(), [data]))["v"][1] == list(range(0, 400, 10))


def test_pairs_for_people() -> None:
    heard = hear(LineDialect(), [b"".join(b"Temperature: %.2f C, Humidity = %d %%\n" % (i / 10, i) for i in range(20))])
    (stream,) = identity(heard).info.streams
    assert (stream.channels, stream.units) == (("Temperature", "Humidity"), ("C", "%"))


def test_json_lines_with_nested_arrays_and_objects() -> None:
    heard = hear(LineDialect(), [JSON])
    streams = {stream.name: stream for stream in identity(heard).info.streams}
    assert set(streams) == {"data", "acc", "img", "mag"}
    assert streams["img"].shape == (2, 3)
    assert streams["img"].is_image
    assert streams["acc"].channels == ("x", "y", "z")
    assert streams["mag"].rate_hz == 100.0
    assert tables(heard)["img"][0][7] == str([[1.0, 2.0, 3.0], [4.0, 5.0, 7.0]])


def test_the_first_line_may_be_torn_unless_the_bytes_are_a_file() -> None:
    data = b"30,1\n" + b"".join(b"530,%d\n" % i for i in range(20))
    live, file = hear(LineDialect(), [data]), hear(LineDialect(whole=True), [data])
    assert damage(live) == {"torn_line": 5}
    assert len(tables(live)["data"][0]) == 20
    assert len(tables(file)["data"][0]) == 21


def test_the_last_line_counts_only_in_a_file() -> None:
    data = b"x,y\n" + b"1.5,2\n" * 10 + b"1.5,2"
    assert len(tables(hear(LineDialect(whole=True), [data]))["data"][0]) == 11
    live = hear(LineDialect(), [data])
    assert len(tables(live)["data"][0]) == 10
    assert damage(live) == {"torn_line": 5}


def test_a_rate_without_a_clock_comes_from_the_arrival() -> None:
    lines = [b"%d,%d\n" % (i % 3, i % 5) for i in range(300)]
    heard = hear(LineDialect(), lines, 20 * MS)
    (stream,) = identity(heard).info.streams
    assert stream.rate_hz == pytest.approx(50.0, rel=0.02)
    assert stream.rate_inferred
    assert stream.tick_hz is None


def test_held_samples_say_when_they_came() -> None:
    lines = [b"%d,%d\n" % (i % 3, i % 5) for i in range(300)]
    samples = [item for item in hear(LineDialect(), lines, 20 * MS) if isinstance(item, Samples)]
    arrived = samples[0].arrived
    assert arrived is not None
    assert np.diff(arrived).tolist() == [20 * MS] * (len(arrived) - 1)
    assert len(arrived) * 20 * MS <= 1_600 * MS
    assert all(item.arrived is None for item in samples[1:])


def test_a_column_of_millis_without_a_name_is_known_by_the_arrival() -> None:
    lines = [b"%d,%d\n" % (5000 + i * 20, i % 5) for i in range(300)]
    heard = hear(LineDialect(), lines, 20 * MS)
    (stream,) = identity(heard).info.streams
    assert (stream.tick_hz, stream.rate_hz, stream.shape) == (1000.0, 50.0, (1,))


def test_a_ramp_that_is_no_clock_stays_a_reading() -> None:
    lines = [b"%d,%d\n" % (5000 + i * 7, i % 5) for i in range(300)]
    (stream,) = identity(hear(LineDialect(), lines, 20 * MS)).info.streams
    assert (stream.tick_hz, stream.shape) == (None, (2,))


@pytest.mark.parametrize(("step", "hz"), [(b"10", 1e3), (b"20000", 1e6)])
def test_a_time_without_a_unit_is_taken_as_ms_unless_that_is_too_slow(step: bytes, hz: float) -> None:
    data = b"time,v\n" + b"".join(b"%d,%d\n" % (int(step) * i, i % 4) for i in range(20))
    assert identity(hear(LineDialect(whole=True), [data])).info.streams[0].tick_hz == hz


def test_missing_readings_are_nan_and_a_spoilt_line_is_counted() -> None:
    heard = hear(LineDialect(), [CSV + b"3000,nan,,25\r\n3020,0.1x2,1,25\r\n3040,1,2\r\n"])
    assert tables(heard)["data"][0][-1] == "[nan, nan, 25.0]"
    assert damage(heard) == {"bad_line": 17 + 10}


def test_decimal_commas_between_semicolons() -> None:
    data = b"t [s];v [V]\n" + b"".join(b"%d,5;%d,25\n" % (i, i) for i in range(12))
    heard = hear(LineDialect(whole=True), [data])
    (stream,) = identity(heard).info.streams
    assert (stream.units, stream.rate_hz) == (("V",), 1.0)
    assert tables(heard)["data"][0][2] == "[2.25]"


def test_a_board_that_only_logs_is_announced_without_streams() -> None:
    heard = hear(LineDialect(), [b"hello\n"] * 20, 400 * MS)
    assert identity(heard).info.streams == ()
    assert len(texts(heard)) == 20


def test_dates_become_nanoseconds() -> None:
    data = b"datetime,hr\n" + b"".join(b"2016-11-24 13:58:58.%03d000,%d\n" % (40 * i, i) for i in range(12))
    heard = hear(LineDialect(whole=True), [data])
    assert identity(heard).info.streams[0].tick_hz == 1e9
    assert tables(heard)["data"][1][1] == 1479995938_040000000


def test_commands_are_lines() -> None:
    assert LineDialect().send("start") == b"start\n"
    with pytest.raises(UsageError, match="text"):
        LineDialect().send(Message(Kind.IDENTIFY))
    with pytest.raises(UsageError, match="csv"):
        LineDialect("cvs")


@pytest.mark.parametrize("name", SPEECH)
@settings(max_examples=12)
@given(data=st.data())
def test_any_split_gives_the_same(name: str, data: st.DataObject) -> None:
    speech = BOOT + SPEECH[name] + b"\x1b[0;31mE (99) app: x\x1b[0m\r\n" + b"1,2,\xff\xfe\n" + SPEECH[name][:77]
    places = data.draw(st.lists(st.integers(0, len(speech)), max_size=30))
    whole, parts = LineDialect(), LineDialect()
    expected, got = hear(whole, [speech]), hear(parts, cut(speech, places))
    assert tables(got) == tables(expected)
    assert dict(parts.books) == dict(whole.books)
    assert damage(got) == damage(expected)
    assert texts(got) == texts(expected)
    assert identity(got) == identity(expected)
    assert parts.first_unexplained == whole.first_unexplained


@pytest.mark.parametrize("name", SPEECH)
def test_one_byte_at_a_time_gives_the_same(name: str) -> None:
    speech = BOOT + SPEECH[name]
    expected = tables(hear(LineDialect(), [speech]))
    assert expected
    assert tables(hear(LineDialect(), cut(speech, range(len(speech))))) == expected


@settings(max_examples=80)
@given(
    st.lists(st.one_of(st.binary(max_size=60), st.sampled_from(ODD)), max_size=8), st.integers(0, 2000), st.booleans()
)
def test_nothing_raises_and_the_books_close(parts: list[bytes], step_ms: int, whole: bool) -> None:
    heard = hear(LineDialect(whole=whole), parts, step_ms * MS)
    assert set(damage(heard)) <= DAMAGE
    tables(heard)


def test_an_endless_line_is_given_up() -> None:
    dialect = LineDialect()
    hear(dialect, [b"1" * 100_000] * 5 + [b"\n" + CSV])
    assert dialect.books["overlong_line"] == 500_001
    assert dialect.books["samples"] > 0


@given(
    st.lists(st.lists(st.floats(width=64), min_size=3, max_size=3), min_size=1, max_size=200), st.sampled_from(",;\t")
)
@settings(max_examples=60)
def test_a_block_reads_like_its_lines(rows: list[list[float]], separator: str) -> None:
    block = "".join(separator.join(map(repr, row)) + "\r\n" for row in rows).encode()
    table = read_block(block, 3, separator)
    one_by_one = np.array([[number(field) for field in line.split(separator)] for line in block.decode().splitlines()])
    if table is not None:
        np.testing.assert_array_equal(table, one_by_one)
    assert table is not None or any(
        value in (float("inf"), float("-inf")) or value != value for row in rows for value in row
    )


@pytest.mark.parametrize("block", [
    b"1,2\n3\n", b"1,2\n3,4,5\n", b"1,x\n", b"1,2\n\n3,4\n", b"1_0,2\n", b"1,2\r3,4\n", b"1,2\r3,4\n\n", b"1,,2\n",
    PLAIN + b"x\n", PLAIN + b"1\n", PLAIN + b"1,2,3\n", b"1,2\r" * 2000 + b"\n" * 2000, b"\n" + PLAIN, b" \n" + PLAIN,
])  # fmt: skip
def test_a_block_with_any_other_line_is_refused(block: bytes) -> None:
    assert read_block(block, 2, ",") is None


@pytest.mark.parametrize(("text", "expected"), [
    ("2016/10/16 - 21:3:38", 1476651818 * 10**9), ("2016-10-16T21:03:38Z", 1476651818 * 10**9),
    ("2016-10-16T23:03:38.5+02:00", 1476651818 * 10**9 + 5 * 10**8), ("2016-10-16", 1476576000 * 10**9),
])  # fmt: skip
def test_dates_in_many_forms(text: str, expected: int) -> None:
    assert time_ns(text) == expected


@pytest.mark.parametrize("text", ["", "12", "2016-13-01", "yesterday", "2016-10-16 25:00:00", "1.5"])
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        time_ns(text)
