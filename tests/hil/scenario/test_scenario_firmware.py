"""The same scenario on emulated firmware: real machine code, recorded readings pushed into it, one verdict."""

import os
from pathlib import Path

import pytest

from firmware_bridge.firmware import can_start, startable
from hil.scenario.grammar.load import load_scenario
from hil.scenario.run import RunOptions, run_scenario

ROOT = Path(__file__).resolve().parents[3]
WATCH = f"""name = "readings of a person's wrist come back from the board"
[board.watch]
recording = "{ROOT}/scenarios/recordings/watch-unseen-9.mcap"
[readings]
to_s = 4.0
[[check]]
metric = "link.watch.samples_lost"
equals = 0
"""
STIMULUS = "".join(
    f'[[check]]\nmetric = "stimulus.watch.{key}"\nequals = 0\n'
    for key in ("missing", "out_of_order", "differing", "starved")
)


def firmware(kind: str) -> str:
    """The port of a kind of firmware; skipped with one sentence where it cannot be started."""
    if reason := can_start(kind):
        if os.environ.get("HIL_NEEDS_ALL_FIRMWARE"):
            pytest.fail(reason)
        pytest.skip(reason)
    return f"firmware://{kind}"


@pytest.mark.firmware
@pytest.mark.parametrize("kind", ["native", "qemu"])
def test_recorded_readings_are_pushed_into_real_firmware_and_come_back_one_to_one(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "watch.toml"
    path.write_text(WATCH + STIMULUS)
    result = run_scenario(load_scenario(path), RunOptions(on=firmware(kind)))
    assert result.outcome == "PASS", (result.why, result.checks)
    assert result.metrics["stimulus.watch.returned"]["value"] == result.metrics["stimulus.watch.pushed"]["value"] > 190


@pytest.mark.firmware
def test_a_virtual_board_and_firmware_pass_the_same_scenario(tmp_path: Path) -> None:
    if not startable():
        firmware("native")
    path = tmp_path / "imu.toml"
    text = (ROOT / "scenarios/smoke/imu.toml").read_text("utf-8")
    assert "to_s = 5.0" in text or "to_s = 5" in text
    path.write_text(text.replace("to_s = 5.0", "to_s = 1.5").replace("to_s = 5\n", "to_s = 1.5\n"))
    here, there = (run_scenario(load_scenario(path), RunOptions(on=on)) for on in (None, "firmware"))
    assert [check.outcome for check in here.checks] == [check.outcome for check in there.checks]
    assert there.target == f"firmware://{startable()[0]}"
    assert there.outcome == "PASS", (there.why, there.checks)


def test_where_no_firmware_can_be_started_the_scenario_is_not_applicable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hil.scenario.execution.place.startable", list)
    monkeypatch.setattr(
        "hil.scenario.execution.place.can_start", lambda name: "gcc is not installed; apt-get install gcc"
    )
    path = tmp_path / "watch.toml"
    path.write_text(WATCH)
    result = run_scenario(load_scenario(path), RunOptions(on="firmware"))
    assert result.outcome == "NA"
    assert "no firmware can be started here: gcc is not installed" in result.why
