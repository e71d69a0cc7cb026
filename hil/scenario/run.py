"""One scenario to its verdict: where it runs, what it left behind, its metrics, its checks.

Rule of this room: whatever happens ends in a `ScenarioResult`. A file that is not there, a board that does not answer,
a run that takes too long are TROUBLE; what a target cannot have is NA with the reason; only mistakes in what was asked
for on the command line are errors.
"""

import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from firmware_bridge.errors import BridgeError
from firmware_bridge.faults import Schedule
from hil.scenario.afterwards import baseline
from hil.scenario.afterwards.postmortem import Postmortem, keep_heard, postmortem
from hil.scenario.afterwards.scope import Scope
from hil.scenario.evidence.evidence import BoardEvidence
from hil.scenario.execution.against import Portrait
from hil.scenario.execution.cost import cost_readings
from hil.scenario.execution.drive import drive_readings, drive_remark
from hil.scenario.execution.elsewhere import gap_to
from hil.scenario.execution.execute import Execution, Watch, execute
from hil.scenario.execution.live import execute_live
from hil.scenario.execution.sofar import SoFar, file_of
from hil.scenario.execution.stimulated import stimulus_readings, stimulus_remarks
from hil.scenario.execution.targets import NotHere, Place, places_of, target_of
from hil.scenario.execution.twice import differences
from hil.scenario.grammar.catalogue import find_row
from hil.scenario.grammar.grammar import Scenario
from hil.scenario.grammar.load import Loaded
from hil.scenario.metrics.checks import judge
from hil.scenario.metrics.decisions import ModelEvidence, digest, verdicts
from hil.scenario.metrics.drift import drift_readings
from hil.scenario.metrics.metrics import board_readings, event_readings, model_readings
from hil.scenario.options import RunOptions, again
from hil.scenario.results.outcome import FAIL, NA, TROUBLE, UNSET, CheckResult, Reading, ScenarioResult, worst

__all__ = ["RunOptions", "readings_of", "run_once", "run_scenario"]


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
    return replace(whole, repeats=rate, seconds=sum(result.seconds for result in results),
                   proposal=results[0].proposal)  # fmt: skip


def _share(percent: float | None) -> float | None:
    return None if percent is None else percent / 100.0


def _retried(loaded: Loaded, options: RunOptions) -> ScenarioResult:
    result = run_once(loaded, options)
    for tried in range(options.retry_trouble):
        if result.outcome != TROUBLE:
            break
        anew = run_once(loaded, options)
        remark = f"run again after TROUBLE ({tried + 1}): {result.why or 'a check was TROUBLE'}"
        result = replace(anew, remarks=(*result.remarks, *anew.remarks, remark))
    return result


def run_once(loaded: Loaded, options: RunOptions, watch: Sequence[Watch] = ()) -> ScenarioResult:
    """Run a scenario once (twice in two ways with `twice`) and judge it.

    Args:
        loaded: The scenario.
        options: How it is run.
        watch: Each is shown every arrival with its items.
    """
    scenario = loaded.scenario
    began = time.monotonic()
    quarantined = "" if scenario.quarantine is None else f"{scenario.quarantine.reason} ({scenario.quarantine.date})"

    def result(outcome: str, target: str = "", **more: Any) -> ScenarioResult:
        return ScenarioResult(
            scenario.name, str(loaded.path), target, outcome, quarantined=quarantined, seed=options.seed,
            seconds=time.monotonic() - began, again=again(loaded, options), **more,
        )  # fmt: skip

    ports = dict(options.bench)
    missing = [need for need in scenario.needs if need.partition(":")[2] not in ports]
    if missing:
        return result(NA, why=f"it needs {', '.join(missing)}, which no bench file names; give --bench FILE")
    here_too = options.against is not None and options.on in (None, "recording")  # then it is pushed there only
    try:
        places = places_of(loaded, options.on, options.stimulus and not here_too, ports)
    except NotHere as reason:
        checks = tuple(_absent(check.metric, NA, str(reason)) for check in scenario.check)
        return result(NA, why=str(reason), checks=checks)
    target = target_of(places)
    with tempfile.TemporaryDirectory(prefix="hil-run-") as folder:
        file = Path(folder) / "run.mcap"
        try:
            judged = _judged(loaded, options, places, file, watch)
        except BridgeError as error:
            left = keep_heard(loaded, options, file) if _live(places) else Postmortem()
            return result(TROUBLE, target, why=str(error), files=left.files, remarks=left.remarks)
        except NotHere as reason:
            return result(NA, target, why=str(reason))
    outcome = worst(check.outcome for check in judged["checks"])
    if quarantined and outcome not in (FAIL, UNSET, TROUBLE):
        judged["remarks"] = (*judged["remarks"], "it is in quarantine and passes: take [quarantine] out")
    return result(outcome, target, **judged)


def _live(places: Sequence[Place]) -> bool:
    return any(place.kind == "live" for place in places)


