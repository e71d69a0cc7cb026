"""A model is calibrated on whole windows of what came, and too few of them are refused in a sentence."""

import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import hil.models
from firmware_bridge.batch import Batch
from firmware_bridge.errors import FileError, NoAnswer, UsageError
from firmware_bridge.events import Arrival
from firmware_bridge.streams import Stream
from hil.replay.midway import Openings
from hil.serving.calibrating import calibration, contract_of, whole_windows

STREAM = Stream("imu", ("x",), ("g",), "<i2", (1,), 100.0)
SMALL = Path(hil.models.__file__).parent / "exercise-small.hilmodel"


def batch(first: int, count: int, boot: int = 0) -> Batch:
    numbers = np.arange(first, first + count, dtype=np.int64)
    return Batch("imu", STREAM, boot, first, numbers, numbers * 10_000_000, np.zeros((count, 1), np.int16))


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(1, 60), st.booleans()), max_size=12), st.integers(1, 40),
    st.integers(1, 30),
)  # fmt: skip
def test_windows_that_lie_whole_are_counted_as_anybody_would_count_them(parts, memory: int, hop: int) -> None:
    made, at, boot = [], 0, 0
    for skipped, count, again in parts:
        at, boot = (0, boot + 1) if again else (at + skipped, boot)
        made.append(batch(at, count, boot))
        at += count
    there = {(one.boot, number) for one in made for number in range(one.first, one.end)}
    whole = [
        (boot, number) for boot, number in there
        if (number + 1) % hop == 0 and all((boot, number - back) in there for back in range(memory))
    ]  # fmt: skip
    assert whole_windows(made, memory, hop) == len(whole)


def test_too_little_is_refused_in_one_sentence_and_a_recording_that_is_not_there_too(tmp_path: Path) -> None:
    contract = SimpleNamespace(name="small", int8=None, memory_samples=100, hop=10)
    for kept, words in (
        ((), "the last 0.0 s of imu/imu: 0 whole windows to calibrate on, and 20 are needed; wait"),
        ((batch(0, 100),), "the last 1.0 s of imu/imu: 1 whole window to calibrate on"),
        ((batch(0, 280),), "19 whole windows to calibrate on"),
    ):
        with pytest.raises(UsageError, match=words):
            calibration(SMALL, contract, "imu", STREAM, kept)
    assert calibration(SMALL, contract, "imu", STREAM, (batch(0, 290),)).source == "the last 2.9 s of imu/imu"
    with pytest.raises(UsageError, match="no such recording"):
        calibration(SMALL, contract, "imu", STREAM, (), [str(tmp_path / "none.mcap")])
    brought = SimpleNamespace(name="small", int8=object(), memory_samples=100, hop=10)
    assert calibration(SMALL, brought, "imu", STREAM, ()).batches == ()  # its ranges come along


def test_the_last_seconds_of_a_stream_are_those_that_a_glitch_would_save() -> None:
    ring = Openings(2.0)
    for at in range(50):
        ring.accept([Arrival("imu", at, at * 100_000_000, "rx", b"", (batch(at * 10, 10),))])
    kept = ring.batches("imu", "imu")
    assert [one.first for one in kept] == list(range(290, 500, 10))
    assert ring.batches("imu", "other") == ring.batches("watch", "imu") == []


def test_a_process_that_gives_no_answer_and_one_that_nobody_waits_for_are_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    how = calibration(SMALL, contract_of(SMALL), "imu", STREAM, (), [str(SMALL)])
    hangs = tmp_path / "python"
    hangs.write_text("#!/bin/sh\nexec sleep 600\n")
    hangs.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(hangs))
    with pytest.raises(NoAnswer, match="nobody waits"):
        how.made(lambda: True)
    hangs.write_text("#!/bin/sh\ncat >/dev/null\necho it broke >&2\nexit 1\n")
    with pytest.raises(FileError, match=r"ended without an answer \(it broke\)"):
        how.made(lambda: False)
