"""Stretches of a recording that somebody should label next: marks beside it, read as a list of what is still open.

A suggestion is a mark whose text is `pick`; its note is a JSON object with `stop_ns` (UTC), `why` (words) and `score`.
So every reader of marks sees it, no reader takes it for a label, and it can be taken back like any mark.

Rule of this room: who chose the stretch, and how, is not known here. A suggestion is open until a label covers half of
it.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from firmware_bridge.errors import UsageError
from firmware_bridge.events import Mark
from hil.data.labelling import Interval, intervals
from hil.recording.marks import KeptMark, add_mark

__all__ = ["PICK", "Suggestion", "open_suggestions", "suggest"]

PICK = "pick"
"""Text of a mark that suggests a stretch."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A stretch to label.

    Attributes:
        start_ns: UTC.
        stop_ns: UTC.
        board: Role it is about; empty for all.
        why: What makes it worth a look, in words.
        score: How much, the most first; 0 where nobody said.
    """

    start_ns: int
    stop_ns: int
    board: str = ""
    why: str = ""
    score: float = 0.0


def suggest(path: Path, stretches: Iterable[Suggestion], now_ns: int, author: str = "") -> int:
    """Keep suggestions beside a recording; return how many.

    Raises:
        UsageError: One ends before it begins.
        FileError: The file beside it cannot be written.
    """
    count = 0
    for one in stretches:
        if one.stop_ns <= one.start_ns:
            raise UsageError("a suggestion ends before it begins", str(path), "give its start before its stop")
        note = json.dumps({"stop_ns": one.stop_ns, "why": one.why, "score": one.score})
        add_mark(path, Mark(one.board, one.start_ns, PICK, "mark", author, note), now_ns)
        count += 1
    return count


def open_suggestions(marks: Sequence[KeptMark]) -> list[Suggestion]:
    """Return what nobody has labelled yet, the highest score first, of equal ones the earliest."""
    labels = intervals(marks)
    found = [one for kept in marks if (one := _read(kept.mark)) is not None]
    return sorted(
        (one for one in found if not _covered(one, labels)), key=lambda one: (-one.score, one.start_ns)
    )  # fmt: skip


def _read(mark: Mark) -> Suggestion | None:
    """Return what a mark suggests; None for any other mark, such as one of the same text that a person set."""
    if mark.kind != "mark" or mark.text != PICK:
        return None
    try:
        plain = json.loads(mark.note)
        stop, score = int(plain["stop_ns"]), float(plain.get("score") or 0.0)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return Suggestion(mark.t_ns, stop, mark.board, str(plain.get("why", "")), score) if stop > mark.t_ns else None


def _covered(one: Suggestion, labels: Iterable[Interval]) -> bool:
    shared = sum(
        max(0, min(one.stop_ns, label.stop_ns) - max(one.start_ns, label.start_ns))
        for label in labels
        if label.stop_ns is not None and label.board in ("", one.board)
    )
    return 2 * shared >= one.stop_ns - one.start_ns
