"""The text protocol of MLPerf Tiny devices under test: commands as bytes, lines as values.

A command is words between spaces, ended by `%`, 80 characters at most with no line end behind it (a board would take
that for the beginning of the next one). An answer is lines, and its last is `m-ready`. The public firmware and runner
of the benchmark settle what their description leaves open:

- `db HEX` takes two digits a byte in either case. The runner sends lower case, 31 bytes a line (26 in energy mode);
  38 are as many as fit. Digits beyond what `db load N` announced are ignored, and a lost pair of digits is noticed only
  because `m-load-done` does not come.
- `infer N W` runs W times, then N times between two timestamps. Without W a board warms up 10 times, whatever its help
  says, so W is always sent.
- `m-lap-us-T` is the board's own counter of microseconds, modulo 2^32: only a difference means something. A firmware
  for energy measurements moves a pin instead and says none (`m-timestamp-mode-energy`, usually at 9,600 baud; else
  115,200).
- A lone `%` makes the reference firmware read behind its buffer: none is ever sent.
- `e-[...]` is a refusal; some refusals of the reference firmware are plain sentences.

Rule of this room: codec only. A line that is none of these is handed on as what it is, never repaired.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from firmware_bridge.errors import UsageError

__all__ = ["CHUNK", "LINE_MOST", "LineReader", "Said", "Say", "command", "elapsed_us", "load_commands", "said"]

LINE_MOST = 80
"""Characters of a command, without its end."""
CHUNK = 31
"""Bytes a `db` line, as the reference runner sends them."""
_ANSWER_MOST = 1 << 16
_LAPS = 1 << 32


class Say(StrEnum):
    """What a line is."""

    READY = "ready"
    NAME = "name"
    PROFILE = "profile"
    MODEL = "model"
    EXPECTING = "expecting"
    LOADED = "loaded"
    BUFFER = "buffer"
    PROGRESS = "progress"
    LAP = "lap"
    RESULTS = "results"
    BOOT = "boot"
    MODE = "mode"
    REFUSED = "refused"
    OTHER = "other"
    """A plain sentence."""
    STRANGE = "strange"
    """It begins like a message and is none, or has bytes that are no text: damage."""


@dataclass(frozen=True, slots=True)
class Said:
    """One line of a board.

    Attributes:
        kind: What it is.
        text: The line.
        word: What stands in it: a name, a mode, the text of a refusal.
        number: Microseconds, or bytes that are expected.
        values: Results.
        data: Bytes of the window, as they came.
    """

    kind: Say
    text: str
    word: str = ""
    number: int = 0
    values: tuple[float, ...] = ()
    data: bytes = b""


_FORMS: tuple[tuple[Say, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(form))
    for kind, form in (
        (Say.READY, "m-ready"),
        (Say.NAME, r"m-name-dut-\[([^\]]+)\]"),
        (Say.PROFILE, r"m-profile-\[([^\]]+)\]"),
        (Say.MODEL, r"m-model-\[([^\]]+)\]"),
        (Say.EXPECTING, r"m-\[Expecting (\d{1,10}) bytes\]"),
        (Say.LOADED, "m-load-done"),
        (Say.BUFFER, "m-buffer-([0-9a-fA-F]{2}(?:-[0-9a-fA-F]{2})*)"),
        (Say.PROGRESS, r"m-((?:warmup|infer)-start-\d+|(?:warmup|infer)-done)"),
        (Say.LAP, r"m-lap-us-(\d{1,19})"),
        (Say.RESULTS, r"m-results-\[([^\]]*)\]"),
        (Say.BOOT, "m-init-done"),
        (Say.MODE, "m-timestamp-mode-(performance|energy)"),
        (Say.REFUSED, r"e-\[(.*)\]"),
    )
)


def command(text: str) -> bytes:
    """Return a command as it goes over the line.

    Raises:
        UsageError: It is empty, too long, or holds what a command cannot.
    """
    if not 0 < len(text) <= LINE_MOST or not text.isascii() or not text.isprintable() or "%" in text:
        raise UsageError(f"`{text[:100]}` is no command", "device under test", f"1 to {LINE_MOST} characters without %")
    return text.encode() + b"%"


def load_commands(data: bytes, chunk: int = CHUNK) -> list[str]:
    """Return the commands that bring a window to a board: `db load`, then `db` with `chunk` bytes each.

    Raises:
        UsageError: There is nothing to load, or a line would be too long.
    """
    if not data or not 0 < chunk <= (LINE_MOST - 3) // 2:
        raise UsageError(
            f"{len(data)} bytes, {chunk} a line, cannot be loaded", "device under test", "a line holds 1 to 38 bytes"
        )
    return [f"db load {len(data)}", *(f"db {data[at : at + chunk].hex()}" for at in range(0, len(data), chunk))]


def said(raw: bytes) -> Said:
    """Return what a line says, given without its end."""
    text = raw.decode("ascii", "backslashreplace")
    for kind, form in _FORMS:
        if (found := form.fullmatch(text)) is not None:
            return _filled(kind, text, found[1] if form.groups else "")
    strange = text.startswith(("m-", "e-")) or not text.isprintable() or not raw.isascii()
    return Said(Say.STRANGE if strange else Say.OTHER, text)


def elapsed_us(first: int, last: int) -> int:
    """Return the time between two timestamps of one counter, whatever its width."""
    return (last - first) % _LAPS if max(first, last) < _LAPS else last - first


class LineReader:
    """Bytes in, lines out.

    Attributes:
        overlong: Lines that had no end for so long that they were thrown away.
    """

    def __init__(self) -> None:
        self._rest = b""
        self._skips = False
        self.overlong = 0

    def feed(self, data: bytes) -> Iterator[Said]:
        """Yield the lines that are whole now; empty ones are none."""
        *whole, self._rest = (self._rest + data).split(b"\n")
        for raw in whole:
            if self._skips:
                self._skips = False
            elif line := raw.strip(b"\r\0"):
                yield said(line)
        if len(self._rest) > _ANSWER_MOST:
            self.overlong += not self._skips
            self._rest, self._skips = b"", True

    def clear(self) -> bytes:
        """Forget the beginning of a line, since its end will not come; return it."""
        rest, self._rest, self._skips = self._rest, b"", False
        return rest


def _filled(kind: Say, text: str, word: str) -> Said:
    if kind in (Say.LAP, Say.EXPECTING):
        return Said(kind, text, number=int(word))
    if kind is Say.BUFFER:
        return Said(kind, text, data=bytes.fromhex(word.replace("-", "")))
    if kind is Say.RESULTS:
        try:
            values = tuple(float(part) for part in word.rstrip(",").split(","))
        except ValueError:
            values = ()
        good = values and all(map(math.isfinite, values))
        return Said(kind, text, values=values) if good else Said(Say.STRANGE, text)
    return Said(kind, text, word)
