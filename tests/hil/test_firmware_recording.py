"""A recording outlives the board: real firmware is killed while it is recorded, and another goes on."""

import sys
import threading
from pathlib import Path

import numpy as np
import psutil
import pytest

from firmware_bridge.events import Connected, Disconnected, Rebooted
from firmware_bridge.firmware.kinds import can_start
from hil.capture import capture
from hil.config import EngineConfig, PortConfig, RecordConfig
from hil.models.verify import verify
from hil.recording.reader import Recording
from hil.views.snapshot import Snapshot

pytestmark = [
    pytest.mark.firmware,
    pytest.mark.skipif(sys.platform == "win32", reason="Windows has no ptys"),
    pytest.mark.skipif(bool(can_start("qemu")), reason=can_start("qemu")),
]


def test_a_recording_goes_on_when_the_emulator_is_killed_and_says_what_happened(tmp_path: Path) -> None:
    stop, killed = threading.Event(), threading.Event()
    again: list[int] = []  # how many samples there were when the other board was first seen

    def watch(snapshot: Snapshot) -> None:
        (board,) = snapshot.boards
        if not killed.is_set() and board.samples > 100:
            killed.set()
            for process in psutil.Process().children(recursive=True):
                process.kill()
        elif killed.is_set() and board.boot == 1 and board.state == "live":
            again.append(board.samples)
            if board.samples > again[0] + 100:
                stop.set()

    path = tmp_path / "killed.mcap"
    ports = (PortConfig(port="watch=firmware://qemu?rate=200"),)
    summary = capture(
        EngineConfig(ports=ports, record=RecordConfig(path=str(path))), seconds=120.0, stop=stop, on_snapshot=watch
    )
    assert stop.is_set(), "no other board went on within two minutes"
    assert summary.closes
    with Recording(path) as recording:
        told = [event for event in recording.events() if isinstance(event, Connected | Disconnected | Rebooted)]
        imu = recording.read("watch", "imu")
        assert recording.lost is None
    assert [type(event) for event in told][:2] == [Connected, Disconnected]
    assert [(event.boot, event.inferred) for event in told if isinstance(event, Rebooted)] == [(1, False)]
    assert "was ended by signal 9" in next(event.reason for event in told if isinstance(event, Disconnected))
    for boot in (0, 1):
        numbers = imu.numbers[imu.boot == boot]
        assert numbers.tolist() == list(range(len(numbers)))
        assert len(numbers) > 100
    assert len(imu.segments) == 2
    assert np.all(np.diff(imu.t_ns) >= 0)
    assert verify(path).verdict == "reproduced"
