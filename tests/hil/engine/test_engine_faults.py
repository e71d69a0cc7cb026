"""A recording made with faults says which, and everything in it follows from its bytes all the same."""

import json

import pytest
from engines import captured
from typer.testing import CliRunner

import hil
from firmware_bridge.errors import UsageError
from hil.cli import app
from hil.config import EngineConfig, PortConfig, RecordConfig
from hil.models.verify import verify

FAULTS = (
    {"kind": "frame.drop", "rate": 0.1},
    {"kind": "sensor.bias", "on": "imu/imu/ax", "offset": 3.0, "from_s": 0.2},
    {"kind": "clock.jump", "seconds": 0.02, "from_s": 0.4},
)


def test_a_recording_with_faults_says_which_and_verifies(tmp_path):
    path = tmp_path / "faulty.mcap"
    config = EngineConfig(
        ports=(PortConfig(port="imu=virtual://imu?seed=1"),), record=RecordConfig(path=str(path)), faults=FAULTS,
        fault_seed=6,
    )  # fmt: skip
    summary = captured(config, 600)
    assert summary.closes
    with hil.open(path) as recording:
        told = dict(recording.file.metadata)["hil/faults"]
        assert json.loads(told["seed"]) == 6
        assert [fault["kind"] for fault in json.loads(told["faults"])] == [fault["kind"] for fault in FAULTS]
        seen = recording.read("imu", "imu")
        ax = seen.values[:, 0]
        assert abs(float(ax[seen.numbers < 200].mean())) < 0.5
        assert abs(float(ax[seen.numbers >= 200].mean()) - 3.0) < 0.5
        assert len(seen.numbers) < int(seen.numbers[-1])
    assert verify(path).verdict == "reproduced"


def test_faults_are_for_boards_that_are_there():
    ports = (PortConfig(port="imu=virtual://imu"),)
    with pytest.raises(UsageError, match="no board of this bench"):
        EngineConfig(ports=ports, faults=({"kind": "frame.drop", "on": "watch"},)).schedule()
    assert not EngineConfig(ports=ports).schedule()


def test_capture_takes_faults_from_a_file_and_names_a_mistake(tmp_path):
    path = tmp_path / "faults.toml"
    path.write_text('[[fault]]\nkind = "frame.dropp"\n')
    run = CliRunner().invoke(app, ["capture", "virtual://imu", "--faults", str(path), "-o", str(tmp_path / "x.mcap")])
    assert run.exit_code != 0
    assert "did you mean frame.drop" in str(run.exception)
    run = CliRunner().invoke(app, ["capture", "virtual://imu", "--seed", "3"])
    assert "--faults" in str(run.exception)
