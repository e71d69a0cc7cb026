"""The engine: live boards to file and screen, commands with sentences, a process that ends with its parent."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from firmware_bridge.batch import Batch
from firmware_bridge.errors import BridgeError, FileError, NoAnswer, UsageError
from firmware_bridge.events import Gap
from hil.attach import Client, attach, spawn_engine
from hil.config import EngineConfig, ModelConfig, PortConfig, RecordConfig, ReplayConfig, parse_config
from hil.engine import Engine
from hil.message import pack
from hil.recording.reader import Recording
from hil.redecode import Redecoder
from hil.server import ASK, HEAD, Server
from hil.verify import verify
from hil.view import View

IMU = PortConfig(port="virtual://imu?seed=3", role="imu")
HEAT = PortConfig(port="virtual://thermal", role="heat")
QUICK = View(envelopes=False, images=False)


def until(wanted: Callable[[], bool], seconds: float = 20.0) -> None:
    """Wait for something that other threads bring about."""
    tick = threading.Event()
    for _ in range(int(seconds / 0.02)):
        if wanted():
            return
        tick.wait(0.02)
    pytest.fail(f"did not come within {seconds:g} s")


def samples(engine: Engine | Client, role: str = "imu") -> int:
    return next(board.samples for board in engine.snapshot(QUICK).boards if board.role == role)


@pytest.fixture
def imu() -> Iterator[Engine]:
    with Engine(EngineConfig(ports=(IMU,), classes=("squat", "press"), author="tester")) as engine:
        until(lambda: samples(engine) > 100)
        yield engine


def derived(path: Path) -> list[tuple[object, ...]]:
    """What the raw bytes of a file give."""
    rows: list[tuple[object, ...]] = []
    with Recording(path) as recording:
        decoder = Redecoder(recording)
        while (arrival := decoder.next()) is not None:
            for item in arrival.items:
                if isinstance(item, Batch):
                    numbers = range(item.first, item.end)
                    rows += [(item.stream.name, item.boot, number) for number in numbers]
    return sorted(rows)


def written(path: Path) -> list[tuple[object, ...]]:
    """What the file itself holds."""
    rows: list[tuple[object, ...]] = []
    with Recording(path) as recording:
        for known in recording.streams():
            arrays = recording.read(known.board, known.stream.name)
            rows += [
                (known.stream.name, int(boot), int(number))
                for boot, number in zip(arrays.boot, arrays.numbers, strict=True)
            ]
    return sorted(rows)


def test_live_boards_are_recorded_whole_and_shown(tmp_path: Path) -> None:
    path = tmp_path / "run.mcap"
    config = EngineConfig(ports=(IMU, HEAT), record=RecordConfig(path=str(path), person="ada", meta={"shoe": "7"}))
    with Engine(config) as engine:
        until(lambda: samples(engine) > 1500)
        snapshot = engine.snapshot(View(columns=40, seconds=1.0))
        assert {board.role: board.state for board in snapshot.boards} == {"imu": "live", "heat": "live"}
        stream = next(one for one in snapshot.streams if one.board == "imu")
        assert np.isfinite(stream.low[:, 5:30]).all()
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
    until(lambda: samples(imu) > before + 500)
    imu.command("record_stop")
    rows = written(path)
    assert rows == derived(path)
    assert len(rows) > 400
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
    with Engine(config) as engine:
        until(lambda: engine.snapshot(QUICK).predictions[0].label != "", 60.0)
        shown = engine.snapshot(QUICK).predictions[0]
        assert shown.told
        assert shown.labels
        assert engine.snapshot(QUICK).classes == shown.labels
        engine.command("record_stop")
        count = len(shown.history)
        later = engine.command("record", path=str(tmp_path / "later.mcap"))["path"]
        until(lambda: len(engine.snapshot(QUICK).predictions[0].history) > count + 6, 30.0)
    again = EngineConfig(replay=ReplayConfig(path=str(path), speed=None, hold=False), models=(model,))
    with Engine(again) as replayed:
        assert replayed.wait(60.0)
        snapshot = replayed.snapshot(QUICK)
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
    path = tmp_path / "run.mcap"
    with Engine(EngineConfig(ports=(IMU,), record=RecordConfig(path=str(path)))) as engine:
        until(lambda: samples(engine) > 300)
    size = path.stat().st_size
    with Engine(EngineConfig(replay=ReplayConfig(path=str(path), paused=True))) as replay:
        replay.command("seek", to_s=0.2)
        replay.command("mark", text="later")
        marks = replay.snapshot(QUICK).replay
        assert marks is not None
        assert [(mark.text, round(mark.t_s, 1)) for mark in marks.marks] == [("later", 0.2)]
        with pytest.raises(UsageError, match="a replay is not recorded"):
            replay.command("record")
    assert path.stat().st_size == size
    with Recording(path) as recording:
        assert [mark.text for mark in recording.marks] == ["later"]


# ---- the door --------------------------------------------------------------------------------------------------------


@pytest.fixture
def door(imu: Engine) -> Iterator[Server]:
    server = Server(imu)
    yield server
    server.close()


def test_a_screen_attaches_asks_and_commands(door: Server, imu: Engine, tmp_path: Path) -> None:
    with attach(door.address, door.token) as one, attach(door.address, door.token) as other:
        assert one.snapshot(View(columns=30)).streams[0].low.shape == (6, 30)
        path = one.command("record", path=str(tmp_path / "door.mcap"))["path"]
        recording = other.snapshot(QUICK).recording
        assert recording is not None
        assert recording.path == path
        with pytest.raises(UsageError, match="there is no command"):
            other.command("dance")
        assert other.snapshot(QUICK).boards[0].role == "imu"


def test_a_wrong_token_is_turned_away(door: Server) -> None:
    with pytest.raises(UsageError, match="token is wrong"):
        attach(door.address, "0" * 32)


@pytest.mark.parametrize("block", [HEAD.pack(1 << 30, ASK), HEAD.pack(3, ASK) + b"abc", b"GET / HTTP/1.1\r\n\r\n"])
def test_strangers_are_let_go_and_harm_nobody(door: Server, block: bytes) -> None:
    host, _, port = door.address.partition(":")
    # The door may be shut while the stranger still talks.
    with contextlib.suppress(ConnectionError), socket.create_connection((host, int(port)), timeout=15) as stranger:
        stranger.sendall(block)
        stranger.settimeout(15)
        assert stranger.recv(1000) == b""
    with attach(door.address, door.token) as client:
        assert client.snapshot(QUICK).boards


def test_a_screen_that_reads_nothing_holds_up_neither_capture_nor_other_screens(door: Server, imu: Engine) -> None:
    host, _, port = door.address.partition(":")
    with socket.create_connection((host, int(port)), timeout=15) as slow:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        for message in ({"token": door.token}, *({"view": View(columns=4000).to_dict()} for _ in range(50))):
            block = pack(message)
            slow.sendall(HEAD.pack(len(block), ASK) + block)
        before = samples(imu)
        with attach(door.address, door.token) as client:
            until(lambda: samples(client) > before + 1000, 10.0)
            assert client.snapshot(QUICK).boards[0].lost == 0


def test_a_cut_connection_is_made_anew_and_no_command_is_given_twice(door: Server, imu: Engine) -> None:
    with attach(door.address, door.token) as client:
        for connection in list(door._clients):
            connection.shutdown(socket.SHUT_RDWR)
        assert client.snapshot(QUICK).boards
        for connection in list(door._clients):
            connection.shutdown(socket.SHUT_RDWR)
        with pytest.raises(NoAnswer, match="nobody knows whether 'mark' was done"):
            client.command("mark", text="once")
        assert client.command("mark", text="twice") == {}


def test_without_an_engine_there_is_one_sentence(door: Server, imu: Engine) -> None:
    client = attach(door.address, door.token)
    door.close()
    with pytest.raises(NoAnswer, match=r"no engine answers|the engine is gone"):
        client.snapshot(QUICK)
    with pytest.raises(NoAnswer, match="no engine answers"):
        attach(door.address, door.token)


# ---- the process -----------------------------------------------------------------------------------------------------


def test_an_engine_process_records_and_ends_in_order(tmp_path: Path) -> None:
    path = tmp_path / "spawned.mcap"
    with spawn_engine(EngineConfig(ports=(IMU,), record=RecordConfig(path=str(path)))) as client:
        until(lambda: samples(client) > 300)
        process = client.process
    assert process is not None
    assert process.returncode == 0
    assert client.summary is not None
    assert client.summary["ledger_closes"]
    assert client.summary["recording"]["state"] == "closed"
    assert written(path) == derived(path)


def test_an_engine_process_ends_when_its_parent_is_gone(tmp_path: Path) -> None:
    path = tmp_path / "leash.mcap"
    config = EngineConfig(ports=(IMU,), record=RecordConfig(path=str(path)))
    child = subprocess.Popen([sys.executable, "-m", "hil.engine"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write(config.model_dump_json().encode() + b"\n")
    child.stdin.flush()
    said = json.loads(child.stdout.readline())
    client = attach(said["address"], said["token"])
    until(lambda: samples(client) > 100)
    child.stdin.close()
    assert child.wait(20) == 0
    child.stdout.close()
    with pytest.raises(NoAnswer):
        client.snapshot(QUICK)
    with Recording(path) as recording:
        assert recording.lost is None


def test_an_engine_told_to_stay_outlives_its_screen() -> None:
    first = spawn_engine(EngineConfig(ports=(IMU,)), stay=True)
    until(lambda: samples(first) > 50)
    first.close()
    with attach(first.address, first.token) as second:
        count = samples(second)
        until(lambda: samples(second) > count + 50)
        assert second.command("quit") == {}
    until(lambda: _gone(first.address, first.token))


def _gone(address: str, token: str) -> bool:
    try:
        attach(address, token).close()
    except NoAnswer:
        return True
    return False


def test_an_engine_that_cannot_start_says_why() -> None:
    with pytest.raises(BridgeError, match="/dev/nothing-here"):
        spawn_engine(EngineConfig(ports=(PortConfig(port="/dev/nothing-here"),)))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{}", "either ports or a recording"),
        ('{"ports": [{"port": "virtual://imu", "bauds": 1}]}', "ports.0.bauds"),
        ("not json", "configuration is wrong"),
    ],
)
def test_a_wrong_configuration_names_its_key(text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        parse_config(text)
