"""Glitches: what triggers, what the ring holds, what is saved: a recording that proves itself and fails its test."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_bridge.batch import Batch
from firmware_bridge.errors import UsageError
from firmware_bridge.events import Arrival, Damage, Disconnected, Gap, Item, Mark, Prediction, Rebooted, Stall
from firmware_bridge.streams import Stream
from hil.attach import spawn_engine
from hil.capture import capture
from hil.config import EngineConfig, GlitchConfig, ModelConfig, PortConfig, ReplayConfig
from hil.demo import MODEL
from hil.engine import Engine
from hil.midway import Openings
from hil.recording.reader import Recording
from hil.scenario.glitch import propose, scenario_text
from hil.scenario.load import load_scenario
from hil.scenario.outcome import ScenarioResult
from hil.scenario.run import RunOptions, run_scenario
from hil.triggers import Trigger, Triggers, parse_confidence, parse_threshold
from hil.verify import verify
from hil.view import View

SECOND = 1_000_000_000
STREAM = Stream("s", ("x", "y"), ("g", "g"), "<f4", (2,), 100.0)
IMAGE = Stream("t", ("heat",), ("degC",), "<f4", (2, 2), 10.0)
VIEW = View(envelopes=False, images=False)


def batch(values: list[float], first: int = 0, board: str = "imu") -> Batch:
    raw = np.array([[value, 0.0] for value in values], np.float32).reshape(-1, 2)
    numbers = np.arange(first, first + len(values), dtype=np.int64)
    return Batch(board, STREAM, 0, first, numbers * 10_000, numbers * 10_000_000, raw)


def note(*items: Item) -> Arrival:
    return Arrival("imu", 1, 0, "rx", items=items)


def fired(watch: Triggers, *items: Item) -> list[Trigger]:
    return watch.feed([note(*items)])


# ---- triggers --------------------------------------------------------------------------------------------------------


def test_one_glitch_fires_once_however_it_rings_at_the_limit() -> None:
    watch = Triggers([parse_threshold("s.x>2~0.5")])
    found = fired(watch, batch([0, 2.1, 1.9, 2.2, 1.6, 2.4, 0.2, 3.0, 3.0, 0]))
    assert [(one.t_ns, one.limit, one.place, one.board) for one in found] == [
        (10_000_000, 2.0, "s.x", "imu"), (70_000_000, 2.0, "s.x", "imu"),
    ]  # fmt: skip
    assert found[0].text == "s.x was 2.1 g, above 2"


def test_below_is_a_limit_too_and_what_is_no_number_changes_nothing() -> None:
    watch = Triggers([parse_threshold("imu/s.x<-1")])
    assert len(fired(watch, batch([0, -1.5, np.nan, -1.5, 0, np.nan, -2]))) == 2
    assert fired(watch, batch([-9], board="other")) == []


def test_an_image_fires_by_its_hottest_pixel() -> None:
    frames = np.zeros((3, 2, 2), np.float32)
    frames[1, 1, 0] = 50
    times = np.arange(3, dtype=np.int64)
    found = fired(Triggers([parse_threshold("t.heat>40")]), Batch("cam", IMAGE, 0, 0, times, times, frames))
    assert [one.t_ns for one in found] == [1]
    assert "50 degC" in found[0].text


@settings(max_examples=150, deadline=None)
@given(st.lists(st.floats(-4, 4, width=32), min_size=1, max_size=40), st.data())
def test_what_fires_never_depends_on_how_samples_are_cut(values: list[float], data: st.DataObject) -> None:
    limits = [parse_threshold("s.x>1"), parse_threshold("s.x<-1~2")]
    whole = {(one.t_ns, one.limit) for one in fired(Triggers(limits), batch(values))}
    watch, at, pieces = Triggers(limits), 0, set()
    while at < len(values):
        size = data.draw(st.integers(1, len(values) - at))
        pieces |= {(one.t_ns, one.limit) for one in fired(watch, batch(values[at : at + size], at))}
        at += size
    assert pieces == whole


def said(confidence: float, t_ns: int = 0) -> Prediction:
    return Prediction("imu", t_ns, "exercise", "s", 0, 100, "squat", confidence, (confidence,))


def test_an_unsure_model_fires_on_the_edge() -> None:
    watch = Triggers(confidences=[parse_confidence("exercise<0.5")])
    found = fired(watch, said(0.9), said(0.4, 1), said(0.3, 2), said(0.51, 3), said(0.2, 4), said(0.9), said(0.1, 5))
    assert [one.t_ns for one in found] == [1, 5]
    assert fired(Triggers(confidences=[parse_confidence("other<0.5")]), said(0.1)) == []


def test_an_anomaly_is_named_and_only_looked_for_where_wished() -> None:
    items = (
        Gap("imu", 1, "s", 0, 5, 3, "lost"), Damage("imu", 2, "crc", 12), Stall("imu", 3, 5_000_000),
        Rebooted("imu", 4, 1, False), Disconnected("imu", 5, "the cable"), Damage("imu", 6, "before_identity", 9),
        Mark("", 7, "bump"),
    )  # fmt: skip
    found = fired(Triggers(on_anomaly=True), *items)
    assert [one.cause for one in found] == ["gap", "damage", "stall", "reboot", "disconnect"]
    assert fired(Triggers(), *items) == []
    assert [one.text for one in fired(Triggers(on_mark=True), *items)] == ["bump"]


@pytest.mark.parametrize("text", ["s.x", "s.x=2", "s.x>", "s.x>two", "s.x>nan", "s.x>1~-2", "x>2", ""])
def test_a_limit_that_means_nothing_says_how_to_write_one(text: str) -> None:
    with pytest.raises(UsageError, match="--threshold"):
        parse_threshold(text)


def test_a_confidence_is_from_0_to_1_and_a_channel_that_nobody_has_is_told() -> None:
    with pytest.raises(UsageError, match="no confidence"):
        parse_confidence("exercise<5")
    watch = Triggers([parse_threshold("s.x>1"), parse_threshold("cam/s.x>1")])
    assert watch.unmatched([("imu", "s", ("x", "y"))]) == ["cam/s.x>1"]


# ---- the ring --------------------------------------------------------------------------------------------------------


def read(at_s: float, size: int = 100) -> Arrival:
    return Arrival("imu", int(at_s * 10), int(at_s * SECOND), "rx", bytes(size))


def test_the_ring_holds_its_seconds_and_gives_fewer_where_fewer_are_asked_for() -> None:
    ring = Openings(3.0)
    for tenth in range(100):
        ring.accept([read(tenth / 10)])
    held = ring.first(int(9.9 * SECOND))
    assert (held[0].t_ns, len(held)) == (int(6.9 * SECOND), 31)
    assert len(ring.first(int(9.9 * SECOND), 1.0)) == 11
    assert ring.first(int(9.9 * SECOND), 0.0) == []
    assert ring.squeezed == 0


def test_what_does_not_fit_leaves_the_ring_early_and_is_counted() -> None:
    ring = Openings(3.0, most_bytes=10_000)
    for tenth in range(20):
        ring.accept([read(tenth / 10, 4000)])
    assert len(ring.first(2 * SECOND)) == 2
    assert ring.squeezed == 18


# ---- saved -----------------------------------------------------------------------------------------------------------


def bench(folder: Path, *ports: str, model: str = "", **glitch: object) -> EngineConfig:
    return EngineConfig(
        ports=tuple(PortConfig(port=port) for port in ports), models=(ModelConfig(path=model),) if model else (),
        glitch=GlitchConfig(**{"before_s": 1.0, "after_s": 0.3, "output": str(folder), **glitch}),  # type: ignore[arg-type]
    )  # fmt: skip


def until(engine: Engine, ready: Callable[[], bool], seconds: float = 40.0) -> None:
    """Real boards run on real time; wait for what they do, not for how long."""
    end = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < end, engine.summary()
        time.sleep(0.02)


def samples(engine: Engine) -> int:
    return min((board.samples for board in engine.snapshot(VIEW).boards), default=0)


def judged(glitch: dict[str, object]) -> ScenarioResult:
    """The recording proves itself, and its scenario runs as it was written."""
    assert verify(str(glitch["path"])).verdict == "reproduced"
    return run_scenario(load_scenario(str(glitch["scenario"])), RunOptions())


def test_a_key_saves_the_seconds_before_and_after_beside_a_recording_that_goes_on(tmp_path: Path) -> None:
    config = bench(tmp_path / "glitches", "imu=virtual://imu?seed=3", "ppg=virtual://ppg?seed=4")
    with Engine(config, propose=propose) as engine:
        until(engine, lambda: samples(engine) > 250)
        other = engine.command("record", path=str(tmp_path / "all.mcap"))["path"]
        at = engine.snapshot(VIEW).boards[0].samples
        path = engine.command("glitch", text="a bump")["path"]
        until(engine, lambda: bool(engine.glitches.saved))
        until(engine, lambda: engine.snapshot(VIEW).boards[0].samples > at + 600)
    (saved,) = engine.summary().glitches
    assert saved["path"] == path
    with Recording(path) as recording:
        numbers = recording.read("imu", "imu").numbers
        assert at - 1200 < numbers[0] < at - 700  # 1 s before
        assert at + 100 < numbers[-1] < at + 550  # not all that came after
        assert len(numbers) == numbers[-1] - numbers[0] + 1
        assert [(mark.text, mark.note) for mark in recording.marks] == [("glitch: key", "a bump")]
        assert recording.boards["imu"].model == "hil-imu"
    assert verify(other).verdict == "reproduced"
    result = judged(saved)
    assert set(load_scenario(saved["scenario"]).scenario.board) == {"imu", "ppg"}
    assert result.outcome == "PASS"  # nothing that is measured went wrong, and the file says so
    assert "No reading left the range" in Path(saved["scenario"]).read_text()


def test_a_threshold_saves_itself_and_its_test_fails_on_what_was_captured(tmp_path: Path) -> None:
    config = bench(
        tmp_path, "imu=virtual://imu?seed=3&motion=swing", count=1, after_s=0.5,
        thresholds=("imu.wx>0.01", "imu.az>0.9"),
    )  # fmt: skip
    summary = capture(config, seconds=40.0, propose=propose)
    (saved,) = summary.glitches
    assert saved["triggers"] >= 1
    result = judged(saved)
    assert result.outcome == "FAIL"
    broken = [check.metric for check in result.checks if check.outcome == "FAIL"]
    assert broken
    assert all(metric.endswith(".maximum") for metric in broken)
    assert "\n".join(summary.lines()).count(f"hil run {saved['scenario']}") == 1
    assert summary.as_dict()["glitches"][0]["path"] == saved["path"]


FAULTS = {
    "gap": {"kind": "frame.drop", "rate": 0.05},
    "damage": {"kind": "byte.flip", "rate": 0.001},
}


@pytest.mark.parametrize("cause", FAULTS)
def test_an_anomaly_of_the_link_saves_itself_and_its_test_fails(tmp_path: Path, cause: str) -> None:
    fault = {"on": "imu", "from_s": 1.5, "to_s": 1.9, **FAULTS[cause]}
    config = bench(tmp_path, "imu=virtual://imu?seed=3", on_anomaly=True, count=1)
    config = config.model_copy(update={"faults": (fault,), "fault_seed": 5})
    (saved,) = capture(config, seconds=40.0, propose=propose).glitches
    result = judged(saved)
    assert result.outcome == "FAIL", result
    assert {"link.imu.samples_lost"} <= {check.metric for check in result.checks if check.outcome == "FAIL"}
    assert "the anomaly that triggered" in Path(saved["scenario"]).read_text()


def test_triggers_that_come_meanwhile_lengthen_the_glitch_and_are_all_marked(tmp_path: Path) -> None:
    with Engine(bench(tmp_path, "imu=virtual://imu?seed=3", after_s=0.6), propose=propose) as engine:
        until(engine, lambda: samples(engine) > 100)
        first = engine.command("glitch", text="one")["path"]
        begun = samples(engine)
        until(engine, lambda: samples(engine) > begun + 300)
        assert engine.command("glitch", text="two")["path"] == first
        until(engine, lambda: bool(engine.glitches.saved))
        assert engine.command("glitch", text="three")["path"] != first
    one, two = engine.summary().glitches
    assert (one["triggers"], two["triggers"]) == (2, 1)
    with Recording(first) as recording:
        assert [mark.note for mark in recording.marks] == ["one", "two"]
        assert recording.read("imu", "imu").numbers[-1] > begun + 700
    # The bench ended before the seconds after were over: the file is whole all the same, and no board "disconnected".
    assert judged(two).outcome == "PASS"


def test_after_the_last_one_that_was_wished_for_a_key_is_refused_in_a_sentence(tmp_path: Path) -> None:
    with Engine(bench(tmp_path, "imu=virtual://imu", count=1, after_s=0.05)) as engine:
        until(engine, lambda: samples(engine) > 50)
        engine.command("glitch")
        until(engine, lambda: engine.glitches.enough)
        with pytest.raises(UsageError, match="1 glitches are saved already"):
            engine.command("glitch")
    assert engine.glitches.saved[0].scenario == ""


def test_a_glitch_whose_file_cannot_be_made_is_told_and_counted_and_the_bench_goes_on(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file where a folder should be")
    config = bench(tmp_path / "taken" / "deeper", "imu=virtual://imu?motion=shake", thresholds=("imu.ax>1",))
    with Engine(config) as engine:
        until(engine, lambda: engine.glitches.not_kept > 2)
        seen = samples(engine)
        until(engine, lambda: samples(engine) > seen + 100)
        log = [line.text for line in engine.snapshot(VIEW).log]
    assert any("glitch not saved" in text for text in log)
    assert engine.pipeline.error is None
    assert "triggers were not kept" in "\n".join(engine.summary().lines())


@pytest.mark.training
def test_an_unsure_model_saves_what_it_saw_and_its_test_fails(tmp_path: Path) -> None:
    config = bench(
        tmp_path, "watch=virtual://watch?seed=2", model=str(MODEL), count=1, before_s=8.0,
        confidences=("exercise<0.999",),
    )  # fmt: skip
    (saved,) = capture(config, seconds=90.0, propose=propose).glitches
    result = judged(saved)
    broken = {check.metric for check in result.checks if check.outcome in ("FAIL", "UNSET")}
    assert "model.exercise.confidence_minimum" in broken


def test_a_screen_asks_the_engine_for_it_and_the_scenario_is_written(tmp_path: Path) -> None:
    with spawn_engine(bench(tmp_path, "imu=virtual://imu?seed=3")) as client:
        end = time.monotonic() + 60
        while not (boards := client.snapshot(VIEW).boards) or boards[0].samples < 200:
            assert time.monotonic() < end
            time.sleep(0.05)
        path = client.command("glitch")["path"]
    assert client.summary is not None
    (saved,) = client.summary["glitches"]
    assert saved["path"] == path
    assert judged(saved).outcome == "PASS"


def test_a_replay_is_a_recording_already(tmp_path: Path) -> None:
    with Engine(bench(tmp_path, "imu=virtual://imu?seed=3", after_s=0.1), propose=propose) as engine:
        until(engine, lambda: samples(engine) > 100)
        path = engine.command("glitch")["path"]
    replay = EngineConfig(replay=ReplayConfig(path=path, paused=True))
    with Engine(replay) as engine, pytest.raises(UsageError, match="hil scenario new"):
        engine.command("glitch")
    with pytest.raises(UsageError, match="no recording of a glitch"):
        scenario_text(recorded(tmp_path))


def recorded(folder: Path) -> Path:
    path, stop = folder / "plain.mcap", threading.Event()
    config = EngineConfig(ports=(PortConfig(port="virtual://imu"),), record={"path": str(path)})  # type: ignore[arg-type]
    capture(config, stop=stop, seconds=0.5)
    return path
