"""What a side of a comparison means on a command line: a recording, `FILE#BOARD`, a folder, or several with commas.

Rule of this room: a board is named wherever there is a choice; nothing is guessed between two boards. Every recording
is measured once, also where both sides are boards of it.
"""

import glob
from collections.abc import Callable
from pathlib import Path

from firmware_bridge.errors import UsageError
from firmware_bridge.missing import missing
from firmware_bridge.streams import Stream
from hil.measure.compare import Member, Side
from hil.measure.figure import Measurement
from hil.recording.reader import Recording

__all__ = ["Measured", "files_of", "open_sides"]

Measured = Callable[[Recording], Measurement]
"""Measures an open recording."""


def files_of(text: str) -> list[tuple[Path, str]]:
    """Return the recordings and boards that a side names.

    Args:
        text: `FILE`, `FILE#BOARD`, a folder (all its `.mcap` files), a pattern with `*`, or several with commas.

    Returns:
        Path and role; the role is empty where none was named.

    Raises:
        FileError: There is no such file.
        UsageError: A folder or pattern holds no recording.
    """
    found: list[tuple[Path, str]] = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        path, board = Path(part), ""
        if not path.exists() and "#" in part:
            name, _, board = part.rpartition("#")
            path = Path(name)
        if path.is_dir():
            files = sorted(path.glob("*.mcap"))
        elif path.exists():
            files = [path]
        else:
            files = sorted(Path(name) for name in glob.glob(str(path)) if "*" in str(path) or "?" in str(path))
        if not files and (path.is_dir() or "*" in str(path)):
            raise UsageError("there is no recording in it", str(path), "name .mcap files, or a folder that has some")
        if not files:
            raise missing(path, otherwise="name a recording, or a board of it as FILE#BOARD")
        found += [(file, board) for file in files]
    if not found:
        raise UsageError("a side of the comparison is empty", "compare", "name a recording, FILE#BOARD, or a folder")
    return found


def open_sides(texts: list[str], measured: Measured) -> list[Side]:
    """Measure the sides of a comparison.

    Args:
        texts: One a side, see `files_of`.
        measured: Measures one recording.

    Raises:
        UsageError: A recording has several boards and none is named, or none of that name.
        FileError: A recording cannot be read.
    """
    known: dict[Path, list[Member]] = {}
    sides = []
    for text in texts:
        members: list[Member] = []
        for path, board in files_of(text):
            if path.resolve() not in known:
                with Recording(path) as recording:
                    known[path.resolve()] = _members(path, recording, measured(recording))
            members.append(_chosen(path, board, known[path.resolve()]))
        sides.append(Side(text, tuple(members)))
    if len(sides) == 2:
        twice = {(one.file, one.board) for one in sides[0].members} & {
            (one.file, one.board) for one in sides[1].members
        }
        if twice:
            file, board = sorted(twice)[0]
            raise UsageError(
                f"{file}#{board} stands on both sides", "compare", "name two recordings, or two boards of one"
            )
    return sides


def _members(path: Path, recording: Recording, measurement: Measurement) -> list[Member]:
    facts = measurement.facts
    start, end = facts.get("from_s") or 0.0, facts.get("to_s")
    length = (recording.duration_s if end is None else min(end, recording.duration_s)) - start
    streams: dict[str, dict[str, Stream]] = {}
    for known in recording.streams():
        streams.setdefault(known.board, {})[known.stream.name] = known.stream
    return [Member(str(path), board, measurement, of, length) for board, of in streams.items()]


def _chosen(path: Path, board: str, members: list[Member]) -> Member:
    there = ", ".join(member.board for member in members) or "none"
    if board:
        for member in members:
            if member.board == board:
                return member
        raise UsageError(f"there is no board {board!r} in it", str(path), f"it has: {there}")
    if len(members) != 1:
        example = f"{path}#{members[0].board}" if members else "FILE#BOARD"
        found = f"it has {len(members)} boards with readings"
        raise UsageError(found, str(path), f"name one, such as {example} ({there})")
    return members[0]