def _judged(
    loaded: Loaded, options: RunOptions, places: Sequence[Place], file: Path, watch: Sequence[Watch]
) -> dict[str, Any]:
    """Run a scenario and return the fields of its result.

    Args:
        loaded: The scenario.
        options: How it is run.
        places: Where its boards are.
        file: Where the run may be written, for what is measured in a recording and for what may be kept of a live one.
        watch: Each is shown every arrival with its items.

    Raises:
        BridgeError: The bench is in trouble.
        NotHere: The target cannot have it.
    """
    scenario, live = loaded.scenario, _live(places)
    seed = options.seed + scenario.seed
    fault_seed = seed if options.fault_seed is None else options.fault_seed
    schedule = Schedule.from_dict({"seed": fault_seed, "fault": list(scenario.fault)}, str(loaded.path))
    measured = {check.metric for check in scenario.check if (row := find_row(check.metric)) and row.measured}
    remarks: tuple[str, ...] = ()
    scope = Scope() if options.exhibit or (live and options.keep) else None  # a live run cannot be seen again
    portrait = Portrait() if options.against is not None else None
    watch = (*watch, *(one.take for one in (scope, portrait) if one is not None))
    told = None
    if options.so_far:
        told = SoFar(loaded, lambda one: readings_of(one, loaded, live), file_of(options.so_far, str(loaded.path)))
    if live:
        kept = file if options.keep or scope is not None or measured else None
        done, remarks = execute_live(loaded, places, schedule, keep=kept, watch=watch, wait_s=options.wait_s, told=told)
    else:
        done = execute(loaded, places, seed, schedule, keep=file if measured else None, watch=watch, told=told)
    remarks = (*remarks, *stimulus_remarks(done.stimuli), *filter(None, map(drive_remark, done.drives)))
    found: dict[str, Reading] = {}
    if measured:
        from hil.scenario.metrics.measured import measured_readings  # it brings all of SciPy's statistics

        found = measured_readings(file, measured)
    found |= {one.name: one for one in (*readings_of(done, loaded, live), *cost_readings(loaded, places))}
    checks = tuple(judge(check, _named(check.metric, found, done, scenario, live)) for check in scenario.check)
    if options.twice and not live:
        second = execute(loaded, places, seed, schedule, otherwise=seed + 1)
        first, other = (list(readings_of(one, loaded, False)) for one in (done, second))
        checks = (*checks, *differences(first, other, done, second))
    elif options.twice:
        remarks = (*remarks, "a live board cannot be run a second time in another way")
    against, gap = "", tuple[Mapping[str, Any], ...]()
    if portrait is not None and options.against is not None:
        against, gap, why = gap_to(loaded, options.against, seed, schedule, dict(options.bench),
                                   stimulus=options.stimulus, here=(done, portrait))  # fmt: skip
        remarks = (*remarks, why) if why else remarks
    compared: tuple[Mapping[str, Any], ...] = ()
    proposal: dict[str, Any] = {}
    if scenario.baseline is not None:
        facts = _facts(done, loaded, target_of(places), list(found.values()))
        path = loaded.find(scenario.baseline.file)
        verdict, compared = baseline.compared(baseline.read_baseline(path), facts, str(path))
        checks = (*checks, verdict)
        proposal = {"text": baseline.text_of(facts)} if options.update_baselines else {}
    left = postmortem(
        loaded, places, seed, schedule, done, checks, scope=scope, options=options,
        heard=file if live and file.is_file() else None,
    )  # fmt: skip
    return {
        "checks": checks, "remarks": (*remarks, *left.remarks), "files": left.files, "exhibit": left.exhibit,
        "baseline": compared, "proposal": proposal, "against": against, "gap": gap, "readings_s": done.readings_s,
        "metrics": {
            one.name: {"value": one.value, "unit": one.unit, "kind": one.kind}
            for one in sorted(found.values(), key=lambda one: one.name) if one.value is not None
        },
        "predictions": {
            name: {"decisions": len(model.made), "sha256": digest(model)} for name, model in done.models.items()
        },
    }  # fmt: skip


def readings_of(done: Execution, loaded: Loaded, live: bool) -> Iterable[Reading]:
    """Yield every metric of a run."""
    scenario, boards = loaded.scenario, done.evidence.boards
    for board in boards.values():
        yield from board_readings(board)
    for role, match in done.stimuli.items():
        yield from stimulus_readings(role, match)
    for drive in done.drives:
        yield from drive_readings(drive)
    for name, model in done.models.items():
        read = _read_by(name, done, loaded)
        why = "nobody labels a live board as it is read" if live and not any(done.labels.values()) else ""
        yield from model_readings(model, read, done.labels, why)
        yield from drift_readings(model, read)
    for event in scenario.event:
        read = _read_by(event.model, done, loaded)
        yield from event_readings(event, done.models[event.model], read, done.labels)


def _facts(done: Execution, loaded: Loaded, target: str, found: Sequence[Reading]) -> dict[str, Any]:
    """Return what a baseline holds of a run."""
    groups = {name: _groups(name, model, done, loaded) for name, model in done.models.items()}
    return baseline.facts_of(loaded.scenario, target, found, done.models, groups)


def _groups(name: str, model: ModelEvidence, done: Execution, loaded: Loaded) -> dict[str, list[int]]:
    return baseline.groups_of(verdicts(model, _read_by(name, done, loaded), dict(done.labels)), model.labels)


def _read_by(name: str, done: Execution, loaded: Loaded) -> list[BoardEvidence]:
    role, boards = loaded.scenario.model[name].board, done.evidence.boards
    return list(boards.values()) if role is None else [boards[role]]


def _named(metric: str, found: dict[str, Reading], done: Execution, scenario: Scenario, live: bool) -> Reading:
    if metric in found:
        return found[metric]
    parts = metric.split(".")
    if parts[0] == "stimulus":
        return Reading(metric, None, "", absent=NA, why=f"on this target no readings are pushed into board {parts[1]}")
    if parts[0] == "link" and parts[2].startswith("windows_"):
        if not live and scenario.setup is not None and scenario.setup.network:
            why = "a network is put on live boards only; run it with --on firmware, virtual://NAME or a port"
            return Reading(metric, None, "", absent=NA, why=why)
        why = f"no model runs on board {parts[1]}'s own samples, or it does not count its windows"
        return Reading(metric, None, "", absent=UNSET, why=why)
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
