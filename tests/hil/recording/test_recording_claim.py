"""A recording that a living process writes is told from one that was cut off."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from recording_kills import samples
from recording_samples import T0, header
from typer.testing import CliRunner

from firmware_bridge.events import Arrival
from hil.cli import app
from hil.librarian.shelf import look
from hil.recording.claim import claimed
from hil.recording.info import info
from hil.recording.reader import Recording
from hil.recording.writer import RecordingWriter

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="files cannot be claimed there")

WRITES = """
import sys
sys.path.insert(0, sys.argv[2])
from test_recording_claim import begun
writer = begun(sys.argv[1])
print("written", flush=True)
sys.stdin.read()
"""


def begun(path: str | Path) -> RecordingWriter:
    """A recording that has not ended: 1,000 samples of it are in the file."""
    writer = RecordingWriter(path, header())
    part = samples(0, 1000)
    writer.write(Arrival("watch", 0, T0, "rx", b"", (part,)))
    writer.flush()
    return writer


def test_a_recording_that_another_process_writes_grows_and_is_cut_off_only_when_that_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "watch.mcap"
    with subprocess.Popen(
        [sys.executable, "-c", WRITES, str(path), str(Path(__file__).parent)], stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, text=True,
    ) as child:  # fmt: skip
        assert child.stdout is not None
        assert child.stdout.readline() == "written\n"
        for _ in range(2):  # asking changes nothing
            told = look(path)
            assert told.being_written
            assert "still being written by another process" in told.trouble
        plain = json.loads(CliRunner().invoke(app, ["info", str(path), "--json"]).stdout)
        assert plain["being_written"]
        assert "cut off" not in plain["lost"]
        assert [row["samples"] for row in plain["streams"]] == [1000]
        child.kill()
        child.wait()
    told = look(path)
    assert not told.being_written
    assert "cut off" in told.trouble


def test_a_recording_is_claimed_until_it_is_closed_and_readers_never_claim_it(tmp_path: Path) -> None:
    path = tmp_path / "watch.mcap"
    writer = begun(path)
    with Recording(path) as one, Recording(path) as other:
        assert one.being_written
        assert other.being_written
    writer.close()
    assert not info(path).being_written
    assert info(path).lost is None
    with path.open("rb") as one, path.open("rb") as other:
        assert not claimed(one.fileno())
        assert not claimed(other.fileno())


def test_a_writer_that_was_asked_about_at_the_wrong_moment_claims_its_file_with_the_next_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "watch.mcap"
    with monkeypatch.context() as patched:
        patched.setattr("hil.recording.files.claim", lambda handle: False)
        writer = RecordingWriter(path, header())
    with path.open("rb") as one:
        assert not claimed(one.fileno())
        part = samples(0, 1000)
        writer.write(Arrival("watch", 0, T0, "rx", b"", (part,)))
        writer.flush()
        assert claimed(one.fileno())
    writer.close()
