"""Results as a short Markdown summary for a pull request: verdicts first, reasons next, passes folded away."""

from collections.abc import Sequence

from hil.scenario.outcome import NA, PASS, ScenarioResult, exit_code
from hil.scenario.table import figure, total_line

__all__ = ["summary"]


def summary(results: Sequence[ScenarioResult], seconds: float) -> str:
    """Return the summary of a run.

    Args:
        results: In order.
        seconds: How long it took.
    """
    verdict = {0: "passed", 1: "failed", 3: "had trouble at the bench"}[exit_code(results)]
    lines = [f"## Scenarios {verdict}", "", total_line(results, seconds), ""]
    shown = [one for one in results if one.outcome not in (PASS, NA)]
    if shown:
        lines += ["| outcome | scenario | check | found | limit |", "|---|---|---|---|---|"]
        for one in shown:
            bad = [check for check in one.checks if check.outcome not in (PASS, NA)]
            if not bad:
                lines.append(f"| {one.outcome} | {_cell(one.name)} | {_cell(one.why)} | | |")
            for check in bad:
                why = f"<br>{_cell(check.why)}" if check.why else ""
                lines.append(f"| {check.outcome} | {_cell(one.name)} | `{check.metric}`{why} | "
                             f"{figure(check.value, check.unit)} | {_cell(check.limit)} |")  # fmt: skip
        lines.append("")
    good = [one for one in results if one.outcome in (PASS, NA)]
    if good:
        lines += ["<details><summary>Passed and not applicable</summary>", ""]
        lines += [f"- {one.outcome} {_cell(one.name)}{f': {_cell(one.why)}' if one.why else ''}" for one in good]
        lines += ["", "</details>", ""]
    return "\n".join(lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ").replace("<", "&lt;")
