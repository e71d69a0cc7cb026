"""Which dialect a board speaks, decided from its first bytes, with a stated confidence.

Every candidate reads along: the native codec, each board file that was given, and the text rules. The first that
understands is chosen and what it heard is handed on, so that nothing is lost and nothing is read twice:

- native: a frame with a right CRC says HELLO (confidence 1).
- a board file: 8 samples, and it explains at least 80 % of the bytes (confidence: that share).
- lines: two lines of one kind, held back as `lines` does (confidence: share of the data-like lines that fit, times
  `1 - 2^-lines`).

If none does within 4 KiB or 3 s of the first byte, the board is announced without streams and its bytes are kept:
lines for people where most of them are (dialect `text`, confidence at most 0.5), else in the bucket `undescribed`
(confidence 0); the search goes on. Until a text board is known the dialect talks native, since a native board may be
silent until asked. All is a function of the bytes and their times of arrival.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from firmware_bridge.streams import BoardInfo
from firmware_bridge.wire.dialect import API_VERSION, Damaged, Described, Dialect, Explaining, Heard, Samples, Text
from firmware_bridge.wire.lines import LineDialect
from firmware_bridge.wire.messages import Message
from firmware_bridge.wire.native import NativeDialect
from firmware_bridge.wire.plain import Plain

__all__ = ["DetectDialect"]

WINDOW_BYTES = 4096
PATIENCE_NS = 3_000_000_000
DESCRIBED_SAMPLES = 8
DESCRIBED_SHARE = 0.8
PRINTABLE_SHARE = 0.6
TEXT_CONFIDENCE = 0.5
_PRINTED = frozenset({"text", "comment", "blank", "header", "samples", "bad_line", "torn_line"})


class _Candidate:
    """A dialect that reads along, and what it heard so far.

    Args:
        make: Makes the dialect.
        start: How many bytes had come before its first.
    """

    def __init__(self, make: Callable[[], Dialect], start: int) -> None:
        self.make, self.start = make, start
        self.dialect = make()
        self.heard: list[Heard] = []
        self.samples = 0

    def take(self, heard: Iterable[Heard], now: int) -> None:
        for item in heard:
            if isinstance(item, Samples):
                self.samples += len(item.raw)
                if item.arrived is None:
                    item = replace(item, arrived=np.full(len(item.raw), now, np.int64))
            self.heard.append(item)

    def share(self) -> float:
        """Share of the bytes it explains, of those that it put into buckets."""
        books = self.dialect.books
        explained = self.dialect.explained if isinstance(self.dialect, Explaining) else frozenset(books)
        total = sum(books.values())
        return sum(books.get(kind, 0) for kind in explained) / total if total else 0.0


class DetectDialect:
    """A dialect that finds out which dialect it is.

    Args:
        described: Makers of the dialects of board files to try.
        native: Makes the native codec.

    Attributes:
        talks: True until a dialect is chosen that does not answer native commands.
    """

    api_version = API_VERSION
    name = "auto"

    def __init__(
        self, described: Sequence[Callable[[], Dialect]] = (), native: Callable[[], Dialect] = NativeDialect
    ) -> None:
        self.talks = True
        self._native = _Candidate(native, 0)
        self._lines = _Candidate(LineDialect, 0)
        self._described = [_Candidate(make, 0) for make in described]
        self._chosen: Dialect | None = None
        self._fed = 0
        self._window_start = 0
        self._first_ns: int | None = None
        self._announced = ""
        self._spent: dict[str, int] = {}
        self._passed: dict[str, int] = {}
        self._overlap: dict[str, int] = {}
        self._owed = 0

    @property
    def books(self) -> Mapping[str, int]:
        """Bytes by bucket so far."""
        books = dict(self._spent)
        for kind, count in self._chosen.books.items() if self._chosen is not None else ():
            books[kind] = books.get(kind, 0) + count - self._overlap.get(kind, 0)
        return books

    @property
    def pending(self) -> int:
        """Bytes held back so far."""
        return self._fed - sum(self.books.values())

    @property
    def chosen(self) -> Dialect:
        """The dialect in charge; the native one until it is decided."""
        return self._chosen if self._chosen is not None else self._native.dialect

    def feed(self, data: bytes, now: int) -> Iterable[Heard]:
        """Take bytes that arrived at `now` (UTC ns); return what they complete."""
        heard: list[Heard] = []
        while self._chosen is None:
            # Cut where the window is full, so that the decision depends on the bytes and not on how they were cut.
            room = WINDOW_BYTES - (self._fed - self._window_start) % WINDOW_BYTES
            part, data = data[:room], data[room:]
            self._look(part, now, heard)
            if not data:
                return heard
        self._fed += len(data)
        heard += self._chosen.feed(data, now)
        self._pay()
        return heard

    def look(self, data: bytes, ends: npt.NDArray[np.int64]) -> Plain | None:
        """Return what reads of a native board hold where it is plain (see `plain`), and take nothing."""
        native = self._chosen if isinstance(self._chosen, NativeDialect) and not self._owed else None
        return None if native is None else native.look(data, ends)

    def took(self, plain: Plain) -> None:
        """Take the reads that were looked at."""
        assert isinstance(self._chosen, NativeDialect)
        self._fed += len(plain.data)
        self._chosen.took(plain)

    def end(self, now: int) -> Iterable[Heard]:
        """The connection is gone: decide by what is there; a decision stays for the next connection."""
        heard: list[Heard] = []
        if self._chosen is None:
            for candidate in (self._native, *self._described, self._lines):
                candidate.take(candidate.dialect.end(now), now)
            self._decide(heard, last=True)
            if self._chosen is None and self._fed > self._window_start:
                self._give_up(heard)
            self._window_start, self._first_ns = self._fed, None
        else:
            heard += self._chosen.end(now)
            self._pay()
        return heard

    def send(self, command: Message | str) -> bytes:
        """Return the bytes of a command: a native message, or a line while no native board is known.

        Raises:
            UsageError: The dialect in charge has no such command.
        """
        if self._chosen is None and isinstance(command, str):
            return self._lines.dialect.send(command)
        return self.chosen.send(command)

    def sent(self, data: bytes) -> list[Message]:
        """Tell the native codec which bytes were written; return the messages in them (none for other dialects)."""
        chosen = self.chosen
        return chosen.sent(data) if isinstance(chosen, NativeDialect) else []

    def _look(self, data: bytes, now: int, heard: list[Heard]) -> None:
        """Let all candidates read; `data` ends at most at the end of the window."""
        if data and self._first_ns is None:
            self._first_ns = now
        self._fed += len(data)
        for candidate in (self._native, *self._described, self._lines):
            candidate.take(candidate.dialect.feed(data, now), now)
        self._decide(heard, last=False)
        if self._chosen is not None:
            return
        late = self._first_ns is not None and now - self._first_ns >= PATIENCE_NS
        if self._announced == "text":
            self._pass_on(heard)
        lines = self._lines.dialect
        if isinstance(lines, LineDialect) and lines.holding:
            return  # it looks like data, and the text rules decide within their own bounds
        if self._fed - self._window_start >= WINDOW_BYTES or (late and self._fed > self._window_start):
            self._give_up(heard)
            self._window_start, self._first_ns = self._fed, None

    def _decide(self, heard: list[Heard], last: bool) -> None:
        """Choose the first candidate that understands, the surest kind first."""
        winner, confidence = None, 1.0
        enough = 1 if last else DESCRIBED_SAMPLES
        able = [each for each in self._described if each.samples >= enough and each.share() >= DESCRIBED_SHARE]
        lines = self._lines.dialect
        if any(isinstance(item, Described) for item in self._native.heard):
            winner = self._native
        elif able:
            winner = max(able, key=_Candidate.share)
            confidence = round(winner.share(), 4)
        elif isinstance(lines, LineDialect) and lines.settled:
            winner = self._lines
            confidence = next(item.info.confidence for item in winner.heard if isinstance(item, Described))
        if winner is None:
            return
        self._chosen = winner.dialect
        self.talks = winner.dialect.talks
        self._owed = sum(self._spent.values()) - winner.start
        quiet = self._owed > 0 and winner is not self._lines
        for item in winner.heard:
            if isinstance(item, Described):
                heard.append(replace(item, info=replace(item.info, confidence=confidence)))
            elif not (quiet and isinstance(item, (Text, Damaged))):  # told before, when it was passed on
                heard.append(item)
        self._pay()

    def _pay(self) -> None:
        """Bytes that were passed on before the decision are not counted again by the dialect that was chosen."""
        if not self._owed or self._chosen is None:
            return
        books = self._chosen.books
        for kind in sorted(books, key=lambda kind: kind in ("samples", "frames")):
            part = min(self._owed, books[kind] - self._overlap.get(kind, 0))
            self._overlap[kind] = self._overlap.get(kind, 0) + part
            self._owed -= part

    def _give_up(self, heard: list[Heard]) -> None:
        """Nobody understood this window: announce the board without streams, keep the bytes, go on looking."""
        books = self._lines.dialect.books
        counted = sum(books.values())
        printed = sum(books.get(kind, 0) for kind in _PRINTED)
        as_text = counted > 0 and printed >= PRINTABLE_SHARE * counted
        kind, share = ("text", printed / counted * TEXT_CONFIDENCE) if as_text else ("undescribed", 0.0)
        if kind != self._announced:
            self._announced = kind
            heard.append(Described(BoardInfo("unknown", "", "", (), kind, round(share, 4))))
        if as_text:
            self._pass_on(heard)
            return
        count = self._fed - sum(self._spent.values())
        self._spent["undescribed"] = self._spent.get("undescribed", 0) + count
        heard.append(Damaged("undescribed", count))
        self._native.heard = []
        self._lines, self._passed = _Candidate(self._lines.make, self._fed), {}
        self._described = [_Candidate(each.make, self._fed) for each in self._described]

    def _pass_on(self, heard: list[Heard]) -> None:
        """Hand on the lines for people that were read so far."""
        heard += [item for item in self._lines.heard if isinstance(item, (Text, Damaged))]
        self._lines.heard = [item for item in self._lines.heard if not isinstance(item, (Text, Damaged))]
        for kind, count in self._lines.dialect.books.items():
            self._spent[kind] = self._spent.get(kind, 0) + count - self._passed.get(kind, 0)
            self._passed[kind] = count
        for each in (self._native, *self._described):
            each.heard = [item for item in each.heard if not isinstance(item, (Text, Damaged))]
