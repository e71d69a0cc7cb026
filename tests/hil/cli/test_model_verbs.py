"""`hil model list`, `load` and `unload`: files within reach, and models of a bench that runs."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

import hil.models
from firmware_bridge.errors import UsageError
from hil.cli import app
from hil.config import EngineConfig, PortConfig
from hil.engine import Engine
from hil.server import Server

SMALL = Path(hil.models.__file__).parent / "exercise-small.hilmodel"


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


def test_without_a_bench_that_runs_nothing_is_loaded_and_the_next_step_is_said(tmp_path: Path) -> None:
    env = {"HIL_ENGINE": None, "HIL_TOKEN": None, "HIL_ENGINE_DIR": str(tmp_path)}
    result = CliRunner().invoke(app, ["model", "load", str(SMALL)], env=env)
    assert isinstance(result.exception, UsageError)
    assert "start one with `hil ui PORT`" in str(result.exception)
