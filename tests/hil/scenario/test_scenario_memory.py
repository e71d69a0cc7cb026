"""Long recordings are judged in bounded memory."""

import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from hil.bench.longrecording import record_watch
from hil.demo import MODEL
from hil.models.package import pack, read_package
from hil.scenario.evidence.course import BLOCK, Course

linux = pytest.mark.skipif(sys.platform != "linux", reason="peak memory is read from /proc")
RATE_HZ = 100.0
CHILD = """
import re, sys
from pathlib import Path
from hil.scenario.grammar.load import load_scenario
from hil.scenario.run import RunOptions, run_scenario
for path in sys.argv[1:]:
    result = run_scenario(load_scenario(Path(path)), RunOptions())
    assert result.outcome == "PASS", result.why or result.checks
    peak = re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())
    print(result.readings_s, int(peak[1]) / 1024)
"""
SCENARIO = """
name = "A long recording"
timeout_s = 10000
[board.watch]
recording = "{name}.mcap"
[model.fast]
file = "fast.hilmodel"
board = "watch"
[[check]]
metric = "link.watch.samples_lost"
equals = 0
[[check]]
metric = "model.fast.coverage"
at_least = 0.99
[[check]]
metric = "stream.watch.imu.rate"
equals = 100
within_percent = 0.1
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a model for 100 Hz lies."""
    made = tmp_path_factory.mktemp("memory")
    package = read_package(MODEL)
    contract = package.contract.model_copy(update={"rate_hz": RATE_HZ})
    (made / "fast.hilmodel").write_bytes(pack(contract, package.weights))
    return made


def peaks_mb(folder: Path, *hours: float) -> list[float]:
    """Return the peak memory of a process that judges recordings one after another, MB, after each.

    The system's own count of this program alone: what `getrusage` tells begins with the size of the process that
    started it.
    """
    scenarios = [folder / f"{each:.3f}.toml" for each in hours]
    for each, scenario in zip(hours, scenarios, strict=True):
        record_watch(scenario.with_suffix(".mcap"), each * 3600.0, RATE_HZ, group=20)
        scenario.write_text(SCENARIO.format(name=scenario.stem))
    done = subprocess.run([sys.executable, "-c", CHILD, *scenarios], capture_output=True, text=True, check=True)
    told = [tuple(map(float, line.split())) for line in done.stdout.splitlines()]
    assert [seconds for seconds, _ in told] == pytest.approx([each * 3600.0 for each in hours], abs=1.0)
    return [peak for _, peak in told]


def test_when_samples_were_taken_is_kept_in_two_bytes_each_to_the_last_bit() -> None:
    # Frames of 32 samples, dated by a line that a ping changes every 128.
    period = 10_000_000 + np.random.default_rng(3).integers(-500, 500, BLOCK // 32).repeat(128)
    times = 1_700_000_000_000_000_000 + np.cumsum(period)
    course = Course()
    tracemalloc.start()
    try:
        for first in range(0, len(times), 32):
            course.add(first, times[first : first + 32].copy())
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert np.array_equal(np.concatenate([t_ns for _, t_ns in course.blocks()]), times)
    assert taken < 2 * len(times)


@linux
@pytest.mark.timeout(300)
def test_four_times_as_much_takes_hardly_more_memory(folder: Path) -> None:
    short, long = peaks_mb(folder, 1 / 40, 1 / 10)
    # 4.5 minutes more, 27,000 samples: no object is kept of each.
    assert long - short < 12.0
    assert long < 600.0


@linux
@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_a_day_at_100_hz_stays_below_600_mb(folder: Path) -> None:
    (peak,) = peaks_mb(folder, 24.0)
    print(f"peak memory for a day at 100 Hz x 6: {peak:.0f} MB")
    assert peak < 600.0
