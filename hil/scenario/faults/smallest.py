"""The smallest faults under which a scenario still fails, and the scenario that has them.

Rule of this room: every try is a run of the scenario with the same seed. Failing means that a check which failed first
still fails (FAIL or UNSET); a run that is TROUBLE has not failed. A check on a timing is no such check.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import tomlkit

from firmware_bridge.errors import NoAnswer, UsageError
from firmware_bridge.faults import Fault, Schedule
from hil.scenario.faults.minimise import Search
from hil.scenario.grammar.load import Loaded
from hil.scenario.results.outcome import FAIL, NA, TROUBLE, UNSET, CheckResult, ScenarioResult
from hil.scenario.results.table import figure
from hil.scenario.run import RunOptions, run_once

__all__ = ["Smallest", "smallest"]

_FILES = {"board": ("recording", "board_file"), "model": ("file",)}


@dataclass(frozen=True, slots=True)
class Smallest:
    """What a search found.

    Attributes:
        path: The scenario's file.
        seed: It was searched with.
        target: Where it ran.
        before: Faults of the scenario.
        faults: What is left of them.
        checks: Checks that fail under what is left.
        runs: How often it was run.
        complete: Whether the search came to its end.
    """

    path: str
    seed: int
    target: str
    before: tuple[Fault, ...]
    faults: tuple[Fault, ...]
    checks: tuple[CheckResult, ...]
    runs: int
    complete: bool

    @property
    def removed(self) -> tuple[Fault, ...]:
        """Faults that it fails without."""
        kept = {fault.key for fault in self.faults}
        return tuple(fault for fault in self.before if fault.key not in kept)

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "schema": 1, "scenario": self.path, "seed": self.seed, "target": self.target, "runs": self.runs,
            "complete": self.complete, "faults": [fault.as_dict() for fault in self.faults],
            "removed": [fault.as_dict() for fault in self.removed],
            "checks": [check.as_dict() for check in self.checks],
        }  # fmt: skip

    def text(self, loaded: Loaded, output: Path | None = None) -> str:
        """Return the scenario as TOML, with what was found in place of its faults.

        Args:
            loaded: The scenario that was searched.
            output: Where it will stand, so that the files it names are found from there; None: beside the original.
        """
        document = tomlkit.parse(loaded.text)
        document["seed"] = loaded.scenario.seed + self.seed
        document.pop("fault", None)
        tables = tomlkit.aot()
        for fault in self.faults:
            table = tomlkit.table()
            table.update(_table(fault))
            tables.append(table)
        document["fault"] = tables
        if output is not None:
            _name_files(document, loaded, output)
        head = "".join(f"# {line}\n" for line in self._told())
        return f"{head}\n{tomlkit.dumps(document).strip()}\n"

    def _told(self) -> Sequence[str]:
        end = "" if self.complete else "; the search was ended early, there may be smaller ones"
        lines = [f"The smallest faults under which {self.path} fails with --seed {self.seed} on {self.target}",
                 f"({self.runs} runs{end}). What fails:"]  # fmt: skip
        lines += [f"  {one.metric}: {figure(one.value, one.unit)}, limit {one.limit} ({one.outcome})"
                  for one in self.checks]  # fmt: skip
        was = {fault.key: fault for fault in self.before}
        for fault in self.faults:
            lines.append(f"{fault.key} was {_sentence(was[fault.key])}")
        lines += [f"{fault.key} was taken out: {_sentence(fault)}" for fault in self.removed]
        return lines


def smallest(
    loaded: Loaded, seed: int = 0, on: str | None = None, tell: Callable[[str], None] = lambda line: None
) -> Smallest:  # fmt: skip
    """Search for the smallest faults under which a scenario still fails; an interrupt ends it with what was found.

    Args:
        loaded: The scenario.
        seed: As of `hil run --seed`.
        on: Target; None: as the scenario says.
        tell: Called with a line at each step.

    Raises:
        UsageError: It passes, it fails without faults too, it cannot run there, or only a timing fails.
        NoAnswer: It is TROUBLE.
    """
    where = str(loaded.path)
    before = Schedule.from_dict({"fault": list(loaded.scenario.fault)}, where).faults
    if not before:
        raise UsageError("it has no faults", where, "write some as [[fault]], or try `hil faults matrix`")

    def run(faults: Sequence[Fault]) -> ScenarioResult:
        scenario = loaded.scenario.model_copy(update={"fault": [_table(fault) for fault in faults]})
        return run_once(replace(loaded, scenario=scenario), RunOptions(on=on, seed=seed))

    first = run(before)
    if first.outcome in (TROUBLE, NA) and first.why:
        kind = UsageError if first.outcome == NA else NoAnswer
        raise kind(f"it is {first.outcome}: {first.why}", where, "only a failure can be made smaller")
    wanted = {check.metric for check in _failed(first)}
    if not wanted:
        why = f"it is {first.outcome}"
        if first.outcome == FAIL:
            why = "it fails by a timing alone, which no schedule repeats,"
        raise UsageError(f"{why} with --seed {seed}", where, "try another seed: `hil run --repeat 20` finds one")

    def still(faults: Sequence[Fault]) -> list[CheckResult]:
        result = run(faults)
        return [] if result.why else [check for check in _failed(result) if check.metric in wanted]

    if still(()):
        raise UsageError(f"it fails with --seed {seed} without any fault too", where, "correct that first: `hil run`")
    best = before

    def told(faults: tuple[Fault, ...]) -> None:
        nonlocal best
        if faults != best:
            best = faults
            tell(f"{search.runs} runs: {'; '.join(f'{fault.key}: {_sentence(fault)}' for fault in faults)}")

    search = Search(lambda faults: bool(still(faults)), told)
    complete = True
    try:
        best = search.smallest(before, loaded.scenario.readings.from_s + first.readings_s)
    except KeyboardInterrupt:
        complete = False
    return Smallest(where, seed, first.target, before, best, tuple(still(best)), search.runs + 3, complete)


def _failed(result: ScenarioResult) -> list[CheckResult]:
    return [check for check in result.checks if check.outcome in (FAIL, UNSET) and check.kind == "data"]


def _table(fault: Fault) -> dict[str, str | int | float]:
    """Return a fault as a scenario writes it: what differs from the defaults, and its key."""
    plain: dict[str, str | int | float] = fault.as_dict()
    usual = {name: param.default for name, param in fault.about.params.items() if name != fault.about.main}
    return {key: value for key, value in plain.items() if usual.get(key) != value and (key, value) != ("from_s", 0.0)}


def _sentence(fault: Fault) -> str:
    values = {key: value for key, value in _table(fault).items() if key not in ("kind", "on", "key")}
    return f"{fault.kind} on {fault.on}" + "".join(f", {key} {value:g}" for key, value in values.items())


def _name_files(document: Any, loaded: Loaded, output: Path) -> None:
    """Name files so that they are found from where the scenario will stand."""
    there = replace(loaded, path=output)
    tables = [(table, key) for kind, keys in _FILES.items() for table in document.get(kind, {}).values()
              for key in keys]  # fmt: skip
    if "baseline" in document:
        tables.append((document["baseline"], "file"))
    if "setup" in document:
        tables.append((document["setup"], "network"))
    for table, key in tables:
        if key in table:
            meant = loaded.find(str(table[key]))
            if meant.exists() and there.find(str(table[key])).resolve() != meant.resolve():
                table[key] = os.path.relpath(meant.resolve(), output.resolve().parent)
