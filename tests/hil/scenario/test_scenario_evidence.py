"""What a run shows and keeps: the seconds around a failure, its recording, and nothing of a run that passed."""

import json
from dataclasses import replace
from itertools import count
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_bridge.batch import Batch
from firmware_bridge.events import Arrival, ClockReading, Gap
from firmware_bridge.streams import Stream
from hil.models.verify import verify
from hil.recording.reader import Recording
from hil.scenario.afterwards.scope import BUCKETS, EVENTS, ROWS, Scope, Trigger
from hil.scenario.grammar.load import Loaded, parse_scenario
from hil.scenario.results.outcome import ScenarioResult
from hil.scenario.run import RunOptions, run_scenario

IMU = 'name = "imu"\n[board.imu]\nvirtual = "imu?rate=100"\nseed = 7\n[readings]\nto_s = 4.0\n'
LOST = '[[check]]\nmetric = "link.imu.samples_lost"\nequals = 0\n'
DROP = '[[fault]]\non = "imu"\nkind = "frame.drop"\nrate = 0.3\nfrom_s = 1.0\nto_s = 2.0\n'
HIGH = '[[check]]\nmetric = "stream.imu.imu.ax.maximum"\nat_most = -5\n'


def run(text: str, folder: Path, **options: object) -> ScenarioResult:
    path = folder / "s.toml"
    return run_scenario(Loaded(path, text, parse_scenario(text, str(path))), RunOptions(**options))  # type: ignore[arg-type]


def test_a_failed_check_is_shown_with_the_samples_around_its_moment(tmp_path: Path) -> None:
    result = run(IMU + DROP + LOST + HIGH, tmp_path, exhibit=True)
    windows = {one["metric"]: one for one in result.exhibit["windows"]}
    assert set(windows) == {"link.imu.samples_lost", "stream.imu.imu.ax.maximum"}
    lost = windows["link.imu.samples_lost"]
    first = next(one for one in result.exhibit["boards"]["imu"]["events"] if one["kind"] == "gap")
    assert lost["at_s"] == pytest.approx(first["t_s"])
    assert 1.0 <= lost["at_s"] <= 2.1
    assert None in lost["t_s"]  # the missing samples are a break
    high = windows["stream.imu.imu.ax.maximum"]
    column = [value for value in high["values"][high["channels"].index("ax")] if value is not None]
    assert max(column) == pytest.approx(result.metrics["stream.imu.imu.ax.maximum"]["value"], rel=1e-4)
    assert json.loads(json.dumps(result.exhibit, allow_nan=False)) == result.exhibit


def test_what_is_shown_of_a_model_sums_up_to_what_was_judged(tmp_path: Path) -> None:
    recording = Path(__file__).resolve().parents[3] / "scenarios" / "recordings" / "watch-unseen-9.mcap"
    text = f'name = "m"\n[board.watch]\nrecording = "{recording}"\n[readings]\nto_s = 30.0\n'
    text += '[model.exercise]\nfile = "exercise"\nboard = "watch"\n'
    text += '[[check]]\nmetric = "model.exercise.accuracy"\nat_least = 1.01\n'
    result = run(text, tmp_path, exhibit=True)
    shown = result.exhibit["models"]["exercise"]
    table = np.array(shown["confusion"])
    assert table.sum() == result.metrics["model.exercise.judged"]["value"]
    right = np.trace(table[:, :-1]) / table.sum()
    assert right == pytest.approx(result.metrics["model.exercise.accuracy"]["value"])
    bins = shown["reliability"]
    made = sum(one["count"] for one in bins)
    ece = sum(one["count"] * abs(one["accuracy"] - one["confidence"]) for one in bins) / made
    assert ece == pytest.approx(result.metrics["model.exercise.ece"]["value"], abs=1e-4)
    assert sum(shown["latency_ms"]["counts"]) == result.metrics["model.exercise.decisions"]["value"]
    assert result.exhibit["boards"]["watch"]["clock"]["drift_ppm"] == result.metrics["clock.watch.drift"]["value"]


