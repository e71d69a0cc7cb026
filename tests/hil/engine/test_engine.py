"""The engine: live boards to file and screen, commands with sentences."""

import os
from collections.abc import Iterator
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from benchsim import record, simulate
from engines import BENCH, IMU, QUICK, Unhurried, derived, samples, until, written

from firmware_bridge.errors import BridgeError, FileError, UsageError
from firmware_bridge.events import Gap
from hil.config import EngineConfig, ModelConfig, PortConfig, RecordConfig, ReplayConfig
from hil.engine.engine import Engine
from hil.models.verify import verify
from hil.recording.reader import Recording
from hil.views.snapshot import Snapshot
from hil.views.view import View

HEAT = PortConfig(port="virtual://thermal?tx_buffer=100000000", role="heat")


@pytest.fixture
def imu() -> Iterator[Engine]:
    with Engine(BENCH, Unhurried()) as engine:
        until(lambda: samples(engine) > 100)
        yield engine


def filled(engine: Engine) -> Snapshot:
    """A snapshot whose plot has no hole and which has a picture: it comes, if not while a thread waits for its turn."""
    shown: list[Snapshot] = []

    def comes() -> bool:
        shown[:] = [engine.snapshot(View(columns=40, seconds=1.0))]
        by_board = {stream.board: stream for stream in shown[0].streams}
        whole = "imu" in by_board and bool(np.isfinite(by_board["imu"].low[:, 5:30]).all())
        return whole and "heat" in by_board and by_board["heat"].image is not None

    until(comes)
    return shown[0]


def test_live_boards_are_recorded_whole_and_shown(tmp_path: Path) -> None:
    path = tmp_path / "run.mcap"
    config = EngineConfig(ports=(IMU, HEAT), record=RecordConfig(path=str(path), person="ada", meta={"shoe": "7"}))
    with Engine(config, Unhurried()) as engine:
        until(lambda: samples(engine) > 1500)
        snapshot = filled(engine)
        assert {board.role: board.state for board in snapshot.boards} == {"imu": "live", "heat": "live"}
        stream = next(one for one in snapshot.streams if one.board == "imu")
        assert stream.measured_hz == pytest.approx(1000.0, rel=0.01)
        assert next(one for one in snapshot.streams if one.board == "heat").image is not None
        assert snapshot.recording is not None
        assert snapshot.recording.state == "recording"
    summary = engine.summary()
    assert summary.closes
    assert summary.recording is not None
    assert (summary.recording.state, summary.recording.sentence) == ("closed", "")
    with Recording(path) as recording:
        assert recording.header.about["person"] == "ada"
        assert recording.header.about["shoe"] == "7"
        assert recording.lost is None
    rows = written(path)
    assert rows == derived(path)
    assert len(rows) == sum(board.samples for board in summary.boards)
    assert all(board.lost == 0 for board in summary.boards)


def test_a_recording_begun_in_the_middle_derives_from_its_own_bytes(imu: Engine, tmp_path: Path) -> None:
    before = samples(imu)
    path = Path(imu.command("record", path=str(tmp_path / "middle.mcap"))["path"])
    begun = samples(imu)
    until(lambda: samples(imu) > begun + 500)
    imu.command("record_stop")
    rows = written(path)
    assert rows == derived(path)
    assert len(rows) >= 500
    with Recording(path) as recording:
        assert recording.boards["imu"].model == "hil-imu"
        # The part that was not recorded is not missing from it, and it begins when it begins.
        assert not [event for event in recording.events() if isinstance(event, Gap)]
        assert recording.ledger("imu")[-1][1]["streams"][0]["lost"] == 0
        assert recording.duration_s < 30
        assert rows[0][2] >= before
    assert verify(path).verdict == "reproduced"


