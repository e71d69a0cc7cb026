"""A recording is a board like any other: virtual://replay speaks it again, value by value and gap by gap."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from firmware_bridge.batch import Batch
from firmware_bridge.errors import FileError, UsageError
from firmware_bridge.events import Arrival, Gap, Log, Mark
from firmware_bridge.streams import BoardInfo, Stream
from firmware_bridge.virtual.board import VirtualBoard
from firmware_bridge.virtual.boards import make_board
from firmware_bridge.wire.dialect import DialectSpec
from firmware_bridge.wire.dialects import make_dialect
from firmware_bridge.wire.messages import Kind, Message
from firmware_bridge.wire.native import NativeDialect
from firmware_bridge.wire.protocol import Session
from hil.recording.header import BoardSetup, Header
from hil.recording.writer import RecordingWriter
from hil.virtual.replay import make

T0 = 1_700_000_000_000_000_000
NONCE = 99


def listen(
    board: VirtualBoard, seconds: float, dialect: str = "native", lose: range = range(0), reset_at_s: float = -1
) -> list[Arrival]:
    """Return the arrivals of a host that listens for a while; it misses the reads numbered in `lose`."""
    session = Session("dut", make_dialect(DialectSpec(dialect)), nonce=NONCE)
    out: list[Arrival] = []
    now = T0
    board.receive(b"", now)

    def arrive(kind: str, data: bytes) -> None:
        out.append(session.apply(Arrival("dut", len(out), now, kind, data)))

    arrive("open", b"virtual://")
    reads = 0
    for _ in range(round(seconds * 100)):
        say, _ = session.due(now)
        if 0 <= reset_at_s <= (now - T0) / 1e9:
            say, reset_at_s = say + NativeDialect().send(Message(Kind.RESET)), -1
        if say:
            arrive("tx", say)
            board.receive(say, now)
        now += 10_000_000
        if data := board.poll(now):
            reads += 1
            if reads not in lose:
                arrive("rx", data)
    arrive("close", b"the test is over")
    return out


def record(path: Path, arrivals: list[Arrival], dialect: str | None = "native", marks: tuple[Mark, ...] = ()) -> Path:
    setup = BoardSetup("dut", "virtual://", DialectSpec(dialect) if dialect else None, NONCE)
    writer = RecordingWriter(path, Header(T0, (setup,)))
    for arrival in arrivals:
        writer.write(arrival)
    for mark in marks:
        writer.mark(mark)
    writer.close()
    return path


def batches(arrivals: list[Arrival]) -> list[Batch]:
    return [item for arrival in arrivals for item in arrival.items if isinstance(item, Batch)]


def columns(arrivals: list[Arrival]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Numbers, ticks and raw values of the first stream."""
    found = [one for one in batches(arrivals) if one.stream.name == batches(arrivals)[0].stream.name]
    return (
        np.concatenate([one.first + np.arange(len(one)) for one in found]),
        np.concatenate([one.ticks for one in found]),
        np.concatenate([one.raw for one in found]),
    )


def replayed(path: Path, seconds: float, dialect: str = "native", **params: str) -> list[Arrival]:
    return listen(make({"file": str(path), **params}), seconds, dialect)


@pytest.mark.parametrize("board", ["watch", "ppg", "thermal?size=24x32"])
def test_a_native_board_says_again_what_it_said(tmp_path: Path, board: str) -> None:
    name, _, query = board.partition("?")
    params = dict([query.split("=")]) if query else {}
    told = listen(make_board(name, {"seed": "4", "serial": "W-17", **params}), 4.0)
    path = record(tmp_path / "a.mcap", told)
    again = replayed(path, 5.0)
    numbers, ticks, raw = columns(told)
    numbers2, ticks2, raw2 = columns(again)
    assert np.array_equal(numbers2, numbers)
    assert np.array_equal(raw2, raw)
    assert np.array_equal(np.diff(ticks2), np.diff(ticks))
    before, after = (next(item.info for a in x for item in a.items if hasattr(item, "info")) for x in (told, again))
    assert (after.model, after.serial, after.streams) == (before.model, "W-17", before.streams)


def test_what_was_lost_then_is_missing_again_and_the_board_says_so(tmp_path: Path) -> None:
    told = listen(make_board("imu", {}), 3.0, lose=range(100, 120))
    gap = next(item for arrival in told for item in arrival.items if isinstance(item, Gap))
    path = record(tmp_path / "a.mcap", told)
    again = replayed(path, 5.0)
    numbers, _, raw = columns(told)
    numbers2, _, raw2 = columns(again)
    assert gap.count
    assert np.array_equal(numbers2, numbers)
    assert np.array_equal(raw2, raw)
    books = again[-1].books.streams["imu", 0]
    assert books.board_dropped == gap.count
    assert again[-1].books.closes() == []


