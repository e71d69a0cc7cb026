"""Real firmware behind `firmware://` is a port like any other: streamed, starved of readers, killed, injected."""

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
from firmware_bench import bench, count, emulators, gone, items, needs, on_every_kind, until
from firmware_core import reading

from firmware_bridge.batch import Batch
from firmware_bridge.errors import MissingPart, PortLost, UsageError
from firmware_bridge.events import ClockReading, Connected, Gap, Log, Rebooted, Reply, Status
from firmware_bridge.firmware import build, kinds
from firmware_bridge.firmware.kinds import KINDS, can_start, startable
from firmware_bridge.transport import open_transport
from firmware_bridge.wire.messages import Kind, Message

pytestmark = [pytest.mark.firmware, pytest.mark.skipif(sys.platform == "win32", reason="Windows has no ptys")]

USUAL = {"native": "rate=1000", "qemu": "rate=1000", "simavr": "rate=400&baud=115200",
         "unicorn": "rate=1000"}  # fmt: skip
"""The stream that every kind must hold."""


def port(kind: str, more: str = "") -> str:
    bare, _, own = kind.partition("?")
    return f"firmware://{bare}/imu6?{USUAL[bare]}&seed=3{more}" + (f"&{own}" if own else "")


def usual_rate(kind: str) -> float:
    return float(USUAL[kind.partition("?")[0]].partition("rate=")[2].partition("&")[0])


# ------------------------------------------------------------------ streaming


@on_every_kind
def test_a_board_streams_at_its_rate_and_every_sample_is_accounted_for(kind: str) -> None:
    needs(kind)
    out: list = []
    rate = usual_rate(kind)
    with bench(port(kind)) as bridge:
        until(bridge, out, lambda out: count(out) >= 3 * rate)
        (state,) = bridge.boards()
    out += bridge.take(0.0)
    batches = items(out, Batch)
    numbers = np.concatenate([np.arange(batch.first, batch.end) for batch in batches])
    assert numbers.tolist() == list(range(len(numbers)))
    ticks = np.concatenate([batch.ticks for batch in batches])
    assert (len(ticks) - 1) / (ticks[-1] - ticks[0]) * 1e6 == pytest.approx(rate, rel=1e-4)  # by the board's clock
    (final,) = bridge.boards()
    assert not final.books.closes()
    assert final.books.total("imu").missing == 0
    assert {name: size for name, size in final.books.buckets.items() if size and name not in ("frames", "torn")} == {}
    assert len(items(out, ClockReading)) >= 10
    assert state.clock.drift_low < 2000  # ppm: by our clock the rate is right to 0.2 %,
    assert state.clock.drift_high > -2000  # as far as three seconds can tell


@pytest.mark.slow
@on_every_kind
def test_for_a_minute_the_rate_is_right_to_a_fifth_of_a_percent_and_nothing_is_unaccounted(kind: str) -> None:
    needs(kind)
    out: list = []
    rate = usual_rate(kind)
    with bench(port(kind)) as bridge:
        until(bridge, out, lambda out: count(out) >= 60 * rate, 90)
        (state,) = bridge.boards()
    batches = items(out, Batch)
    arrived = [arrival.t_ns for arrival in out for item in arrival.items if isinstance(item, Batch)]
    within = sum(len(batch) for batch in batches[1:])
    assert within / (arrived[-1] - arrived[0]) * 1e9 == pytest.approx(rate, rel=0.002)
    assert abs(state.clock.drift_ppm) < 2000
    books = state.books.total("imu")
    assert (books.missing, books.board_dropped, state.books.buckets["crc"]) == (0, 0, 0)


@pytest.mark.slow
def test_four_boards_on_qemu_at_once_hold_1_khz_with_nothing_lost() -> None:
    needs("qemu")
    out: list = []
    ports = [f"firmware://qemu?rate=1000&seed={seed}" for seed in range(4)]
    with bench(*ports) as bridge:
        until(bridge, out, lambda out: min(count(out, f"b{k}") for k in range(4)) >= 10_000, 60)
        states = bridge.boards()
    for k, state in enumerate(states):
        ticks = np.concatenate([batch.ticks for batch in items(out, Batch, f"b{k}")])
        assert (len(ticks) - 1) / (ticks[-1] - ticks[0]) * 1e6 == pytest.approx(1000, rel=1e-4)
        assert abs(state.clock.drift_ppm) < 2000
        assert state.books.total("imu").missing == 0


