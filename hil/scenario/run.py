"""One scenario to its verdict: where it runs, what it left behind, its metrics, its checks.

Rule of this room: whatever happens ends in a `ScenarioResult`. A file that is not there, a board that does not answer,
a run that takes too long are TROUBLE; what a target cannot have is NA with the reason; only mistakes in what was asked
for on the command line are errors.
"""

import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from firmware_bridge.errors import BridgeError
from firmware_bridge.faults import Schedule
from hil.scenario import baseline
from hil.scenario.catalogue import find_row
from hil.scenario.checks import judge
from hil.scenario.decisions import ModelEvidence, digest, verdicts
from hil.scenario.evidence import BoardEvidence
from hil.scenario.execute import Execution, execute
from hil.scenario.live import execute_live
from hil.scenario.load import Loaded
from hil.scenario.metrics import board_readings, event_readings, model_readings
from hil.scenario.outcome import FAIL, NA, TROUBLE, UNSET, CheckResult, Reading, ScenarioResult, worst
from hil.scenario.targets import NotHere, place_of
from hil.scenario.twice import differences

__all__ = ["RunOptions", "readings_of", "run_once", "run_scenario"]


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How scenarios are run.

    Attributes:
        on: Target: `recording`, `virtual`, `firmware`, `PORT` or `ROLE=PORT`; None: as each scenario says.
        seed: Added to every seed of a scenario, of virtual boards and faults.
        twice: Run a second time in another way and compare everything that is no timing.
        repeat: How often to run; more than once gives a pass rate, with seeds that follow each other.
        retry_trouble: How often to run again after TROUBLE.
        bench: Port of each role, from a bench file.
        update_baselines: Accept what is found; the difference is a remark.
        wait_s: How long to wait for a port that somebody else holds.
    """

    on: str | None = None
    seed: int = 0
    twice: bool = False
    repeat: int = 1
    retry_trouble: int = 0
    bench: tuple[tuple[str, str], ...] = ()
    update_baselines: bool = False
    wait_s: float = 0.0


def run_scenario(loaded: Loaded, options: RunOptions) -> ScenarioResult:
    """Run a scenario as often as was asked for, and judge it.

    Raises:
        UsageError: One port was named for several boards.
    """
    results = [_retried(loaded, replace(options, seed=options.seed + at)) for at in range(max(1, options.repeat))]
    if len(results) == 1:
        return results[0]
    outcomes = [result.outcome for result in results]
    counted = [outcome for outcome in outcomes if outcome not in (NA, TROUBLE)]
    passed = sum(outcome not in (FAIL, UNSET) for outcome in counted)
    from hil.measure.intervals import share_interval

    low, high = (None, None) if not counted else share_interval(passed, len(counted))
    rate = {"runs": len(results), "judged": len(counted), "passed": passed, "outcomes": outcomes,
            "pass_rate": passed / len(counted) if counted else None,
            "low": _share(low), "high": _share(high)}  # fmt: skip
    whole = next(result for result in results if result.outcome == worst(outcomes))
    return replace(whole, repeats=rate, seconds=sum(result.seconds for result in results))


def _share(percent: float | None) -> float | None:
    return None if percent is None else percent / 100.0


def _retried(loaded: Loaded, options: RunOptions) -> ScenarioResult:
    result = run_once(loaded, options)
    for tried in range(options.retry_trouble):
        if result.outcome != TROUBLE:
            break
        again = run_once(loaded, options)
        remark = f"run again after TROUBLE ({tried + 1}): {result.why or 'a check was TROUBLE'}"
        result = replace(again, remarks=(*result.remarks, *again.remarks, remark))
    return result


def run_once(loaded: Loaded, options: RunOptions) -> ScenarioResult:
    """Run a scenario once (twice in two ways with `twice`) and judge it."""
    scenario = loaded.scenario
    began = time.monotonic()
    quarantined = "" if scenario.quarantine is None else f"{scenario.quarantine.reason} ({scenario.quarantine.date})"

    def result(outcome: str, target: str = "", **more: Any) -> ScenarioResult:
        return ScenarioResult(
            scenario.name, str(loaded.path), target, outcome, quarantined=quarantined, seed=options.seed,
            seconds=time.monotonic() - began, **more,
        )  # fmt: skip

    ports = dict(options.bench)
    missing = [need for need in scenario.needs if need.partition(":")[2] not in ports]
    if missing:
        return result(NA, why=f"it needs {', '.join(missing)}, which no bench file names; give --bench FILE")
    alone = len(scenario.board) == 1
    try:
        places = [place_of(role, table, options.on, alone) for role, table in scenario.board.items()]
    except NotHere as reason:
        checks = tuple(_absent(check.metric, NA, str(reason)) for check in scenario.check)
        return result(NA, why=str(reason), checks=checks)
    if unknown := [one.role for one in places if one.port == "bench" and one.role not in ports]:
        return result(NA, why=f"no bench file says where {', '.join(unknown)} is; give --bench FILE")
    places = [replace(one, port=ports[one.role]) if one.port == "bench" else one for one in places]
    target = " + ".join(dict.fromkeys(place.target for place in places))
    try:
        seed = options.seed
        schedule = Schedule.from_dict({"seed": seed, "fault": list(scenario.fault)}, str(loaded.path))
        live = any(place.kind == "live" for place in places)
        measured = {check.metric for check in scenario.check if (row := find_row(check.metric)) and row.measured}
        found: dict[str, Reading] = {}
        remarks: tuple[str, ...] = ()
        if live:
            done, remarks = execute_live(loaded, places, schedule, wait_s=options.wait_s)
        elif measured:
            from hil.scenario.measured import measured_readings  # it brings all of SciPy's statistics

            with tempfile.TemporaryDirectory(prefix="hil-run-") as folder:
                done = execute(loaded, places, seed, schedule, keep=Path(folder) / "run.mcap")
                found = measured_readings(Path(folder) / "run.mcap", measured)
        else:
            done = execute(loaded, places, seed, schedule)
        found |= {one.name: one for one in readings_of(done, loaded, live)}
        checks = tuple(judge(check, _named(check.metric, found, done)) for check in scenario.check)
        if options.twice and not live:
            second = execute(loaded, places, seed, schedule, otherwise=seed + 1)
            checks = (
                *checks,
                *differences(
                    list(readings_of(done, loaded, False)), list(readings_of(second, loaded, False)), done, second
                ),
            )
        elif options.twice:
            remarks = (*remarks, "a live board cannot be run a second time in another way")
        rows: tuple[Mapping[str, Any], ...] = ()
        if scenario.baseline is not None:
            verdict, rows, told = _against(done, loaded, target, list(found.values()), options)
            checks, remarks = (*checks, verdict), (*remarks, *told)
    except BridgeError as error:
        return result(TROUBLE, target, why=str(error))
    except NotHere as reason:
        return result(NA, target, why=str(reason))
    metrics = {
        one.name: {"value": one.value, "unit": one.unit, "kind": one.kind}
        for one in sorted(found.values(), key=lambda one: one.name)
        if one.value is not None
    }
    predictions = {name: {"decisions": len(model.made), "sha256": digest(model)} for name, model in done.models.items()}
    outcome = worst(check.outcome for check in checks)
    if quarantined and outcome not in (FAIL, UNSET, TROUBLE):
        remarks = (*remarks, "it is in quarantine and passes: take [quarantine] out")
    return result(outcome, target, checks=checks, metrics=metrics, predictions=predictions, remarks=tuple(remarks),
                  baseline=rows,
                  readings_s=done.readings_s)  # fmt: skip


def readings_of(done: Execution, loaded: Loaded, live: bool) -> Iterable[Reading]:
    """Yield every metric of a run."""
    scenario, boards = loaded.scenario, done.evidence.boards
    for board in boards.values():
        yield from board_readings(board)
    for name, model in done.models.items():
        read = _read_by(name, done, loaded)
        why = "nobody labels a live board as it is read" if live and not any(done.labels.values()) else ""
        yield from model_readings(model, read, done.labels, why)
    for event in scenario.event:
        read = _read_by(event.model, done, loaded)
        yield from event_readings(event, done.models[event.model], read, done.labels)


def _against(
    done: Execution, loaded: Loaded, target: str, found: Sequence[Reading], options: RunOptions
) -> tuple[CheckResult, tuple[Mapping[str, Any], ...], tuple[str, ...]]:
    """Compare a run with the accepted results, or accept it."""
    scenario = loaded.scenario
    assert scenario.baseline is not None
    path = loaded.find(scenario.baseline.file)
    groups = {name: _groups(name, model, done, loaded) for name, model in done.models.items()}
    facts = baseline.facts_of(scenario, target, found, done.models, groups)
    told: tuple[str, ...] = ()
    if options.update_baselines:
        difference = baseline.update(path, facts)
        told = (f"accepted in {path}:\n{difference}" if difference else f"{path} is as it was",)
    verdict, rows = baseline.compared(baseline.read_baseline(path), facts, str(path))
    return verdict, rows, told


def _groups(name: str, model: ModelEvidence, done: Execution, loaded: Loaded) -> dict[str, list[int]]:
    return baseline.groups_of(verdicts(model, _read_by(name, done, loaded), dict(done.labels)), model.labels)


def _read_by(name: str, done: Execution, loaded: Loaded) -> list[BoardEvidence]:
    role, boards = loaded.scenario.model[name].board, done.evidence.boards
    return list(boards.values()) if role is None else [boards[role]]


def _named(metric: str, found: dict[str, Reading], done: Execution) -> Reading:
    if metric in found:
        return found[metric]
    parts = metric.split(".")
    if parts[0] == "stream":
        board = done.evidence.boards[parts[1]]
        if not board.met:
            return Reading(metric, None, "", absent=TROUBLE, why=f"board {board.role} did not answer")
        there = sorted(name.removeprefix("stream.") for name in found if name.startswith(f"stream.{board.role}."))
        places = sorted({name.rsplit(".", 1)[0] for name in there})
        return Reading(metric, None, "", absent=UNSET, why=f"there is no such metric; there are {', '.join(places)}")
    return Reading(metric, None, "", absent=UNSET, why="this run has no such metric")


def _absent(metric: str, outcome: str, why: str) -> CheckResult:
    return CheckResult(metric, None, "", "", outcome, why)