def test_after_a_reboot_numbers_go_on_and_the_pause_is_kept(tmp_path: Path) -> None:
    told = listen(make_board("ppg", {"boot_ms": "500"}), 6.0, reset_at_s=3.0)
    assert {one.boot for one in batches(told)} == {0, 1}
    again = replayed(record(tmp_path / "a.mcap", told), 8.0)
    numbers, ticks, raw = columns(again)
    assert np.array_equal(raw, columns(told)[2])
    assert numbers.tolist() == list(range(len(numbers)))
    assert 400_000 < np.diff(ticks).max() < 1_500_000


def test_labels_are_logged_at_the_sample_where_they_begin(tmp_path: Path) -> None:
    told = listen(make_board("ppg", {}), 4.0)
    marks = (Mark("dut", T0 + 10**9, "REST", "start"), Mark("dut", T0 + 2 * 10**9, "REST", "stop"),
             Mark("", T0 + 3 * 10**9, "RUN", "start"))  # fmt: skip
    again = replayed(record(tmp_path / "a.mcap", told, marks=marks), 5.0)
    said = [item.text for arrival in again for item in arrival.items if isinstance(item, Log)]
    assert said == ["label: REST", "label: none", "label: RUN"]


def test_a_recording_can_be_cut_hurried_and_looped(tmp_path: Path) -> None:
    told = listen(make_board("ppg", {}), 4.0)
    path = record(tmp_path / "a.mcap", told)
    whole = columns(told)[2]
    cut = columns(replayed(path, 3.0, from_s="1", to_s="2"))
    start = next(at for at in (99, 100, 101) if np.array_equal(whole[at], cut[2][0]))  # cut by the fitted time
    assert cut[0].tolist() == list(range(100))
    assert np.array_equal(cut[2], whole[start : start + 100])
    fast = columns(replayed(path, 1.0, speed="10"))
    assert np.array_equal(fast[2], whole)
    looped = columns(replayed(path, 3.5, from_s="1", to_s="2", loop="1", pause_s="0"))
    assert np.array_equal(looped[2][:300], np.concatenate([whole[start : start + 100]] * 3))
    assert looped[0].tolist() == list(range(len(looped[0])))
    assert set(np.diff(looped[1])) == {10_000}


@pytest.mark.parametrize("kind", ["csv", "json"])
def test_a_board_that_only_prints_sends_its_bytes_again_at_their_times(tmp_path: Path, kind: str) -> None:
    told = listen(make_board("text", {"format": kind, "rate": "50"}), 5.0, "auto")
    path = record(tmp_path / "a.mcap", told, "auto")
    again = replayed(path, 6.0, "auto")
    assert b"".join(a.data for a in again if a.kind == "rx") == b"".join(a.data for a in told if a.kind == "rx")
    assert np.array_equal(columns(again)[2], columns(told)[2])
    arrived = [a.t_ns for a in again if a.kind == "rx"]
    assert (arrived[-1] - arrived[0]) / 1e9 == pytest.approx(4.99, abs=0.03)
    looped = replayed(path, 12.0, "auto", loop="1", pause_s="0.5")
    assert len(columns(looped)[2]) > 2 * len(columns(told)[2])


def test_imported_readings_become_a_native_board(tmp_path: Path) -> None:
    stream = Stream("adc", ("u", "i"), ("V", "A"), "<f4", (2,), 100.0, tick_hz=None, counted=False)
    raw = np.random.default_rng(1).normal(size=(300, 2)).astype("<f4")
    t_ns = T0 + np.arange(300) * 10_000_000
    entry = Arrival("dut", 0, int(t_ns[-1]), "note", items=(Batch("dut", stream, 0, 0, t_ns, t_ns, raw),))
    again = replayed(record(tmp_path / "a.mcap", [entry], dialect=None), 4.0)
    assert np.array_equal(columns(again)[2], raw)
    assert set(np.diff(columns(again)[1])) == {10_000}


@pytest.mark.parametrize(
    ("params", "word"),
    [({}, "file=NAME"), ({"board": "left"}, "choose board= one of dut"), ({"fil": "x"}, "did you mean file"),
     ({"from_s": "100"}, "no samples there")],
)  # fmt: skip
def test_what_cannot_be_replayed_is_said_in_a_sentence(tmp_path: Path, params: Mapping[str, str], word: str) -> None:
    path = record(tmp_path / "a.mcap", listen(make_board("ppg", {}), 1.0))
    given = {**({"file": str(path)} if params else {}), **params}
    with pytest.raises(UsageError, match=word):
        make(given)


def test_a_file_that_is_no_recording_is_said_so(tmp_path: Path) -> None:
    path = tmp_path / "a.mcap"
    path.write_bytes(b"hello")
    with pytest.raises(FileError):
        make({"file": str(path)})
    with pytest.raises(FileError):
        make({"file": str(tmp_path / "none.mcap")})


def test_info_of_a_replay_says_that_it_is_one(tmp_path: Path) -> None:
    again = replayed(record(tmp_path / "a.mcap", listen(make_board("ppg", {}), 1.0)), 1.0)
    info = next(item.info for arrival in again for item in arrival.items if hasattr(item, "info"))
    assert isinstance(info, BoardInfo)
    assert info.extra["replayed"] is True