def test_asking_for_something_to_see_changes_no_verdict_and_no_number(tmp_path: Path) -> None:
    text = IMU + DROP + LOST + HIGH
    plain, shown = (run(text, tmp_path, exhibit=exhibit, keep=str(tmp_path / "kept")) for exhibit in (False, True))
    kept = [one["recording"] for one in (plain.files, shown.files)]
    assert len(set(kept)) == 2  # none is overwritten
    told = [replace(one, exhibit={}, seconds=0.0, files={}) for one in (plain, shown)]
    timing = {name for name, one in plain.metrics.items() if one["kind"] == "timing"}
    metrics = [{name: one for name, one in result.metrics.items() if name not in timing} for result in told]
    assert metrics[0] == metrics[1]
    assert replace(told[0], metrics={}) == replace(told[1], metrics={})
    assert plain.exhibit == {}
    assert "exhibit" not in shown.as_dict()
    assert shown.as_dict(whole=True)["exhibit"] == shown.exhibit


def test_a_failed_run_keeps_what_was_received_and_it_reproduces(tmp_path: Path) -> None:
    result = run(IMU + DROP + LOST, tmp_path, keep=str(tmp_path / "kept"))
    path = Path(result.files["recording"])
    assert path.parent == tmp_path / "kept"
    assert verify(path).verdict == "reproduced"
    with Recording(path) as recording:
        assert recording.count("imu", "imu") >= result.metrics["stream.imu.imu.samples"]["value"]
        assert recording.header.extra["faults"]["faults"][0]["kind"] == "frame.drop"
    again = run(f'name = "r"\n[board.imu]\nrecording = "{path}"\n' + LOST, tmp_path)
    assert again.checks[0].value == result.checks[0].value
    assert result.again == f"hil run {tmp_path / 's.toml'}"


