"""Boards that print text: lines in, samples out, with whatever else they print kept as text for people.

Every byte fed lands in one bucket: `samples`, `header`, `blank`, `comment`, `skipped` (by a rule of a board file),
`text` (boot messages, log lines), `bad_line` (meant to be data and unreadable), `garbage_line` (no text at all),
`torn_line` (a line of which the beginning or end is missing), `overlong_line`; or it is pending.

Rules. Until it is known what the lines are, they are held back: at most until 8 lines with a named clock, 1.5 s, 256
lines or 16 KiB; held samples say when they came (`Samples.arrived`). The first line after a connection begins may have
lost its beginning and still look like numbers: bare numbers there are dropped as torn, unless the bytes are known to be
whole (a file). Text has no checksum, so streams are never `checked`. Equal bytes at equal times give equal results,
however they were cut.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from firmware_bridge.errors import UsageError
from firmware_bridge.streams import BoardInfo
from firmware_bridge.wire.blocks import read_tables
from firmware_bridge.wire.dialect import API_VERSION, Damaged, Described, Heard, Text
from firmware_bridge.wire.layout import Layout, Rows
from firmware_bridge.wire.matcher import Learned, Matcher
from firmware_bridge.wire.messages import Message
from firmware_bridge.wire.noise import is_log, level_of, may_be_torn, text_of

__all__ = ["EXPLAINED", "FORMAT_NAMES", "LineDialect", "TextDialect"]

FORMAT_NAMES = ("auto", "csv", "pairs", "json")
EXPLAINED = frozenset({"samples", "header", "blank", "comment", "skipped"})
"""Buckets of bytes that the rules account for."""

DAMAGE = frozenset({"bad_line", "garbage_line", "torn_line", "overlong_line"})

HOLD_NS = 1_500_000_000
HOLD_LINES = 256
HOLD_BYTES = 16 * 1024
MAX_LINE = 256 * 1024
PATIENCE_NS = 3_000_000_000
"""A board that printed only text for so long is announced without streams."""


class TextDialect:
    """Lines read by the rules of a matcher.

    Args:
        matcher: The rules.
        info: Who the board is; its streams are replaced by the matcher's.
        whole: Whether the bytes begin and end with a whole line, as a file does.
        hold: Whether the rules must be learned from the first lines.
        newline: Text ended to commands.
    """

    api_version = API_VERSION
    talks = False
    explained = EXPLAINED

    def __init__(
        self, matcher: Matcher, info: BoardInfo, whole: bool = False, hold: Learned | None = None,
        newline: str = "\n",
    ) -> None:  # fmt: skip
        self.name = info.dialect
        self._matcher, self._learned, self._info, self._whole = matcher, hold, info, whole
        self._newline = newline
        self._books: dict[str, int] = {}
        self._tail = b""
        self._held: list[tuple[bytes, int]] = []
        self._held_bytes = 0
        self._settled = hold is None
        self._told = False
        self._fresh = True
        self._skipping = False
        self._began: int | None = None
        self._rows: dict[str, Rows] = {}
        self._counted = 0
        self.first_unexplained: int | None = None

    @property
    def books(self) -> Mapping[str, int]:
        """Bytes by bucket so far."""
        return dict(self._books)

    @property
    def pending(self) -> int:
        """Bytes held back so far."""
        return len(self._tail) + self._held_bytes

    @property
    def holding(self) -> bool:
        """Whether lines are held back that may be data."""
        return bool(self._held)

    @property
    def settled(self) -> bool:
        """Whether it is known what the lines are."""
        return self._settled

    def feed(self, data: bytes, now: int) -> Iterable[Heard]:
        """Take bytes that arrived at `now` (UTC ns); return what they complete."""
        heard: list[Heard] = []
        if not self._told and self._settled:
            self._announce(heard)
        if self._began is None and data:
            self._began = now
        block = self._tail + data if self._tail else data
        cut = block.rfind(b"\n") + 1
        self._tail, block = block[cut:], block[:cut]
        if block:
            if self._skipping:
                end = block.find(b"\n") + 1
                self._count("overlong_line", end, heard)
                block, self._skipping = block[end:], False
            self._block(block, now, heard)
        if len(self._tail) > MAX_LINE or self._skipping:
            self._count("overlong_line", len(self._tail), heard)
            self._tail, self._skipping = b"", True
        if not self._settled and self._held and now - self._held[0][1] >= HOLD_NS:
            self._settle(heard)
        elif not self._told and self._began is not None and now - self._began >= PATIENCE_NS and not self._held:
            self._announce(heard)
        self._leave(heard)
        return heard

    def end(self, now: int) -> Iterable[Heard]:
        """The connection is gone: say what can be said of the pending bytes; each gets a bucket."""
        heard: list[Heard] = []
        if self._tail and self._whole and not self._skipping:
            tail, self._tail = self._tail, b""
            self._line(tail, now, heard)
        if self._held:
            self._settle(heard, final=True)
        if self._tail:
            self._count("torn_line", len(self._tail), heard)
        self._tail, self._fresh, self._skipping = b"", True, False
        self._told, self._began = False, None  # the next connection is told again who this is
        self._leave(heard)
        return heard

    def send(self, command: Message | str) -> bytes:
        """Return a line of text as bytes.

        Raises:
            UsageError: It is a native message, which a text board does not know.
        """
        if isinstance(command, Message):
            raise UsageError(
                f"{command.kind.name} is a native message and this board speaks text", self.name, "send a line of text"
            )
        return (command + self._newline).encode()

    def _block(self, block: bytes, now: int, heard: list[Heard]) -> None:
        """Take complete lines: as one table where they are all plain numbers of the one stream, else one by one."""
        start = 0
        while start < len(block) and (self._fresh or not self._settled):
            end = block.find(b"\n", start) + 1
            self._line(block[start:end], now, heard)
            start = end
        block = block[start:] if start else block
        tables = read_tables(block, self._matcher) if block else None
        if tables is not None:
            for layout, table in tables:
                self._gather(layout).add_block(table, now)
            self._count("samples", len(block), heard)
        elif block:
            for line in block.split(b"\n")[:-1]:
                self._line(line + b"\n", now, heard)

    def _line(self, line: bytes, now: int, heard: list[Heard]) -> None:
        if len(line) > MAX_LINE:
            self._count("overlong_line", len(line), heard)
        elif self._settled:
            self._known(line, now, heard, held=False)
        else:
            self._unknown(line, now, heard)

    def _unknown(self, line: bytes, now: int, heard: list[Heard]) -> None:
        """Take one line while the rules are being learned: hold data and what may be a header, pass the rest on."""
        learned = self._learned
        text = text_of(line)
        fresh, self._fresh = self._fresh and not self._whole, False
        if learned is None or not text or is_log(text):
            self._aside(line, text, heard)
            return
        records = learned.read(text)
        if fresh and records and may_be_torn(text):
            self._count("torn_line", len(line), heard)
        elif records or learned.note_header(text):
            self._held.append((line, now))
            self._held_bytes += len(line)
            full = len(self._held) >= HOLD_LINES or self._held_bytes >= HOLD_BYTES
            if full or (len(self._held) % 8 == 1 and learned.early(self._held_texts())):
                self._settle(heard)
        else:
            self._aside(line, text, heard)

    def _held_texts(self) -> list[tuple[str, int]]:
        return [(text_of(line) or "", now) for line, now in self._held]

    def _settle(self, heard: list[Heard], final: bool = False) -> None:
        """Decide on the rules and read the held lines by them; without two alike, keep waiting for the second."""
        learned = self._learned
        if learned is None:
            return
        texts = self._held_texts()
        learned.decide(texts)
        held, self._held, self._held_bytes = self._held, [], 0
        if not learned.streams:
            full = final or len(held) >= HOLD_LINES or sum(len(line) for line, _ in held) >= HOLD_BYTES
            for (line, now), (text, _) in zip(held, texts, strict=True):
                if full or not learned.read(text):
                    self._aside(line, text, heard)
                else:
                    self._held.append((line, now))
                    self._held_bytes += len(line)
            return
        self._settled = True
        good = sum(learned.match(text) is not None for text, _ in texts)
        meant = good + sum(
            learned.match(text) is None and learned.aside(text) is None and learned.spoilt(text) for text, _ in texts
        )
        if self._info.confidence < 1.0:
            self._info = replace(self._info, confidence=round(good / meant * (1.0 - 2.0**-good), 4))
        self._announce(heard)
        for line, now in held:
            self._known(line, now, heard, held=True)

    def _known(self, line: bytes, now: int, heard: list[Heard], held: bool) -> None:
        """Put one line, which came at `now`, into its bucket under settled rules."""
        text = text_of(line)
        fresh, self._fresh = self._fresh and not self._whole, False
        if not text or (text[0] in "VDIWE[" and is_log(text)):
            self._aside(line, text, heard)
            return
        matched = self._matcher.match(text)
        if matched is None and self._learned is not None and self._learned.later(text, now):
            self._announce(heard)
            matched = self._learned.match(text)
        if matched is None:
            bucket = self._matcher.aside(text)
            if bucket is None and not is_log(text) and self._matcher.spoilt(text):
                self._count("torn_line" if fresh else "bad_line", len(line), heard)
            else:
                self._aside(line, text, heard, bucket)
            return
        rows = [(layout, layout.row(fields)) for layout, fields in matched]
        if fresh and may_be_torn(text):
            self._count("torn_line", len(line), heard)
        elif any(row is None for _, row in rows):
            self._count("bad_line", len(line), heard)
        else:
            for layout, row in rows:
                if row is not None:
                    self._gather(layout).add(*row, now, held)
            self._count("samples", len(line), heard)

    def _aside(self, line: bytes, text: str | None, heard: list[Heard], bucket: str | None = None) -> None:
        """Count a line that is no data; people get to see it unless the rules say what it is."""
        if text is None:
            self._count("garbage_line", len(line), heard)
        elif not text:
            self._count("blank", len(line), heard)
        elif bucket is not None and bucket != "comment":
            self._count(bucket, len(line), heard)
        else:
            self._count("comment" if bucket or text.startswith(("#", "//")) else "text", len(line), heard)
            heard.append(Text(text, level_of(text)))

    def _count(self, bucket: str, count: int, heard: list[Heard]) -> None:
        if not count:
            return
        if bucket not in EXPLAINED and self.first_unexplained is None:
            self.first_unexplained = self._counted
        self._counted += count
        self._books[bucket] = self._books.get(bucket, 0) + count
        if bucket in DAMAGE:
            heard.append(Damaged(bucket, count))

    def _gather(self, layout: Layout) -> Rows:
        rows = self._rows.get(layout.stream.name)
        if rows is None:
            rows = self._rows[layout.stream.name] = Rows(layout)
        return rows

    def _leave(self, heard: list[Heard]) -> None:
        for rows in self._rows.values():
            samples = rows.take()
            if samples is not None:
                heard.append(samples)

    def _announce(self, heard: list[Heard]) -> None:
        self._told = True
        heard.append(Described(replace(self._info, streams=self._matcher.streams)))


class LineDialect(TextDialect):
    """A text board whose rules are learned from its first lines.

    Args:
        format: `csv`, `pairs` (`name:value`, Teleplot), `json`, or `auto` for whichever fits.
        separator: Between the numbers of a CSV line: `,`, `;`, a tab, or a space for any blanks; None: whichever fits.
        whole: Whether the bytes begin and end with a whole line, as a file does.
        model: Name of the kind of board.

    Raises:
        UsageError: There is no such format.
    """

    def __init__(
        self, format: str = "auto", separator: str | None = None, whole: bool = False, model: str = "unknown"  # noqa: A002
    ) -> None:  # fmt: skip
        if format not in FORMAT_NAMES:
            raise UsageError(f"there is no text format {format!r}", "lines", f"choose one of {', '.join(FORMAT_NAMES)}")
        learned = Learned(format, separator)
        sure = 1.0 if format != "auto" else 0.0
        super().__init__(learned, BoardInfo(model, "", "", (), "lines", sure), whole, learned)
        self._rules = learned

    @property
    def layouts(self) -> tuple[Layout, ...]:
        """What was learned of the lines so far."""
        return self._rules.layouts
