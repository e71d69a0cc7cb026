"""A scenario is run on the page of scenarios by the real runner, on a real virtual board."""

from pathlib import Path

import pytest
from scenarios_visit import visit

from hil.runner import Runner
from hil.scenario.crew import Here
from hil.tui.pages.scenarios import ScenariosPage

pytestmark = pytest.mark.screen

SCENARIO = """
name = "Nothing is lost"
tags = ["smoke"]
[readings]
to_s = 3.0
[board.imu]
virtual = "imu"
[[fault]]
on = "imu"
kind = "frame.drop"
rate = 0.2
from_s = 1.0
[[check]]
metric = "link.imu.samples_lost"
equals = 0
[baseline]
file = "expected.json"
"""


def test_a_scenario_that_fails_is_run_opened_and_accepted_for_real(tmp_path) -> None:
    folder = tmp_path / "scenarios"
    folder.mkdir()
    (folder / "loses.toml").write_text(SCENARIO, encoding="utf-8")
    runner = Runner(crew=Here)

    async def then(page: ScenariosPage, pilot) -> None:
        await pilot.press("r")
        assert runner._job is not None
        assert runner._job.thread is not None
        runner._job.thread.join()
        page._look()
        await pilot.pause()
        assert page.scene.result is not None
        assert page.scene.result.outcome == "FAIL"
        assert Path(page.scene.kept).is_file()
        assert page.scene.here is not None
        assert page.scene.here.outcomes == ("FAIL",)
        await pilot.press("enter")
        await pilot.pause()
        assert page.scene.moment is not None
        assert page.scene.moment["metric"] == "link.imu.samples_lost"
        await pilot.press("escape", "b", "a")
        await pilot.pause()

    shown, _ = visit(runner=runner, then=then, scenarios=folder, runs=tmp_path / "runs")
    assert "accepted in" in shown
    assert (folder / "expected.json").is_file()
