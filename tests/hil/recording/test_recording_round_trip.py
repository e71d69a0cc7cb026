"""What was recorded is read back exactly, by our reader and by the tools of others."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mcap.reader import make_reader
from mcap.stream_reader import StreamReader
from mcap_ros2.decoder import DecoderFactory
from recording_samples import FLOATS, IMU, INFO, T0, THERMAL, arrivals, batch, header

from firmware_bridge.batch import Batch
from firmware_bridge.events import (
    Arrival,
    ClockReading,
    Damage,
    Disconnected,
    Event,
    Gap,
    Log,
    Mark,
    Prediction,
    RateChanged,
    Rebooted,
    Reply,
    Stall,
    Status,
)
from firmware_bridge.streams import Stream
from hil.recording.cdr import layout_of
from hil.recording.forms import form_of
from hil.recording.reader import Recording
from hil.recording.writer import RecordingWriter


def record(path: Path, entries: list[Arrival], **options: Any) -> Path:
    writer = RecordingWriter(path, header(), **options)
    for arrival in entries:
        writer.write(arrival)
    writer.close()
    return path


@pytest.mark.parametrize("stream", [IMU, FLOATS, THERMAL], ids=lambda stream: stream.name)
def test_samples_come_back_bit_for_bit(tmp_path: Path, stream: Stream) -> None:
    entries = arrivals(stream, [1, 7, 160, 1000, 3])
    with Recording(record(tmp_path / "a.mcap", entries)) as recording:
        read = recording.read("watch", stream.name)
        parts = [item for arrival in entries for item in arrival.items if isinstance(item, Batch)]
        assert np.array_equal(read.raw, np.concatenate([part.raw for part in parts]))
        assert read.raw.dtype == np.dtype(stream.dtype)
        assert np.array_equal(read.ticks, np.concatenate([part.ticks for part in parts]))
        assert np.array_equal(read.t_ns, np.concatenate([part.t_ns for part in parts]))
        assert np.array_equal(read.numbers, np.arange(1171))
        assert read.segments == (slice(0, 1171),)
        assert recording.boards["watch"] == INFO
        assert recording.lost is None


def test_arrivals_come_back_in_their_order(tmp_path: Path) -> None:
    entries = [
        *arrivals(IMU, [5, 5]),
        Arrival("watch", 3, T0 + 10**7, "tx", b"\x00\xffPING"),
        Arrival("other", 0, T0 + 2 * 10**7, "open", b"COM4"),
        Arrival("other", 1, T0 + 3 * 10**7, "rx", b""),
        Arrival("watch", 4, T0 + 4 * 10**7, "stall", b"1234"),
        Arrival("watch", 5, T0 + 5 * 10**7, "close", "das Kabel \u00e4".encode() + b"\xff"),
    ]
    with Recording(record(tmp_path / "a.mcap", entries)) as recording:
        read = list(recording.arrivals())
        assert [(a.board, a.seq, a.t_ns, a.kind, a.data) for a in read] == [
            (a.board, a.seq, a.t_ns, a.kind, a.data) for a in entries
        ]
        some = list(recording.arrivals(T0 + 10**7, T0 + 3 * 10**7))
        assert [a.kind for a in some] == ["tx", "open"]


def test_the_mcap_package_reads_every_field(tmp_path: Path) -> None:
    entries = arrivals(IMU, [100, 33])
    path = record(tmp_path / "a.mcap", entries)
    parts = [item for arrival in entries for item in arrival.items if isinstance(item, Batch)]
    values = np.concatenate([part.values for part in parts])
    with path.open("rb") as file:
        rows = list(make_reader(file, decoder_factories=[DecoderFactory()], validate_crcs=True)
                    .iter_decoded_messages(topics=["/watch/imu"]))  # fmt: skip
    assert len(rows) == 133
    for place, (schema, channel, message, decoded) in enumerate(rows):
        assert (schema.name, channel.message_encoding) == ("hil_msgs/msg/Imu", "cdr")
        assert message.log_time == T0 + place * 1_000_000
        assert (decoded.number, decoded.tick, decoded.boot) == (place, place * 1000 + 5, 0)
        got = [getattr(decoded, name) for name in ("ax", "ay", "az", "wx", "wy", "wz")]
        assert np.array_equal(np.float32(got), values[place])


def test_the_mcap_package_reads_images(tmp_path: Path) -> None:
    entries = arrivals(THERMAL, [4])
    path = record(tmp_path / "a.mcap", entries)
    frames = batch(THERMAL, 0, 4)
    with path.open("rb") as file:
        reader = make_reader(file, decoder_factories=[DecoderFactory()], validate_crcs=True)
        rows = [row.decoded_message for row in reader.iter_decoded_messages(topics=["/watch/thermal"])]
        keys = [row.decoded_message for row in reader.iter_decoded_messages(topics=["/watch/thermal/keys"])]
    for place, image in enumerate(rows):
        assert (image.height, image.width, image.step, image.encoding) == (8, 8, 16, "16SC1")
        assert image.header.frame_id == "thermal"
        assert image.header.stamp.sec * 10**9 + image.header.stamp.nanosec == frames.t_ns[place]
        assert np.array_equal(np.frombuffer(image.data, "<i2").reshape(8, 8), frames.raw[place])
        assert keys[place].number == place


def test_summary_statistics_and_every_crc_agree(tmp_path: Path) -> None:
    path = record(tmp_path / "a.mcap", arrivals(IMU, [1000] * 5))
    with path.open("rb") as file:
        list(StreamReader(file, validate_crcs=True).records)
    with path.open("rb") as file:
        summary = make_reader(file).get_summary()
    assert summary is not None
    assert summary.statistics is not None
    by_topic = {summary.channels[c].topic: n for c, n in summary.statistics.channel_message_counts.items()}
    assert by_topic["/watch/imu"] == 5000
    assert by_topic["/watch/rx"] == 5
    assert summary.statistics.message_start_time == T0
    assert [index.message_index_length > 0 for index in summary.chunk_indexes] == [True] * len(summary.chunk_indexes)


def test_events_marks_predictions_come_back_equal(tmp_path: Path) -> None:
    gap = Gap("watch", T0 + 5, "imu", 0, 17, None, "silence")
    mark = Mark("", T0 + 6, "squat", "start", "me", "left hand")
    guess = Prediction(
        "watch", T0 + 7, "exercise", "imu", 0, 199, "squat", 0.1 + 0.2, (0.1, 1 / 3, 0.30000000000000004)
    )
    entries = [*arrivals(IMU, [10]), Arrival("watch", 2, T0 + 10**8, "note", b"", (gap, mark, guess))]
    with Recording(record(tmp_path / "a.mcap", entries)) as recording:
        assert list(recording.events())[1:] == [gap]
        assert recording.marks == (mark,)
        assert recording.predictions("exercise") == (guess,)
        assert recording.predictions("other") == ()


def test_a_second_file_of_the_same_name_is_refused(tmp_path: Path) -> None:
    path = record(tmp_path / "a.mcap", arrivals(IMU, [10]))
    before = path.read_bytes()
    with pytest.raises(OSError, match="never overwritten"):
        RecordingWriter(path, header())
    assert path.read_bytes() == before


def test_time_range_and_pieces_are_parts_of_the_whole(tmp_path: Path) -> None:
    path = record(tmp_path / "a.mcap", arrivals(IMU, [100] * 45))
    with Recording(path) as recording:
        whole = recording.read("watch", "imu")
        part = recording.read("watch", "imu", 1.25, 3.5)
        inside = (whole.t_s >= 1.25) & (whole.t_s < 3.5)
        assert np.array_equal(part.numbers, whole.numbers[inside])
        assert np.array_equal(part.raw, whole.raw[inside])
        pieces = list(recording.chunks("watch", "imu"))
        assert len(pieces) > 3
        assert np.array_equal(np.concatenate([piece.raw for piece in pieces]), whole.raw)
        assert recording.duration_s == pytest.approx(4.499)


DTYPES = ["<i1", "<u1", "<i2", "<u2", "<i4", "<u4", "<i8", "<u8", "<f2", "<f4", "<f8"]


@st.composite
def streams(draw: st.DrawFn) -> Stream:
    dtype = draw(st.sampled_from(DTYPES))
    image = draw(st.booleans())
    width = draw(st.integers(1, 9))
    shape = (draw(st.integers(1, 5)), width) if image else (width,)
    channels = ("pixel",) if image else tuple(draw(st.lists(st.text(max_size=8), min_size=width, max_size=width)))
    number = st.floats(-1e6, 1e6, allow_subnormal=False)
    scale = tuple(draw(st.lists(number, min_size=1, max_size=1)))
    offset = (draw(number),)
    if draw(st.booleans()):
        scale, offset = (1.0,), (0.0,)
    units = tuple("?" for _ in channels)
    return Stream(
        draw(st.sampled_from(["imu", "2nd wave", "\u00fc"])), channels, units, dtype, shape, 100.0, scale, offset
    )


@settings(max_examples=60)
@given(stream=streams(), sizes=st.lists(st.integers(1, 40), min_size=1, max_size=5), data=st.data())
def test_any_dtype_shape_scale_and_split_comes_back_exactly(
    tmp_path_factory: pytest.TempPathFactory, stream: Stream, sizes: list[int], data: st.DataObject
) -> None:
    total = sum(sizes)
    bits = data.draw(st.binary(min_size=1, max_size=64))
    size = total * int(np.prod(stream.shape)) * np.dtype(stream.dtype).itemsize
    raw = np.frombuffer((bits * (size // len(bits) + 1))[:size], stream.dtype).reshape(total, *stream.shape)
    ticks = np.arange(total, dtype=np.int64) * 7
    entries, first = [], 0
    for seq, count in enumerate(sizes):
        part = slice(first, first + count)
        item = Batch("b", stream, 0, first, ticks[part], T0 + ticks[part], raw[part])
        entries.append(Arrival("b", seq, T0 + first, "note", b"", (item,)))
        first += count
    path = record(tmp_path_factory.mktemp("r") / "a.mcap", entries)
    with Recording(path) as recording:
        read = recording.read("b", stream.name)
        assert read.raw.tobytes() == raw.tobytes()
        assert read.stream == stream
    with path.open("rb") as file:
        rows = list(
            make_reader(file, decoder_factories=[DecoderFactory()]).iter_decoded_messages([f"/b/{stream.name}"])
        )
    assert len(rows) == total
    fields = layout_of(stream).fields
    assert all(hasattr(rows[0].decoded_message, name) for name in fields)
    json.dumps(fields)


def test_every_kind_of_event_comes_back_equal(tmp_path: Path) -> None:
    told: list[Event] = [
        Disconnected("watch", T0, "unplugged"),
        Rebooted("watch", T0, 1, True),
        RateChanged("watch", T0, "imu", 1, 10, 99.5),
        Damage("watch", T0, "crc", 17),
        Stall("watch", T0, 5),
        Status("watch", T0, {"nonce": 7, "streams": {"imu": {"produced": 3}}}),
        Log("", T0, "info", "two\nlines \u00b5"),
        Reply("watch", T0, "ACK", {"of": 65, "of_seq": 2}, b"\x00\xff"),
    ]
    reading = ClockReading("watch", T0, T0 - 5, 123, T0 + 5)
    entries = [Arrival("watch", 0, T0, "note", b"", (*told, reading))]
    with Recording(record(tmp_path / "a.mcap", entries)) as recording:
        assert list(recording.events()) == told
        assert recording.clock("watch") == (reading,)
        assert list(recording.events("nobody")) == []


def test_a_scale_next_to_nothing_is_recorded_as_it_was_sent() -> None:
    tiny = Stream("imu", ("a",), ("?",), "<i4", (1,), 100.0, scale=(2.2250738585072014e-308,), offset=(4.0,))
    assert form_of(tiny) == "raw64"
