"""A limit against a reading: six outcomes, and clocks that are known only so well."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.scenario.grammar.grammar import CheckTable
from hil.scenario.metrics.checks import judge, limit_text
from hil.scenario.results.outcome import NA, TROUBLE, UNSET, Reading, ScenarioResult, exit_code, worst


def check(**limits: Any) -> CheckTable:
    return CheckTable(metric="clock.imu.drift", **limits)


def reading(value: float | None, **more: Any) -> Reading:
    return Reading("clock.imu.drift", value, "ppm", **more)


@pytest.mark.parametrize(
    ("limits", "value", "outcome"),
    [
        ({"at_least": 0.8}, 0.8, "PASS"),
        ({"at_least": 0.8}, 0.79, "FAIL"),
        ({"at_least": 0.8, "marginal": 0.83}, 0.82, "MARGINAL"),
        ({"at_least": 0.8, "marginal": 0.83}, 0.83, "PASS"),
        ({"at_most": 5.0}, 5.0, "PASS"),
        ({"at_most": 5.0}, 5.1, "FAIL"),
        ({"at_most": 5.0, "marginal": 4.0}, 4.5, "MARGINAL"),
        ({"between": [1.0, 2.0]}, 1.0, "PASS"),
        ({"between": [1.0, 2.0]}, 2.01, "FAIL"),
        ({"between": [1.0, 2.0], "marginal": 0.1}, 1.05, "MARGINAL"),
        ({"equals": 0.0}, 0.0, "PASS"),
        ({"equals": 0.0}, 1e-9, "FAIL"),
        ({"equals": -38.0, "within_percent": 5.0}, -39.0, "PASS"),
        ({"equals": -38.0, "within_percent": 5.0}, -40.0, "FAIL"),
        ({"equals": 100.0, "within_percent": 5.0, "marginal": 2.0}, 103.0, "MARGINAL"),
        ({"at_most": 5.0}, math.nan, "UNSET"),
        ({"at_most": 5.0, "unit": "ppb"}, 1.0, "TROUBLE"),
    ],
)
def test_a_value_has_its_outcome(limits: dict[str, Any], value: float, outcome: str) -> None:
    assert judge(check(**limits), reading(value)).outcome == outcome


@pytest.mark.parametrize("absent", [UNSET, NA, TROUBLE])
def test_what_has_no_value_is_never_a_pass_and_says_why(absent: str) -> None:
    result = judge(check(at_most=1e9), reading(None, absent=absent, why="nobody counted"))
    assert (result.outcome, result.why) == (absent, "nobody counted")


def test_a_limit_tighter_than_the_clocks_are_known_is_trouble_and_not_a_pass() -> None:
    result = judge(check(at_most=1.0), reading(-5.0, uncertainty=2.0))
    assert result.outcome == TROUBLE
    assert "tighter" in result.why


def test_a_value_nearer_to_the_limit_than_the_clocks_are_known_is_trouble() -> None:
    assert judge(check(at_most=100.0), reading(99.0, uncertainty=2.0)).outcome == TROUBLE
    assert judge(check(at_most=100.0), reading(101.0, uncertainty=2.0)).outcome == TROUBLE


def test_a_plain_failure_stays_one_whatever_the_clocks() -> None:
    assert judge(check(at_most=1.0), reading(10.0, uncertainty=2.0)).outcome == "FAIL"


def test_a_narrow_limit_within_the_reach_of_the_clocks_is_trouble_on_both_of_its_sides() -> None:
    for value in (-38.1, -38.0, -37.9):
        assert judge(check(equals=-38.0, within_percent=0.01), reading(value, uncertainty=0.2)).outcome == TROUBLE


@given(st.floats(-1e6, 1e6), st.floats(0, 1e3), st.floats(-1e6, 1e6), st.floats(0, 1e6))
def test_within_the_uncertainty_no_pass_could_have_been_a_failure(
    value: float, off: float, low: float, width: float
) -> None:
    limit = check(between=[low, low + width])
    verdict = judge(limit, reading(value, uncertainty=off)).outcome
    if verdict == "PASS":
        assert all(judge(limit, reading(value + d)).outcome == "PASS" for d in (-off, 0.0, off))
    if verdict == "FAIL":
        truths = (value - off, value, value + off, min(max(low, value - off), value + off))
        assert all(judge(limit, reading(truth)).outcome == "FAIL" for truth in truths)


def test_limits_read_well() -> None:
    assert limit_text(check(equals=-38, within_percent=5.0), "ppm") == "= -38 +- 5 % ppm"
    assert limit_text(check(between=[1, 2.5]), "1") == "1 .. 2.5"


def test_the_worst_outcome_counts_and_gives_the_exit_code() -> None:
    def result(outcome: str, quarantined: str = "") -> ScenarioResult:
        return ScenarioResult("n", "p", "virtual", outcome, quarantined=quarantined)

    assert worst(["PASS", "TROUBLE", "UNSET"]) == "UNSET"
    assert worst(["NA", "PASS"]) == "PASS"
    assert worst([]) == "NA"
    assert exit_code([result("PASS"), result("UNSET"), result("TROUBLE")]) == 1
    assert exit_code([result("PASS"), result("TROUBLE")]) == 3
    assert exit_code([result("NA"), result("MARGINAL")]) == 0
    assert exit_code([result("NA")], strict=True) == 1
    assert exit_code([result("FAIL", "the strap")]) == 0