def test_the_description_says_what_was_asked_for() -> None:
    needs("native")
    out: list = []
    with bench("firmware://native?board=imu6&rate=123.5&seed=9&serial=A%22B") as bridge:
        until(bridge, out, lambda out: bool(items(out, Connected)))
    info = items(out, Connected)[0].info
    assert (info.model, info.serial, info.extra["seed"]) == ("hil-imu6", 'A"B', 9)
    assert info.streams[0].rate_hz == 123.5


@on_every_kind
def test_every_reading_is_what_the_same_c_says_on_this_machine_for_its_number_and_tick(kind: str) -> None:
    """A foreign core, its compiler, the stuffing and the checksums in between: to the last bit."""
    needs(kind)
    out: list = []
    with bench(port(kind)) as bridge:
        until(bridge, out, lambda out: count(out) >= 300)
    for batch in items(out, Batch):
        expected = [reading(3, batch.first + k, int(tick)) for k, tick in enumerate(batch.ticks)]
        assert batch.raw.tolist() == expected


# ------------------------------------------------------------------ trouble


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "simavr"])
def test_a_host_that_stops_reading_finds_a_gap_as_large_as_the_board_says_it_dropped(kind: str) -> None:
    needs(kind)
    out: list = []
    with bench(port(kind), limit_bytes=4096) as bridge:
        until(bridge, out, lambda out: count(out) >= 100)
        bridge.send("b0", Message(Kind.GET_STATUS)).result(2)
        until(bridge, out, lambda out: bool(items(out, Status)))
        time.sleep(4.0)  # the queue is full, so the link stops reading: this is the very thing under test
        until(bridge, out, lambda out: bool(items(out, Gap)), 5.0)
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
        time.sleep(2.0)  # the terminal is full before that: a UART does not wait
        until(bridge, out, lambda out: bool(items(out, Gap)))
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


@pytest.mark.slow
def test_an_atmega_streams_1_khz_at_500000_baud_for_a_minute() -> None:
    needs("simavr")
    out: list = []
    with bench("firmware://simavr?rate=1000&baud=500000") as bridge:
        until(bridge, out, lambda out: count(out) >= 60_000, 90)
        (state,) = bridge.boards()
    arrived = [arrival.t_ns for arrival in out for item in arrival.items if isinstance(item, Batch)]
    within = sum(len(batch) for batch in items(out, Batch)[1:])
    assert within / (arrived[-1] - arrived[0]) * 1e9 == pytest.approx(1000, rel=0.002)
    assert state.books.total("imu").missing == 0


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
    capture = [sys.executable, "-m", "hil", "capture", port(kind), "--for", "60", "-o", str(tmp_path / "killed.mcap")]
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
    assert gone(running, 0.0)


# ------------------------------------------------------------------ injection


