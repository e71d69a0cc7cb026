"""What a check of a dataset found: what, where, and what to do next.

Rule of this room: an `error` makes figures wrong, a `warning` may, a `note` tells what was not or could not be checked.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["ERROR", "LEVELS", "NOTE", "WARNING", "Finding", "sorted_by_level"]

ERROR, WARNING, NOTE = LEVELS = ("error", "warning", "note")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found.

    Attributes:
        level: `error`, `warning` or `note`.
        check: Which check found it, such as `duplicate`.
        where: Recording or group, and the time in it.
        what: What is wrong, a clause.
        next: What to do.
    """

    level: str
    check: str
    where: str
    what: str
    next: str

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)


def sorted_by_level(findings: Iterable[Finding]) -> list[Finding]:
    """Return findings, the worst first, else in their order."""
    return sorted(findings, key=lambda one: LEVELS.index(one.level))
