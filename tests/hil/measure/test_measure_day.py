"""A day of an inertial sensor: bounded memory and time, in a process of its own."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from measured import T0, stream

from firmware_bridge.batch import Batch
from firmware_bridge.events import Arrival, Connected
from firmware_bridge.streams import BoardInfo
from hil.recording.header import BoardSetup, Header
from hil.recording.writer import RecordingWriter

RATE = 100.0
PIECE = 20_000
MEASURE = """
import json, resource, sys, time
start = time.perf_counter()
from hil.measure import measure
made = measure(sys.argv[1])
took = time.perf_counter() - start
if sys.platform == "linux":  # what the system says of a child holds the peak of the process that started it
    peak = int(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM"))) * 1024
else:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
density = made["stream.imu.imu.ay.noise_density"].as_dict()
print(json.dumps({"took_s": took, "peak_mb": peak / 1e6, "density": density, "figures": len(made)}))
"""


def day(path: Path, hours: float) -> Path:
    """Write a sensor at rest: 100 ug and 5 mdps per root hertz, one-sided."""
    bits = (8 / 32768,) * 3 + (np.radians(2000) / 32768,) * 3
    what = stream("imu", ["ax", "ay", "az", "wx", "wy", "wz"], ["g"] * 3 + ["rad/s"] * 3, RATE, "<i2", bits)
    rng = np.random.default_rng(1)
    white = (np.array([100e-6] * 3 + [np.radians(5e-3)] * 3) * np.sqrt(RATE / 2) / bits).astype(np.float32)
    level = np.array([0, 0, 1 / bits[2], 0, 0, 0], np.float32)
    writer = RecordingWriter(path, Header(T0, (BoardSetup("imu"),), versions={}, environment={}))
    info = BoardInfo("simulated", "1", "", (what,), "native")
    writer.write(Arrival("imu", 0, T0, "note", b"", (Connected("imu", T0, info, 0),)))
    n = round(hours * 3600 * RATE)
    for seq, first in enumerate(range(0, n, PIECE), 1):
        numbers = np.arange(first, min(first + PIECE, n))
        t_ns = T0 + numbers * round(1e9 / RATE)
        drawn = rng.standard_normal((len(numbers), 6), dtype=np.float32) * white + level
        raw = np.rint(drawn).astype("<i2")
        raw.flags.writeable = False
        batch = Batch("imu", what, 0, first, numbers * 10_000, t_ns, raw)
        writer.write(Arrival("imu", seq, int(t_ns[-1]), "note", b"", (batch,)))
    writer.close()
    return path


def run(path: Path) -> dict[str, float]:
    done = subprocess.run([sys.executable, "-c", MEASURE, str(path)], capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout))


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_day_of_six_axes_stays_below_600_megabytes_and_two_minutes(tmp_path: Path) -> None:
    found = run(day(tmp_path / "day.mcap", 24.0))
    print(found)
    assert found["peak_mb"] < 600
    assert found["took_s"] < 120
    density = found["density"]
    assert density["low"] <= 1.002e-4  # type: ignore[index]
    assert density["high"] >= 0.998e-4  # type: ignore[index]


def test_ten_times_the_length_costs_little_more_memory(tmp_path: Path) -> None:
    short, long = (run(day(tmp_path / f"{hours}.mcap", hours)) for hours in (0.1, 1.0))
    assert long["peak_mb"] < short["peak_mb"] + 80