def test_of_a_large_recording_the_seconds_around_the_failure_are_kept_and_the_limit_is_named(tmp_path: Path) -> None:
    late = DROP.replace("from_s = 1.0\nto_s = 2.0", "from_s = 3.0\nto_s = 3.5")
    text = IMU.replace("to_s = 4.0", "to_s = 5.0") + late + LOST
    whole = run(text, tmp_path, keep=str(tmp_path / "whole"))
    size = Path(whole.files["recording"]).stat().st_size
    assert "part" not in whole.files
    for exhibit in (False, True):
        small = run(text, tmp_path, keep=str(tmp_path / "small"), keep_bytes=size // 8, exhibit=exhibit)
        assert small.checks == whole.checks
        path = Path(small.files["recording"])
        assert path.stat().st_size < size / 2
        assert [one.name for one in path.parent.glob("*whole*")] == []
        assert "more than the" in small.remarks[0]
        assert "of --keep-most: kept are" in small.remarks[0]
        assert small.remarks[0].endswith("after link.imu.samples_lost")
        begin, end = (float(word.split()[0]) for word in small.files["part"].split(" to "))
        assert begin < 3.0 < end
        assert verify(path).verdict == "reproduced"
        with Recording(path) as recording:
            assert 0 < recording.duration_s < 3.0


def test_where_no_moment_stands_for_what_failed_all_of_it_is_kept(tmp_path: Path) -> None:
    wrong = '[[check]]\nmetric = "clock.imu.exchanges"\nequals = 1\n'
    result = run(IMU + wrong, tmp_path, keep=str(tmp_path / "kept"), keep_bytes=1)
    assert result.outcome == "FAIL"
    assert "all of it is kept" in result.remarks[0]
    assert verify(Path(result.files["recording"])).verdict == "reproduced"
    assert "part" not in result.files


def test_a_recording_that_was_only_read_is_pointed_at_and_not_copied(tmp_path: Path) -> None:
    first = run(IMU + LOST, tmp_path, keep=str(tmp_path / "kept"), keep_all=True)
    source = first.files["recording"]
    text = f'name = "r"\n[board.imu]\nrecording = "{source}"\n[readings]\nfrom_s = 1.0\nto_s = 3.0\n' + HIGH
    result = run(text, tmp_path, keep=str(tmp_path / "other"))
    assert result.files == {"recording": source, "part": "1 s to 3 s"}
    assert not (tmp_path / "other").exists()


def test_a_passing_run_leaves_nothing_behind(tmp_path: Path) -> None:
    result = run(IMU + LOST, tmp_path, keep=str(tmp_path / "kept"), exhibit=True)
    assert (result.outcome, result.files) == ("PASS", {})
    assert not (tmp_path / "kept").exists()


def test_a_live_board_that_fails_leaves_a_recording_that_reproduces(tmp_path: Path) -> None:
    text = IMU.replace("to_s = 4.0", "to_s = 0.5") + HIGH
    port = "virtual://imu?rate=100"
    result = run(text, tmp_path, on=port, keep=str(tmp_path / "kept"), exhibit=True)
    assert result.outcome == "FAIL"
    assert verify(Path(result.files["recording"])).verdict == "reproduced"
    assert [one["metric"] for one in result.exhibit["windows"]] == ["stream.imu.imu.ax.maximum"]
    small = run(text, tmp_path, on=port, keep=str(tmp_path / "kept"), keep_bytes=1)
    assert (small.exhibit, "part" in small.files) == ({}, True)
    assert small.remarks[-1].endswith("after stream.imu.imu.ax.maximum")
    assert verify(Path(small.files["recording"])).verdict == "reproduced"


def test_of_a_live_run_that_broke_off_the_end_of_what_was_heard_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticks = count(0.0, 0.015)  # its time is over after a hundred reads, however long they take to come
    monkeypatch.setattr("hil.scenario.execution.execute.time", SimpleNamespace(monotonic=lambda: next(ticks)))
    text = IMU.replace("to_s = 4.0", "to_s = 30.0").replace('name = "imu"', 'name = "imu"\ntimeout_s = 1.5') + LOST
    result = run(text, tmp_path, on="virtual://imu?rate=100", keep=str(tmp_path / "kept"), keep_bytes=1)
    assert (result.outcome, "timeout_s" in result.why) == ("TROUBLE", True)
    assert result.remarks[0].endswith("0.5 s before and 0.0 s after it broke off")
    assert verify(Path(result.files["recording"])).verdict == "reproduced"


def test_a_git_lfs_pointer_is_trouble_and_named_wherever_it_is_told(tmp_path: Path) -> None:
    (tmp_path / "r.mcap").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 7\n")
    result = run(f'name = "r"\n[board.imu]\nrecording = "r.mcap"\n{LOST}', tmp_path, keep=str(tmp_path / "kept"))
    assert result.outcome == "TROUBLE"
    assert "this is no recording but the Git LFS pointer to one; run: git lfs pull" in result.why
    assert result.files == {}


STREAM = Stream("s", ("a",), ("g",), "<i2", (1,), 100.0)


def batch(first: int, values: list[int]) -> Batch:
    times = (np.arange(first, first + len(values)) * 10_000_000).astype(np.int64)
    return Batch("b", STREAM, 0, first, times // 1000, times, np.array(values, "<i2").reshape(-1, 1))


@given(st.lists(st.integers(-3000, 3000), min_size=30, max_size=400), st.integers(1, 50), st.data())
@settings(max_examples=30)
def test_the_window_around_an_extreme_does_not_depend_on_how_the_input_is_cut(
    values: list[int], size: int, data: st.DataObject
) -> None:
    def seen(step: int) -> tuple[int | None, list[int]]:
        scope = Scope([Trigger("m", "b", "s", "a", "maximum")])
        for at in range(0, len(values), step):
            scope.take(Arrival("b", at, at, "note", items=(batch(at, values[at : at + step]),)))
        probe = scope.probes[0]
        return probe.t_ns, [int(one) for part in probe.parts for one in part.raw[:, 0]]

    whole, cut = seen(len(values)), seen(size)
    assert whole == cut
    assert whole[0] is not None
    assert values[whole[0] // 10_000_000] == max(values)


def test_memory_is_bounded_however_long_a_run_is() -> None:
    scope = Scope([Trigger("m", "b", "s", kind="minimum")])
    draw = np.random.default_rng(3)
    for at in range(0, 400_000, 1000):
        items = [batch(at, draw.integers(-2000, 2000, 1000).tolist()), Gap("b", at, "s", 0, at, 1, "lost"),
                 ClockReading("b", at, at, at + 1, at + 2)]  # fmt: skip
        scope.take(Arrival("b", at, at, "note", items=tuple(items)))
    envelope, told = scope.envelopes["b", "s"], scope.told["b"]
    assert len(envelope.low) == BUCKETS
    assert np.isfinite(envelope.low).all(axis=1).sum() > BUCKETS // 2 - 60
    assert sum(len(part) for part in scope.probes[0].parts) <= ROWS
    assert (len(told.events), told.counts["gap"]) == (EVENTS, 400)
    assert len(told.exchanges) <= 800
