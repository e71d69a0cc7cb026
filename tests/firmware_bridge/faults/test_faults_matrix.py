"""The detection matrix: nothing that a checksum and sample numbers can see passes in silence."""

from collections import Counter

import pytest

from firmware_bridge.faults import KINDS, Fault, Schedule
from firmware_bridge.faults.detect import detect, matrix, observe
from firmware_bridge.rehearsal import rehearse

IMU = "virtual://imu?seed=1"
ON_THE_LINE = ("byte", "link", "frame")


def run(port: str, seconds: float):
    return lambda schedule: rehearse(port, seconds, schedule)


def test_nothing_on_the_line_is_silent_and_every_sensor_fault_is():
    rows = matrix(run(IMU, 1.5), strengths=(2,), seeds=(0,), from_s=0.2)
    assert len(rows) == len(KINDS)
    assert [row for row in rows if row.level in ON_THE_LINE and row.outcome == "silent"] == []
    seen = {row.kind for row in rows if row.outcome == "detected"}
    quiet = {"link.stall", "link.delay", "clock.wrap"}
    assert {name for name, kind in KINDS.items() if kind.detectable} - quiet <= seen
    silent = {row.kind for row in rows if row.outcome == "silent"}
    assert silent >= {name for name, kind in KINDS.items() if not kind.detectable} - {"sensor.dead_row"}


def test_images_lose_whole_frames_and_say_so():
    kinds = [name for name in KINDS if name.startswith("frame")] + ["byte.flip", "sensor.dead_row"]
    rows = matrix(run("virtual://thermal?seed=1", 3.0), kinds, strengths=(2,), seeds=(0,), from_s=0.2)
    assert [row for row in rows if row.level in ON_THE_LINE and row.outcome == "silent"] == []
    assert rows[-1].outcome == "silent"


def test_a_run_that_ends_early_without_a_word_is_silent():
    clean = observe(rehearse(IMU, 2.0))
    assert detect(clean, observe(rehearse(IMU, 0.5))).outcome == "silent"
    assert detect(clean, observe(rehearse(IMU, 2.0, Schedule(1, (Fault.of("link.delay"),))))).outcome == "tolerated"


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize(("port", "seconds"), [(IMU, 4.0), ("virtual://watch?seed=0", 8.0)])
def test_the_whole_matrix_has_no_silent_fault_on_the_line(port, seconds):
    rows = matrix(run(port, seconds), from_s=0.3)
    assert len({row.kind for row in rows}) >= 20
    assert len(rows) >= 20 * 3 * 5
    counts = Counter((row.level, row.outcome) for row in rows)
    print(dict(counts))
    assert [row for row in rows if row.level in ON_THE_LINE and row.outcome == "silent"] == []
