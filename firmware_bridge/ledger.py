"""The books of one board: where every received byte and every expected sample went.

Two sides, counted at different places. Bytes: what the transport handed over, against the dialect's buckets and what
is pending. Samples, a stream and boot at a time: what was parsed (`received`) against where it went, and the span of
sample numbers (`expected`) against what came of it:

    received = delivered + duplicate + late + invalid + unstarted
    expected = delivered + invalid + lost + unattributed + board_dropped + host_dropped

`invalid` are samples whose own checksum column says they are bad: they came and were not delivered. `unstarted` are
samples of a run that an earlier host started; they belong to no boot and are given to nobody. A loss is `unattributed`
until the board's next STATUS says how many it dropped itself; of the rest, what vanished while the host had stopped
reading (a Stall) is the host's, all else is `lost` on the link. None means unknown, and unknown is never shown as 0.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

__all__ = ["Books", "Ledger", "SampleBooks"]


@dataclass(frozen=True, slots=True)
class SampleBooks:
    """Samples of one stream during one boot; see the module for what each means.

    Attributes other than `received`, `delivered`, `invalid` and `unstarted` are None where the board numbers nothing.
    """

    received: int = 0
    delivered: int = 0
    invalid: int = 0
    unstarted: int = 0
    duplicate: int | None = 0
    late: int | None = 0
    expected: int | None = 0
    lost: int | None = 0
    unattributed: int | None = 0
    board_dropped: int | None = 0
    host_dropped: int | None = 0

    def as_dict(self) -> dict[str, int | None]:
        """Return the counts by name."""
        return {key: getattr(self, key) for key in self.__dataclass_fields__}

    @property
    def missing(self) -> int | None:
        """Expected samples that did not come, whoever lost them; None: unknown."""
        if self.lost is None:
            return None
        return self.lost + (self.unattributed or 0) + (self.board_dropped or 0) + (self.host_dropped or 0)

    def closes(self, name: str) -> list[str]:
        """Return a sentence for each sum that does not close; sums with an unknown part are not judged."""
        wrong = []
        for total, parts in (
            ("received", ("delivered", "duplicate", "late", "invalid", "unstarted")),
            ("expected", ("delivered", "invalid", "lost", "unattributed", "board_dropped", "host_dropped")),
        ):
            known = [getattr(self, part) for part in parts]
            whole = getattr(self, total)
            if whole is not None and None not in known and whole != sum(known):
                told = " + ".join(f"{part} {count}" for part, count in zip(parts, known, strict=True))
                wrong.append(f"{name}: {total} {whole} is not {told}")
        return wrong


UNKNOWN = SampleBooks(
    duplicate=None, late=None, expected=None, lost=None, unattributed=None, board_dropped=None, host_dropped=None
)
"""The books of a stream without numbers, when nothing has come yet."""


@dataclass(frozen=True, slots=True)
class Books:
    """All of one board, frozen.

    Attributes:
        bytes_received: What the transport handed over.
        buckets: Bytes by bucket, as the dialect counted them.
        pending: Bytes held back because their frame or line is not complete.
        streams: Samples by (stream, boot).
        frames_lost: Frames that never came by their sequence numbers; None where frames carry none.
    """

    bytes_received: int = 0
    buckets: Mapping[str, int] = field(default_factory=dict)
    pending: int = 0
    streams: Mapping[tuple[str, int], SampleBooks] = field(default_factory=dict)
    frames_lost: int | None = None

    def closes(self) -> list[str]:
        """Return a sentence for every sum that does not close; empty when all do."""
        wrong = []
        inside = sum(self.buckets.values())
        if self.bytes_received != inside + self.pending:
            wrong.append(f"bytes received {self.bytes_received} are not {inside} in buckets + {self.pending} pending")
        for (stream, boot), books in self.streams.items():
            wrong += books.closes(f"{stream} (boot {boot})")
        return wrong

    def total(self, stream: str) -> SampleBooks:
        """Return the sum over all boots of a stream; a part that is unknown in one boot is unknown in the sum."""
        parts = [books for (name, _), books in self.streams.items() if name == stream]
        sums: dict[str, int | None] = {}
        for key in SampleBooks.__dataclass_fields__:
            counts = [getattr(books, key) for books in parts]
            sums[key] = None if None in counts else sum(counts)
        return SampleBooks(**sums)  # type: ignore[arg-type]

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "bytes_received": self.bytes_received, "buckets": dict(self.buckets), "pending": self.pending,
            "frames_lost": self.frames_lost,
            "streams": [
                {"stream": stream, "boot": boot, **books.as_dict()}
                for (stream, boot), books in self.streams.items()
            ],
        }  # fmt: skip

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> "Books":
        """Build the books from what `as_dict` gave; unknown keys are ignored."""
        streams = {
            (row["stream"], row["boot"]): SampleBooks(
                **{key: row[key] for key in SampleBooks.__dataclass_fields__ if key in row}
            )
            for row in plain.get("streams", ())
        }
        return cls(
            plain.get("bytes_received", 0), dict(plain.get("buckets", {})), plain.get("pending", 0), streams,
            plain.get("frames_lost"),
        )  # fmt: skip


@dataclass(slots=True)
class Ledger:
    """The books while they are kept; one thread writes, `freeze` gives what others may read."""

    bytes_received: int = 0
    _streams: dict[tuple[str, int], SampleBooks] = field(default_factory=dict)
    _frozen: Mapping[tuple[str, int], SampleBooks] | None = None

    def received_bytes(self, count: int) -> None:
        """The transport handed over `count` bytes."""
        self.bytes_received += count

    def of(self, stream: str, boot: int) -> SampleBooks:
        """Return what is counted so far."""
        return self._streams.get((stream, boot), SampleBooks())

    def add(self, stream: str, boot: int, counted: bool = True, **counts: int) -> None:
        """Add to counts of a stream.

        Args:
            stream: Name.
            boot: Boot.
            counted: Whether the board numbers its samples; decides what is unknown.
            counts: Fields of `SampleBooks`; one that is unknown stays unknown.
        """
        books = self._streams.get((stream, boot))
        if books is None:
            books = SampleBooks() if counted else UNKNOWN
        changed = {key: getattr(books, key) + count for key, count in counts.items() if getattr(books, key) is not None}
        self._streams[stream, boot] = replace(books, **changed)
        self._frozen = None

    def attribute(self, stream: str, boot: int, dropped: int, stalled: int) -> None:
        """The board's STATUS came: divide all that is missing up to now.

        Args:
            stream: Name.
            boot: Boot.
            dropped: Samples the board says it dropped in this boot.
            stalled: Of the missing ones, how many vanished right after the host had stopped reading.
        """
        books = self._streams.get((stream, boot))
        missing = books.missing if books is not None else None
        if books is None or not missing:
            return
        by_board = min(dropped, missing)
        by_host = min(stalled, missing - by_board)
        divided = replace(
            books, board_dropped=by_board, host_dropped=by_host, lost=missing - by_board - by_host, unattributed=0
        )
        if divided != books:
            self._streams[stream, boot] = divided
            self._frozen = None

    def freeze(self, buckets: Mapping[str, int], pending: int, frames_lost: int | None = None) -> Books:
        """Return a frozen copy with the dialect's side of the byte books."""
        if self._frozen is None:
            self._frozen = MappingProxyType(dict(self._streams))
        return Books(self.bytes_received, MappingProxyType(dict(buckets)), pending, self._frozen, frames_lost)
