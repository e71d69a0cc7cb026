"""The panes of the page of scenarios as tables: the library, verdicts, the seconds around a failure, a difference.

Rule of this room: pure, and nothing is judged here.
"""

import shlex
from collections.abc import Mapping
from typing import Any

import numpy as np

from hil.tui.sheet import Sheet, table
from hil.tui.state.judging import Judging

__all__ = ["checks", "library"]

CHECKS = ("metric", "value", "unit", "limit", "outcome", "why")


def library(scene: Judging, folder: str) -> Sheet:
    """Return the list of scenarios."""
    rows = [
        (one.path, one.name, one.outcomes[-1] if one.outcomes else None, " ".join(one.outcomes), one.at, one.target,
         one.seconds, " ".join(one.tags), one.trouble)
        for one in scene.shown
    ]  # fmt: skip
    heads = ("file", "name", "outcome", "past", "at", "target", "seconds", "tags", "trouble")
    return table("scenarios", heads, rows, shlex.join(["hil", "run", folder]), scene.kept)


def checks(scene: Judging) -> Sheet | str:
    """Return what stands in the lower pane: a moment, a difference, or the verdicts; or why there is nothing."""
    here, result = scene.here, scene.result
    if here is None:
        return "there is no scenario here"
    again = result.again if result is not None and result.again else shlex.join(["hil", "run", here.path])
    if scene.mode == "baseline":
        _, file, text = scene.difference
        return table("baseline", ("difference",), [(line,) for line in text.splitlines()], again, file)
    if scene.mode == "moment" and scene.moment is not None:
        return _moment(scene.moment, again, scene.kept)
    if result is not None:
        rows = [(one.metric, one.value, one.unit, one.limit, one.outcome, one.why) for one in result.checks]
        return table("checks", CHECKS, rows, again, scene.kept)
    if not here.checks:
        return "it has never run: r runs it"
    past = [(metric, value, outcome) for metric, value, outcome, *_ in here.checks]
    return table("checks", ("metric", "value", "outcome"), past, again, scene.kept)


def _moment(window: Mapping[str, Any], again: str, file: str) -> Sheet:
    t_s = [np.nan if t is None else t for t in window["t_s"]]
    columns: dict[str, Any] = {"t_s": np.array(t_s, np.float64)}
    for name, unit, values in zip(window["channels"], window["units"], window["values"], strict=True):
        columns[f"{name} [{unit}]"] = np.array([np.nan if v is None else v for v in values], np.float32)
    return Sheet("moment", columns, again, file)