def test_marks_and_labels_stand_in_the_recording_in_order(imu: Engine, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nothing is being recorded"):
        imu.command("label", text="squat")
    path = imu.command("record", path=str(tmp_path / "labels.mcap"), label="press")["path"]
    assert imu.snapshot(QUICK).active_label == "press"
    assert imu.command("label", text="squat") == {"active": "squat"}
    imu.command("mark", text="door slammed", note="loud")
    assert imu.command("label", text="squat") == {"active": ""}
    imu.command("label", text="press")
    with pytest.raises(UsageError, match="a recording is running"):
        imu.command("record", path=str(tmp_path / "other.mcap"))
    imu.command("record_stop")
    assert imu.snapshot(QUICK).active_label == ""
    with Recording(path) as recording:
        told = [(mark.kind, mark.text) for mark in recording.marks]
        assert told == [
            ("start", "press"), ("stop", "press"), ("start", "squat"), ("mark", "door slammed"), ("stop", "squat"),
            ("start", "press"), ("stop", "press"),
        ]  # fmt: skip
        assert {mark.author for mark in recording.marks} == {"tester"}
        assert [label.text for label in recording.labels] == ["press", "squat", "press"]


def test_refusals_are_sentences(imu: Engine, tmp_path: Path) -> None:
    taken = tmp_path / "taken.mcap"
    taken.write_bytes(b"precious")
    with pytest.raises(FileError, match="never overwritten"):
        imu.command("record", path=str(taken))
    assert taken.read_bytes() == b"precious"
    for verb, arguments, words in (
        ("seek", {"to_s": 1.0}, "live boards cannot"),
        ("mark", {"text": "  "}, "needs a text"),
        ("dance", {}, "there is no command 'dance'"),
        ("mark", {"txt": "x"}, "mark"),
        ("send", {"board": "nobody", "text": "x"}, "no board `nobody`"),
    ):
        with pytest.raises(BridgeError, match=words):
            imu.command(verb, **arguments)


def test_a_full_disk_ends_the_recording_with_a_sentence_and_not_the_bench(imu: Engine) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    import signal

    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    path = Path(os.environ.get("TMPDIR", "/tmp")) / f"full-{os.getpid()}.mcap"
    try:
        imu.command("record", path=str(path))
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
        until(lambda: (imu.snapshot(QUICK).recording or pytest.fail("no recording")).state == "failed")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
    recording = imu.snapshot(QUICK).recording
    assert recording is not None
    assert "largest size" in recording.sentence
    count = samples(imu)
    until(lambda: samples(imu) > count + 100)
    with Recording(path) as opened:
        assert opened.duration_s >= 0
    path.unlink()


def test_a_model_decides_live_and_the_replay_decides_the_same(tmp_path: Path) -> None:
    path = tmp_path / "watch.mcap"
    model = ModelConfig(path=str(files("hil.models").joinpath("exercise.hilmodel")), boards=("watch",))
    config = EngineConfig(
        ports=(PortConfig(port="virtual://watch?pause_s=0", role="watch"),), models=(model,),
        record=RecordConfig(path=str(path)),
    )  # fmt: skip
    with Engine(config, Unhurried()) as engine:
        until(lambda: engine.snapshot(QUICK).predictions[0].label != "")
        shown = engine.snapshot(QUICK).predictions[0]
        assert shown.told
        assert shown.labels
        assert engine.snapshot(QUICK).classes == shown.labels
        engine.command("record_stop")
        later = engine.command("record", path=str(tmp_path / "later.mcap"))["path"]
        # What a decision looks back on has to be in the file, and then the decision.
        stage, begun = engine.models[0], samples(engine, "watch")
        assert stage.memory is not None
        assert stage.hop is not None
        until(lambda: samples(engine, "watch") > begun + stage.memory + 2 * stage.hop)
    again = EngineConfig(replay=ReplayConfig(path=str(path), speed=None, hold=False), models=(model,))
    with Engine(again) as replayed:
        assert replayed.wait(150)
        snapshot = replayed.snapshot(replace(QUICK, history=1000))
    with Recording(path) as recording:
        recorded = recording.predictions()
        assert {mark.author for mark in recording.marks if mark.kind == "start"} == {"watch"}
        assert "hil/model" in [name for name, _ in recording.file.metadata]
        assert "models/exercise.hilmodel" in dict(recording.file.attachments)
    assert recorded
    assert verify(path).verdict == "reproduced"
    # One begun in the middle holds only decisions that follow from its own readings.
    assert verify(later).verdict == "reproduced"
    with Recording(later) as recording:
        assert recording.predictions()
    assert [(row.t_ns, row.label, row.confidence) for row in recorded] == list(snapshot.predictions[0].history)
    assert snapshot.mode == "replay"


def test_marks_in_a_replay_go_beside_the_recording(tmp_path: Path) -> None:
    boards = {"imu": "virtual://imu?seed=3"}
    path = record(tmp_path / "run.mcap", boards, simulate(boards, 0.5))
    size = path.stat().st_size
    with Engine(EngineConfig(replay=ReplayConfig(path=str(path), paused=True))) as replay:
        replay.command("seek", to_s=0.2)
        replay.command("mark", text="later")
        marks = replay.snapshot(QUICK).replay
        assert marks is not None
        assert [(mark.text, round(mark.t_s, 1)) for mark in marks.marks] == [("later", 0.2)]
        replay.command("label", text="squat")
        replay.command("label", text="squat")
        with pytest.raises(UsageError, match="a replay is not recorded"):
            replay.command("record")
    assert path.stat().st_size == size
    with Engine(EngineConfig(replay=ReplayConfig(path=str(path), paused=True))) as again:
        assert again.snapshot(QUICK).classes == ("squat",)
    with Recording(path) as recording:
        assert [mark.text for mark in recording.marks if mark.kind == "mark"] == ["later"]
