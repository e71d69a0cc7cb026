"""`hil capture --pre-trigger` on a real terminal: one key is enough, and the terminal is given back as it was."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from firmware_bridge.errors import UsageError
from hil.cli import app
from hil.recording.reader import Recording
from hil.scenario.grammar.load import load_scenario


@pytest.mark.pty
@pytest.mark.skipif(os.name != "posix", reason="needs a pseudo terminal")
def test_a_key_on_a_terminal_saves_a_glitch_with_a_scenario(tmp_path: Path) -> None:
    import pty
    import termios

    master, slave = pty.openpty()
    before = termios.tcgetattr(slave)
    options = ("--pre-trigger", "1", "--post-trigger", "0.2", "--count", "1", "--person", "ann", "--json")
    child = subprocess.Popen(
        [sys.executable, "-m", "hil", "capture", "imu=virtual://imu?seed=3", *options, "-o", "bump.mcap"],
        cwd=tmp_path, stdin=slave, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert child.stderr is not None
        for line in child.stderr:
            if "samples" in line and "samples 0" not in line:
                break
        os.write(master, b"x ")
        out, _ = child.communicate(timeout=150)
        assert termios.tcgetattr(slave) == before
    finally:
        child.kill()
        os.close(master)
        os.close(slave)
    assert child.returncode == 0, out
    (saved,) = json.loads(out)["glitches"]
    assert (saved["path"], saved["scenario"], saved["triggers"]) == ("bump.mcap", "bump.toml", 1)
    assert load_scenario(tmp_path / "bump.toml").scenario.board["imu"].recording == "bump.mcap"
    with Recording(tmp_path / "bump.mcap") as recording:
        assert recording.header.about["person"] == "ann"


@pytest.mark.skipif(os.name != "posix", reason="processes with pipes")
def test_a_line_of_a_pipe_triggers_and_its_words_are_kept(tmp_path: Path) -> None:
    options = ("--pre-trigger", "1", "--post-trigger", "0.1", "--count", "1", "-o", "kept")
    child = subprocess.Popen(
        [sys.executable, "-m", "hil", "capture", "imu=virtual://imu?seed=3", *options], cwd=tmp_path,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert child.stdin is not None
    assert child.stderr is not None
    for line in child.stderr:
        if "samples" in line and "samples 0" not in line:
            break
    child.stdin.write("the fan started\n")
    child.stdin.flush()
    out, _ = child.communicate(timeout=150)
    assert child.returncode == 0, out
    assert "the fan started" in out
    assert len(list((tmp_path / "kept").glob("glitch-*.mcap"))) == 1


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--on-anomaly"], "add --pre-trigger"),
        (["--pre-trigger", "5", "--threshold", "imu>2"], "names no channel"),
        (["--pre-trigger", "5", "--confidence", "exercise<0.5"], "add --model"),
        (["--pre-trigger", "5", "--split", "1h"], "one file"),
        (["--pre-trigger", "-5"], "no length of time"),
    ],
)
def test_options_that_mean_nothing_together_are_a_sentence(options: list[str], words: str) -> None:
    said = CliRunner().invoke(app, ["capture", "virtual://imu", *options])
    assert isinstance(said.exception, UsageError)
    assert words in str(said.exception)