@pytest.mark.parametrize("kind", [*KINDS, "qemu?cpu=m4f", "qemu?cpu=m7"])
def test_injected_samples_come_back_one_to_one(kind: str) -> None:
    needs(kind)
    stimulus = np.random.default_rng(5).integers(-30000, 30000, (round(1.5 * usual_rate(kind)), 6)).astype("<i2")
    out: list = []
    with bench(port(kind)) as bridge:
        until(bridge, out, lambda out: count(out) >= 20)
        bridge.send("b0", Message(Kind.START, {"nonce": 77, "streams": 0, "injected": 1})).result(2)
        credit = lambda: max((r.fields["total"] for r in items(out, Reply) if r.kind == "CREDIT"), default=0)  # noqa: E731
        sent, n = 0, 5
        while sent < len(stimulus):
            until(bridge, out, lambda _: credit() >= sent + n)  # noqa: B023
            part = stimulus[sent : sent + n]
            bridge.send("b0", Message(Kind.INJECT, {"stream": 0, "n": len(part), "first": sent}, part.tobytes()))
            sent += len(part)
        back = lambda: sum(len(b) for b in items(out, Batch) if b.boot == 1)  # noqa: E731
        row = lambda: items(out, Status)[-1].fields["streams"]["imu"]  # noqa: E731

        def all_consumed() -> bool:
            """What a board has not consumed when it is told to stop never comes back."""
            bridge.send("b0", Message(Kind.GET_STATUS)).result(2)
            return bool(items(out, Status)) and row()["consumed"] == len(stimulus)

        until(bridge, out, lambda _: back() >= len(stimulus) - 10 and all_consumed())
        bridge.send("b0", Message(Kind.STOP)).result(2)
        bridge.send("b0", Message(Kind.GET_STATUS)).result(2)
        until(bridge, out, lambda _: back() == len(stimulus) == row()["consumed"])
    batches = [batch for batch in items(out, Batch) if batch.boot == 1]
    assert np.concatenate([np.arange(b.first, b.end) for b in batches]).tolist() == list(range(len(stimulus)))
    assert (np.concatenate([batch.raw for batch in batches]) == stimulus).all()
    assert [reply.kind for reply in items(out, Reply) if reply.kind == "NAK"] == []
    assert row()["dropped"] == 0


# ------------------------------------------------------------------ what is said


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("firmware://natve", "did you mean native"),
        ("firmware://native/imu7", "use one of imu6"),
        ("firmware://qemu?cpu=m5", "use one of m3, m4f, m7"),
        ("firmware://qemu?sensor=tmp106", "use one of none, tmp105, lsm303dlhc_mag"),
        ("firmware://unicorn?cpu=m7", "cpu is no parameter"),
        ("firmware://native?sed=1", "did you mean seed"),
        ("firmware://native?rate=fast", "not a number"),
        ("firmware://native/imu6?board=imu6&board=imu6", "given twice"),
        ("firmware://native?serial=" + "x" * 24, "23 characters"),
        ("firmware://native?speaks=english", "use one of native, dut"),
        ("firmware://qemu?speaks=dut", "speaks"),
    ],
)
def test_what_cannot_be_meant_is_told_in_a_sentence(asked: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        open_transport(asked)


def test_a_missing_compiler_gives_one_sentence_with_what_to_type(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("HIL_CACHE_DIR", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(build, "has_zig", lambda: False)
    said = r"firmware://native: gcc is not installed, and neither is zig; apt-get install gcc \(or pip install"
    with pytest.raises(MissingPart, match=said):
        open_transport("firmware://native")
    assert can_start("native") == can_start("firmware://native/imu6?seed=1") == str(kinds.lacking(KINDS["native"]))
    assert "native" not in startable()


def test_a_firmware_that_ends_at_once_says_why(monkeypatch, tmp_path) -> None:
    from firmware_bridge.firmware import start

    program = tmp_path / "broken"
    program.write_text("#!/bin/sh\necho 'no pseudo terminal can be opened: too many' >&2\nexit 3\n")
    program.chmod(0o755)
    monkeypatch.setattr(start, "built", lambda _: program)
    with pytest.raises(PortLost, match="exit code 3 and said `no pseudo terminal can be opened: too many`"):
        open_transport("firmware://native")


@on_every_kind
def test_a_board_that_samples_slowly_wakes_for_every_sample(kind: str) -> None:
    """Not for several together: half of the samples of two seconds are sent when they are due, however busy we are."""
    needs(kind)
    out: list = []
    with bench(f"firmware://{kind}?rate=50") as bridge:
        until(bridge, out, lambda out: count(out) >= 100)
    sent = [(arrival.t_ns, item) for arrival in out for item in arrival.items if isinstance(item, Batch)]
    late = np.array([t_ns - int(batch.ticks[-1]) * 1000 for t_ns, batch in sent])
    assert len(sent) >= 50
    assert np.median(late - late.min()) < 200e6
