"""A limit against a reading: pure.

Rules of this room: what has no value is never PASS. A reading whose clocks may be off is judged only where that cannot
change the verdict: a limit tighter than the uncertainty, or nearer to the value than it, is TROUBLE.
"""

import math

from hil.scenario.grammar.grammar import CheckTable
from hil.scenario.results.outcome import FAIL, MARGINAL, PASS, TROUBLE, UNSET, CheckResult, Reading

__all__ = ["judge", "limit_text"]


def judge(check: CheckTable, reading: Reading) -> CheckResult:
    """Return what comes of a check.

    Args:
        check: The limit.
        reading: The metric it names.
    """
    outcome, why = _outcome(check, reading)
    limit = limit_text(check, reading.unit)
    return CheckResult(check.metric, reading.value, reading.unit, limit, outcome, why, reading.kind)


def limit_text(check: CheckTable, unit: str) -> str:
    """Return a limit as a person reads it: `>= 0.8`, `5 .. 10 ms`."""
    if check.at_least is not None:
        text = f">= {check.at_least:.10g}"
    elif check.at_most is not None:
        text = f"<= {check.at_most:.10g}"
    elif check.between is not None:
        text = f"{check.between[0]:.10g} .. {check.between[1]:.10g}"
    elif check.within_percent is not None:
        text = f"= {check.equals:.10g} +- {check.within_percent:.10g} %"
    else:
        text = f"= {check.equals:.10g}"
    return text if unit in ("1", "") else f"{text} {unit}"


def _outcome(check: CheckTable, reading: Reading) -> tuple[str, str]:
    value = reading.value
    if value is None:
        return reading.absent or UNSET, reading.why
    if not math.isfinite(value):
        return UNSET, f"the value is {value}"
    if check.unit is not None and check.unit != reading.unit:
        return TROUBLE, f"the limit is in {check.unit} and the metric in {reading.unit}; correct the scenario"
    low, high = _range(check)
    verdict = _verdict(value, low, high, check)
    off = reading.uncertainty
    if off is None:
        return verdict, ""
    room = _room(low, high)
    if verdict != FAIL and room is not None and room < off:
        return TROUBLE, f"the limit is tighter than the clocks are known: +- {off:.4g} {reading.unit}"
    inside = low <= value - off and value + off <= high
    outside = value + off < low or high < value - off
    if not (inside if verdict != FAIL else outside):
        return TROUBLE, f"the clocks are known to +- {off:.4g} {reading.unit} only, and the limit is nearer"
    return verdict, ""


def _range(check: CheckTable) -> tuple[float, float]:
    if check.between is not None:
        return check.between[0], check.between[1]
    if check.equals is not None:
        reach = abs(check.equals) * (check.within_percent or 0.0) / 100.0
        return check.equals - reach, check.equals + reach
    return (
        -math.inf if check.at_least is None else check.at_least,
        math.inf if check.at_most is None else check.at_most,
    )


def _room(low: float, high: float) -> float | None:
    """How tight a limit is: half its width; for `at_most` the distance from none at all."""
    if math.isinf(low):
        return abs(high)
    return None if math.isinf(high) else (high - low) / 2


def _holds(value: float, low: float, high: float) -> bool:
    return low <= value <= high


def _verdict(value: float, low: float, high: float, check: CheckTable) -> str:
    if not _holds(value, low, high):
        return FAIL
    edge = check.marginal
    if edge is None:
        return PASS
    if check.at_least is not None:
        close = value < edge
    elif check.at_most is not None:
        close = value > edge
    elif check.between is not None:
        close = not low + edge <= value <= high - edge
    else:
        close = abs(value - (check.equals or 0.0)) > abs(check.equals or 0.0) * edge / 100.0
    return MARGINAL if close else PASS
