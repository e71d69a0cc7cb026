"""A thread per board that reads, publishes, reconnects, and always ends when asked."""

import gc
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from bench_parts import CountingSession, PtyBoard, ScriptedTransport, ScriptedWay

from firmware_bridge.clock import SystemClock
from firmware_bridge.errors import NoAnswer, PortBusy, PortMissing
from firmware_bridge.events import Arrival
from firmware_bridge.intake import Intake
from firmware_bridge.link import Link
from firmware_bridge.plan import Plan
from firmware_bridge.way import Way

HELLO = b"I am watch 0007;"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HIL_LOCK_DIR", str(tmp_path / "locks"))


class Taking:
    """A link into an intake, and everything that came out of it."""

    def __init__(self, port: str, limit_bytes: int = 64 << 20) -> None:
        self.clock = SystemClock()
        self.intake = Intake(limit_bytes)
        self.link = Link(Way(port, self.clock), Plan("watch", CountingSession, lambda _: "watch"), self.clock,
                         self.intake.put)  # fmt: skip
        self.out: list[Arrival] = []

    def until(self, good: Callable[[], bool]) -> None:
        """Take until something holds; a minute at most, for a machine that is busy or stands still for a while."""
        end = time.monotonic() + 60.0
        while not good():
            assert time.monotonic() < end, f"{self.link.state}, {len(self.out)} arrivals"
            self.out += self.intake.take(0.02)

    @property
    def received(self) -> bytes:
        return b"".join(arrival.data for arrival in self.out if arrival.kind == "rx")

    def stop(self) -> bool:
        self.intake.close()
        ended = self.link.stop(60.0)
        self.out += self.intake.take(0.0)
        return ended


@pytest.fixture
def board(tmp_path: Path) -> Iterator[PtyBoard]:
    board = PtyBoard(tmp_path).plug()
    yield board
    if board.master >= 0:
        board.unplug()


@pytest.mark.pty
def test_a_link_reads_sends_and_stops(board: PtyBoard) -> None:
    taking = Taking(board.port)
    taking.link.start()
    board.say(HELLO)
    taking.until(lambda: taking.received == HELLO)
    assert taking.link.state.state == "live"
    assert taking.link.info is not None
    assert taking.link.send("rate 100").result(60) == b"rate 100\n"
    assert board.heard() == b"rate 100\n"
    assert taking.stop()
    assert taking.link.ended
    assert [arrival.kind for arrival in taking.out] == ["open", "note", "rx", "tx", "close"]
    assert taking.link.books == len(HELLO)
    with pytest.raises(NoAnswer, match="closed"):
        taking.link.send("late").result(1)


@pytest.mark.pty
def test_two_links_cannot_have_one_port(board: PtyBoard) -> None:
    first, second = Taking(board.port), Taking(board.port)
    first.link.start()
    with pytest.raises(PortBusy, match=f"pid {os.getpid()}"):
        second.link.start()
    assert second.stop()
    assert first.stop()
    third = Taking(board.port)
    third.link.start()
    assert third.stop()


def test_a_port_that_cannot_be_opened_raises_at_the_start_or_is_tried_again(tmp_path: Path) -> None:
    port = str(tmp_path / "ttyBOARD")
    with pytest.raises(PortMissing):
        Taking(port).link.start()
    taking = Taking(port)
    taking.link.start(patient=True)
    taking.until(lambda: taking.link.state.tries > 0)
    assert taking.link.state.state == "waiting"  # nothing is lost that was never there
    assert "no such port" in taking.link.state.reason
    board = PtyBoard(tmp_path).plug()
    taking.until(lambda: taking.link.state.state == "identifying")
    assert taking.stop()
    board.unplug()


