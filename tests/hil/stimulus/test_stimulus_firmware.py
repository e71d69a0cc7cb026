"""Real firmware takes recorded readings in place of its sensor's, in real time; none is late, lost or out of order."""

import os
import sys
from pathlib import Path

import numpy as np
import pytest

from firmware_bridge.firmware.kinds import can_start
from firmware_bridge.roles import parse_spec
from firmware_bridge.streams import Stream
from hil.stimulus.match import Match
from hil.stimulus.play import play
from hil.stimulus.readings import Readings, read_readings

pytestmark = [
    pytest.mark.firmware,
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="Windows has no ptys"),
]
WATCH = Path(__file__).resolve().parents[3] / "scenarios" / "recordings" / "watch-unseen-9.mcap"
SCALE = (2.44140625e-4,) * 3 + (1.06526443603e-3,) * 3
IMU = Stream("imu", ("ax", "ay", "az", "wx", "wy", "wz"), ("g",) * 3 + ("rad/s",) * 3, "<i2", (6,), 1000.0, scale=SCALE)


def needs(kind: str) -> None:
    if reason := can_start(kind):
        pytest.skip(reason)


def whole(match: Match, total: int) -> None:
    machine = f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores, round trip {match.round_trip_ms} ms"
    assert (match.returned, match.missing, match.out_of_order, match.differing) == (total, 0, 0, 0), machine
    assert match.starved == 0, machine


@pytest.mark.parametrize("kind", ["native", "qemu", "unicorn"])
def test_six_axes_at_1_khz_for_half_a_minute(kind: str) -> None:
    needs(kind)
    raw = np.random.default_rng(3).integers(-30_000, 30_000, (30_000, 6)).astype("<i2")
    given = [Readings(IMU, raw, 1_000_000 * np.arange(len(raw), dtype=np.int64))]
    whole(play(given, parse_spec(f"firmware://{kind}?rate=1000")).match, len(raw))


@pytest.mark.parametrize("port", ["native", "qemu", "unicorn", "simavr?baud=115200"])
def test_half_a_minute_of_a_real_watch_at_50_hz(port: str) -> None:
    needs(port.partition("?")[0])
    given = read_readings(WATCH, to_s=30.0)
    assert given[0].rate_hz == 50.0
    whole(play(given, parse_spec(f"firmware://{port}")).match, len(given[0].raw))
