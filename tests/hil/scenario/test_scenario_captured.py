"""A glitch that somebody sees in a recording becomes a test: it fails on what was cut out, and else passes."""

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from firmware_bridge.batch import Batch
from firmware_bridge.errors import FileError, UsageError
from firmware_bridge.events import Arrival, Connected
from firmware_bridge.streams import BoardInfo, Stream
from hil.cli import app
from hil.recording.header import BoardSetup, Header
from hil.recording.reader import Recording
from hil.recording.writer import RecordingWriter
from hil.scenario.captured import glitch_in
from hil.scenario.grammar.load import load_scenario
from hil.scenario.run import RunOptions, run_scenario

START = 10**18
RATE = 50
IMU = Stream("imu", ("ax", "ay"), ("g", "g"), "<f4", (2,), float(RATE))
INFO = BoardInfo("hil-watch", "1", "", (IMU,), "native")


def recorded(path: Path) -> Path:
    """A minute of two sines; from 40 to 41 s one of them is far off."""
    numbers = np.arange(60 * RATE, dtype=np.int64)
    t = numbers / RATE
    raw = np.stack([np.sin(t), np.cos(t)], axis=1).astype("<f4")
    raw[40 * RATE : 41 * RATE, 0] = 7.0
    raw.flags.writeable = False
    batch = Batch("watch", IMU, 0, 0, numbers * 20_000, START + numbers * (10**9 // RATE), raw)
    writer = RecordingWriter(path, Header(START, (BoardSetup("watch"),)))
    writer.write(Arrival("watch", 0, START, "note", b"", (Connected("watch", START, INFO, 0), batch)))
    writer.close()
    return path


def test_the_test_of_a_glitch_fails_on_it_by_what_left_the_range_of_before(tmp_path: Path) -> None:
    made = glitch_in(recorded(tmp_path / "walk.mcap"), 40.0, 41.0)
    assert made == tmp_path / "walk_glitch_40.0s.toml"
    with Recording(made.with_suffix(".mcap")) as cut:
        assert cut.duration_s == pytest.approx(36.0, abs=0.1)  # 30 s before, 5 s after
    result = run_scenario(load_scenario(made), RunOptions())
    assert result.outcome == "FAIL"
    (failed,) = [one for one in result.checks if one.outcome == "FAIL"]
    assert (failed.metric, failed.value) == ("stream.watch.imu.ax.maximum", 7.0)


def test_a_stretch_in_which_nothing_is_odd_gives_a_test_that_passes(tmp_path: Path) -> None:
    made = glitch_in(recorded(tmp_path / "walk.mcap"), 20.0, 22.0, before_s=15.0, output=tmp_path / "calm.toml")
    assert run_scenario(load_scenario(made), RunOptions()).outcome == "PASS"


def test_nothing_is_overwritten_and_a_stretch_has_a_length(tmp_path: Path) -> None:
    path = recorded(tmp_path / "walk.mcap")
    glitch_in(path, 40.0, 41.0)
    with pytest.raises(FileError, match="never overwritten"):
        glitch_in(path, 40.0, 41.0)
    for begin, end in ((5.0, 5.0), (-1.0, 2.0), (9.0, 3.0)):
        with pytest.raises(UsageError, match="is no stretch"):
            glitch_in(path, begin, end)


def test_the_command_line_makes_the_same_test(tmp_path: Path) -> None:
    path = str(recorded(tmp_path / "walk.mcap"))
    run = CliRunner().invoke(app, ["scenario", "glitch", path, "--from", "40", "--to", "41", "--json"])
    assert run.exit_code == 0, run.output
    told = json.loads(run.stdout)
    assert Path(told["scenario"]).is_file()
    assert Path(told["recording"]).is_file()
    refused = CliRunner().invoke(app, ["scenario", "glitch", path, "--from", "40"])
    assert isinstance(refused.exception, UsageError)
    assert "give --from and --to" in str(refused.exception)


def test_where_no_reading_shows_the_glitch_the_command_line_says_that_the_test_wants_a_check(tmp_path: Path) -> None:
    path = str(recorded(tmp_path / "walk.mcap"))
    for begin, said in (("40", "what the glitch broke fails there"), ("20", "no reading left the range")):
        run = CliRunner().invoke(app, ["scenario", "glitch", path, "--from", begin, "--to", str(int(begin) + 2)])
        assert run.exit_code == 0, run.output
        assert said in run.stderr
