"""What tests of the engine share: a board, what a screen asks, and waiting for other threads."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from firmware_bridge.batch import Batch
from hil.attach import Client
from hil.config import EngineConfig, PortConfig
from hil.engine import Engine
from hil.recording.reader import Recording
from hil.redecode import Redecoder
from hil.view import View

IMU = PortConfig(port="virtual://imu?seed=3", role="imu")
BENCH = EngineConfig(ports=(IMU,), classes=("squat", "press"), author="tester")
QUICK = View(envelopes=False, images=False)


def until(wanted: Callable[[], bool], seconds: float = 20.0) -> None:
    """Wait for something that other threads bring about."""
    tick = threading.Event()
    for _ in range(int(seconds / 0.02)):
        if wanted():
            return
        tick.wait(0.02)
    pytest.fail(f"did not come within {seconds:g} s")


def samples(engine: Engine | Client, role: str = "imu") -> int:
    return next(board.samples for board in engine.snapshot(QUICK).boards if board.role == role)


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
