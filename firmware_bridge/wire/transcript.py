"""A conversation in text, line by line, that shows when it was altered.

One JSON object a line: when (UTC nanoseconds), which way (`>` to the board, `<` from it, `#` the bench's own remark),
the text, and a running hash: SHA-256 over the hash of the line before and this line, its first 16 hex digits. The first
line says what follows, the last that nothing was cut off. A hash anyone can compute is no signature: it shows damage,
and editing that was not meant to deceive.

Rule of this room: lines in, lines out; files are somebody else's.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from firmware_bridge.errors import FileError

__all__ = ["Entry", "Transcript", "TranscriptWriter", "read_transcript"]

_KIND = "conversation"
_SCHEMA = 1
_END = "end of the transcript"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line: when, which way, what."""

    t_ns: int
    way: str
    text: str


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was read.

    Attributes:
        about: What its first line says.
        entries: In their order, without first and last.
        whole: Whether its last line is there.
    """

    about: Mapping[str, Any]
    entries: tuple[Entry, ...]
    whole: bool


class TranscriptWriter:
    """Makes the lines of a transcript, each with its end."""

    def __init__(self) -> None:
        self._hash = ""

    def begin(self, about: Mapping[str, Any], t_ns: int) -> str:
        """Return the first line."""
        first = {"transcript": _KIND, "schema": _SCHEMA, **about}
        return self.line("#", json.dumps(first, ensure_ascii=True), t_ns)

    def line(self, way: str, text: str, t_ns: int) -> str:
        """Return the next line."""
        self._hash = _hash(self._hash, t_ns, way, text)
        return json.dumps({"t_ns": t_ns, "way": way, "text": text, "hash": self._hash}) + "\n"

    def end(self, t_ns: int) -> str:
        """Return the last line."""
        return self.line("#", _END, t_ns)


def read_transcript(lines: Iterable[str], where: str) -> Transcript:
    """Read a transcript and verify it.

    Args:
        lines: Of the file.
        where: The file, for sentences.

    Raises:
        FileError: A line is not what its hash says, or it is no transcript; the first such line is named.
    """
    entries: list[Entry] = []
    before = ""
    for number, line in enumerate(lines, 1):
        try:
            read = json.loads(line)
            entry, told = Entry(int(read["t_ns"]), str(read["way"]), str(read["text"])), read["hash"]
        except (ValueError, KeyError, TypeError):
            raise FileError(
                f"line {number} is no line of a transcript", where, "use the file as it was written"
            ) from None
        before = _hash(before, entry.t_ns, entry.way, entry.text)
        if told != before:
            raise FileError(f"line {number} is not what its hash says: it, or one before it, was altered", where,
                            "use the file as it was written")  # fmt: skip
        entries.append(entry)
    about = _about(entries[0].text if entries else "", where)
    whole = len(entries) > 1 and entries[-1].way == "#" and entries[-1].text == _END
    return Transcript(about, tuple(entries[1:-1] if whole else entries[1:]), whole)


def _about(first: str, where: str) -> Mapping[str, Any]:
    try:
        about = json.loads(first)
        schema = int(about.pop("schema"))
        good = about.pop("transcript") == _KIND
    except (ValueError, KeyError, TypeError, AttributeError):
        good, schema, about = False, 0, {}
    if not good:
        raise FileError("it is no transcript of a conversation", where, "give a file that `hil dut --transcript` wrote")
    if schema > _SCHEMA:
        raise FileError(f"it has schema {schema} and this program reads up to {_SCHEMA}", where, "update this program")
    found: Mapping[str, Any] = about
    return found


def _hash(before: str, t_ns: int, way: str, text: str) -> str:
    line = json.dumps([before, t_ns, way, text], ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(line.encode()).hexdigest()[:16]
