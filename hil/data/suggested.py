"""Stretches of a recording that somebody should label next: marks beside it, read as a list of what is still open.

The one place of their format. A suggestion is a mark (kind `mark`) at the beginning of its stretch whose text is `pick`
and whose note is a JSON object:

    {"stop_ns": 1700000004000000000, "why": "ROW or IR, 0.21 nat apart", "score": 0.95, "guess": "ROW"}

`stop_ns` is UTC; `why` is words; `score` falls from 1 (the most wanted of its run) to 0; `guess` is what the model
would say, or null. Readers pass over keys that they do not know. So every reader of marks sees a suggestion, none takes
it for a label, and it can be taken back like any mark.

Rule of this room: who chose the stretch, and how, is not known here. A suggestion is open until a label covers half of
it, whoever set that label; it is stored nowhere that it was answered.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from firmware_bridge.errors import UsageError
from firmware_bridge.events import Mark
from hil.data.labelling import Interval, intervals
from hil.recording.marks import KeptMark, add_mark, remove_mark

__all__ = ["NEXT", "PICK", "Suggestion", "find", "open_suggestions", "suggest", "withdraw"]

PICK = "pick"
"""Text of a mark that suggests a stretch."""
NEXT = "next"
"""What stands for the most wanted open suggestion where one is to be named."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A stretch to label.

    Attributes:
        start_ns: UTC.
        stop_ns: UTC.
        board: Role it is about; empty for all.
        why: What makes it worth a look, in words.
        score: How much, the most first; 0 where nobody said.
        guess: What a model would say; None where none was asked.
        id: Of its mark; empty before it is kept.
    """

    start_ns: int
    stop_ns: int
    board: str = ""
    why: str = ""
    score: float = 0.0
    guess: str | None = None
    id: str = ""


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
        note = json.dumps({"stop_ns": one.stop_ns, "why": one.why, "score": one.score, "guess": one.guess})
        add_mark(path, Mark(one.board, one.start_ns, PICK, "mark", author, note), now_ns)
        count += 1
    return count


def withdraw(path: Path, marks: Sequence[KeptMark], now_ns: int, author: str = "") -> int:
    """Take all suggestions away, answered or not, as a new run does first; return how many were still open.

    Raises:
        FileError: The file beside the recording cannot be written.
    """
    still_open = len(open_suggestions(marks))
    for kept in marks:
        if _read(kept) is not None:
            remove_mark(path, kept.id, now_ns, author)
    return still_open


def open_suggestions(marks: Sequence[KeptMark]) -> list[Suggestion]:
    """Return what nobody has labelled yet, the highest score first, of equal ones the earliest."""
    labels = intervals(marks)
    found = [one for kept in marks if (one := _read(kept)) is not None]
    return sorted(
        (one for one in found if not _covered(one, labels)), key=lambda one: (-one.score, one.start_ns)
    )  # fmt: skip


def find(path: Path, marks: Sequence[KeptMark], wanted: str) -> Suggestion:
    """Return an open suggestion by its id, or the most wanted one (`next`).

    Raises:
        UsageError: There is none, or none of that id.
    """
    known = open_suggestions(marks)
    if not known:
        raise UsageError("no suggestion is open", str(path), "run: hil pick MODEL --data FILE")
    if wanted == NEXT:
        return known[0]
    for one in known:
        if one.id == wanted:
            return one
    there = ", ".join(one.id for one in known)
    raise UsageError(f"no open suggestion is called {wanted!r}", str(path), f"say `{NEXT}`, or one of {there}")


def _read(kept: KeptMark) -> Suggestion | None:
    """Return what a mark suggests; None for any other mark, such as one of the same text that a person set."""
    mark = kept.mark
    if mark.kind != "mark" or mark.text != PICK:
        return None
    try:
        plain = json.loads(mark.note)
        stop, score, guess = int(plain["stop_ns"]), float(plain.get("score") or 0.0), plain.get("guess")
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    if stop <= mark.t_ns:
        return None
    said = None if guess is None else str(guess)
    return Suggestion(mark.t_ns, stop, mark.board, str(plain.get("why", "")), score, said, kept.id)


def _covered(one: Suggestion, labels: Iterable[Interval]) -> bool:
    shared = sum(
        max(0, min(one.stop_ns, label.stop_ns) - max(one.start_ns, label.start_ns))
        for label in labels
        if label.stop_ns is not None and label.board in ("", one.board)
    )
    return 2 * shared >= one.stop_ns - one.start_ns
