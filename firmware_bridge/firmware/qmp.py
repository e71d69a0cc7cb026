"""QEMU's machine protocol, QMP: commands into bytes, bytes into lines of JSON, lines into answers.

Rule of this room: sans-I/O. One command at a time is under way; what the emulator tells unasked (its events) is passed
over.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from firmware_bridge.errors import TransportError

__all__ = ["Lines", "QmpRefused", "answer", "command", "is_greeting"]

_LONGEST = 1 << 20

Line = Mapping[str, Any]


class QmpRefused(TransportError):
    """The emulator refuses a command, or what speaks is no emulator."""


def command(name: str, number: int, arguments: Mapping[str, Any] | None = None) -> bytes:
    """Return a command as bytes; its answer will bear the number."""
    return json.dumps({"execute": name, "id": number, "arguments": dict(arguments or {})}).encode() + b"\n"


def is_greeting(line: Line) -> bool:
    """Return whether a line is that with which every conversation begins."""
    return "QMP" in line


def answer(line: Line, number: int, where: str) -> tuple[Any] | None:
    """Return the value of the answer to a command, as the one item of a tuple; None where the line is none.

    Args:
        line: What came.
        number: Of the command.
        where: Who speaks, for sentences.

    Raises:
        QmpRefused: The emulator refuses the command, with what it said.
    """
    if line.get("id") != number or not line.keys() & {"return", "error"}:
        return None
    if "error" in line:
        error = line["error"]
        said = error.get("desc", "without a reason") if isinstance(error, dict) else str(error)
        raise QmpRefused(f"the emulator refuses it: {said}", where)
    return (line["return"],)


class Lines:
    """Bytes into lines.

    Args:
        where: Who speaks, for sentences.
    """

    def __init__(self, where: str) -> None:
        self._where = where
        self._begun = b""

    def feed(self, data: bytes) -> Iterator[Line]:
        """Yield the lines that bytes complete.

        Raises:
            QmpRefused: They are no QMP.
        """
        *whole, self._begun = (self._begun + data).split(b"\n")
        for text in whole:
            try:
                line = json.loads(text)
            except (ValueError, RecursionError):
                raise self._foreign(text) from None
            if not isinstance(line, dict):
                raise self._foreign(text)
            yield line
        if len(self._begun) > _LONGEST:
            raise self._foreign(self._begun)

    def _foreign(self, text: bytes) -> QmpRefused:
        return QmpRefused(f"it speaks no QMP: {text[:60]!r} came", self._where, "is that an emulator's socket?")
