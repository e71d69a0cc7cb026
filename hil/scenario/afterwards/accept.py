"""Accepting results as the baseline: the difference is shown first, and what is written is what was shown.

Rule of this room: a run only proposes, whatever process it ran in; here, where the person is, the difference to the
file as it is now is made, shown, and on a yes written. What was accepted is judged against itself: the check passes.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from hil.scenario.afterwards import baseline
from hil.scenario.grammar.load import Loaded
from hil.scenario.results.outcome import FAIL, TROUBLE, UNSET, ScenarioResult, worst

__all__ = ["accept"]

Ask = Callable[[str, str], bool]
"""Shows what would change (a heading and the lines of a diff) and tells whether to write it."""


def accept(result: ScenarioResult, loaded: Loaded, ask: Ask) -> ScenarioResult:
    """Return a result after its proposal was accepted or refused; without a proposal as it is.

    Args:
        result: Of a run that proposes.
        loaded: Its scenario.
        ask: Shows and asks.

    Raises:
        FileError: The accepted results cannot be read or written.
    """
    if not result.proposal or loaded.scenario.baseline is None:
        return result
    path = loaded.find(loaded.scenario.baseline.file)
    text = str(result.proposal["text"])
    difference = baseline.difference(path, text)
    if not difference:
        return _remarked(result, f"{path} is as it was")
    if not ask(_heading(result, path), difference):
        return _remarked(result, f"{path} is left as it was")
    baseline.write(path, text)
    verdict, rows = baseline.compared(json.loads(text), json.loads(text), str(path))
    checks = tuple(verdict if one.metric == verdict.metric else one for one in result.checks)
    accepted = replace(result, checks=checks, baseline=rows, outcome=worst(one.outcome for one in checks))
    return _remarked(accepted, f"accepted in {path}")


def _heading(result: ScenarioResult, path: Path) -> str:
    bad = [one.metric for one in result.checks if one.outcome in (FAIL, UNSET, TROUBLE) and one.metric != "baseline"]
    note = f"; beware, {', '.join(bad[:3])} did not pass" if bad else ""
    return f"{result.name}: {path} would change{note}"


def _remarked(result: ScenarioResult, remark: str) -> ScenarioResult:
    return replace(result, remarks=(*result.remarks, remark))
