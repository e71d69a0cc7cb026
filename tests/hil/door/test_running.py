"""An engine is found by its own user's other programs and by nobody else; its token is shown nowhere."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from firmware_bridge.errors import UsageError
from hil.cli import app
from hil.config import EngineConfig, PortConfig
from hil.door.attach import spawn_engine
from hil.door.running import announce, chosen, engine_folder, running

IMU = EngineConfig(ports=(PortConfig(port="virtual://imu?seed=3", role="imu"),))
SECRET = "9f86d081884c7d659a2feaa0c55ad015"
HOLDS = (
    "import sys\nfrom pathlib import Path\nfrom hil.door.running import announce\n"
    "print(announce('127.0.0.1:9', 'x', (), Path(sys.argv[1])) is not None, flush=True)\nsys.stdin.read()"
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HIL_ENGINE_DIR", str(tmp_path / "engines"))
    for name in ("HIL_ENGINE", "HIL_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "engines"


def test_an_engine_says_where_it_is_in_a_file_that_only_its_user_may_read(folder: Path) -> None:
    assert running() == ()
    said = announce("127.0.0.1:4000", SECRET, ("virtual://imu",), now_s=5.0)
    assert said is not None
    (known,) = running()
    assert (known.address, known.token, known.pid, known.doing) == ("127.0.0.1:4000", SECRET, os.getpid(),
                                                                    ("virtual://imu",))  # fmt: skip
    assert stat.S_IMODE(said.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert SECRET not in f"{known!r} {known} {known.as_dict()}"
    said.withdraw()
    said.withdraw()
    assert running() == ()
    assert list(folder.iterdir()) == []


def test_what_a_killed_engine_left_is_taken_away_and_what_is_being_written_or_odd_is_left_alone(folder: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLDS, str(folder)], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stdout.readline().strip() == b"True"
        assert [one.pid for one in running()] == [process.pid]
        process.kill()
    for name, text in (("empty", ""), ("odd", "[]"), ("cut", '{"address": "1')):
        (folder / f"{name}.json").write_text(text, encoding="utf-8")
    assert running() == ()
    assert sorted(path.stem for path in folder.iterdir()) == ["cut", "empty", "odd"]


def test_the_one_that_runs_is_meant_and_of_several_one_must_be_named(folder: Path) -> None:
    with pytest.raises(UsageError, match=r"no engine of yours runs on this computer.*hil ui PORT"):
        chosen()
    assert chosen("10.0.0.1:1", "t") == ("10.0.0.1:1", "t")
    first = announce("127.0.0.1:4000", SECRET, ("virtual://imu",), now_s=5.0)
    assert chosen() == chosen("127.0.0.1:4000") == ("127.0.0.1:4000", SECRET)
    second = announce("127.0.0.1:4001", "other", ("a.mcap",), now_s=4.0)
    assert first is not None
    assert second is not None
    assert chosen("127.0.0.1:4001") == ("127.0.0.1:4001", "other")
    with pytest.raises(UsageError) as several:
        chosen()
    assert str(several.value) == (
        "2 engines run and none is named; name one with --at: 127.0.0.1:4001 (a.mcap), 127.0.0.1:4000 (virtual://imu)"
    )
    with pytest.raises(UsageError, match=r"127\.0\.0\.1:5: no engine of yours says.*127\.0\.0\.1:4001 \(a\.mcap\)"):
        chosen("127.0.0.1:5")
    first.withdraw()
    second.withdraw()


def test_where_nothing_can_be_written_the_engine_goes_on_unannounced(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    assert announce("127.0.0.1:4000", SECRET, folder=tmp_path / "file" / "engines") is None
    assert running(tmp_path / "file" / "engines") == ()


def test_the_folder_is_the_user_s_own() -> None:
    assert engine_folder({"HIL_ENGINE_DIR": "/e", "XDG_RUNTIME_DIR": "/run/user/7"}) == Path("/e")
    assert engine_folder({"XDG_RUNTIME_DIR": "/run/user/7"}) == Path("/run/user/7/hil/engines")
    assert engine_folder({"XDG_STATE_HOME": "/s"}) == Path("/s/hil/engines")
    assert engine_folder({}) == Path.home() / ".local" / "state" / "hil" / "engines"


def test_a_verb_finds_the_engine_of_a_screen_by_itself_and_the_engine_withdraws_when_it_ends(folder: Path) -> None:
    with spawn_engine(IMU) as client:
        listed = CliRunner().invoke(app, ["engines", "--json"], catch_exceptions=False).stdout
        assert [(one["address"], one["doing"]) for one in json.loads(listed)["engines"]] == [
            (client.address, ["virtual://imu?seed=3"])]  # fmt: skip
        asked = CliRunner().invoke(app, ["model", "unload", "nobody"])
        assert "no model nobody" in str(asked.exception) or "none runs" in str(asked.exception)
        for words in (listed, CliRunner().invoke(app, ["engines"]).output, asked.output):
            assert client.token not in words
    assert list(folder.iterdir()) == []


def test_no_terminal_is_said_before_an_engine_is_looked_for(folder: Path) -> None:
    result = CliRunner().invoke(app, ["attach"])
    assert result.exit_code == 2
    assert "hil attach needs a terminal" in result.output
