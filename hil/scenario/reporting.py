"""What is written of a run besides its table: the page, JUnit, the summary, the history.

Rule of this room: it hands results to those who write, in one order; the past is read before this run is added to it.
A history that cannot be written is told in a sentence and fails nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from firmware_bridge.errors import FileError
from hil.recording.header import versions
from hil.scenario.results.history import LAST, Entry, Trend, append, commit_of, entry_of, read_history, trends_of
from hil.scenario.results.junit import write_junit
from hil.scenario.results.markdown import summary
from hil.scenario.results.outcome import ScenarioResult, exit_code
from hil.scenario.results.table import total_line

__all__ = ["Reports", "page_of", "past_of", "write_reports"]


@dataclass(frozen=True, slots=True)
class Reports:
    """Files to write; None: not asked for."""

    junit: Path | None = None
    summary: Path | None = None
    page: Path | None = None
    history: Path | None = None


def write_reports(
    results: Sequence[ScenarioResult], files: Reports, seconds: float, now_ns: int, tell: Callable[[str], None]
) -> None:
    """Write what was asked for.

    Args:
        results: Of the run, in order.
        files: Where.
        seconds: How long it took.
        now_ns: UTC of its end.
        tell: Is told a sentence about what else is worth knowing.

    Raises:
        FileError: A file cannot be written.
    """
    commit = commit_of(Path.cwd())
    before: list[Entry] = []
    if files.history is not None:
        try:
            before, unread = read_history(files.history)
            if unread:
                tell(f"{files.history}: {unread} lines cannot be read and are passed over")
            append(files.history, [entry_of(one, now_ns, commit) for one in results])
        except FileError as error:
            tell(str(error))
    past = [past_of(one, before, entry_of(one, now_ns, commit)) for one in results]
    if files.junit is not None:
        write_junit(files.junit, results)
    if files.page is not None:
        _written(files.page, page_of(results, past, seconds, now_ns, commit))
    if files.summary is not None:
        page = None if files.page is None else str(files.page)
        _written(files.summary, summary(results, seconds, past, page))


def past_of(result: ScenarioResult, before: Sequence[Entry], now: Entry) -> dict[str, Any]:
    """Return the past of a scenario with this run as its last: outcomes, values by metric, since when it fails."""
    mine = [one for one in before if (one["name"], one.get("target", "")) == (result.name, result.target)]
    trend = trends_of([*mine[-10 * LAST :], now])[0]
    return {
        "outcomes": [entry["outcome"] for entry in trend.entries],
        "values": {check.metric: trend.values(check.metric) for check in result.checks},
        "since": since_words(trend),
    }


def since_words(trend: Trend) -> str:
    """Return since when a scenario fails, as a sentence; empty where it does not or never passed."""
    if trend.since is None:
        return ""
    commit = f", commit {trend.since['commit']}" if trend.since.get("commit") else ""
    times = "once" if trend.passed_before == 1 else f"{trend.passed_before} times in a row"
    return f"{trend.since['at']}{commit}; before that it passed {times}"


def page_of(
    results: Sequence[ScenarioResult], past: Sequence[Mapping[str, Any]], seconds: float, now_ns: int, commit: str
) -> str:
    """Return the page of a run."""
    from hil.report.runpage import run_page

    code = exit_code(results)
    title, verdict = {0: ("Scenarios passed", "good"), 1: ("Scenarios failed", "bad"),
                      3: ("Trouble at the bench", "warn")}[code]  # fmt: skip
    when = datetime.fromtimestamp(now_ns // 10**9, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    seeds = ", ".join(str(seed) for seed in dict.fromkeys(one.seed for one in results))
    run = {
        "title": title, "verdict": verdict, "total": total_line(results, seconds),
        "facts": [("when", when), ("commit", commit), ("seed", seeds),
                  ("hil-testbench", versions().get("hil-testbench", "")), ("python", versions()["python"])],
        "scenarios": [_plain(one) for one in results],
    }  # fmt: skip
    return run_page(run, [one.exhibit for one in results], past)


def _plain(result: ScenarioResult) -> dict[str, Any]:
    """Return a result as a page holds it: numbers that JSON knows."""
    plain = result.as_dict()
    for check in plain["checks"]:
        value = check["value"]
        check["value"] = None if value is None or value != value or abs(value) == float("inf") else float(value)
    return plain


def _written(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    except OSError as error:
        raise FileError(f"it cannot be written ({error.strerror})", str(path), "check the folder") from None
