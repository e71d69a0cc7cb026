"""Glitch to test: the seconds before and after a trigger become a recording and a scenario that fails on it."""

from pathlib import Path

import pytest
from benchsim import record, simulate
from engines import Unhurried, until

from firmware_bridge.errors import UsageError
from hil.capture import capture
from hil.config import EngineConfig, GlitchConfig, ModelConfig, PortConfig, ReplayConfig
from hil.demo import MODEL
from hil.door.attach import Client, spawn_engine
from hil.engine.engine import Engine
from hil.engine.summary import Summary
from hil.models.verify import verify
from hil.recording.reader import Recording
from hil.scenario.glitch import propose, scenario_text
from hil.scenario.grammar.load import load_scenario
from hil.scenario.results.outcome import ScenarioResult
from hil.scenario.run import RunOptions, run_scenario
from hil.views.view import View

VIEW = View(envelopes=False, images=False)
IMU = "imu=virtual://imu?seed=3&tx_buffer=100000000"  # has room for all that a host leaves waiting


def bench(folder: Path, *ports: str, model: str = "", **glitch: object) -> EngineConfig:
    return EngineConfig(
        ports=tuple(PortConfig(port=port) for port in ports), models=(ModelConfig(path=model),) if model else (),
        glitch=GlitchConfig(**{"before_s": 1.0, "after_s": 0.3, "output": str(folder), **glitch}),  # type: ignore[arg-type]
    )  # fmt: skip


def running(config: EngineConfig) -> Engine:
    """A bench in this process; the seconds before and after are those that it sees, however often it is stopped."""
    return Engine(config, Unhurried(), propose=propose)


def captured(config: EngineConfig) -> Summary:
    return capture(config, seconds=90.0, clock=Unhurried(), propose=propose)


def samples(engine: Engine | Client) -> int:
    return min((board.samples for board in engine.snapshot(VIEW).boards), default=0)


def judged(glitch: dict[str, object]) -> ScenarioResult:
    """The recording proves itself, and its scenario runs as it was written."""
    assert verify(str(glitch["path"])).verdict == "reproduced"
    return run_scenario(load_scenario(str(glitch["scenario"])), RunOptions())


def test_a_key_saves_the_seconds_before_and_after_beside_a_recording_that_goes_on(tmp_path: Path) -> None:
    config = bench(tmp_path / "glitches", IMU, "ppg=virtual://ppg?seed=4&tx_buffer=100000000")
    with running(config) as engine:
        until(lambda: samples(engine) > 250)
        other = engine.command("record", path=str(tmp_path / "all.mcap"))["path"]
        at = engine.snapshot(VIEW).boards[0].samples
        path = engine.command("glitch", text="a bump")["path"]
        until(lambda: bool(engine.glitches.saved))
        saved_at = engine.snapshot(VIEW).boards[0].samples
        until(lambda: engine.snapshot(VIEW).boards[0].samples > saved_at + 300)
    (saved,) = engine.summary().glitches
    assert saved["path"] == path
    with Recording(path) as recording:
        numbers = recording.read("imu", "imu").numbers
        assert numbers[-1] > at + 100
        assert len(numbers) == numbers[-1] - numbers[0] + 1
        (mark,) = recording.marks
        assert (mark.text, mark.note) == ("glitch: key", "a bump")
        heard = [one.t_ns for one in recording.arrivals() if one.board == "imu" and one.kind == "rx"]
        before = [t_ns for t_ns in heard if t_ns < mark.t_ns]
        assert 0.5e9 < max(before) - min(before) < 1.01e9  # the second before, as the ring has it to a read
        assert recording.boards["imu"].model == "hil-imu"
    assert verify(other).verdict == "reproduced"
    with Recording(other) as recording:
        assert numbers[-1] + 200 < recording.read("imu", "imu").numbers[-1]  # not all that came after
    result = judged(saved)
    assert set(load_scenario(saved["scenario"]).scenario.board) == {"imu", "ppg"}
    assert result.outcome == "PASS"  # nothing that is measured went wrong, and the file says so
    assert "No reading left the range" in Path(saved["scenario"]).read_text()


