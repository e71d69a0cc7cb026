"""Real firmware in trouble: starved of readers, on too slow a line, killed; each loss is told and nobody stays."""

import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from firmware_bench import bench, count, emulators, gone, items, needs, on_every_kind, port, starve, until

from firmware_bridge.batch import Batch
from firmware_bridge.events import Gap, Log, Rebooted, Status
from firmware_bridge.firmware.kinds import KINDS
from firmware_bridge.transport import open_transport
from firmware_bridge.wire.messages import Kind, Message

pytestmark = [pytest.mark.firmware, pytest.mark.skipif(sys.platform == "win32", reason="Windows has no ptys")]


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "simavr"])
def test_a_host_that_stops_reading_finds_a_gap_as_large_as_the_board_says_it_dropped(kind: str) -> None:
    needs(kind)
    out: list = []
    with bench(port(kind), limit_bytes=4096) as bridge:
        until(bridge, out, lambda out: count(out) >= 100)
        bridge.send("b0", Message(Kind.GET_STATUS)).result(60)
        until(bridge, out, lambda out: bool(items(out, Status)))
        starve(bridge, out, 4.0)
        dropped = lambda: items(out, Status)[-1].fields["streams"]["imu"]["dropped"]  # noqa: E731
        missing = lambda: sum(gap.count or 0 for gap in items(out, Gap))  # noqa: E731
        books = lambda: bridge.boards()[0].books.total("imu")  # noqa: E731
        # A busy machine may lose more while it catches up, so that the board's word and the gaps meet a little later.
        until(bridge, out, lambda _: dropped() == missing() == books().board_dropped == books().missing > 0)
        end = items(out, Batch)[-1].end
        until(bridge, out, lambda _: items(out, Batch)[-1].end > end + 500)
        (state,) = bridge.boards()
    assert not state.books.closes()
    assert {state.books.buckets[name] for name in ("crc", "cobs", "short", "oversize")} == {0}


def test_a_line_without_flow_control_loses_bytes_that_nobody_reads_and_the_books_say_so() -> None:
    needs("simavr")
    out: list = []
    with bench("firmware://simavr?rate=1000&seed=3", limit_bytes=1024) as bridge:
        until(bridge, out, lambda out: count(out) >= 100)
        starve(bridge, out, 2.0)  # the terminal is full before that: a UART does not wait
        end = items(out, Gap)[-1].first + (items(out, Gap)[-1].count or 0)
        until(bridge, out, lambda out: items(out, Batch)[-1].end > end + 300)
    (state,) = bridge.boards()
    books = state.books.total("imu")
    assert (books.missing or 0) > 0
    assert not state.books.closes()


def test_a_line_that_is_too_slow_is_told_as_the_boards_own_overload() -> None:
    needs("simavr")
    out: list = []
    with bench("firmware://simavr?rate=1000&baud=115200") as bridge:
        until(bridge, out, lambda out: bool(items(out, Gap)))
        until(bridge, out, lambda out: any(s.fields["streams"]["imu"]["dropped"] > 100 for s in items(out, Status)))
        # Until the board's next word a loss is nobody's; then it is the board's own, and none of the link's.
        until(bridge, out, lambda _: bridge.boards()[0].books.total("imu").lost == 0)
    said = [log.text for log in items(out, Log)]
    assert any("samples found no room: the line is too slow for this rate" in text for text in said)
    (state,) = bridge.boards()
    assert state.books.total("imu").board_dropped > 0
    assert state.books.buckets["crc"] == 0


@on_every_kind
def test_an_emulator_that_is_killed_leaves_a_marked_gap_and_another_goes_on(kind: str) -> None:
    needs(kind)
    out: list = []
    with bench(port(kind)) as bridge:
        until(bridge, out, lambda out: count(out) >= 200)
        for process in emulators():
            process.kill()
        until(bridge, out, lambda out: bool(items(out, Rebooted)))
        until(bridge, out, lambda out: sum(len(b) for b in items(out, Batch) if b.boot == 1) >= 100)
    reasons = [arrival.data.decode() for arrival in out if arrival.kind == "close"]
    assert "the emulator was ended by signal 9" in reasons[0]
    rebooted = items(out, Rebooted)
    assert [(event.boot, event.inferred) for event in rebooted] == [(1, False)]
    after = [batch for batch in items(out, Batch) if batch.boot == 1]
    assert after[0].first == 0
    (state,) = bridge.boards()
    assert not state.books.closes()


@on_every_kind
def test_nothing_goes_on_running_when_the_bench_is_killed(kind: str, tmp_path: Path) -> None:
    needs(kind)
    capture = [sys.executable, "-m", "hil", "capture", port(kind), "--for", "600", "-o", str(tmp_path / "killed.mcap")]
    process = subprocess.Popen(capture, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    with process:
        for line in process.stderr:
            if " live " in line:
                break
        running = emulators(psutil.Process(process.pid))
        process.kill()
    assert running, "the bench had started nothing"
    assert gone(running)


@on_every_kind
def test_closing_the_port_ends_the_emulator(kind: str) -> None:
    needs(kind)
    transport = open_transport(port(kind))
    running = emulators()
    assert running
    transport.close()
    assert gone(running)