def test_stopping_returns_even_if_a_driver_never_does() -> None:
    held, release = threading.Event(), threading.Event()

    class Stuck(ScriptedTransport):
        def read(self, max_wait_s: float) -> bytes:
            held.set()
            release.wait()
            return b""

    way = ScriptedWay([Stuck([])])
    link = Link(way, Plan("watch", CountingSession, lambda _: "watch"), SystemClock(), Intake().put)  # type: ignore[arg-type]
    link.start()
    assert held.wait(60)
    assert not link.stop(timeout_s=0.2)  # it comes back while the driver is held
    assert "its driver has not returned" in link.state.reason
    release.set()
    assert link.stop(timeout_s=60.0)


def test_an_error_of_the_program_ends_the_link_and_is_kept() -> None:
    way = ScriptedWay([ScriptedTransport([b"bytes"])])
    link = Link(way, Plan("watch", CountingSession, lambda _: "watch"), SystemClock(), Intake().put)  # type: ignore[arg-type]
    link._turn.session.apply = lambda arrival: 1 // 0 if arrival.kind == "rx" else arrival  # type: ignore[assignment, method-assign, return-value]
    link.start()
    link._thread.join(60)
    assert isinstance(link.failure, ZeroDivisionError)
    assert link.ended
    assert way.opened[0].closed


@pytest.mark.pty
def test_a_full_queue_stops_reading_and_loses_nothing(board: PtyBoard) -> None:
    taking = Taking(board.port, limit_bytes=1)
    taking.link.start()
    sent = b""
    for index in range(20):
        part = f"{index:04d}".encode() * 8
        board.say(part)
        sent += part
    board.say(HELLO)
    while not taking.intake.holding:
        os.sched_yield()
    assert taking.intake.fill_bytes < 20_000
    taking.until(lambda: HELLO in taking.received)
    assert taking.received == sent + HELLO
    assert taking.intake.most_bytes < 20_000
    assert any(arrival.kind == "stall" for arrival in taking.out)
    assert taking.stop()


def held() -> tuple[int, int]:
    """Descriptors and threads of this process, the fewest of some looks (a retry opens some for a moment)."""
    gc.collect()
    return min(len(os.listdir("/proc/self/fd")) for _ in range(20)), threading.active_count()


def cycles(tmp_path: Path, count: int) -> None:
    """Unplug and replug a board under one link; then nothing may be left over and the books must agree."""
    board = PtyBoard(tmp_path).plug()
    taking = Taking(board.port)
    taking.link.start()
    sent = 0
    before: tuple[int, int] | None = None
    for cycle in range(count):
        taking.until(lambda: taking.link.state.state == "identifying")
        part = HELLO + bytes([cycle % 256]) * (cycle % 700)
        board.say(part)
        sent += len(part)
        taking.until(lambda: taking.link.books == sent)  # noqa: B023
        board.unplug()
        taking.until(lambda: taking.link.state.state == "lost")
        if cycle == 9:
            before = held()
        taking.out = [a for a in taking.out if a.kind != "rx"][-20:]  # keep what is looked at below, not the bytes
        taking.link._turn.session.applied.clear()  # type: ignore[attr-defined]
        board.plug()
        taking.link.retry()
    board.unplug()
    taking.until(lambda: taking.link.state.state == "lost")
    assert before is not None
    # Others in this process begin and end things meanwhile; a leak would be one for each cycle.
    taking.until(lambda: all(now <= then + 5 for now, then in zip(held(), before, strict=True)))
    assert taking.stop()
    assert taking.link.books == sent


@pytest.mark.pty
@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts descriptors in /proc")
def test_fifty_unplug_and_replug_cycles_leave_nothing_behind_and_the_books_agree(tmp_path: Path) -> None:
    cycles(tmp_path, 50)


@pytest.mark.pty
@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts descriptors in /proc")
def test_a_thousand_cycles_leak_no_memory_either(tmp_path: Path) -> None:
    import psutil

    cycles(tmp_path, 100)
    gc.collect()
    began = psutil.Process().memory_info().rss
    cycles(tmp_path, 1000)
    gc.collect()
    grown = psutil.Process().memory_info().rss - began
    print(f"1,000 cycles: {grown / 1024:.0f} KiB grown")
    assert grown < 2 << 20
