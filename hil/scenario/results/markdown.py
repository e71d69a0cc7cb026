"""Results as a short Markdown summary for a pull request: verdicts first, reasons next, passes folded away.

Rule of this room: what changed since the last run is said in a word (new, still, mended); files are links.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from hil.scenario.results.outcome import FAIL, MARGINAL, NA, PASS, TROUBLE, UNSET, ScenarioResult, exit_code
from hil.scenario.results.table import figure, total_line

__all__ = ["summary"]

Past = Mapping[str, Any]
_GOOD, _BAD = (PASS, MARGINAL), (FAIL, UNSET, TROUBLE)
_MOST = 50
"""Rows of the table, at most; a comment on a pull request has a limit."""


def summary(
    results: Sequence[ScenarioResult], seconds: float, past: Sequence[Past] = (), page: str | None = None
) -> str:
    """Return the summary of a run.

    Args:
        results: In order.
        seconds: How long it took.
        past: Of each its outcomes, this one the last; empty: nobody knows.
        page: The page of the run, where there is one.
    """
    verdict = {0: "passed", 1: "failed", 3: "had trouble at the bench"}[exit_code(results)]
    told = list(past) or [{} for _ in results]
    lines = [f"## Scenarios {verdict}", "", total_line(results, seconds) + (f" · [page]({page})" if page else ""), ""]
    rows = [row for one, before in zip(results, told, strict=True) if one.outcome not in (PASS, NA)
            for row in _rows(one, before)]  # fmt: skip
    if rows:
        lines += ["| outcome | scenario | check | found | limit |", "|---|---|---|---|---|", *rows[:_MOST]]
        lines += [f"\n{len(rows) - _MOST} more rows are left out."] if len(rows) > _MOST else []
        lines.append("")
    mended = [one.name for one, before in zip(results, told, strict=True) if _change(before) == "mended"]
    if mended:
        lines += [f"↗ Mended: {', '.join(_cell(name) for name in mended)}", ""]
    good = [one for one in results if one.outcome in (PASS, NA)]
    if good:
        lines += [f"<details><summary>{len(good)} passed or not applicable</summary>", ""]
        lines += [f"- {one.outcome} {_cell(one.name)}{f': {_cell(one.why)}' if one.why else ''}" for one in good]
        lines += ["", "</details>", ""]
    return "\n".join(lines)


def _rows(one: ScenarioResult, before: Past) -> list[str]:
    arrow = {"new": " ↘ new", "still": " → still"}.get(_change(before), "")
    links = "".join(f"<br>[{what}]({path})" for what, path in one.files.items() if what == "recording")
    again = f"<br>`{_cell(one.again)}`" if one.again else ""
    head = f"{_cell(one.name)}{arrow}{' (in quarantine)' if one.quarantined else ''}{links}{again}"
    bad = [check for check in one.checks if check.outcome not in (PASS, NA)]
    if not bad:
        return [f"| {one.outcome} | {head} | {_cell(one.why)} | | |"]
    rows = []
    for at, check in enumerate(bad):
        why = f"<br>{_cell(check.why)}" if check.why else ""
        rows.append(f"| {check.outcome} | {head if at == 0 else _cell(one.name)} | `{check.metric}`{why} | "
                    f"{figure(check.value, check.unit)} | {_cell(check.limit)} |")  # fmt: skip
    return rows


def _change(before: Past) -> str:
    """Return how the last outcome stands to the one before: `new`, `still`, `mended`, or nothing."""
    outcomes = before.get("outcomes", ())
    if len(outcomes) < 2:
        return ""
    then, now = outcomes[-2] in _BAD, outcomes[-1] in _BAD
    if now:
        return "still" if then else "new"
    return "mended" if then and outcomes[-1] in _GOOD else ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ").replace("<", "&lt;")
