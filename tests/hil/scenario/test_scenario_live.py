"""Set-up and teardown on live boards: real boards behind the real link, real commands, real processes."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from firmware_bridge.batch import Batch
from firmware_bridge.clock import ManualClock
from firmware_bridge.events import Arrival
from firmware_bridge.streams import Stream
from hil.scenario.execution.driving import driving
from hil.scenario.execution.live import _listen
from hil.scenario.grammar.load import Loaded, parse_scenario
from hil.scenario.results.outcome import ScenarioResult, exit_code
from hil.scenario.run import RunOptions, run_scenario

BOARD = "virtual://imu?seed=3&tx_buffer=100000000"  # it has room for all that a host leaves waiting
HEAD = f"""
name = "a live board"
[board.imu]
port = "{BOARD}"
[readings]
to_s = 0.3
[[check]]
metric = "stream.imu.imu.samples"
at_least = 100
"""
ALWAYS_FAILS = HEAD.replace("at_least = 100", "at_most = 1")


def ran(folder: Path, text: str, **options: object) -> ScenarioResult:
    loaded = Loaded(folder / "live.toml", text, parse_scenario(text, "live.toml"))
    return run_scenario(loaded, RunOptions(**options))  # type: ignore[arg-type]


def command(folder: Path, name: str, status: int = 0) -> list[str]:
    """A command that leaves a line in a file and ends with a status."""
    code = f"open({str(folder / name)!r}, 'a').write('ran\\n'); print('bad image'); raise SystemExit({status})"
    return [sys.executable, "-c", code]


def tables(folder: Path, setup: str = "", flash: int | None = 0) -> str:
    flashed = "" if flash is None else f"flash = {command(folder, 'flashed', flash)!r}\n"
    return f"[setup]\n{flashed}{setup}\n[teardown]\nsend = ['STOP']\ncommand = {command(folder, 'torn')!r}\n"


def count(folder: Path, name: str) -> int:
    path = folder / name
    return path.read_text().count("ran") if path.exists() else 0


def test_a_board_is_flashed_reset_told_and_waited_for_and_put_back(tmp_path: Path) -> None:
    setup = 'reset = true\nsend = ["PING token=7", "GET_STATUS"]\nfirmware = "virtual-1"\nwait_s = 60.0'
    result = ran(tmp_path, HEAD + tables(tmp_path, setup))
    assert result.outcome == "PASS", result
    assert result.target == BOARD
    assert result.metrics["link.imu.reboots"]["value"] == 0  # it had started anew before its readings began
    assert (count(tmp_path, "flashed"), count(tmp_path, "torn")) == (1, 1)
    assert result.remarks == ()


def test_what_the_board_says_is_waited_for_and_its_silence_is_trouble(tmp_path: Path) -> None:
    watch = HEAD.replace(BOARD, "virtual://watch?seed=3").replace("at_least = 100", "at_least = 5")
    said = ran(tmp_path, watch + '[setup]\nwait_for = "label:"\nwait_s = 60.0\n')
    assert said.outcome == "PASS", said
    silent = ran(tmp_path, HEAD + tables(tmp_path, 'wait_for = "open sesame"\nwait_s = 0.3', None))
    assert silent.outcome == "TROUBLE"
    assert "did not say 'open sesame' in 0.3 s" in silent.why
    assert count(tmp_path, "torn") == 1


def test_the_wrong_firmware_is_trouble_and_the_teardown_runs(tmp_path: Path) -> None:
    result = ran(tmp_path, HEAD + tables(tmp_path, 'firmware = "release-9"'))
    assert result.outcome == "TROUBLE"
    assert "'release-9' is asked for and 'virtual-1' is on it" in result.why
    assert exit_code([result]) == 3
    assert result.checks == ()
    assert count(tmp_path, "torn") == 1


def test_a_flash_command_that_fails_is_trouble_with_its_own_last_words(tmp_path: Path) -> None:
    result = ran(tmp_path, HEAD + tables(tmp_path, flash=7))
    assert result.outcome == "TROUBLE"
    assert "it ended with 7: bad image" in result.why
    assert count(tmp_path, "torn") == 1
    absent = ran(tmp_path, HEAD + '[setup]\nflash = ["no-such-flasher", "image.bin"]\n')
    assert absent.outcome == "TROUBLE"
    assert "'no-such-flasher' is not installed" in absent.why


def test_a_check_that_fails_on_a_live_board_is_the_devices_and_the_teardown_runs(tmp_path: Path) -> None:
    result = ran(tmp_path, ALWAYS_FAILS + tables(tmp_path))
    assert result.outcome == "FAIL"
    assert exit_code([result]) == 1
    assert count(tmp_path, "torn") == 1


def test_a_teardown_that_fails_is_a_remark_and_changes_no_verdict(tmp_path: Path) -> None:
    text = HEAD + f"[teardown]\nsend = ['NONSENSE']\ncommand = {command(tmp_path, 'torn', 5)!r}\n"
    result = ran(tmp_path, text)
    assert result.outcome == "PASS"
    assert any("it ended with 5" in remark for remark in result.remarks)
    assert count(tmp_path, "torn") == 1


def test_a_run_that_takes_longer_than_it_may_is_trouble_and_the_teardown_runs(tmp_path: Path) -> None:
    slow = HEAD.replace("to_s = 0.3", "to_s = 60.0").replace('name = "a live board"', 'name = "slow"\ntimeout_s = 0.4')
    began = time.monotonic()
    result = ran(tmp_path, slow + tables(tmp_path))
    assert result.outcome == "TROUBLE"
    assert "timeout_s = 0.4" in result.why
    assert time.monotonic() - began < 60  # which is how long its readings are
    assert count(tmp_path, "torn") == 1


@pytest.mark.skipif(os.name != "posix", reason="signals are sent with os.kill")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "terminate"])
def test_ctrl_c_ends_the_run_and_the_teardown_runs_all_the_same(tmp_path: Path, number: signal.Signals) -> None:
    long = HEAD.replace("to_s = 0.3", "to_s = 50.0")
    (tmp_path / "live.toml").write_text(long + tables(tmp_path))
    # What is ignored is inherited: where tests run in the background, Ctrl-C is.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    child = subprocess.Popen(
        [sys.executable, "-m", "hil", "run", "live.toml"], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    until = time.monotonic() + 60
    while not count(tmp_path, "flashed") and time.monotonic() < until and child.poll() is None:
        time.sleep(0.05)
    time.sleep(1.0)  # into the readings
    child.send_signal(number)
    _, told = child.communicate(timeout=150)
    assert count(tmp_path, "flashed") == 1
    assert count(tmp_path, "torn") == 1, told
    assert child.returncode != 0


class Busy:
    """A bridge whose host was away for three seconds, just after the first reading: the others are taken afterwards."""

    def __init__(self, clock: ManualClock, silent: bool) -> None:
        self.clock, self.began = clock, clock.now_ns()
        self.lists = [[0.0], [0.1, 0.2], [0.25], [] if silent else [3.0], [3.1], [3.2]]

    def take(self, max_wait_s: float) -> list[Arrival]:
        taken = [self.heard(int(at * 1e9)) for at in self.lists.pop(0)]
        self.clock.advance_ns(3_000_000_000 if len(self.lists) == 5 else 1_000)
        return taken

    def heard(self, at: int) -> Arrival:
        stream = Stream("imu", ("x",), ("g",), "<i2", (1,), 100.0)
        time = np.array([self.began + at])
        batch = Batch("imu", stream, 0, at, time, time, np.zeros((1, 1), np.int16))
        return Arrival("imu", at, self.began + at, "rx", b"x", (batch,))

    def boards(self) -> list[object]:
        return []


@pytest.mark.parametrize("silent", [False, True])
def test_a_host_that_was_away_still_hears_what_was_sent_in_time(silent: bool) -> None:
    clock = ManualClock()
    busy = Busy(clock, silent)
    with driving((), ()) as drives:
        heard = list(_listen(busy, clock, 0.0, 0.3, drives))  # type: ignore[arg-type]
    times = [(one.t_ns - busy.began) / 1e9 for one in heard]
    assert times == [0.0, 0.1, 0.2, 0.25, *([] if silent else [3.0])]


def test_an_unmet_need_is_na_and_a_failure_only_where_strict(tmp_path: Path) -> None:
    needs = HEAD.replace('name = "a live board"', 'name = "needs"\nneeds = ["board:imu-revb"]')
    result = ran(tmp_path, needs)
    assert result.outcome == "NA"
    assert "board:imu-revb" in result.why
    assert exit_code([result]) == 0
    assert exit_code([result], strict=True) == 1
    assert ran(tmp_path, needs, bench=(("imu-revb", "virtual://imu"),)).outcome == "PASS"


def test_what_passes_in_quarantine_is_reported_and_what_fails_there_does_not_count(tmp_path: Path) -> None:
    quarantine = '[quarantine]\nreason = "flaky cable"\ndate = "2026-01-31"\n'
    passing = ran(tmp_path, HEAD + quarantine)
    assert passing.outcome == "PASS"
    assert any("take [quarantine] out" in remark for remark in passing.remarks)
    failing = ran(tmp_path, ALWAYS_FAILS + quarantine)
    assert (failing.outcome, failing.quarantined) == ("FAIL", "flaky cable (2026-01-31)")
    assert exit_code([passing, failing]) == 0


def test_a_board_that_is_not_there_is_trouble_and_the_teardown_runs(tmp_path: Path) -> None:
    gone = HEAD.replace(BOARD, str(tmp_path / "ttyGONE"))
    result = ran(tmp_path, gone + tables(tmp_path, flash=None))
    assert result.outcome == "TROUBLE"
    assert "ttyGONE" in result.why
    assert count(tmp_path, "torn") == 1
