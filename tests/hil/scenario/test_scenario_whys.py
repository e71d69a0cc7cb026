"""A decision that failed a check is explained in the page of the run; what is no decision, and what passed, is not."""

import re
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from hil.scenario.afterwards import whys
from hil.scenario.grammar.load import Loaded, parse_scenario
from hil.scenario.reporting import page_of, past_of
from hil.scenario.results.history import entry_of
from hil.scenario.results.outcome import ScenarioResult
from hil.scenario.run import RunOptions, run_scenario

EVENTS = """
name = "Exercises that are told elsewhere"
[board.watch]
virtual = "watch?pause_s=0"
[readings]
to_s = 10.0
[model.exercise]
file = "exercise"
board = "watch"
[[event]]
name = "early"
model = "exercise"
label = "PEN"
from_s = 0.1
to_s = 0.2
[[event]]
name = "other"
model = "exercise"
label = "ROW"
from_s = 6.0
to_s = 9.0
[[check]]
metric = "event.early.false_positives"
equals = 0
[[check]]
metric = "event.other.true_positives"
equals = 1
[[check]]
metric = "stream.watch.imu.ax.maximum"
at_most = -9
"""


def ran() -> ScenarioResult:
    path = Path("/nowhere/events.toml")
    return run_scenario(Loaded(path, EVENTS, parse_scenario(EVENTS, str(path))), RunOptions(exhibit=True))


@pytest.fixture(scope="module")
def result() -> ScenarioResult:
    return ran()


def by_metric(result: ScenarioResult) -> dict[str, dict[str, Any]]:
    return {one["metric"]: one for one in result.exhibit["windows"]}


def test_the_decision_that_failed_is_explained_at_its_moment(result: ScenarioResult) -> None:
    shown = by_metric(result)
    wrong = shown["event.early.false_positives"]
    assert wrong["explained"]["label"] == "PEN"
    assert wrong["explained"]["t_s"] == pytest.approx(wrong["at_s"])
    assert wrong["explained"]["completeness"]["relative"] < 0.02
    assert result.remarks == ()


def test_an_event_that_was_not_told_is_explained_by_what_was_told_in_its_place(result: ScenarioResult) -> None:
    instead = by_metric(result)["event.other.true_positives"]
    assert instead["explained"]["label"] != "ROW"
    assert instead["at_s"] < instead["explained"]["t_s"] <= instead["to_s"]


def test_what_is_no_decision_has_no_reason(result: ScenarioResult) -> None:
    assert by_metric(result)["stream.watch.imu.ax.maximum"]["explained"] is None


def test_the_page_draws_the_band_under_the_signal_and_says_it_in_words(result: ScenarioResult) -> None:
    window = by_metric(result)["event.early.false_positives"]
    only = replace(result, exhibit={**result.exhibit, "windows": [window], "streams": {}, "models": {}})
    page = page_of([only], [past_of(only, [], entry_of(only, 10**9, "a"))], 1.0, 1_700_000_000 * 10**9, "a")
    assert "What carried PEN" in page
    strengths = re.findall(r"var\(--s[12]\); fill-opacity: ([\d.]+)", page)
    assert len(set(strengths) - {"0.55"}) > 30  # strips of labels and decisions are all as strong


def test_without_captum_the_page_is_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whys, "find_spec", lambda name: None if name == "captum" else find_spec(name))
    found = ran()
    assert [one["explained"] for one in found.exhibit["windows"]] == [None] * 3
    assert found.remarks == ()
