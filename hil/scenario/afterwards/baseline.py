"""Accepted results of a scenario: small, sorted, readable in a diff; and whether a run is better, same or worse.

Rules of this room: metrics of counts must be equal, others within a relative tolerance; a statistic of decisions is
compared group by group (a labelled stretch of one person is a group) by a paired bootstrap, and only a difference
whose interval excludes 0 is `better` or `worse`. Decisions must be equal to the last bit where the model, the backend
and the machine's arithmetic are those of the accepted run. Timing is never compared.
"""

import difflib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from firmware_bridge.errors import FileError
from hil.recording.header import environment
from hil.scenario.grammar.grammar import Scenario
from hil.scenario.metrics.decisions import ModelEvidence, Verdicts, digest
from hil.scenario.results.outcome import FAIL, NA, PASS, UNSET, CheckResult, Reading

__all__ = ["bootstrap", "compared", "difference", "facts_of", "groups_of", "read_baseline", "text_of", "write"]

SCHEMA = 1
TOLERANCE = 1e-6
"""Relative difference of a reading that counts as the same; counts must be equal."""

ROUNDS = 2000
_IDENTITY = ("model", "version", "sha256", "backend", "backend_version")
_STATISTICS = ("accuracy", "macro_f1", "ece", "recall")

Groups = Mapping[str, Sequence[int]]
Row = dict[str, Any]


def groups_of(found: Verdicts, labels: Sequence[str]) -> dict[str, list[int]]:
    """Return `{PERSON/LABEL/NUMBER: [right, judged]}`: every labelled stretch with its decisions."""
    groups: dict[str, list[int]] = {}
    seen: dict[tuple[str, int], int] = {}
    before: tuple[str, int] | None = None
    for who, true, said in zip(found.who, found.truth.tolist(), found.said.tolist(), strict=True):
        key = (who, true)
        if key != before:
            seen[key] = seen.get(key, 0) + 1
        before = key
        group = groups.setdefault(f"{who}/{labels[true]}/{seen[key]}", [0, 0])
        group[0] += true == said
        group[1] += 1
    return groups


def facts_of(
    scenario: Scenario, target: str, readings: Sequence[Reading], models: Mapping[str, ModelEvidence],
    groups: Mapping[str, Groups],
) -> Row:  # fmt: skip
    """Return what a baseline holds of a run.

    Args:
        scenario: Whose checks say which metrics matter.
        target: Where it ran.
        readings: Its metrics.
        models: Its models.
        groups: Right and judged decisions of each model by labelled stretch.
    """
    named = {check.metric for check in scenario.check}
    ignored = set(scenario.baseline.ignore) if scenario.baseline else set()
    kept = {
        one.name: {"unit": one.unit, "value": one.value}
        for one in readings
        if one.kind == "data" and one.value is not None and one.name not in ignored
        and (one.name in named or one.name.startswith("model."))
    }  # fmt: skip
    decided = {
        name: {
            "decisions": len(model.made), "sha256": digest(model),
            "groups": {group: list(counts) for group, counts in groups[name].items()},
            "model": {key: model.identity.get(key) for key in _IDENTITY},
        }
        for name, model in models.items()
    }  # fmt: skip
    return {"schema": SCHEMA, "scenario": scenario.name, "target": target, "environment": environment(),
            "metrics": kept, "models": decided}  # fmt: skip


