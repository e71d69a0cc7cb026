"""The engine from outside: the door that screens come through, and a process that ends with its parent."""

import contextlib
import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from engines import BENCH, IMU, QUICK, Unhurried, derived, samples, until, written

from firmware_bridge.errors import BridgeError, NoAnswer, UsageError
from hil.config import EngineConfig, PortConfig, RecordConfig, parse_config
from hil.door.attach import attach, spawn_engine
from hil.door.server import ASK, HEAD, Server
from hil.engine.engine import Engine
from hil.recording.reader import Recording
from hil.views.message import pack
from hil.views.snapshot import Snapshot
from hil.views.view import View


@pytest.fixture
def imu() -> Iterator[Engine]:
    with Engine(BENCH, Unhurried()) as engine:
        until(lambda: samples(engine) > 100)
        yield engine


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
    with contextlib.suppress(ConnectionError), socket.create_connection((host, int(port)), timeout=150) as stranger:
        stranger.sendall(block)
        stranger.settimeout(60)
        assert stranger.recv(1000) == b""
    with attach(door.address, door.token) as client:
        assert client.snapshot(QUICK).boards


def test_a_screen_that_reads_nothing_holds_up_neither_capture_nor_other_screens(door: Server, imu: Engine) -> None:
    host, _, port = door.address.partition(":")
    with socket.create_connection((host, int(port)), timeout=150) as slow:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        for message in ({"token": door.token}, *({"view": View(columns=4000).to_dict()} for _ in range(50))):
            block = pack(message)
            slow.sendall(HEAD.pack(len(block), ASK) + block)
        before = samples(imu)
        with attach(door.address, door.token) as client:
            until(lambda: samples(client) > before + 1000)
            assert client.snapshot(QUICK).boards[0].lost == 0


def cut(door: Server) -> None:
    """Cut every connection; one that was cut before may still be among them."""
    for connection in list(door._clients):
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)


def test_a_cut_connection_is_made_anew_and_no_command_is_given_twice(door: Server, imu: Engine) -> None:
    with attach(door.address, door.token) as client:
        cut(door)
        assert client.snapshot(QUICK).boards
        cut(door)
        with pytest.raises(NoAnswer, match="nobody knows whether 'mark' was done"):
            client.command("mark", text="once")
        assert client.command("mark", text="twice") == {}


def test_a_command_that_was_never_said_is_no_command_that_may_have_been_heard(
    door: Server, imu: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The way to the engine is made anew before it is said: one that fails at first is only tried again."""
    with attach(door.address, door.token) as client:
        client._drop()
        connect, fails = client._connect, [NoAnswer("no engine answers", door.address, "")]

        def connect_at_last() -> None:
            if fails:
                raise fails.pop()
            connect()

        monkeypatch.setattr(client, "_connect", connect_at_last)
        assert client.command("mark", text="once") == {}


def test_without_an_engine_there_is_one_sentence(door: Server, imu: Engine) -> None:
    client = attach(door.address, door.token)
    door.close()
    with pytest.raises(NoAnswer, match=r"no engine answers|the engine is gone"):
        client.snapshot(QUICK)
    with pytest.raises(NoAnswer, match="no engine answers"):
        attach(door.address, door.token)


class Ending:
    """A bench that is asked to end, and whose door closes before it has answered."""

    server: Server

    def snapshot(self, view: View) -> Snapshot:
        raise NotImplementedError

    def command(self, verb: str, **arguments: object) -> dict[str, object]:
        threading.Thread(target=self.server.close).start()
        until(lambda: _gone(self.server.address, self.server.token))
        return {"done": verb}


def test_who_asked_before_the_door_closed_is_answered() -> None:
    bench = Ending()
    bench.server = Server(bench)
    with attach(bench.server.address, bench.server.token) as screen:
        assert screen.command("quit") == {"done": "quit"}


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
    assert child.wait(150) == 0
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
