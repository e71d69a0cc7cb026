"""Fixtures that every test may use."""

import os
from collections import Counter, defaultdict
from collections.abc import Container, Generator, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# Programs that tests start keep what they compiled: else half of what a short one costs is our sources, compiled again.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
# How long an example takes, or making it up, says how busy the machine is; what has to be fast has a benchmark.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real recordings that is not shipped with the project."""
    here = Path(__file__).resolve().parents[1]
    for folder in (os.environ.get("HIL_SHARED_DATA"), here / "shared" / "data", here.parent / "shared" / "data"):
        if folder and Path(folder).is_dir():
            return Path(folder)
    pytest.skip("the real recordings (shared/data) are not on this machine")


LEVELS = ("pty", "data", "training", "fuzz", "screen", "browser", "firmware", "hardware", "benchmark", "slow")
"""Marks that name a test level, most special last; a test without one is of the level `pure`."""

_counts: dict[str, Counter[str]] = defaultdict(Counter)
_reasons: dict[str, set[str]] = defaultdict(set)


def _level(keywords: Container[str]) -> str:
    return next((level for level in reversed(LEVELS) if level in keywords), "pure")


NEEDED = {"firmware": ("HIL_NEEDS_ALL_FIRMWARE", "all firmware"), "browser": ("HIL_NEEDS_BROWSER", "the browser")}
"""Levels that have to run where a variable says so (CI sets both), and how they are called."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where a level has to run, a test of it that is skipped has failed."""
    report = yield
    skipped = report.skipped and not hasattr(report, "wasxfail")
    for level, (variable, name) in NEEDED.items():
        if skipped and os.environ.get(variable) and item.get_closest_marker(level):
            why = str(report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr)
            report.outcome = "failed"
            report.longrepr = f"{name} has to run here, and this was skipped: {why.removeprefix('Skipped: ')}"
    return report


_unsteady: dict[str, str] = {}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """Name scenarios of emulated boards as what they are, and never ask again what draws its own input.

    The second time it would draw another input, and a finding be lost.
    """
    for item in items:
        if item.path.parts[-3:-1] == ("scenarios", "chips"):
            item.add_marker(pytest.mark.firmware)
        if item.get_closest_marker("fuzz") or getattr(getattr(item, "obj", None), "is_hypothesis_test", False):
            item.add_marker(pytest.mark.flaky(reruns=0))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if str(report.outcome) == "rerun":  # an outcome that pytest-rerunfailures adds
        _unsteady[report.nodeid] = report.longreprtext
        return
    if report.when == "call" or report.outcome != "passed":
        level = _level(report.keywords)
        _counts[level][report.outcome] += 1
        if report.skipped and isinstance(report.longrepr, tuple):
            _reasons[level].add(str(report.longrepr[2]).removeprefix("Skipped: "))


def pytest_deselected(items: Sequence[pytest.Item]) -> None:
    for item in items:
        level = _level({mark.name for mark in item.iter_markers()})
        _counts[level]["deselected"] += 1


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say which levels ran and which did not, and why."""
    terminalreporter.section("test levels")
    for level in ("pure", *LEVELS):
        if counts := _counts.get(level):
            said = ", ".join(f"{number} {outcome}" for outcome, number in sorted(counts.items()))
            why = f" (ask for them with -m {level})" if counts["deselected"] and level in LEVELS else ""
            terminalreporter.write_line(f"{level}: {said}{why}")
        else:
            terminalreporter.write_line(f"{level}: no test")
        for reason in sorted(_reasons[level]):
            terminalreporter.write_line(f"    skipped because {reason}")
    for test, why in _unsteady.items():
        terminalreporter.write_line(f"unsteady, asked a second time: {test}\n{why}")