def text_of(facts: Row) -> str:
    """Return a baseline as it is written: sorted, one value a line."""
    return json.dumps(facts, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def read_baseline(path: Path) -> Row | None:
    """Return the accepted results, None where there are none yet.

    Raises:
        FileError: The file cannot be read, or is of a newer schema.
    """
    try:
        plain = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise FileError(f"the accepted results cannot be read ({error})", str(path), "restore the file") from None
    if not isinstance(plain, dict) or not isinstance(plain.get("schema"), int) or plain["schema"] > SCHEMA:
        raise FileError(f"these are no accepted results of schema {SCHEMA} or older", str(path), "update this program")
    return plain


def difference(path: Path, text: str) -> str:
    """Return what would change in the accepted results, as the lines of a diff; empty: nothing.

    Raises:
        FileError: They cannot be read.
    """
    before = _before(path)
    lines = difflib.unified_diff(before.splitlines(), text.splitlines(), "accepted", "found", n=0, lineterm="")
    return "\n".join(lines)


def write(path: Path, text: str) -> None:
    """Write accepted results.

    Raises:
        FileError: They cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    except OSError as error:
        raise FileError(f"it cannot be written ({error.strerror})", str(path), "check the folder") from None


def _before(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, ValueError) as error:
        raise FileError(f"the accepted results cannot be read ({error})", str(path), "restore the file") from None


def bootstrap(before: Groups, after: Groups, seed: int = 0) -> tuple[float, float, float] | None:
    """Return how much more accurate a run is over the groups that both have: difference, and its 95 % interval.

    Args:
        before: Right and judged decisions by group, of the accepted run.
        after: Of this run.
        seed: Of the resampling.
    """
    names = sorted({*before} & {*after})
    if len(names) < 2:
        return None
    counts = np.array([[*before[name], *after[name]] for name in names], dtype=np.float64)
    draw = np.random.Generator(np.random.Philox(seed)).integers(0, len(names), (ROUNDS, len(names)))
    sums = counts[draw].sum(axis=1)
    gain = sums[:, 2] / sums[:, 3] - sums[:, 0] / sums[:, 1]
    whole = counts.sum(axis=0)
    low, high = np.percentile(gain, (2.5, 97.5))
    return float(whole[2] / whole[3] - whole[0] / whole[1]), float(low), float(high)


def compared(accepted: Row | None, facts: Row, where: str) -> tuple[CheckResult, tuple[Row, ...]]:
    """Return the verdict over a baseline, and a row for each thing that was compared.

    Args:
        accepted: The accepted results; None: there are none.
        facts: Those of this run.
        where: The baseline's file, for messages.
    """
    if accepted is None:
        return _verdict(UNSET, f"there are no accepted results in {where}; run with --update-baselines"), ()
    if accepted.get("target") != facts["target"]:
        return _verdict(NA, f"the accepted results are of target {accepted.get('target')}"), ()
    rows = [*_metrics(accepted.get("metrics", {}), facts["metrics"]), *_models(accepted, facts)]
    bad = [row for row in rows if row["verdict"] in ("worse", "different", "missing")]
    why = "; ".join(f"{row['name']} is {row['verdict']}: {row['accepted']} -> {row['found']}" for row in bad[:3])
    return _verdict(FAIL if bad else PASS, why, len(bad)), tuple(rows)


def _metrics(accepted: Mapping[str, Any], found: Mapping[str, Any]) -> list[Row]:
    rows = []
    for name in sorted({*accepted, *found}):
        then, now = accepted.get(name, {}).get("value"), found.get(name, {}).get("value")
        if name.startswith("model.") and any(part in _STATISTICS for part in name.split(".")):
            continue  # judged with its interval, by decisions
        if now is None or then is None:
            verdict = "missing" if now is None else "new"
        elif then == now:
            verdict = "same"
        elif float(then).is_integer() and float(now).is_integer():
            verdict = "different"
        else:
            verdict = "same" if abs(now - then) <= TOLERANCE * max(abs(now), abs(then)) else "different"
        rows.append({"name": name, "accepted": then, "found": now, "verdict": verdict})
    return rows


def _models(accepted: Row, facts: Row) -> list[Row]:
    rows: list[Row] = []
    alike = accepted.get("environment") == facts["environment"]
    for name, now in facts["models"].items():
        then = accepted.get("models", {}).get(name)
        if then is None:
            rows.append({"name": f"model.{name}", "accepted": None, "found": now["decisions"], "verdict": "new"})
            continue
        if alike and then["model"] == now["model"]:
            verdict = "same" if then["sha256"] == now["sha256"] else "different"
            rows.append({"name": f"model.{name}.predictions", "accepted": then["sha256"][:12],
                         "found": now["sha256"][:12], "verdict": verdict})  # fmt: skip
        gain = bootstrap(then["groups"], now["groups"])
        if gain is not None:
            change, low, high = gain
            verdict = "better" if low > 0 else "worse" if high < 0 else "same within noise"
            rows.append({"name": f"model.{name}.accuracy", "accepted": _share(then["groups"]),
                         "found": _share(now["groups"]), "verdict": verdict, "effect": change, "low": low,
                         "high": high})  # fmt: skip
    return rows


def _share(groups: Groups) -> float:
    judged = sum(group[1] for group in groups.values())
    return sum(group[0] for group in groups.values()) / judged if judged else 0.0


def _verdict(outcome: str, why: str, bad: int | None = None) -> CheckResult:
    return CheckResult("baseline", None if bad is None else float(bad), "1", "= 0 differences", outcome, why)
