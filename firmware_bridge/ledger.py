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

A board that runs a model on its own samples has a third side, as soon as it counts: `due` = judged + skipped + unsent +
lost windows (see `wire.windows`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Books", "Ledger", "SampleBooks", "WindowBooks"]


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


@dataclass(frozen=True, slots=True)
class WindowBooks:
    """Windows of one stream that a board's own model looked at during one boot.

    Attributes:
        due: Windows that were whole when their hop came.
        judged: Of these, those whose result came.
        skipped: Never run: the next was due already.
        unsent: Run, and the result found no room on the board.
        lost: Run, and the result did not arrive.
    """

    due: int = 0
    judged: int = 0
    skipped: int = 0
    unsent: int = 0
    lost: int = 0

    def as_dict(self) -> dict[str, int]:
        """Return the counts by name."""
        return {key: getattr(self, key) for key in self.__dataclass_fields__}

    def less(self, before: "WindowBooks") -> "WindowBooks":
        """Return what came since `before`."""
        then = before.as_dict()
        return WindowBooks(**{key: count - then[key] for key, count in self.as_dict().items()})


@dataclass(frozen=True, slots=True)
class Books:
    """All of one board, frozen.

    Attributes:
        bytes_received: What the transport handed over.
        buckets: Bytes by bucket, as the dialect counted them.
        pending: Bytes held back because their frame or line is not complete.
        streams: Samples by (stream, boot).
        frames_lost: Frames that never came by their sequence numbers; None where frames carry none.
        windows: Windows by (stream, boot), where a board counts those that its own model looks at.
    """

    bytes_received: int = 0
    buckets: Mapping[str, int] = field(default_factory=dict)
    pending: int = 0
    streams: Mapping[tuple[str, int], SampleBooks] = field(default_factory=dict)
    frames_lost: int | None = None
    windows: Mapping[tuple[str, int], WindowBooks] = field(default_factory=dict)

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
        """Return plain JSON values; without windows where no board counts any, as ever."""
        judged = [{"stream": stream, "boot": boot, **books.as_dict()} for (stream, boot), books in self.windows.items()]
        return {
            "bytes_received": self.bytes_received, "buckets": dict(self.buckets), "pending": self.pending,
            "frames_lost": self.frames_lost,
            "streams": [
                {"stream": stream, "boot": boot, **books.as_dict()}
                for (stream, boot), books in self.streams.items()
            ],
            **({"windows": judged} if judged else {}),
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
        windows = {
            (row["stream"], row["boot"]): WindowBooks(**{key: row[key] for key in WindowBooks.__dataclass_fields__})
            for row in plain.get("windows", ())
        }
        return cls(
            plain.get("bytes_received", 0), dict(plain.get("buckets", {})), plain.get("pending", 0), streams,
            plain.get("frames_lost"), windows,
        )  # fmt: skip


class Count:
    """The books of one stream and boot while they are kept; plain numbers, because every chunk of bytes adds to them.

    Args:
        counted: Whether the board numbers its samples; without, what rests on numbers is unknown.
    """

    __slots__ = (*SampleBooks.__dataclass_fields__, "counted")

    def __init__(self, counted: bool) -> None:
        self.counted = counted
        self.received = self.delivered = self.invalid = self.unstarted = self.duplicate = self.late = 0
        self.expected = self.lost = self.unattributed = self.board_dropped = self.host_dropped = 0

    def attribute(self, missing: int, dropped: int, stalled: int) -> int:
        """The board's STATUS came: divide samples that are missing and not attributed yet.

        Args:
            missing: How many of the unattributed ones to divide.
            dropped: Samples the board says it dropped and that were not found missing before.
            stalled: Of the missing ones, how many vanished right after the host had stopped reading.

        Returns:
            How many were found to be the board's.
        """
        by_board = min(dropped, missing)
        by_host = min(stalled, missing - by_board)
        self.board_dropped += by_board
        self.host_dropped += by_host
        self.lost += missing - by_board - by_host
        self.unattributed -= missing
        return by_board

    def freeze(self) -> SampleBooks:
        """Return the present counts."""
        if not self.counted:
            return SampleBooks(
                self.received, self.delivered, self.invalid, self.unstarted, None, None, None, None, None, None, None
            )
        return SampleBooks(
            self.received, self.delivered, self.invalid, self.unstarted, self.duplicate, self.late, self.expected,
            self.lost, self.unattributed, self.board_dropped, self.host_dropped,
        )  # fmt: skip


class Ledger:
    """The books while they are kept; one thread writes, `freeze` gives what others may read."""

    def __init__(self) -> None:
        self.bytes_received = 0
        self.windows: dict[tuple[str, int], WindowBooks] = {}
        self._open: dict[tuple[str, int], Count] = {}
        self._closed: dict[tuple[str, int], SampleBooks] = {}

    def of(self, stream: str, boot: int, counted: bool = True) -> Count:
        """Return the count of a stream and boot, made if there is none."""
        count = self._open.get((stream, boot))
        if count is None:
            count = self._open[stream, boot] = Count(counted)
        return count

    def end_boot(self) -> None:
        """Nothing will be added to the counts of the boots so far."""
        self._closed.update((key, count.freeze()) for key, count in self._open.items())
        self._open.clear()

    def freeze(self, buckets: Mapping[str, int], pending: int, frames_lost: int | None = None) -> Books:
        """Return a frozen copy with the dialect's side of the byte books."""
        streams = dict(self._closed)
        for key, count in self._open.items():
            streams[key] = count.freeze()
        return Books(self.bytes_received, dict(buckets), pending, streams, frames_lost, dict(self.windows))
