"""The same run done in two ways, compared: every data metric and every decision, to the last bit.

Rule of this room: timing is not compared; anything else that differs is a failure of the bench's own promise that
results follow sample numbers and nothing else.
"""

from collections.abc import Sequence

from firmware_bridge.events import Prediction
from hil.scenario.execution.execute import Execution
from hil.scenario.results.outcome import FAIL, PASS, CheckResult, Reading

__all__ = ["differences"]


def differences(
    readings: Sequence[Reading], others: Sequence[Reading], done: Execution, second: Execution
) -> list[CheckResult]:
    """Return one row for all metrics and one for each model.

    Args:
        readings: Metrics of the first run.
        others: Metrics of the second.
        done: The first run.
        second: The second.
    """
    mine = {one.name: one.value for one in readings if one.kind == "data"}
    its = {one.name: one.value for one in others if one.kind == "data"}
    differing = [
        name for name in sorted({*mine, *its}) if name not in mine or name not in its or mine[name] != its[name]
    ]
    why = ""
    if differing:
        first = differing[0]
        why = f"{first}: {mine.get(first, 'nothing')!r} and, done otherwise, {its.get(first, 'nothing')!r}"
    known = sum(value is not None for value in mine.values())
    rows = [_row("twice.metrics", len(differing), known, why)]
    for name, model in done.models.items():
        count, why = _decisions(model.made, second.models[name].made)
        rows.append(_row(f"twice.{name}", count, len(model.made), why))
    return rows


def _decisions(one: Sequence[Prediction], other: Sequence[Prediction]) -> tuple[int, str]:
    mine, its = _keyed(one), _keyed(other)
    differing = [key for key in sorted({*mine, *its}) if mine.get(key) != its.get(key)]
    if not differing:
        return 0, ""
    board, stream, boot, sample = key = differing[0]
    told = (
        f"first at {board}/{stream}, boot {boot}, sample {sample}: {mine.get(key)} and, done otherwise, {its.get(key)}"
    )
    return len(differing), told


def _keyed(made: Sequence[Prediction]) -> dict[tuple[str, str, int, int], tuple[str, tuple[float, ...]]]:
    return {(one.board, one.stream, one.boot, one.sample): (one.label, one.scores) for one in made}


def _row(name: str, differing: int, of: int, why: str) -> CheckResult:
    return CheckResult(name, float(differing), "1", f"= 0 of {of}", FAIL if differing else PASS, why)
