"""`hil model list`, `load`, `unload` and `stop`: files within reach, models of a bench that runs, a board's own."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import hil.models
from firmware_bridge.errors import UsageError
from firmware_bridge.firmware.build import built
from firmware_bridge.firmware.kinds import can_start
from hil.cli import app
from hil.config import EngineConfig, PortConfig
from hil.dialogue.onboard import OnBoard
from hil.door.server import Server
from hil.engine.engine import Engine
from hil.serving.shelf import read_oplist

SMALL = Path(hil.models.__file__).parent / "exercise-small.hilmodel"
HILN = Path(__file__).resolve().parents[2] / "firmware_bridge" / "firmware" / "exercise-small.hiln"


@pytest.fixture
def door() -> Iterator[Server]:
    with Engine(EngineConfig(ports=(PortConfig(port="virtual://imu?seed=3", role="imu"),))) as engine:
        server = Server(engine)
        yield server
        server.close()


def invoke(*words: str, env: dict[str, str] | None = None) -> str:
    result = CliRunner().invoke(app, list(words), env=env, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_model_files_are_listed_with_what_they_read_and_those_that_cannot_be_loaded_with_the_reason(tmp_path) -> None:
    (tmp_path / "odd.hilmodel").write_bytes(b"")
    (tmp_path / "good.hilmodel").write_bytes(SMALL.read_bytes())
    found = {one["name"]: one for one in json.loads(invoke("model", "list", str(tmp_path), "--json"))["models"]}
    assert found["exercise-small"]["rate_hz"] == 50.0
    assert found["exercise-small"]["trouble"] == ""
    assert "no .hilmodel file" in found["odd"]["trouble"]
    assert "ax ay az wx wy wz" in invoke("model", "list", str(tmp_path))
    assert "exercise-small" in invoke("model", "list")  # what comes along is always within reach


def test_a_model_is_put_on_a_bench_that_runs_and_taken_off_again(door: Server) -> None:
    where = {"HIL_ENGINE": door.address, "HIL_TOKEN": door.token}
    said = json.loads(invoke("model", "load", str(SMALL), "--board", "watch", "--json", env=where))
    assert said["model"] == "exercise-small"
    assert "for watch" in said["sentence"]
    with pytest.raises(UsageError, match="runs already"):
        invoke("model", "load", str(SMALL), env=where)
    options = ("--at", door.address, "--token", door.token)
    assert "exercise-small is unloaded" in json.loads(invoke("model", "unload", "exercise-small", "--json", *options))[
        "sentence"]  # fmt: skip
    with pytest.raises(UsageError, match="name one that runs: none runs"):
        invoke("model", "unload", "exercise-small", *options)


def test_a_board_that_holds_no_network_has_none_to_stop(door: Server) -> None:
    options = ("--at", door.address, "--token", door.token)
    with pytest.raises(UsageError, match="no live board here holds a network"):
        invoke("model", "stop", *options)
    with pytest.raises(UsageError, match="nobody is no live board that holds a network"):
        invoke("model", "stop", "--board", "nobody", *options)
    with pytest.raises(UsageError, match="a port is one board and no bench"):
        invoke("model", "stop", "--on", "virtual://imu", *options)
    with pytest.raises(UsageError, match="there is no model here"):
        invoke("model", "stop", "--on", "virtual://imu")


@pytest.mark.firmware
def test_a_board_whose_network_is_stopped_takes_windows_of_the_host_again() -> None:
    if reason := can_start("native"):
        pytest.skip(reason)
    blob, oplist = read_oplist(HILN)
    program = subprocess.Popen([built("native"), "--leash"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert program.stdin is not None
    assert program.stdout is not None
    with program:
        port = program.stdout.readline().strip()
        invoke("model", "deploy", str(HILN), "--on", port, "--stream", "--json")
        window = np.zeros((1, oplist.window, oplist.columns), "<i2")
        with OnBoard.open(port) as board, pytest.raises(UsageError, match="it runs on its own samples"):
            board.infer(window, "imu")
        said = json.loads(invoke("model", "stop", "--on", port, "--json"))
        assert said["sentence"] == "hil-imu6 NATIVE's network runs no longer"
        with OnBoard.open(port) as board:
            assert board.info.extra["network"]["bytes"] == len(blob)  # it is still there
            assert board.infer(window, "imu")[0] is not None
        program.stdin.close()


@pytest.mark.firmware
def test_a_network_that_was_to_run_for_some_seconds_runs_no_longer_when_they_are_over() -> None:
    if reason := can_start("native"):
        pytest.skip(reason)
    _, oplist = read_oplist(HILN)
    program = subprocess.Popen([built("native"), "--leash"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert program.stdin is not None
    assert program.stdout is not None
    with program:
        port = program.stdout.readline().strip()
        words = ("--on", port, "--stream", "--hop", "50", "--for", "0.5", "--json")
        assert json.loads(invoke("model", "deploy", str(HILN), *words))["results"]
        with OnBoard.open(port) as board:  # it refused, while it ran on its own samples
            assert board.infer(np.zeros((1, oplist.window, oplist.columns), "<i2"), "imu")[0] is not None
        program.stdin.close()


def test_without_a_bench_that_runs_nothing_is_loaded_and_the_next_step_is_said(tmp_path: Path) -> None:
    env = {"HIL_ENGINE": None, "HIL_TOKEN": None, "HIL_ENGINE_DIR": str(tmp_path)}
    result = CliRunner().invoke(app, ["model", "load", str(SMALL)], env=env)
    assert isinstance(result.exception, UsageError)
    assert "start one with `hil ui PORT`" in str(result.exception)
