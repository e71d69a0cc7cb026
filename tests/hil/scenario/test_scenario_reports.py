"""Accepted results, JUnit and the Markdown summary."""

import json
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from firmware_bridge.errors import FileError
from hil.scenario.afterwards.accept import accept
from hil.scenario.afterwards.baseline import bootstrap, compared, difference, read_baseline, text_of
from hil.scenario.grammar.load import load_scenario
from hil.scenario.results.junit import write_junit
from hil.scenario.results.markdown import summary
from hil.scenario.results.outcome import CheckResult, ScenarioResult
from hil.scenario.run import RunOptions, run_scenario

TEXT = """
name = "imu"
[board.imu]
virtual = "imu?rate=100"
seed = 7
[readings]
to_s = 1.0
[[check]]
metric = "stream.imu.imu.ax.mean"
between = [-1, 1]
[baseline]
file = "expected/imu.json"
"""


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    (tmp_path / "imu.toml").write_text(TEXT)
    return tmp_path / "imu.toml"


def outcome(path: Path, **options: object) -> tuple[str, str]:
    loaded = load_scenario(path)
    result = accept(run_scenario(loaded, RunOptions(**options)), loaded, lambda *shown: True)  # type: ignore[arg-type]
    check = next(one for one in result.checks if one.metric == "baseline")
    return check.outcome, check.why


def test_without_accepted_results_it_is_unset_then_accepted_then_compared(scenario: Path) -> None:
    assert outcome(scenario)[0] == "UNSET"
    assert outcome(scenario, update_baselines=True)[0] == "PASS"
    assert outcome(scenario) == ("PASS", "")
    verdict, why = outcome(scenario, seed=1)
    assert (verdict, "stream.imu.imu.ax.mean is different" in why) == ("FAIL", True)


def test_a_baseline_is_small_sorted_and_says_its_difference_first(scenario: Path) -> None:
    outcome(scenario, update_baselines=True)
    path = scenario.parent / "expected" / "imu.json"
    text = path.read_text()
    plain = json.loads(text)
    assert text == json.dumps(plain, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    assert len(text) < 4000
    plain["metrics"]["stream.imu.imu.ax.mean"]["value"] = 0.5
    assert '+   "value": 0.5' in difference(path, text_of(plain))
    assert path.read_text() == text
    path.write_text('{"schema": 2}')
    with pytest.raises(FileError, match="schema 1 or older"):
        read_baseline(path)


def test_another_target_has_no_accepted_results_to_compare_with() -> None:
    assert compared({"schema": 1, "target": "recording"}, {"target": "virtual"}, "x")[0].outcome == "NA"


def test_better_and_worse_are_told_from_noise_group_by_group() -> None:
    draw = np.random.default_rng(1)
    before = {f"p/{at}": [int(draw.integers(30, 40)), 50] for at in range(20)}
    alike = {name: [right + int(draw.integers(-2, 3)), of] for name, (right, of) in before.items()}
    better = {name: [right + 5 + int(draw.integers(-2, 3)), of] for name, (right, of) in before.items()}
    noise, gain, loss = bootstrap(before, alike), bootstrap(before, better), bootstrap(better, before)
    assert noise is not None
    assert gain is not None
    assert loss is not None
    assert noise[1] <= 0 <= noise[2]
    assert 0 < gain[1] <= gain[0] <= gain[2]
    assert loss[2] < 0
    assert bootstrap({"a": [1, 2]}, {"a": [2, 2]}) is None


def results() -> list[ScenarioResult]:
    checks = (
        CheckResult("a.b", 1.0, "Hz", ">= 2 Hz", "FAIL"),
        CheckResult("a.c", None, "", "= 0", "UNSET", "nobody \x00 counted | it"),
        CheckResult("a.d", 1.0, "1", "= 1", "PASS"),
        CheckResult("a.e", None, "", "", "NA", "imported"),
    )
    return [
        ScenarioResult(
            "first <one>", "s/a.toml", "virtual", "FAIL", checks=checks, seconds=1.5, files={"page": "p.html"}
        ),
        ScenarioResult("second", "s/b.toml", "recording", "TROUBLE", why="no file"),
        ScenarioResult("third", "s/c.toml", "virtual", "FAIL", checks=checks[:1], quarantined="strap (2026-01-02)"),
    ]


def test_junit_counts_failures_errors_and_skips_and_names_attachments(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "out.xml"
    write_junit(path, results())
    root = ElementTree.parse(path).getroot()
    assert root.tag == "testsuites"
    assert [root.get(key) for key in ("tests", "failures", "errors", "skipped")] == ["6", "2", "1", None]
    suite = root[0]
    assert [suite.get(key) for key in ("tests", "failures", "errors", "skipped")] == ["4", "2", "0", "1"]
    assert {one.get("name") for one in suite.iter("property")} == {
        "file",
        "target",
        "outcome",
        "seed",
        "attachment.page",
    }
    assert all(case.get("classname") and case.get("name") and case.get("time") for case in root.iter("testcase"))


def test_the_summary_is_short_and_tells_failures_first() -> None:
    text = summary(results(), 3.0)
    assert text.startswith("## Scenarios failed")
    assert "| UNSET | first &lt;one> | `a.c`<br>nobody" in text
    assert "| TROUBLE | second | no file" in text


def test_the_verb_writes_both(scenario: Path) -> None:
    folder = scenario.parent
    command = (
        sys.executable,
        "-m",
        "hil",
        "run",
        "imu.toml",
        "--update-baselines",
        "--junit",
        "j.xml",
        "--summary",
        "s.md",
    )
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=150)
    assert done.returncode == 0, done.stderr
    assert "accepted in" in done.stdout
    assert ElementTree.parse(folder / "j.xml").getroot().get("tests") == "2"
    assert (folder / "s.md").read_text().startswith("## Scenarios passed")
