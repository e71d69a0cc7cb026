"""What came of checks and scenarios: values that are printed, compared and written alike.

Rule of this room: an outcome is one of six words. FAIL and UNSET count against the device, TROUBLE against the bench,
NA against nobody; the worst of a scenario's checks is its own.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = [
    "FAIL", "MARGINAL", "NA", "PASS", "TROUBLE", "UNSET", "CheckResult", "Reading", "ScenarioResult", "exit_code",
    "worst",
]  # fmt: skip

PASS, MARGINAL, FAIL, UNSET, TROUBLE, NA = "PASS", "MARGINAL", "FAIL", "UNSET", "TROUBLE", "NA"
_ORDER = (FAIL, UNSET, TROUBLE, MARGINAL, PASS, NA)


@dataclass(frozen=True, slots=True)
class Reading:
    """A metric as it was found.

    Attributes:
        name: Dotted name.
        value: What was found; None: there is none, `absent` and `why` say so.
        unit: Its unit.
        kind: `data` or `timing`.
        absent: `UNSET` (should be known and is not), `NA` (cannot be here), `TROUBLE`; empty where there is a value.
        why: One sentence where there is none.
        uncertainty: By how much the clocks may be off, in the unit; None where they play no part.
    """

    name: str
    value: float | None
    unit: str
    kind: str = "data"
    absent: str = ""
    why: str = ""
    uncertainty: float | None = None


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What came of one check."""

    metric: str
    value: float | None
    unit: str
    limit: str
    outcome: str
    why: str = ""
    kind: str = "data"

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {key: getattr(self, key) for key in self.__dataclass_fields__}


@dataclass(frozen=True, slots=True)
class ScenarioResult:
    """What came of one scenario.

    Attributes:
        name: Its name.
        path: Its file, as it was named.
        target: Where it ran: `recording`, `virtual`, a port, `mixed`, or empty where it did not run.
        outcome: The worst of its checks, or what kept it from running.
        why: One sentence where the outcome is not of a check.
        checks: In the order of the file.
        metrics: Every metric of the run that has a value, `{name: {value, unit, kind}}`.
        predictions: Digest and number of the decisions of each model.
        quarantined: The reason, where it is not counted.
        seed: The seed it ran with.
        seconds: Wall clock.
        readings_s: Seconds of readings that were judged.
        remarks: What else is worth knowing, a sentence each.
        files: Files that were kept, by what they are.
        baseline: How it compares with the accepted results, rows as plain values.
        against: The other target that it ran on too.
        gap: How far apart both are: rows of name, here, there, difference and unit.
        repeats: Outcomes of repetitions, with the pass rate and its interval.
        again: The command that does the same once more.
        exhibit: What a page shows of it, see `hil.scenario.afterwards.exhibit`; empty where none is asked for.
        proposal: What would be accepted as its baseline, see `hil.scenario.afterwards.accept`; empty where nothing is.
        retries: How often it was run anew because the process that ran it died.
    """

    name: str
    path: str
    target: str
    outcome: str
    why: str = ""
    checks: tuple[CheckResult, ...] = ()
    metrics: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    predictions: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    quarantined: str = ""
    seed: int = 0
    seconds: float = 0.0
    readings_s: float = 0.0
    remarks: tuple[str, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    baseline: tuple[Mapping[str, Any], ...] = ()
    against: str = ""
    gap: tuple[Mapping[str, Any], ...] = ()
    repeats: Mapping[str, Any] = field(default_factory=dict)
    again: str = ""
    exhibit: Mapping[str, Any] = field(default_factory=dict)
    proposal: Mapping[str, Any] = field(default_factory=dict)
    retries: int = 0

    def as_dict(self, whole: bool = False) -> dict[str, Any]:
        """Return plain JSON values.

        Args:
            whole: With what is shown and proposed too, to be handed to another process.
        """
        left_out = () if whole else ("exhibit", "proposal")
        plain = {key: getattr(self, key) for key in self.__dataclass_fields__ if key not in left_out}
        return plain | {"checks": [check.as_dict() for check in self.checks], "remarks": list(self.remarks),
                        "metrics": {name: dict(value) for name, value in self.metrics.items()},
                        "predictions": {name: dict(value) for name, value in self.predictions.items()},
                        "baseline": [dict(row) for row in self.baseline],
                        "gap": [dict(row) for row in self.gap]}  # fmt: skip

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> "ScenarioResult":
        """Return the result that `as_dict` gave, after it went through JSON."""
        checks = tuple(CheckResult(**check) for check in plain["checks"])
        lists = {key: tuple(plain[key]) for key in ("remarks", "baseline", "gap")}
        return cls(**{**plain, **lists, "checks": checks})


def worst(outcomes: Iterable[str]) -> str:
    """Return the outcome that counts; NA where there is none."""
    given = set(outcomes)
    return next((outcome for outcome in _ORDER if outcome in given), NA)


def exit_code(results: Iterable[ScenarioResult], strict: bool = False) -> int:
    """Return the exit code of a run: 1 for FAIL or UNSET, else 3 for TROUBLE, else 0.

    Args:
        results: Of all scenarios; quarantined ones are not counted.
        strict: Let NA count as a failure.
    """
    given = {result.outcome for result in results if not result.quarantined}
    if given & {FAIL, UNSET} or (strict and NA in given):
        return 1
    return 3 if TROUBLE in given else 0
