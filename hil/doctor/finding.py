"""A finding of the doctor, and all findings of one examination together.

Rule of this room: plain values. Nothing is measured here; a figure nobody could measure is None and reads `unknown`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

__all__ = ["LEVELS", "OK", "TROUBLE", "UNKNOWN", "WARNING", "Checkup", "Finding", "counted"]

OK, UNKNOWN, WARNING, TROUBLE = "ok", "unknown", "warning", "trouble"
LEVELS = (TROUBLE, WARNING, UNKNOWN, OK)
"""Levels, the worst first."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        level: `ok`, `unknown` (it could not be looked at), `warning` or `trouble`.
        of: What it is about: `host`, `terminal`, `access`, or a port.
        what: What was looked at, a few words.
        said: What was found, one sentence without a full stop.
        todo: What to do; for `ok` empty or what it allows.
        value: The figure, None where there is none or nobody could measure it.
        unit: Of the figure.
    """

    level: str
    of: str
    what: str
    said: str
    todo: str = ""
    value: float | None = None
    unit: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


@dataclass(frozen=True, slots=True)
class Checkup:
    """An examination.

    Attributes:
        findings: All findings, in order of looking.
        port: The port that was examined; empty for the computer alone.
        uncertainty_us: How well the host time of a sample is known with this port, microseconds; None where nothing
            was measured.
        safe: What the port carries safely: samples a second by kind of board; empty where nothing was measured.
    """

    findings: tuple[Finding, ...]
    port: str = ""
    uncertainty_us: float | None = None
    safe: dict[str, float] = field(default_factory=dict)

    @property
    def worst(self) -> str:
        """The worst level of all."""
        there = {finding.level for finding in self.findings}
        return next((level for level in LEVELS if level in there), OK)

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "schema": 1, "port": self.port or None, "worst": self.worst, "uncertainty_us": self.uncertainty_us,
            "safe_rates": {name: round(rate, 1) for name, rate in self.safe.items()},
            "findings": [finding.as_dict() for finding in self.findings],
        }  # fmt: skip

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> "Checkup":
        """Build it from what `as_dict` gave."""
        found = tuple(Finding(**one) for one in plain["findings"])
        return cls(found, plain["port"] or "", plain["uncertainty_us"], dict(plain["safe_rates"]))

    def lines(self) -> Iterator[str]:
        """Yield the examination as lines for people."""
        for finding in self.findings:
            todo = f"; {finding.todo}" if finding.todo else ""
            yield f"{finding.level:<8} {finding.of}: {finding.what}: {finding.said}{todo}"
        yield from self.verdict()

    def verdict(self) -> Iterator[str]:
        """Yield what it comes to."""
        if self.port and self.uncertainty_us is None:
            yield f"timing of {self.port}: unknown, for the board answered no ping"
        elif self.uncertainty_us is not None:
            yield f"timing of {self.port}: the host time of a sample is known to ±{self.uncertainty_us:.0f} µs"
        if self.safe:
            rates = ", ".join(f"{name} {rate:,.0f} samples/s" for name, rate in self.safe.items())
            yield f"safe rates of {self.port} (70 % of the line): {rates}"
        counts = {level: sum(one.level == level for one in self.findings) for level in LEVELS}
        yield ", ".join(counted(count, level) for level, count in counts.items() if count)


def counted(count: int, level: str) -> str:
    """Return how many findings of a level there are, in words."""
    return f"{count} {level}{'s' if level == WARNING and count > 1 else ''}"
