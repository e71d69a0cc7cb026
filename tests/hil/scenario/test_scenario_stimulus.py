"""Recorded readings pushed into boards by a scenario, and one target compared with another."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from hil.cli import app
from hil.scenario.grammar.load import Loaded, parse_scenario
from hil.scenario.results.outcome import ScenarioResult
from hil.scenario.results.table import result_lines
from hil.scenario.run import RunOptions, run_scenario

WATCH = Path(__file__).resolve().parents[3] / "scenarios" / "recordings" / "watch-unseen-9.mcap"
TEXT = f"""
name = "watch"
[board.watch]
recording = "{WATCH}"
[readings]
from_s = 1.0
to_s = 21.0
"""
MODEL = '[model.exercise]\nfile = "exercise"\nboard = "watch"\n'
KEYS = ("missing", "starved", "out_of_order", "differing")
WHOLE = "".join(f'[[check]]\nmetric = "stimulus.watch.{key}"\nequals = 0\n' for key in KEYS)
DROP = '[[fault]]\non = "watch"\nkind = "frame.drop"\nrate = 0.2\n'


def run(text: str, **options: Any) -> ScenarioResult:
    return run_scenario(Loaded(Path("/nowhere/s.toml"), text, parse_scenario(text, "s")), RunOptions(**options))


def test_readings_pushed_into_a_virtual_board_give_the_results_of_the_recording() -> None:
    text = (
        TEXT.replace("21.0", "13.0") + MODEL + '[[check]]\nmetric = "model.exercise.accuracy"\nat_least = 0.5\n' + WHOLE
    )
    pushed = run(text, on="virtual", stimulus=True, against="recording", twice=True)
    assert pushed.outcome == "PASS", pushed
    assert pushed.target == "virtual stimulus"
    rows = {row["name"]: row for row in pushed.gap}
    assert rows["stream.watch.imu.ax.ks"]["difference"] == 0
    assert rows["stream.watch.imu.samples"]["here"] == rows["stream.watch.imu.samples"]["there"] == 600
    # Decisions lie on a grid of sample numbers: the board counts from 0, the recording from where it was cut.
    assert rows["model.exercise.compared"]["there"] >= rows["model.exercise.decisions"]["here"] - 1 > 5
    assert rows["model.exercise.agreement"]["there"] > 0.8


def test_lost_frames_are_missing_readings_on_a_virtual_board_and_on_a_live_one_alike() -> None:
    text = TEXT.replace("to_s = 21.0", "to_s = 4.0") + DROP + WHOLE
    simulated = run(text, on="virtual", stimulus=True)
    live = run(text, on="virtual://watch")
    assert (simulated.outcome, live.outcome) == ("FAIL", "FAIL")
    missing = [one.metrics["stimulus.watch.missing"]["value"] for one in (simulated, live)]
    assert missing[0] == missing[1] > 0
    assert "missing" in simulated.remarks[0]


def test_sensor_faults_reach_a_live_board() -> None:
    text = TEXT.replace("to_s = 21.0", "to_s = 3.0") + WHOLE
    text += '[[fault]]\non = "watch"\nkind = "sensor.stuck"\nhold_s = 0.5\n'
    live = run(text, on="virtual://watch")
    outcomes = {check.metric: check.outcome for check in live.checks}
    assert outcomes["stimulus.watch.differing"] == "FAIL"
    assert outcomes["stimulus.watch.missing"] == "PASS"


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"stimulus": True}, "readings are pushed into boards, and a recording is none"),
        ({"on": "recording", "stimulus": True}, "readings are pushed into boards, and a recording is none"),
        ({"on": "virtual://text"}, "has no INJECT"),
        ({"on": "virtual://ppg"}, "no stream of hil-ppg fits"),
    ],
)
def test_where_nothing_can_be_pushed_it_is_na_with_the_reason(options: dict[str, Any], why: str) -> None:
    result = run(TEXT + WHOLE, **options)
    assert result.outcome == "NA"
    assert why in result.why


def test_a_board_without_recorded_readings_has_nothing_to_push() -> None:
    text = 'name = "i"\n[board.watch]\nvirtual = "imu?rate=100"\n[readings]\nto_s = 1.0\n' + WHOLE
    result = run(text, on="virtual", stimulus=True)
    assert (result.outcome, "no recorded readings" in result.why) == ("NA", True)


def test_metrics_of_a_stimulus_are_na_where_none_is() -> None:
    result = run(TEXT.replace("to_s = 21.0", "to_s = 2.0") + WHOLE)
    assert {check.outcome for check in result.checks} == {"NA"}
    assert "no readings are pushed" in result.checks[0].why


def test_a_gap_shows_what_the_other_target_does_otherwise() -> None:
    imu = 'name = "i"\n[board.imu]\nvirtual = "imu?rate=100&ppm=200"\n[readings]\nto_s = 3.0\n'
    check = '[[check]]\nmetric = "stream.imu.imu.samples"\nat_least = 1\n'
    result = run(imu + check, against="virtual://imu?rate=100&motion=shake")
    rows = {row["name"]: row for row in result.gap}
    assert result.outcome == "PASS"
    assert rows["stream.imu.imu.ax.ks"]["there"] > 0.4
    assert rows["stream.imu.imu.ax.sd"]["difference"] > 1.0
    assert set(rows["link.imu.loss"]) >= {"name", "here", "there", "difference", "unit"}
    lines = list(result_lines(result))
    assert any("gap" in line and "virtual://imu" in line for line in lines)
    assert any("stream.imu.imu.ax.ks" in line for line in lines)


def test_a_second_target_that_cannot_be_is_a_remark_and_no_verdict() -> None:
    imu = 'name = "i"\n[board.imu]\nvirtual = "imu?rate=100"\n[readings]\nto_s = 1.0\n'
    result = run(imu + '[[check]]\nmetric = "stream.imu.imu.samples"\nat_least = 1\n', against="recording")
    assert (result.outcome, result.gap) == ("PASS", ())
    assert "board imu has no recording" in result.remarks[0]


def test_the_verb_puts_the_gap_into_its_json(tmp_path: Path) -> None:
    path = tmp_path / "s.toml"
    path.write_text(TEXT.replace("to_s = 21.0", "to_s = 3.0") + WHOLE)
    done = CliRunner().invoke(app, ["run", str(path), "--stimulus", "--against", "virtual", "--json"])
    (plain,) = json.loads(done.stdout)["scenarios"]
    assert plain["against"] == "virtual stimulus"
    assert {row["name"] for row in plain["gap"]} >= {"stream.watch.imu.rate", "link.watch.loss"}
