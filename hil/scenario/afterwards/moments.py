"""Which moment of a run to look at, for each check that did not pass.

Rule of this room: pure, and nothing is judged anew. Losses and damage point at their first event, extremes and what is
made of all readings at the sample that matters most, decisions at the first wrong one, times at the longest. A check
that has no moment (a baseline, a clock) has none here.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from firmware_bridge.events import Prediction
from hil.measure.make import slug
from hil.scenario.afterwards.scope import Scope, Trigger
from hil.scenario.evidence.events import appearances
from hil.scenario.evidence.evidence import BoardEvidence
from hil.scenario.execution.execute import Execution
from hil.scenario.grammar.grammar import Scenario
from hil.scenario.metrics.decisions import ModelEvidence, Verdicts
from hil.scenario.metrics.metrics import expected_of
from hil.scenario.results.outcome import NA, PASS, CheckResult

__all__ = ["MOST", "triggers_of"]

MOST = 8
"""Windows of one scenario, at most; the checks that come first have them."""

_VIEW_NS = 2_500_000_000
"""How long after its beginning an event that was not told is looked at: a picture ends three seconds after it."""

_EVENTS = {
    "gaps": ("gap",), "samples_lost": ("gap",), "frames_lost": ("gap", "damage"), "samples": ("gap",),
    "crc_failures": ("damage",), "bytes_damaged": ("damage",), "bytes_unaccounted": ("damage",),
    "samples_duplicate": ("damage", "gap"), "samples_unaccounted": ("gap",), "samples_expected": ("gap",),
    "reboots": ("reboot",), "disconnects": ("disconnect",), "errors_told": ("log",),
}  # fmt: skip
_READINGS = {"minimum": "minimum", "maximum": "maximum", "rate": "step", "jitter_p99": "step"}
_MISSING = ("coverage", "missed", "decisions", "judged")


def triggers_of(
    checks: Sequence[CheckResult], scenario: Scenario, done: Execution, found: dict[str, Verdicts], scope: Scope
) -> list[Trigger]:
    """Return what to look at.

    Args:
        checks: All of a run.
        scenario: Its scenario.
        done: What it left behind.
        found: Windows with a truth of each model.
        scope: That looked at the run, for its events.
    """
    triggers: list[Trigger] = []
    for check in checks:
        if check.outcome in (PASS, NA) or len(triggers) >= MOST:
            continue
        level, _, rest = check.metric.partition(".")
        if level == "link":
            triggers += _link(check, rest, scope)
        elif level == "stream":
            triggers += _stream(check, rest, done, scope)
        elif level == "model":
            triggers += _model(check, rest, done, found, scope)
        elif level == "event":
            triggers += _event(check, rest, scenario, done)
    return triggers[:MOST]


def _link(check: CheckResult, rest: str, scope: Scope) -> Iterator[Trigger]:
    board, _, key = rest.partition(".")
    event = scope.first(board, *_EVENTS.get(key, ()))
    if event is not None:
        yield Trigger(check.metric, board, t_ns=event[0], why=f"the first of them: {event[1]}")


def _stream(check: CheckResult, rest: str, done: Execution, scope: Scope) -> Iterator[Trigger]:
    parts = rest.split(".")
    board = done.evidence.boards.get(parts[0])
    name = None if board is None else next((name for name in board.streams if slug(name) == parts[1]), None)
    if board is None or name is None:
        return
    key, place = parts[-1], (check.metric, board.role, name)
    if key in _EVENTS:
        event = scope.first(board.role, *_EVENTS[key])
        if event is not None:
            yield Trigger(*place, t_ns=event[0], why=f"the first of them: {event[1]}")
        return
    kind = _READINGS.get(key, "far")
    tally = board.streams[name]
    channel = next((one for one in tally.stream.channels if slug(one) == parts[2]), "") if len(parts) > 3 else ""
    if kind == "step":
        yield Trigger(*place, kind=kind, why="the step of the board's clock that is farthest from the usual one")
    elif kind != "far":
        yield Trigger(*place, channel, kind, why=f"the {'least' if kind == 'minimum' else 'greatest'} reading")
    elif (figures := tally.figures().get(channel)) is not None:
        yield Trigger(*place, channel, kind, value=figures.mean, why="the reading that is farthest from the mean")


def _model(
    check: CheckResult, rest: str, done: Execution, found: dict[str, Verdicts], scope: Scope
) -> Iterator[Trigger]:
    name, _, key = rest.partition(".")
    model = done.models.get(name)
    if model is None:
        return
    if key.startswith(("latency", "deadline", "age")):
        took = model.age_ms if key.startswith("age") else model.latency_ms
        if took and len(took) == len(model.made):
            at = int(np.argmax(took))
            yield _at(check, "", model.made[at], f"the slowest decision: {took[at]:.3g} ms")
        return
    wrong = None
    if name in found and key not in _MISSING:
        wrong = _first_wrong(model, found[name], key.partition(".")[2])
    if wrong is not None:
        decision, truth = wrong
        yield _at(check, name, decision, f"the first wrong decision: {decision.label} in place of {truth}")
        return
    # Where none that was made is wrong, those that could not be made are.
    for board in done.evidence.boards.values():
        event = scope.first(board.role, "gap", "reboot", "disconnect")
        if event is not None:
            yield Trigger(check.metric, board.role, t_ns=event[0], why=f"what kept it from deciding: {event[1]}")
            return


def _first_wrong(model: ModelEvidence, found: Verdicts, label: str) -> tuple[Prediction, str] | None:
    made = {(one.board, one.stream, one.boot, one.sample): one for one in model.made}
    wrong = []
    for at in np.flatnonzero(found.truth != found.said).tolist():
        decision = made.get((*found.where[at], found.last[at]))
        truth = model.labels[int(found.truth[at])]
        if decision is not None and label in ("", slug(truth)):
            wrong.append((decision, truth))
    return min(wrong, key=lambda pair: pair[0].t_ns, default=None)


def _event(check: CheckResult, rest: str, scenario: Scenario, done: Execution) -> Iterator[Trigger]:
    name, _, key = rest.partition(".")
    event = next((one for one in scenario.event if one.name == name), None)
    model = None if event is None else done.models.get(event.model)
    if event is None or model is None:
        return
    role = scenario.model[event.model].board
    boards: list[BoardEvidence] = [one for one in done.evidence.boards.values() if role in (None, one.role)]
    expected, delay_ns = expected_of(event, boards, done.labels), round(event.delay_s * 1e9)
    if key in ("false_positives", "false_alarms_per_h"):
        for one in sorted(model.made, key=lambda one: one.t_ns):
            inside = any(board == one.board and low <= one.t_ns <= high + delay_ns for board, low, high in expected)
            if one.label == event.label and not inside:
                yield _at(check, event.model, one, f"the first {event.label} where it was not expected")
                return
    for board, low, high in expected:
        if not appearances(model.made, event.label, [(board, low, high)], delay_ns, 0).true_positives:
            why, until = f"{event.label} begins here and is not told in time", min(high + delay_ns, low + _VIEW_NS)
            meanwhile = (one for one in model.made if one.board == board and low <= one.t_ns <= until)
            said = max(meanwhile, key=lambda one: one.t_ns, default=None)
            place = (check.metric, board, "" if said is None else said.stream)
            yield Trigger(*place, t_ns=low, why=why, model="" if said is None else event.model, decision=said)
            return


def _at(check: CheckResult, model: str, decision: Prediction, why: str) -> Trigger:
    place = (check.metric, decision.board, decision.stream)
    return Trigger(*place, t_ns=decision.t_ns, why=why, model=model, decision=decision)
