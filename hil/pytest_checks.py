"""The checks of a scenario as sub-results of its one item: on the terminal, and each a case of the JUnit file.

Rule of this room: checks are shown and never counted as tests, so that what is counted are scenarios. They travel with
the report of their item as plain text (a process of pytest-xdist hands nothing else on) and become reports of their own
where results are shown; whoever counts failures or remembers node ids hears of the item only.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Literal

import pytest

if TYPE_CHECKING:
    from hil.scenario.results.outcome import ScenarioResult

__all__ = ["CheckReport", "put_checks", "show_checks", "status_of"]

_CARRIED = "hil_checks"

Plain = Mapping[str, str]


class CheckReport(pytest.TestReport):
    """What came of one check, as a part of what came of its item."""

    check: Plain


def put_checks(report: pytest.TestReport, result: "ScenarioResult") -> None:
    """Let the report of an item carry its checks."""
    from hil.scenario.results.table import figure

    carried = [
        {"outcome": check.outcome, "metric": check.metric, "found": figure(check.value, check.unit),
         "limit": check.limit, "why": check.why, "quarantined": result.quarantined}
        for check in result.checks
    ]  # fmt: skip
    setattr(report, _CARRIED, carried)


def show_checks(report: pytest.TestReport, config: pytest.Config) -> None:
    """Show the checks that a report carries, where results are shown."""
    if isinstance(report, CheckReport) or hasattr(config, "workerinput") or str(report.outcome) == "rerun":
        return  # an item that is asked again says what came of it the last time
    carried: Sequence[Plain] = getattr(report, _CARRIED, ())
    terminal = config.pluginmanager.get_plugin("terminalreporter")
    # pytest names neither this class nor its plug-in in public; the hook that is called is a public one.
    junit = next((one for one in config.pluginmanager.get_plugins() if type(one).__name__ == "LogXML"), None)
    for check in carried:
        if terminal is not None:
            terminal.pytest_runtest_logreport(report=_part(report, check, report.nodeid))
        if junit is not None:
            for part in _case(report, check):
                junit.pytest_runtest_logreport(report=part)


def status_of(report: CheckReport, config: pytest.Config) -> tuple[str, str, str]:
    """Return category, letter and word of a check for the terminal; nothing for one that is as it should be.

    `-v` (or `verbosity_subtests`) shows them all.
    """
    check = report.check
    limit = f", limit {check['limit']}" if check["limit"] else ""
    told = f"[{check['metric']}: {check['found']}{limit}]"
    if report.failed and report.when == "call":
        return "subtests failed", "u", f"SUBFAILED{told}"
    if report.failed:
        return "subtests in trouble", "u", f"SUBTROUBLE{told}"
    if config.get_verbosity(pytest.Config.VERBOSITY_SUBTESTS) <= 0:
        return "", "", ""
    if report.passed:
        return "subtests passed", "u", f"SUBPASSED{told}"
    return "subtests skipped", "-", f"{'SUBXFAIL' if hasattr(report, 'wasxfail') else 'SUBSKIPPED'}{told}"


def _part(report: pytest.TestReport, check: Plain, nodeid: str) -> CheckReport:
    """Return a check as a report: FAIL and UNSET failed, TROUBLE an error, NA and quarantine skipped."""
    said = f"{check['outcome']}: {check['metric']} is {check['found']}, limit {check['limit']}"
    said += f"; {check['why']}" if check["why"] else ""
    bad = check["outcome"] in ("FAIL", "UNSET", "TROUBLE")
    skipped = check["outcome"] == "NA" or (bad and bool(check["quarantined"]))
    outcome: Literal["passed", "failed", "skipped"] = "skipped" if skipped else "failed" if bad else "passed"
    path, line, _ = report.location
    longrepr = (path, (line or 0) + 1, f"Skipped: {said}") if skipped else said if bad else None
    when: Literal["setup", "call"] = "setup" if check["outcome"] == "TROUBLE" and not skipped else "call"
    part = CheckReport(nodeid, report.location, report.keywords, outcome, longrepr, when, check=check)
    if skipped and bad:
        part.wasxfail = f"in quarantine: {check['quarantined']}; {said}"
    return part


def _case(report: pytest.TestReport, check: Plain) -> Iterator[CheckReport]:
    """Yield a check as a case of its own for the JUnit file: one element for each outcome is all that readers show."""
    part = _part(report, check, f"{report.nodeid}::{check['metric']} {check['limit']}".rstrip())
    yield part
    yield CheckReport(part.nodeid, part.location, part.keywords, "passed", None, "teardown", check=check)
