"""Real recordings, described without code and checked against independent readers (pandas, pyubx2)."""

import io
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pyubx2 import UBXReader
from speech import cut, hear, tables

from firmware_bridge.wire.boardfile import load_board_file, parse_board_file
from firmware_bridge.wire.explain import explain, parse_all
from firmware_bridge.wire.fields import EXPLAINED

ROOT = Path(__file__).resolve().parents[3]
EXAMPLES = ROOT / "scenarios" / "boards"
BOARDS = ROOT / "tests" / "data" / "boards"
UBX_FIELDS = {
    "pvat": (
        "NAV-PVAT",
        ["lon", "lat", "height", "velN", "velE", "velD", "vehRoll", "vehPitch", "vehHeading", "numSV", "fixType"],
    ),
    "attitude": ("NAV-ATT", ["roll", "pitch", "heading"]),
}
pytestmark = pytest.mark.data


def ubx_frames(data: bytes) -> list[tuple[bytes, object]]:
    """Every good UBX frame in bytes, as an independent reader finds them."""
    return [(raw, message) for raw, message in UBXReader(io.BytesIO(data), protfilter=2, quitonerror=0)]


def test_a_column_of_pulse_counts(shared_data: Path) -> None:
    file = shared_data / "ppg_heartpy" / "data.csv"
    board = load_board_file(BOARDS / "ppg_counts.toml")
    expected = pd.read_csv(file, header=None)[0].to_numpy()
    table = parse_all(board, file.read_bytes())["ppg"]
    assert table.raw[:, 0].tolist() == expected.tolist()
    assert len(expected) == 2483
    assert explain(board, file.read_bytes(), whole=True).share_explained == 1.0


def test_pulse_counts_with_a_timer_in_fractions_of_a_millisecond(shared_data: Path) -> None:
    file = shared_data / "ppg_heartpy" / "data2.csv"
    expected = pd.read_csv(file)
    table = parse_all(load_board_file(BOARDS / "ppg_timer.toml"), file.read_bytes())["ppg"]
    assert table.raw[:, 0].tolist() == expected["hr"].tolist()
    assert table.ticks is not None
    assert table.ticks.tolist() == np.rint(expected["timer"].to_numpy() * 1e6).astype(np.int64).tolist()


def test_pulse_counts_with_dates(shared_data: Path) -> None:
    file = shared_data / "ppg_heartpy" / "data3.csv"
    expected = pd.read_csv(file, parse_dates=["datetime"])
    table = parse_all(load_board_file(BOARDS / "ppg_dates.toml"), file.read_bytes())["ppg"]
    assert table.raw[:, 0].tolist() == expected["hr"].tolist()
    assert table.ticks is not None
    assert table.ticks.tolist() == expected["datetime"].astype("datetime64[ns]").astype(np.int64).tolist()


def test_nine_axes_with_a_clock_in_seconds(shared_data: Path) -> None:
    file = shared_data / "ximu3_9axis" / "sensor_data.csv"
    expected = pd.read_csv(file)
    board = load_board_file(EXAMPLES / "ximu3.toml")
    found = parse_all(board, file.read_bytes())
    for number, name in enumerate(("gyroscope", "accelerometer", "magnetometer")):
        theirs = expected.iloc[:, 1 + 3 * number : 4 + 3 * number].to_numpy()
        np.testing.assert_allclose(found[name].raw, theirs, rtol=5e-16, atol=0)  # the last bit of its fast parser
        ticks = found[name].ticks
        assert ticks is not None
        assert ticks.tolist() == np.rint(expected["Time (s)"].to_numpy() * 1e9).astype(np.int64).tolist()
    assert explain(board, file.read_bytes(), whole=True).share_explained == 1.0


def test_all_thermal_files_with_their_failed_frames(shared_data: Path) -> None:
    board = load_board_file(EXAMPLES / "omron_d6t.toml")
    files = sorted((shared_data / "d6t_thermal_postures").rglob("*.csv"))
    valid = failed = 0
    for file in files:
        data = file.read_bytes()
        book = explain(board, data, whole=True)
        assert (book.share_explained, book.first_unexplained_offset) == (1.0, None)
        assert sum(book.buckets.values()) == len(data)
        expected = pd.read_csv(file, skiprows=1, skipinitialspace=True, on_bad_lines="skip")
        expected = expected[expected["CheckPEC"].notna()]
        found = parse_all(board, data)
        thermal, ambient = found["thermal"], found["ambient"]
        cells = expected[[f"T{index}" for index in range(1, 17)]].to_numpy(np.int64).reshape(-1, 4, 4)
        np.testing.assert_array_equal(thermal.raw, cells)
        np.testing.assert_array_equal(thermal.values, (cells * 0.1).astype(np.float32))
        np.testing.assert_array_equal(ambient.raw[:, 0], expected["TPTAT"].to_numpy(np.int64))
        np.testing.assert_array_equal(thermal.valid, expected["CheckPEC"].to_numpy() == 1)
        np.testing.assert_array_equal(ambient.valid, thermal.valid)
        assert thermal.ticks is not None
        delta = expected["Delta t from last measure in Miliseconds"].to_numpy(np.int64)
        np.testing.assert_array_equal(thermal.ticks.astype(np.int64), np.cumsum(delta))
        valid += int(thermal.valid.sum())
        failed += int((~thermal.valid).sum())
    assert len(files) == 151
    # 48,326 frames in all, of which 883 failed their checksum on the way from the sensor.
    assert (valid, failed, valid + failed) == (47443, 883, 48326)


