"""A scenario to start from is well formed and holds for the recording that it was made from."""

import subprocess
import sys
from pathlib import Path

import pytest

from firmware_bridge.faults import Schedule
from hil.scenario.execution.execute import execute
from hil.scenario.execution.targets import place_of
from hil.scenario.grammar.load import Loaded, load_scenario, parse_scenario
from hil.scenario.run import RunOptions, run_scenario

TEXT = """
name = "two"
[board.imu]
virtual = "imu?rate=100&ppm=20"
[board.thermal]
virtual = "thermal"
[readings]
to_s = 2.5
[[check]]
metric = "link.imu.gaps"
equals = 0
"""


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    loaded = Loaded(tmp_path / "s.toml", TEXT, parse_scenario(TEXT, "s.toml"))
    places = [place_of(role, table, None, False) for role, table in loaded.scenario.board.items()]
    execute(loaded, places, 0, Schedule(), keep=tmp_path / "two.mcap")
    return tmp_path / "two.mcap"


def test_what_is_written_passes_on_its_recording_and_is_never_overwritten(recording: Path) -> None:
    folder = recording.parent
    command = (sys.executable, "-m", "hil", "scenario", "new", "two.mcap", "-o", "new.toml")
    first = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=150)
    assert first.returncode == 0, first.stderr
    loaded = load_scenario(folder / "new.toml")
    assert set(loaded.scenario.board) == {"imu", "thermal"}
    assert len(loaded.scenario.check) > 10
    assert "# observed: 100 Hz" in loaded.text
    result = run_scenario(loaded, RunOptions())
    assert result.outcome == "PASS", result
    again = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=150)
    assert again.returncode == 3
    assert "choose another name" in again.stderr
