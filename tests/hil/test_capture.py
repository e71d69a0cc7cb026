"""Recording without a screen: files that are closed in every case, labels as the plan says, lines that a pipe reads."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from benchsim import record, simulate
from engines import IMU, Unhurried, samples, until

from firmware_bridge.errors import UsageError
from hil.capture import capture
from hil.collect import collect, load_plan, turns
from hil.config import EngineConfig, RecordConfig, ReplayConfig
from hil.demo import demo_config
from hil.engine.engine import Engine
from hil.plain import Plain, board_line
from hil.recording.reader import Recording
from hil.views.snapshot import BoardView, LogLine, PredictionView, RecordingView, ReplayView, Snapshot
from hil.views.view import View

PLAN = """
schema = 1
output = "{output}"

[plan]
classes = ["squat", "press"]
repetitions = 2
seconds = 20
rest_s = 5

[[board]]
port = "imu=virtual://imu"
"""


def test_a_capture_ends_after_its_time_with_the_books_in_the_summary(tmp_path: Path) -> None:
    path = tmp_path / "timed.mcap"
    seen: list[Snapshot] = []
    began: list[int] = []
    clock = Unhurried()

    def ready(engine: Engine) -> None:
        until(lambda: samples(engine) > 500)  # its time begins when the bench runs: a board may take long to say hello
        began.append(clock.now_ns())

    summary = capture(
        EngineConfig(ports=(IMU,), record=RecordConfig(path=str(path), label="squat", note="barefoot")), seconds=0.5,
        clock=clock, on_snapshot=seen.append, on_start=ready,
    )  # fmt: skip
    assert seen
    assert clock.now_ns() - began[0] >= 500_000_000
    assert summary.recording is not None
    assert summary.recording.state == "closed"
    assert summary.closes
    text = "\n".join(summary.lines())
    for words in ("imu: hil-imu", " 0 lost", "ledger: ", "the books close", str(path)):
        assert words in text
    assert summary.as_dict()["boards"][0]["ledger"]["lost"] == 0
    with Recording(path) as recording:
        assert recording.count("imu", "imu") >= max(500, seen[-1].boards[0].samples)
        assert recording.header.about == {"label": "squat", "note": "barefoot"}
        assert [(mark.kind, mark.text) for mark in recording.marks] == [("start", "squat"), ("stop", "squat")]


@pytest.mark.skipif(os.name != "posix", reason="signals are sent with os.kill")
def test_ctrl_c_ends_a_capture_with_the_file_closed(tmp_path: Path) -> None:
    path = tmp_path / "interrupted.mcap"
    code = (
        "import sys; from hil.capture import capture; from hil.config import *;"
        "port = PortConfig(port='virtual://imu', role='imu');"
        "config = EngineConfig(ports=(port,), record=RecordConfig(path=sys.argv[1]));"
        "s = capture(config, on_snapshot=lambda s: print(s.boards[0].samples, flush=True));"
        "print('closed', s.recording.state)"
    )
    child = subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    while int(child.stdout.readline()) < 100:
        pass
    child.send_signal(signal.SIGINT)
    rest = child.stdout.read()
    child.stdout.close()
    assert child.wait(150) == 0
    assert "closed closed" in rest
    with Recording(path) as recording:
        assert recording.lost is None
        assert recording.count("imu", "imu") >= 100


def plan_file(folder: Path, text: str = PLAN) -> Path:
    path = folder / "plan.toml"
    path.write_text(text.replace("{output}", str(folder / "collected.mcap")))
    return path


def test_a_plan_is_led_through_and_labelled(tmp_path: Path) -> None:
    asked: list[str] = []
    waited: list[tuple[str, float]] = []

    def ask(text: str) -> str:
        asked.append(text)
        return "ada" if "Who" in text else ""

    def wait(text: str, seconds: float) -> bool:
        waited.append((text, seconds))
        return True

    summary = collect(load_plan(plan_file(tmp_path)), ask, wait)
    assert summary.recording is not None
    assert len(asked) == 5
    assert asked[1].startswith("1 of 4: squat (1 of 2)")
    assert [seconds for _, seconds in waited] == [20, 5, 20, 5, 20, 5, 20]
    with Recording(tmp_path / "collected.mcap") as recording:
        assert [label.text for label in recording.labels] == ["squat", "press", "squat", "press"]
        assert recording.header.about["person"] == "ada"
        assert {label.author for label in recording.labels} == {"ada"}
        assert all(label.stop_ns is not None for label in recording.labels)


def test_breaking_off_keeps_what_was_collected(tmp_path: Path) -> None:
    waits = iter([True, True, False])
    summary = collect(load_plan(plan_file(tmp_path)), lambda _: "", lambda *_: next(waits), person="bob")
    assert summary.recording is not None
    assert summary.recording.state == "closed"
    with Recording(tmp_path / "collected.mcap") as recording:
        assert [label.text for label in recording.labels] == ["squat", "press"]


def test_the_order_of_a_plan_is_what_it_says(tmp_path: Path) -> None:
    plan = load_plan(plan_file(tmp_path)).plan

    def labels(order: str, seed: int = 0) -> list[str]:
        return [turn.label for turn in turns(plan.model_copy(update={"order": order, "seed": seed, "repetitions": 5}))]

    assert labels("blocked")[:5] == ["squat"] * 5
    assert labels("interleaved")[:4] == ["squat", "press", "squat", "press"]
    assert labels("random", 1) == labels("random", 1)
    assert labels("random", 1) != labels("random", 2)
    assert sorted(labels("random")) == sorted(labels("blocked"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[plan]\nclasses = []\n[[board]]\nport='virtual://imu'", r"plan\.classes"),
        ("[plan]\nclasses = ['a', 'a']\n[[board]]\nport='virtual://imu'", "classes repeat"),
        ("[plan]\nclasses = ['a']\nreps = 3\n[[board]]\nport='virtual://imu'", r"plan\.reps"),
        ("[plan]\nclasses = ['a']", "board"),
        ("[plan", "not TOML"),
    ],
)
def test_a_wrong_plan_names_its_key(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        load_plan(plan_file(tmp_path, text))
    with pytest.raises(UsageError, match="cannot be read"):
        load_plan(tmp_path / "nowhere.toml")


# ---- plain lines -----------------------------------------------------------------------------------------------------

SECOND = 1_000_000_000


def snapshot(now_ns: int, log: tuple[LogLine, ...] = (), **more: object) -> Snapshot:
    known = BoardView(
        "watch", "live", rate_hz=50.02, samples=123, lost=0, drift_ppm=12.3, drift_low=11.3, drift_high=13.3
    )
    unknown = BoardView("text", "lost", "the port went away", rate_hz=None, lost=None)
    decision = PredictionView("exercise", "watch", "ready", label="squat", confidence=0.914, told="press")
    return Snapshot(1, now_ns, "live", (known, unknown), (), (decision,), log=log, **more)  # type: ignore[arg-type]


def test_a_board_is_one_line_in_words_that_do_not_hide_what_is_unknown() -> None:
    shown = snapshot(SECOND)
    line = board_line(shown, shown.boards[0])
    assert line == (
        "00:00:01  watch  live  rate 50.0 Hz  samples 123  lost 0  drift +12.3±1.0 ppm  "
        "exercise squat 91% (board: press)"
    )
    line = board_line(shown, shown.boards[1])
    assert "lost unknown" in line
    assert "rate unknown" in line
    assert "drift unknown" in line
    assert line.endswith("(the port went away)")


@pytest.mark.parametrize(
    ("left_s", "words"), [(None, "unknown"), (45.0, "45 s"), (600.0, "10 min"), (40_000.0, "11 h"), (9e5, "10 days")]
)
def test_a_recording_has_its_own_line_that_says_how_long_the_disk_lasts(left_s: float | None, words: str) -> None:
    recording = RecordingView("a.mcap", "recording", "", 10, 2.04, left_s)
    lines = Plain().lines(snapshot(SECOND, recording=recording, active_label="squat"))
    assert lines[-1] == f"00:00:01  recording  2.0 s  10 bytes  disk lasts {words}  label squat"
    closed = RecordingView("a.mcap", "closed", "", 10, 2.04)
    assert not any("recording" in line for line in Plain().lines(snapshot(SECOND, recording=closed)))


def test_lines_come_once_a_second_and_news_at_once_and_once() -> None:
    plain = Plain()
    first = LogLine(0, "watch", "info", "connected")
    debug = LogLine(0, "watch", "debug", "detail")
    assert len(plain.lines(snapshot(SECOND, (first, debug)))) == 3
    assert plain.lines(snapshot(SECOND + 500_000_000, (first, debug))) == []
    news = LogLine(1, "", "warning", "note 1")
    assert plain.lines(snapshot(SECOND + 600_000_000, (first, debug, news))) == ["00:00:00  bench  warning: note 1"]
    assert len(plain.lines(snapshot(2 * SECOND, (first, debug, news)))) == 2
    assert plain.lines(snapshot(2 * SECOND + 1, (first, debug, news), trouble="it broke")) == ["it broke"]


def test_a_replay_has_its_own_line() -> None:
    replay = ReplayView("a.mcap", 1.5, 9.0, 0.0, 9.0, None, False, False, False, None, 0.4)
    lines = Plain().lines(snapshot(SECOND, replay=replay))
    assert lines[-1] == "00:00:01  replay  plays  1.5 of 9.0 s  max  late p99 0.40 ms  missed 0"


def test_the_demo_shows_three_boards_and_a_model_without_hardware() -> None:
    config = demo_config()
    assert [port.role for port in config.ports] == ["watch", "imu", "thermal"]
    lines: list[str] = []
    plain = Plain(250_000_000)

    def said() -> bool:
        lines.extend(plain.lines(engine.snapshot(_view())))
        return all(any(words in line for line in lines) for words in ("rate 1000.0 Hz", "connected: hil-watch"))

    with Engine(config.model_copy(update={"models": ()})) as engine:
        until(said, told=lambda: "\n".join(lines))
    assert engine.summary().closes


def _view() -> View:

    return View(envelopes=False, images=False)


def test_a_replay_of_a_torn_recording_says_what_is_lost(tmp_path: Path) -> None:
    boards = {"imu": "virtual://imu?seed=5"}
    path = record(tmp_path / "whole.mcap", boards, simulate(boards, 2.0))
    torn = tmp_path / "torn.mcap"
    torn.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    plain, lines = Plain(), list[str]()
    replay = EngineConfig(replay=ReplayConfig(path=str(torn), speed=None, hold=False))
    capture(replay, on_snapshot=lambda snapshot: lines.extend(plain.lines(snapshot)))
    assert any("warning: the recording was cut off" in line for line in lines)


def test_a_capture_ends_when_its_recording_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = EngineConfig(ports=(IMU,), record=RecordConfig(path=str(tmp_path / "full.mcap")))

    def full(snapshot: Snapshot) -> None:
        monkeypatch.setattr("hil.recording.files.NewFile.write", no_room)

    def no_room(*_: object) -> int:
        raise OSError(28, "No space left on device")

    summary = capture(config, seconds=60.0, on_snapshot=full)
    assert summary.recording is not None
    assert summary.recording.state == "failed"
    assert "the disk is full" in summary.recording.sentence
    assert summary.recording.seconds < 30
