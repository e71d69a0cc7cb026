"""What a model costs on a board is a metric: counted on firmware, NA with the reason elsewhere, never a guess."""

import os
from pathlib import Path

import pytest

from firmware_bridge.firmware import can_start
from hil.scenario.grammar.load import load_scenario
from hil.scenario.results.outcome import ScenarioResult
from hil.scenario.run import RunOptions, run_scenario

ROOT = Path(__file__).resolve().parents[3]
TEXT = f"""name = "the model stays small"
[board.watch]
recording = "{ROOT}/scenarios/recordings/watch-unseen-9.mcap"
[readings]
to_s = 1.0
[model.small]
file = "exercise-small"
[[check]]
metric = "model.small.instructions"
at_most = LIMIT
[[check]]
metric = "model.small.ram"
at_most = 8192
"""


def run(folder: Path, limit: int, on: str | None) -> ScenarioResult:
    path = folder / "cost.toml"
    path.write_text(TEXT.replace("LIMIT", str(limit)))
    return run_scenario(load_scenario(path), RunOptions(on=on))


def test_on_a_recording_a_cost_is_not_applicable_and_says_where_it_is(tmp_path: Path) -> None:
    result = run(tmp_path, 4_000_000, None)
    assert [check.outcome for check in result.checks] == ["NA", "NA"]
    assert "--on firmware" in result.checks[0].why
    assert result.outcome == "NA"


def test_without_the_emulator_that_counts_a_cost_is_not_applicable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hil.scenario.execution import cost
    from hil.scenario.execution.targets import Place
    from hil.scenario.grammar.grammar import BoardTable

    monkeypatch.setattr(cost, "can_start", lambda port: "firmware://qemu: qemu-system-arm is not installed")
    path = tmp_path / "cost.toml"
    path.write_text(TEXT.replace("LIMIT", "1"))
    table = BoardTable(recording=f"{ROOT}/scenarios/recordings/watch-unseen-9.mcap")
    place = Place("watch", "live", table, "firmware://native", stimulus=True)
    found = list(cost.cost_readings(load_scenario(path), [place]))
    assert {one.absent for one in found} == {"NA"}
    assert "not installed" in found[0].why


@pytest.mark.firmware
def test_a_model_that_costs_more_than_its_limit_fails_on_firmware(tmp_path: Path) -> None:
    for port in ("firmware://native", "firmware://qemu"):
        if reason := can_start(port):
            if os.environ.get("HIL_NEEDS_ALL_FIRMWARE"):
                pytest.fail(reason)
            pytest.skip(reason)
    result = run(tmp_path, 3_000_000, "firmware://native")
    outcomes = {check.metric: check.outcome for check in result.checks}
    assert outcomes == {"model.small.instructions": "FAIL", "model.small.ram": "PASS"}, result.why
    costs = result.checks[0]
    assert (costs.kind, costs.limit) == ("data", "<= 3000000")
    assert costs.value is not None
    assert 3_000_000 < costs.value < 4_000_000