def test_thermal_dates_may_be_the_clock(shared_data: Path) -> None:
    text = (EXAMPLES / "omron_d6t.toml").read_text()
    old = 'tick = { column = "Delta t from last measure in Miliseconds", unit = "ms", format = "delta" }'
    board = parse_board_file(text.replace(old, 'tick = { column = "Time Stamp", format = "date" }'))
    file = shared_data / "d6t_thermal_postures" / "Dataset" / "Data-Bedroom-Day7" / "Bedroom-Day7-B-6.csv"
    expected = pd.read_csv(file, skiprows=1, skipinitialspace=True, on_bad_lines="skip")
    dates = pd.to_datetime(expected["Time Stamp"].dropna(), format="%Y/%m/%d - %H:%M:%S")
    ticks = parse_all(board, file.read_bytes())["thermal"].ticks
    assert ticks is not None
    assert ticks.tolist() == dates.astype("datetime64[ns]").astype(np.int64).tolist()


def test_a_receiver_s_frames_value_by_value(shared_data: Path) -> None:
    data = (shared_data / "wire_ublox" / "pygpsdata-SF-calibration.log").read_bytes()
    board = load_board_file(EXAMPLES / "ublox_navigation.toml")
    found = parse_all(board, data)
    messages = ubx_frames(data)
    for name, (identity, fields) in UBX_FIELDS.items():
        expected = [message for _, message in messages if message.identity == identity]
        table = found[name]
        assert len(table.raw) == len(expected) == 527
        assert table.ticks is not None
        assert table.ticks.tolist() == [message.iTOW for message in expected]
        for column, field in enumerate(fields):
            unit = 1e-3 if table.stream.scale[column] == 1e-3 else 1.0
            ours = table.raw[:, column] * table.stream.scale[column]
            theirs = [getattr(message, field) * unit for message in expected]
            np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-9, err_msg=field)
    status = [message for _, message in messages if message.identity == "ESF-STATUS"]
    groups = [
        [getattr(message, f"{field}_{index:02}") for field in ("type", "used", "ready", "calibStatus", "freq")]
        for message in status for index in range(1, message.numSens + 1)
    ]  # fmt: skip
    assert found["fusion"].raw.tolist() == groups
    book = explain(board, data)
    assert (book.share_explained, book.first_unexplained_offset, book.frames) == (1.0, None, len(messages))


def test_repeated_measurements_of_one_type(shared_data: Path) -> None:
    data = (shared_data / "wire_ublox" / "pygpsdata-ESF.log").read_bytes()
    table = parse_all(load_board_file(EXAMPLES / "ublox_navigation.toml"), data)["gyroscope"]
    expected = []
    for raw, _ in ubx_frames(data):
        count = int.from_bytes(raw[10:12], "little") >> 11
        for index in range(count):
            word = int.from_bytes(raw[14 + 4 * index : 18 + 4 * index], "little")
            if word >> 24 & 63 == 5:
                expected.append((word & 0xFFFFFF) - ((word & 0x800000) << 1))
    assert expected
    assert table.raw[:, 0].tolist() == expected


@pytest.mark.parametrize("name", [
    "2023-4-17_82912_serial-COM3.ubx", "mon_span.ubx", "pygpsdata-ALL.log", "pygpsdata-BADCK2.log",
    "pygpsdata-BADEOF1.log", "pygpsdata-BADHDR.log", "pygpsdata-ESF.log", "pygpsdata-MIXED.log",
    "pygpsdata-SF-calibration.log", "ucenter-ZEDF9P-configdebug.log",
])  # fmt: skip
def test_every_receiver_log_passes_with_nothing_unaccounted(shared_data: Path, name: str) -> None:
    data = (shared_data / "wire_ublox" / name).read_bytes()
    board = load_board_file(EXAMPLES / "ublox_navigation.toml")
    whole, bytewise = board.dialect(), board.dialect()
    heard = hear(whole, [data])
    assert tables(hear(bytewise, cut(data, range(len(data))))) == tables(heard)
    assert dict(bytewise.books) == dict(whole.books)
    book = explain(board, data)
    assert sum(book.buckets.values()) == len(data)
    assert dict(book.buckets) == {kind: count for kind, count in whole.books.items() if count}
    explained = sum(count for kind, count in book.buckets.items() if kind in EXPLAINED)
    assert book.share_explained == explained / len(data)
    # Where only frames to the host are in the log, both readers find the same. The log of a terminal program also
    # holds the frames it sent (CFG-VALSET, 06 8a), which the other reader discards: 27 frames, 459 bytes.
    theirs = Counter(raw for raw, _ in ubx_frames(data))
    sent = 27 if name.startswith("2023") else 0
    assert book.frames == sum(theirs.values()) + sent
    if sent:
        assert data.count(b"\xb5\x62\x06\x8a") == sent
    if "BAD" in name:
        assert book.first_unexplained_offset is not None
        assert any(book.buckets.get(kind) for kind in ("bad_checksum", "torn_frame", "resync"))