def test_a_threshold_saves_itself_and_its_test_fails_on_what_was_captured(tmp_path: Path) -> None:
    config = bench(
        tmp_path, "imu=virtual://imu?seed=3&motion=swing", count=1, after_s=0.5,
        thresholds=("imu.wx>0.01", "imu.az>0.9"),
    )  # fmt: skip
    summary = captured(config)
    (saved,) = summary.glitches
    assert saved["triggers"] >= 1
    result = judged(saved)
    assert result.outcome == "FAIL"
    broken = [check.metric for check in result.checks if check.outcome == "FAIL"]
    assert broken
    assert all(metric.endswith(".maximum") for metric in broken)
    assert "\n".join(summary.lines()).count(f"hil run {saved['scenario']}") == 1
    assert summary.as_dict()["glitches"][0]["path"] == saved["path"]


def test_a_trigger_that_a_screen_sets_saves_its_firings_until_it_is_let_go(tmp_path: Path) -> None:
    with Engine(bench(tmp_path, "imu=virtual://imu?seed=3&motion=swing"), Unhurried()) as engine:
        with pytest.raises(UsageError, match="is no limit"):
            engine.command("watch", text="tarot")
        until(lambda: samples(engine) > 100)
        assert engine.command("watch", text="imu.wx>0.01") == {"watched": "imu.wx>0.01"}
        until(lambda: bool(engine.glitches.saved))
        assert engine.command("watch") == {"watched": ""}
        (first, *_) = engine.glitches.saved
        assert first.cause.startswith("imu.wx was")
        begun = samples(engine)
        until(lambda: samples(engine) > begun + 700)
        told = len(engine.glitches.saved)
        until(lambda: samples(engine) > begun + 1400)
        assert len(engine.glitches.saved) == told
    replayed = Engine(EngineConfig(replay=ReplayConfig(path=first.path)))
    with replayed, pytest.raises(UsageError, match="no seconds before"):
        replayed.command("watch", text="anomaly")


FAULTS = {
    "gap": {"kind": "frame.drop", "rate": 0.05},
    "damage": {"kind": "byte.flip", "rate": 0.001},
}


@pytest.mark.parametrize("cause", FAULTS)
def test_an_anomaly_of_the_link_saves_itself_and_its_test_fails(tmp_path: Path, cause: str) -> None:
    fault = {"on": "imu", "from_s": 1.5, "to_s": 1.9, **FAULTS[cause]}
    config = bench(tmp_path, IMU, on_anomaly=True, count=1)
    config = config.model_copy(update={"faults": (fault,), "fault_seed": 5})
    (saved,) = captured(config).glitches
    result = judged(saved)
    assert result.outcome == "FAIL", result
    assert {"link.imu.samples_lost"} <= {check.metric for check in result.checks if check.outcome == "FAIL"}
    assert "the anomaly that triggered" in Path(saved["scenario"]).read_text()


def test_triggers_that_come_meanwhile_lengthen_the_glitch_and_are_all_marked(tmp_path: Path) -> None:
    with running(bench(tmp_path, IMU, after_s=2.0)) as engine:
        until(lambda: samples(engine) > 100)
        first = engine.command("glitch", text="one")["path"]
        begun = samples(engine)
        until(lambda: samples(engine) > begun + 1000)
        assert engine.command("glitch", text="two")["path"] == first
        until(lambda: bool(engine.glitches.saved))
        assert engine.command("glitch", text="three")["path"] != first
    one, two = engine.summary().glitches
    assert (one["triggers"], two["triggers"]) == (2, 1)
    with Recording(first) as recording:
        assert [mark.note for mark in recording.marks] == ["one", "two"]
        assert recording.read("imu", "imu").numbers[-1] > begun + 2500  # two seconds after the second, not the first
    # The bench ended before the seconds after were over: the file is whole all the same, and no board "disconnected".
    assert judged(two).outcome == "PASS"


