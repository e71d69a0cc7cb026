"""What tests of the engine share: a board, what a screen asks, waiting for other threads, and a clock that has time."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from firmware_bridge.batch import Batch
from firmware_bridge.clock import SystemClock
from hil.capture import capture
from hil.config import EngineConfig, PortConfig
from hil.door.attach import Client
from hil.engine.engine import Engine
from hil.engine.summary import Summary
from hil.recording.reader import Recording
from hil.replay.redecode import Redecoder
from hil.views.snapshot import Snapshot
from hil.views.view import View

IMU = PortConfig(port="virtual://imu?seed=3&tx_buffer=100000000", role="imu")
"""A board that waits for its host, however long a busy machine stops it: it has room for hours."""
BENCH = EngineConfig(ports=(IMU,), classes=("squat", "press"), author="tester")
QUICK = View(envelopes=False, images=False)


class Unhurried(SystemClock):
    """Real time, except that what passes unseen does not count: between two looks at most a hundredth of a second.

    A bench looks many times in that. So a machine that is slow, or that stops the whole process for seconds, makes
    everything here late together, board and bench alike, and nothing that the bench does in time is late for the board.
    """

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()
        self._seen_ns = self._now_ns = super().now_ns()

    def now_ns(self) -> int:
        with self._lock:
            seen = super().now_ns()
            self._now_ns += min(seen - self._seen_ns, 10_000_000)
            self._seen_ns = seen
            return self._now_ns

    def sleep_until_ns(self, when_ns: int) -> None:
        while (left := when_ns - self.now_ns()) > 0:
            time.sleep(min(left / 1e9, 0.01))

    def wait_until_ns(self, when_ns: int, woken: threading.Event) -> None:
        while not woken.is_set() and (left := when_ns - self.now_ns()) > 0:
            woken.wait(min(left / 1e9, 0.01))


def until(wanted: Callable[[], bool], seconds: float = 90.0, told: Callable[[], object] = str) -> None:
    """Wait for something that other threads or processes bring about.

    Args:
        wanted: Whether it has come.
        seconds: Longest wait: no measure of anything, only the end of a test that would hang.
        told: What to say of how it stands when it has not come.
    """
    tick = threading.Event()
    for _ in range(int(seconds / 0.02)):
        if wanted():
            return
        tick.wait(0.02)
    pytest.fail(f"did not come within {seconds:g} s; {told()}")


def samples(engine: Engine | Client, role: str = "imu") -> int:
    return next(board.samples for board in engine.snapshot(QUICK).boards if board.role == role)


def captured(config: EngineConfig, least: int, **more: Any) -> Summary:
    """Capture until every board has brought so many samples, not for so long."""
    enough = threading.Event()

    def look(snapshot: Snapshot) -> None:
        if snapshot.boards and all(board.samples > least for board in snapshot.boards):
            enough.set()

    summary = capture(config, seconds=90.0, clock=Unhurried(), stop=enough, on_snapshot=look, **more)
    assert enough.is_set(), summary.lines()
    return summary


def derived(path: Path) -> list[tuple[object, ...]]:
    """What the raw bytes of a file give."""
    rows: list[tuple[object, ...]] = []
    with Recording(path) as recording:
        decoder = Redecoder(recording)
        while (arrival := decoder.next()) is not None:
            for item in arrival.items:
                if isinstance(item, Batch):
                    numbers = range(item.first, item.end)
                    rows += [(item.stream.name, item.boot, number) for number in numbers]
    return sorted(rows)


def written(path: Path) -> list[tuple[object, ...]]:
    """What the file itself holds."""
    rows: list[tuple[object, ...]] = []
    with Recording(path) as recording:
        for known in recording.streams():
            arrays = recording.read(known.board, known.stream.name)
            rows += [
                (known.stream.name, int(boot), int(number))
                for boot, number in zip(arrays.boot, arrays.numbers, strict=True)
            ]
    return sorted(rows)
