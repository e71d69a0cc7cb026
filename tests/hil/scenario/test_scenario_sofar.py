"""What checks say while a scenario runs: figures so far, by the functions of the end, which they do not change."""

from pathlib import Path

import pytest

from hil.scenario.execution.sofar import checks_so_far, file_of, read_so_far
from hil.scenario.grammar.grammar import CheckTable
from hil.scenario.grammar.load import Loaded, parse_scenario
from hil.scenario.results.outcome import CheckResult, Reading
from hil.scenario.run import RunOptions, run_scenario

TEXT = """
name = "A few seconds of an imu"
[readings]
from_s = 1.0
to_s = 5.0
[board.imu]
virtual = "imu"
[[fault]]
on = "imu"
kind = "frame.drop"
rate = 0.05
from_s = 2.0
to_s = 4.0
[[check]]
metric = "link.imu.samples_lost"
equals = 0
[[check]]
metric = "stream.imu.imu.ax.maximum"
at_most = 100
[[check]]
metric = "clock.imu.drift"
between = [-200, 200]
"""


def loaded(text: str = TEXT) -> Loaded:
    return Loaded(Path("half.toml"), text, parse_scenario(text, "half.toml"), {})


def test_checks_are_told_while_a_scenario_runs_and_change_nothing_of_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[list[CheckResult]] = []
    monkeypatch.setattr("hil.scenario.execution.sofar.FIRST_S", 0.0)
    monkeypatch.setattr("hil.scenario.execution.sofar.SHARE", 0.0)
    monkeypatch.setattr("hil.scenario.execution.sofar._write", lambda _, plain: told.append(
        [CheckResult(**one) for one in plain["checks"]]))  # fmt: skip
    one = loaded()
    plain, watched = run_scenario(one, RunOptions()), run_scenario(one, RunOptions(so_far=str(tmp_path)))
    assert watched.checks == plain.checks
    assert watched.metrics == plain.metrics
    lost = [check.value for row in told for check in row if check.metric == "link.imu.samples_lost"]
    assert len(lost) > 10
    assert lost[0] == 0
    assert lost[-1] == plain.checks[0].value > 0
    assert lost == sorted(lost)  # nothing from before the part that is judged
    assert {check.outcome for row in told for check in row if check.metric.startswith("link")} == {"PASS", "FAIL"}
    # A clock's fit is there at the end only: before that there is no figure, and so none is told.
    assert not any(check.metric.startswith("clock") for row in told for check in row)


def test_what_was_told_last_is_read_by_whoever_waits_and_nothing_is_no_trouble(tmp_path: Path) -> None:
    file = file_of(str(tmp_path), "half.toml")
    assert read_so_far(file) == ()
    run_scenario(loaded(), RunOptions(so_far=str(tmp_path)))
    file.write_text("{")
    assert read_so_far(file) == ()


def test_a_check_without_a_figure_by_now_is_left_open() -> None:
    readings = [Reading("link.imu.samples_lost", None, "", absent="UNSET", why="no sample came")]
    assert checks_so_far(loaded(), readings) == []
    assert all(isinstance(check, CheckTable) for check in loaded().scenario.check)