def test_after_the_last_one_that_was_wished_for_a_key_is_refused_in_a_sentence(tmp_path: Path) -> None:
    with Engine(bench(tmp_path, "imu=virtual://imu", count=1, after_s=0.05), Unhurried()) as engine:
        until(lambda: samples(engine) > 50)
        engine.command("glitch")
        until(lambda: engine.glitches.enough)
        with pytest.raises(UsageError, match="as many glitches as were wished for are saved"):
            engine.command("glitch")
    assert engine.glitches.saved[0].scenario == ""


def test_what_triggers_by_itself_after_the_last_one_is_no_error(tmp_path: Path) -> None:
    config = bench(tmp_path, "imu=virtual://imu", count=1, after_s=0.02, thresholds=("imu.ax>0~0",))
    with Engine(config) as engine:
        until(lambda: engine.glitches.enough)
        seen = samples(engine)
        until(lambda: samples(engine) > seen + 300)
        said = [line.text for line in engine.snapshot(VIEW).log]
    assert len(engine.glitches.saved) == 1
    assert not [text for text in said if "not saved" in text]


def test_a_glitch_whose_file_cannot_be_made_is_told_and_counted_and_the_bench_goes_on(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file where a folder should be")
    config = bench(tmp_path / "taken" / "deeper", "imu=virtual://imu?motion=shake", thresholds=("imu.ax>1",))
    with Engine(config) as engine:
        until(lambda: engine.glitches.not_kept > 2)
        seen = samples(engine)
        until(lambda: samples(engine) > seen + 100)
        until(lambda: any("glitch not saved" in line.text for line in engine.snapshot(VIEW).log))
    assert engine.pipeline.error is None
    assert "triggers were not kept" in "\n".join(engine.summary().lines())


@pytest.mark.training
def test_an_unsure_model_saves_what_it_saw_and_its_test_fails(tmp_path: Path) -> None:
    config = bench(
        tmp_path, "watch=virtual://watch?seed=2", model=str(MODEL), count=1, before_s=60.0,
        confidences=("exercise<0.999",),
    )  # fmt: skip
    (saved,) = captured(config).glitches
    result = judged(saved)
    broken = {check.metric for check in result.checks if check.outcome in ("FAIL", "UNSET")}
    assert "model.exercise.confidence_minimum" in broken


def test_a_screen_asks_the_engine_for_it_and_the_scenario_is_written(tmp_path: Path) -> None:
    with spawn_engine(bench(tmp_path, IMU)) as client:
        until(lambda: samples(client) > 200)
        path = client.command("glitch")["path"]
    assert client.summary is not None
    (saved,) = client.summary["glitches"]
    assert saved["path"] == path
    assert judged(saved).outcome == "PASS"


def test_what_is_seen_in_a_replay_becomes_a_test_of_its_range_or_of_the_last_seconds(tmp_path: Path) -> None:
    boards = {"imu": "virtual://imu?seed=3"}
    path = record(tmp_path / "plain.mcap", boards, simulate(boards, 0.5))  # of a length that no busy machine changes
    replay = EngineConfig(replay=ReplayConfig(path=str(path), paused=True))
    with Engine(replay) as engine, pytest.raises(UsageError, match="hil scenario glitch"):
        engine.command("glitch")
    asked: list[tuple[Path, float, float]] = []

    def extract(recording: Path, from_s: float, to_s: float) -> Path:
        asked.append((recording, from_s, to_s))
        return recording.with_suffix(".toml")

    with Engine(replay, extract=extract) as engine:
        engine.command("seek", to_s=0.2)
        assert "hil run" in engine.command("glitch")["sentence"]
        engine.command("range", from_s=0.05, to_s=0.15)
        engine.command("glitch")
    assert asked == [(path, 0.0, pytest.approx(0.2)), (path, 0.05, 0.15)]
    with pytest.raises(UsageError, match="no recording of a glitch"):
        scenario_text(path)
