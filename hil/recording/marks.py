"""Marks and labels: those of the recording, and those added beside it later.

Rule of this room: a recording never changes. What people add afterwards goes into `NAME.marks.jsonl`, one JSON object a
line, appended only: who, when, the mark, and the id of the mark it takes the place of. Readers merge both.
"""

import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from firmware_bridge.errors import FileError, UsageError
from firmware_bridge.events import Mark
from hil.recording.files import explain
from hil.recording.header import SCHEMA

__all__ = ["KeptMark", "Label", "add_line", "add_mark", "labels_of", "merged", "remove_mark", "set_marks", "sidecar_of"]


@dataclass(frozen=True, slots=True)
class KeptMark:
    """A mark with the id that another may supersede; `added_ns` is None for marks of the recording itself."""

    id: str
    mark: Mark
    added_ns: int | None = None


@dataclass(frozen=True, slots=True)
class Label:
    """A stretch of time with a name.

    Attributes:
        text: The label.
        start_ns: UTC.
        stop_ns: UTC; None where nobody ended it.
        board: Role it is about; empty for all boards.
        author: Who set it.
    """

    text: str
    start_ns: int
    stop_ns: int | None
    board: str = ""
    author: str = ""


def sidecar_of(path: Path) -> Path:
    """Return the file beside a recording that holds marks added later."""
    return path.with_name(path.name.removesuffix(path.suffix) + ".marks.jsonl")


def add_mark(path: Path, mark: Mark, now_ns: int, supersedes: str | None = None) -> str:
    """Add a mark beside a recording; return its id.

    Args:
        path: The recording.
        mark: The mark.
        now_ns: UTC now.
        supersedes: Id of a mark that this one takes the place of.

    Raises:
        FileError: The sidecar cannot be written.
    """
    plain = {"board": mark.board, "t_ns": mark.t_ns, "text": mark.text, "kind": mark.kind, "note": mark.note}
    return add_line(path, {"author": mark.author, "mark": plain, "supersedes": supersedes}, now_ns)


def set_marks(
    path: Path, text: str, times_ns: Sequence[int], now_ns: int, *, author: str = "", board: str = "", note: str = ""
) -> Path:
    """Set a mark at one time, or a label from one time to another, beside a recording; return the file beside it.

    Raises:
        UsageError: There is no text, or the label ends before it begins.
        FileError: The sidecar cannot be written.
    """
    if not text.strip():
        raise UsageError("a mark needs a text", str(path), "give one")
    if len(times_ns) > 1 and times_ns[1] <= times_ns[0]:
        raise UsageError("the label ends before it begins", str(path), "give --from before --to")
    kinds = ("mark",) if len(times_ns) == 1 else ("start", "stop")
    for kind, t_ns in zip(kinds, times_ns, strict=True):
        add_mark(path, Mark(board, t_ns, text.strip(), kind, author, note), now_ns)
    return sidecar_of(path)


def remove_mark(path: Path, supersedes: str, now_ns: int, author: str = "") -> str:
    """Take a mark away: a line that supersedes it with nothing; return the id of that line."""
    return add_line(path, {"author": author, "mark": None, "supersedes": supersedes}, now_ns)


def merged(path: Path, recorded: Sequence[Mark]) -> tuple[KeptMark, ...]:
    """Return the marks of a recording and its sidecar, without those superseded, in order of time.

    Args:
        path: The recording.
        recorded: Marks in the recording itself; their ids are `r1`, `r2` and so on.

    Raises:
        FileError: The sidecar is of a newer schema or cannot be read.
    """
    kept = {f"r{place}": KeptMark(f"r{place}", mark) for place, mark in enumerate(recorded, 1)}
    sidecar = sidecar_of(path)
    try:
        lines = sidecar.read_text(encoding="utf-8").splitlines() if sidecar.exists() else []
    except OSError as error:
        raise explain(error, sidecar) from error
    for line in lines:
        try:
            plain = json.loads(line)
        except ValueError:
            continue  # the torn last line of a killed writer
        if plain.get("schema", 1) > SCHEMA:
            raise FileError("marks of a newer version", str(sidecar), "update with `pip install -U hil-testbench`")
        kept.pop(plain.get("supersedes") or "", None)
        if plain["mark"] is not None:
            mark = Mark(author=plain.get("author", ""), **plain["mark"])
            kept[plain["id"]] = KeptMark(plain["id"], mark, plain["added_ns"])
    return tuple(sorted(kept.values(), key=lambda entry: entry.mark.t_ns))


def labels_of(marks: Iterable[Mark]) -> tuple[Label, ...]:
    """Return the labelled stretches that `start` and `stop` marks make, in order of their start."""
    running: dict[tuple[str, str], Mark] = {}
    found: list[Label] = []
    for mark in marks:
        key = (mark.board, mark.text)
        if mark.kind == "start":
            running.setdefault(key, mark)
        elif mark.kind == "stop" and key in running:
            start = running.pop(key)
            found.append(Label(mark.text, start.t_ns, mark.t_ns, mark.board, start.author))
    found += [Label(text, mark.t_ns, None, board, mark.author) for (board, text), mark in running.items()]
    return tuple(sorted(found, key=lambda label: label.start_ns))


def add_line(path: Path, entry: dict[str, object], now_ns: int) -> str:
    """Append a line to the file beside a recording; return its id.

    Args:
        path: The recording.
        entry: `author`, `mark` (plain, or None: nothing), `supersedes` (an id, or None), and what else is to be kept.
        now_ns: UTC now.

    Raises:
        FileError: It cannot be written.
    """
    sidecar = sidecar_of(path)
    try:
        handle = os.open(sidecar, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            size = os.fstat(handle).st_size
            identity = f"s{now_ns}-{size}"
            whole = {"schema": SCHEMA, "id": identity, "added_ns": now_ns, **entry}
            torn = size and os.pread(handle, 1, size - 1) != b"\n" if hasattr(os, "pread") else False
            os.write(handle, (b"\n" if torn else b"") + json.dumps(whole).encode() + b"\n")
        finally:
            os.close(handle)
    except OSError as error:
        raise explain(error, sidecar) from error
    return identity
