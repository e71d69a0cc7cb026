"""Labels of stretches, set and taken back from the command line: lines beside a recording that itself never changes.

Rule of this room: nothing is erased. Taking a label away, or undoing what was done last, appends lines that supersede
others, so that who said what and when stays to be read.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from firmware_bridge.errors import UsageError
from firmware_bridge.events import Mark
from hil.recording.marks import KeptMark, add_line, set_marks, sidecar_of

if TYPE_CHECKING:
    from hil.recording.reader import Recording

__all__ = ["Interval", "add_label", "intervals", "label_stretch", "remove_label", "undo"]


@dataclass(frozen=True, slots=True)
class Interval:
    """A labelled stretch.

    Attributes:
        id: Of its first mark: what `remove_label` asks for.
        text: The label.
        start_ns: UTC.
        stop_ns: UTC; None where nobody ended it.
        board: Role it is about; empty for all.
        author: Who set it.
        ids: Of all its marks.
    """

    id: str
    text: str
    start_ns: int
    stop_ns: int | None
    board: str
    author: str
    ids: tuple[str, ...]


def intervals(marks: Sequence[KeptMark]) -> list[Interval]:
    """Return the labelled stretches that kept marks make, in order of their start, as readers pair them."""
    running: dict[tuple[str, str], KeptMark] = {}
    found: list[Interval] = []
    for kept in marks:
        key = (kept.mark.board, kept.mark.text)
        if kept.mark.kind == "start":
            running.setdefault(key, kept)
        elif kept.mark.kind == "stop" and key in running:
            start = running.pop(key)
            found.append(_interval(start, kept))
    found += [_interval(start, None) for start in running.values()]
    return sorted(found, key=lambda one: one.start_ns)


def add_label(
    path: Path, text: str, start_ns: int, stop_ns: int, now_ns: int, *, author: str = "", board: str = ""
) -> Path:
    """Label a stretch; return the file beside the recording.

    Raises:
        UsageError: There is no text, or it ends before it begins.
        FileError: The file cannot be written.
    """
    return set_marks(path, text, (start_ns, stop_ns), now_ns, author=author, board=board)


def label_stretch(
    recording: "Recording", text: str, start_ns: int, stop_ns: int, now_ns: int, *, author: str = "", board: str = ""
) -> list[Interval]:
    """Label a stretch of a recording; return the labels that it overlaps: what lies in both counts as unlabelled.

    Raises:
        UsageError: Nothing of the recording lies in it, there is no such board, or a label of the same name lies there:
            of the marks of two such labels nobody could tell which pair up.
        FileError: The file beside it cannot be written.
    """
    where = str(recording.path)
    boards = dict.fromkeys((*recording.boards, *(one.board for one in recording.streams())))
    if board and board not in boards:
        raise UsageError(f"no board is called {board!r}", where, f"use {', '.join(boards) or 'none'}")
    begin, end = ((edge - recording.start_ns) / 1e9 for edge in (start_ns, stop_ns))
    if begin < end and (end <= 0 or begin >= recording.duration_s):
        raise UsageError(f"the label from {begin:g} s to {end:g} s holds nothing of it", where,
                         f"the recording lasts {recording.duration_s:.1f} s")  # fmt: skip
    there = [
        one
        for one in intervals(recording.kept_marks)
        if one.start_ns < stop_ns
        and (one.stop_ns is None or one.stop_ns > start_ns)
        and (not one.board or not board or one.board == board)
    ]
    if same := next((one for one in there if one.text == text), None):
        raise UsageError(f"a label {text} ({same.id}) lies there already", where, "take it away first (--remove)")
    add_label(recording.path, text, start_ns, stop_ns, now_ns, author=author, board=board)
    return there


def remove_label(path: Path, marks: Sequence[KeptMark], wanted: str, now_ns: int, author: str = "") -> Interval:
    """Take a label away; return what it was.

    Args:
        path: The recording.
        marks: Its kept marks.
        wanted: Id of the label, or its text where only one has it.
        now_ns: UTC now.
        author: Who does it.

    Raises:
        UsageError: No label is called so, or several are.
    """
    known = intervals(marks)
    found = [one for one in known if wanted == one.id] or [one for one in known if wanted == one.text]
    if len(found) != 1:
        what = f"{len(found)} labels are called {wanted!r}" if found else f"no label is called {wanted!r}"
        there = ", ".join(f"{one.id} ({one.text})" for one in (found or known)) or "none"
        raise UsageError(what, str(path), f"name one by its id: {there}")
    for mark_id in found[0].ids:
        add_line(path, {"author": author, "mark": None, "supersedes": mark_id}, now_ns)
    return found[0]


def undo(path: Path, recorded: Sequence[Mark], now_ns: int, author: str = "") -> list[str]:
    """Take back what was done last beside a recording and was not undone yet; return what that was, in words.

    Args:
        path: The recording.
        recorded: Marks in the recording itself.
        now_ns: UTC now.
        author: Who does it.

    Raises:
        UsageError: There is nothing to undo.
    """
    sidecar = sidecar_of(path)
    lines = _lines(sidecar)
    undone = {one["undoes"] for one in lines if "undoes" in one}
    done = [one for one in lines if "undoes" not in one and one["id"] not in undone]
    if not done:
        raise UsageError("nothing was labelled or taken away beside it that is not undone", str(sidecar), "")
    last = [one for one in done if one["added_ns"] == done[-1]["added_ns"]]
    content = {one["id"]: one["mark"] for one in lines}
    for at, mark in enumerate(recorded, 1):
        plain = {key: getattr(mark, key) for key in ("board", "t_ns", "text", "kind", "note")}
        content[f"r{at}"] = plain
    # A mark that was taken away and came back by an undo bears another id since.
    by_id = {one["id"]: one for one in lines}
    again = {
        by_id[one["undoes"]]["supersedes"]: one["id"]
        for one in lines
        if "undoes" in one and one["mark"] is not None and by_id[one["undoes"]]["mark"] is None
    }
    told = []
    for one in reversed(last):
        now_called = one["id"]
        while now_called in again:
            now_called = again[now_called]
        entry: dict[str, Any] = {"author": author, "undoes": one["id"], "mark": None, "supersedes": now_called}
        if one["mark"] is None:
            entry |= {"mark": content[one["supersedes"]], "supersedes": None}
            told.append(f"{entry['mark']['kind']} of {entry['mark']['text']} is there again")
        else:
            if one.get("supersedes"):
                entry["mark"] = content[one["supersedes"]]
            told.append(f"{one['mark']['kind']} of {one['mark']['text']} is taken away")
        add_line(path, entry, now_ns)
    return told[::-1]


def _interval(start: KeptMark, stop: KeptMark | None) -> Interval:
    mark = start.mark
    ids = (start.id,) if stop is None else (start.id, stop.id)
    return Interval(
        start.id, mark.text, mark.t_ns, None if stop is None else stop.mark.t_ns, mark.board, mark.author, ids
    )


def _lines(sidecar: Path) -> list[dict[str, Any]]:
    """Return the lines beside a recording; what a killed writer left of one is passed over."""
    found = []
    for line in sidecar.read_text(encoding="utf-8").splitlines() if sidecar.exists() else []:
        try:
            found.append(json.loads(line))
        except ValueError:
            continue
    return found
