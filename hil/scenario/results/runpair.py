"""Two saved runs side by side: which scenario and which check is better, the same, worse, new or gone.

Rule of this room: pure. Outcomes are compared first: a check that fails and did not is worse whatever its number. A
number is better or worse only where its limit says which way is good; else it is different. Timing is not judged by
its number: other machines and other load are no property of the device.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from firmware_bridge.errors import UsageError
from hil.scenario.results.outcome import FAIL, MARGINAL, NA, PASS, TROUBLE, UNSET
from hil.scenario.results.table import figure

__all__ = ["BETTER", "DIFFERENT", "GONE", "NEW", "SAME", "WORSE", "pair_lines", "pair_runs"]

BETTER, SAME, WORSE, NEW, GONE, DIFFERENT = "better", "same", "worse", "new", "gone", "different"
SCHEMA = 1
TOLERANCE = 1e-6
"""Relative difference that counts as the same."""

_RANK = {PASS: 3, MARGINAL: 2, FAIL: 0, UNSET: 0}
_ORDER = (WORSE, GONE, DIFFERENT, BETTER, NEW, SAME)

Row = dict[str, Any]


def pair_runs(a: Mapping[str, Any], b: Mapping[str, Any]) -> Row:
    """Return how run B stands to run A: `rows[].{name, verdict, scenario, check, a, b ...}`, `counts` and `common`.

    Args:
        a: What `hil run --json` printed.
        b: Of the other run.

    Raises:
        UsageError: One is no run, or of a newer schema.
    """
    one, other = _scenarios(a, "A"), _scenarios(b, "B")
    rows: list[Row] = []
    for key in dict.fromkeys([*one, *other]):
        rows += _scenario(key, one.get(key), other.get(key))
    rows.sort(key=lambda row: _ORDER.index(row["verdict"]))
    counts = {verdict: sum(row["verdict"] == verdict for row in rows) for verdict in _ORDER}
    return {"schema": SCHEMA, "rows": rows, "counts": {name: count for name, count in counts.items() if count},
            "common": len(one.keys() & other.keys()), "a": _told(one), "b": _told(other)}  # fmt: skip


def pair_lines(found: Mapping[str, Any]) -> Iterator[str]:
    """Yield a comparison as lines: what is not the same, then how many are."""
    rows = [row for row in found["rows"] if row["verdict"] != SAME]
    cells = [(row["verdict"], row["name"], _side(row, "a"), _side(row, "b"), row["why"]) for row in rows]
    widths = [max((len(cell[at]) for cell in cells), default=0) for at in range(4)]
    for cell in cells:
        yield "  ".join([*(part.ljust(width) for part, width in zip(cell[:4], widths, strict=True)), cell[4]]).rstrip()
    told = ", ".join(f"{count} {name}" for name, count in found["counts"].items())
    yield f"B against A: {told or 'nothing to compare'}"
    if not found["common"]:
        yield "the runs have no scenario in common"


def _scenarios(run: Mapping[str, Any], side: str) -> dict[tuple[str, str], Mapping[str, Any]]:
    if not isinstance(run.get("scenarios"), list) or not isinstance(run.get("schema"), int):
        raise UsageError("this is not what `hil run --json` prints", side, "save one with: hil run ... --json > FILE")
    if run["schema"] > SCHEMA:
        raise UsageError(f"it is of schema {run['schema']} and this program reads up to {SCHEMA}", side, "update it")
    return {(one["name"], one["target"]): one for one in run["scenarios"]}


def _scenario(key: tuple[str, str], a: Mapping[str, Any] | None, b: Mapping[str, Any] | None) -> Iterable[Row]:
    name, target = key
    label = f"{name} ({target})" if target else name
    if a is None or b is None:
        only = b if a is None else a
        assert only is not None
        yield _row(label, "", NEW if a is None else GONE, a, b, "", outcome=only["outcome"])
        return
    checks = _paired(a["checks"], b["checks"])
    rows = [_check(label, metric, *pair) for metric, pair in checks.items()]
    verdict = _by_outcome(a["outcome"], b["outcome"]) or _worst(row["verdict"] for row in rows)
    yield _row(label, "", verdict, a, b, b["why"] if b["outcome"] != a["outcome"] else "")
    yield from rows


def _paired(a: Sequence[Mapping[str, Any]], b: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Return both sides by metric and limit; the same limit twice counts by its place."""
    found: dict[str, list[Any]] = {}
    for side, checks in enumerate((a, b)):
        seen: dict[str, int] = {}
        for check in checks:
            key = check["metric"]
            seen[key] = seen.get(key, 0) + 1
            name = key if seen[key] == 1 else f"{key} #{seen[key]}"
            found.setdefault(name, [None, None])[side] = check
    return found


def _check(scenario: str, metric: str, a: Mapping[str, Any] | None, b: Mapping[str, Any] | None) -> Row:
    if a is None or b is None:
        return _row(scenario, metric, NEW if a is None else GONE, a, b, "")
    verdict = _by_outcome(a["outcome"], b["outcome"])
    why = b["why"] if verdict else ""
    if a["limit"] != b["limit"]:
        why = f"the limit was {a['limit']} and is {b['limit']}"
    return _row(scenario, metric, verdict or _by_value(a, b), a, b, why)


def _by_outcome(a: str, b: str) -> str:
    """Return the verdict of two outcomes; empty where they are equally good."""
    if a == b:
        return ""
    if a in _RANK and b in _RANK:
        return BETTER if _RANK[b] > _RANK[a] else WORSE if _RANK[b] < _RANK[a] else ""
    return WORSE if b == TROUBLE else BETTER if a == TROUBLE else DIFFERENT if NA in (a, b) else ""


def _by_value(a: Mapping[str, Any], b: Mapping[str, Any]) -> str:
    then, now = a["value"], b["value"]
    if then is None or now is None:
        return SAME if then == now else DIFFERENT
    if abs(now - then) <= TOLERANCE * max(abs(now), abs(then)) or b.get("kind") == "timing":
        return SAME
    good = {">=": 1, "<=": -1}.get(b["limit"].partition(" ")[0], 0)
    return DIFFERENT if not good else BETTER if (now - then) * good > 0 else WORSE


def _worst(verdicts: Iterable[str]) -> str:
    given = set(verdicts)
    return next((verdict for verdict in _ORDER if verdict in given), SAME)


def _row(
    scenario: str, metric: str, verdict: str, a: Mapping[str, Any] | None, b: Mapping[str, Any] | None, why: str,
    outcome: str = "",
) -> Row:  # fmt: skip
    name = f"{scenario}: {metric}" if metric else scenario
    sides = {side: None if one is None else {key: one.get(key) for key in ("outcome", "value", "unit", "limit")}
             for side, one in (("a", a), ("b", b))}  # fmt: skip
    return {"name": name, "verdict": verdict, "scenario": scenario, "check": metric, "why": why or outcome, **sides}


def _side(row: Row, side: str) -> str:
    one = row[side]
    if one is None:
        return "-"
    value = f" {figure(one['value'], one['unit'] or '')}" if one["value"] is not None else ""
    return f"{one['outcome']}{value}"


def _told(scenarios: Mapping[tuple[str, str], Mapping[str, Any]]) -> Row:
    outcomes = [one["outcome"] for one in scenarios.values()]
    return {"scenarios": len(outcomes), "outcomes": {name: outcomes.count(name) for name in dict.fromkeys(outcomes)}}
