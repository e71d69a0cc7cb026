"""What is not a sample: events, and the arrival that carries batches and events from a source to the pipeline.

Everything that leaves the bridge is a batch or one of these frozen values; live capture, replay and simulation differ
only in who makes them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from firmware_bridge.batch import Batch
from firmware_bridge.streams import BoardInfo

__all__ = [
    "Arrival",
    "ClockReading",
    "Connected",
    "Damage",
    "Disconnected",
    "Event",
    "Gap",
    "Item",
    "Log",
    "Mark",
    "Prediction",
    "RateChanged",
    "Rebooted",
    "Reply",
    "Stall",
    "Status",
]


@dataclass(frozen=True, slots=True)
class Event:
    """What is not a sample. `board` is a role, or empty for the bench itself; `t_ns` is UTC."""

    board: str
    t_ns: int


@dataclass(frozen=True, slots=True)
class Connected(Event):
    """A board is there and known."""

    info: BoardInfo
    boot: int


@dataclass(frozen=True, slots=True)
class Disconnected(Event):
    """The way to the board is gone; `reason` is one sentence."""

    reason: str


@dataclass(frozen=True, slots=True)
class Rebooted(Event):
    """The board started anew: sample numbers begin again under the new `boot`; `inferred` when no nonce proved it."""

    boot: int
    inferred: bool


@dataclass(frozen=True, slots=True)
class RateChanged(Event):
    """A stream's nominal rate changed with sample `first`; the segment ends before it."""

    stream: str
    boot: int
    first: int
    rate_hz: float


@dataclass(frozen=True, slots=True)
class Gap(Event):
    """Samples `first` to `first + count - 1` did not come; `count` is None where the board does not number samples."""

    stream: str
    boot: int
    first: int
    count: int | None
    cause: str


@dataclass(frozen=True, slots=True)
class Damage(Event):
    """Received bytes that are no valid frame or line: `count` bytes into the ledger's bucket `kind`."""

    kind: str
    count: int


@dataclass(frozen=True, slots=True)
class Stall(Event):
    """The host's queue was full and reading paused for `stalled_ns`."""

    stalled_ns: int


@dataclass(frozen=True, slots=True)
class Status(Event):
    """The board's own books: produced and dropped samples per stream, credit, session nonce, plain JSON values."""

    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Reply(Event):
    """Any other answer of a native board (`ACK`, `NAK`, `CREDIT`, `RESULT`): fixed fields and the bytes after them."""

    kind: str
    fields: Mapping[str, int]
    data: bytes = b""


@dataclass(frozen=True, slots=True)
class ClockReading(Event):
    """One exchange that dates the board's clock: sent and received in UTC ns, `tick` unwrapped.

    The time between receiving and answering, by the board's own clock, is taken off `received_ns`.
    """

    sent_ns: int
    tick: int
    received_ns: int


@dataclass(frozen=True, slots=True)
class Log(Event):
    """A line for people, from the board (its role) or the bench. Levels: debug, info, warning, error."""

    level: str
    text: str


@dataclass(frozen=True, slots=True)
class Mark(Event):
    """A note or a label set by a person or a scenario.

    `kind` is `mark` (a point), `start` or `stop` (of the label `text`). `author` and `note` are free text.
    """

    text: str
    kind: str = "mark"
    author: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Prediction(Event):
    """What a model decided at the end of a window.

    Attributes:
        model: Name in the model's contract.
        stream: Stream it read.
        boot: Boot of the board.
        sample: Number of the last sample of the window.
        label: The most probable label.
        confidence: Its probability, 0 to 1.
        scores: Probability of every label, in the contract's order.
    """

    model: str
    stream: str
    boot: int
    sample: int
    label: str
    confidence: float
    scores: tuple[float, ...]


Item = Batch | Event


@dataclass(frozen=True, slots=True, eq=False)
class Arrival:
    """What one read or write of a port was, and what it meant: the unit that flows from source to pipeline.

    Attributes:
        board: Role of the board; empty for the bench itself (marks).
        seq: Number of this arrival on its board, from 0, shared by rx, tx and link changes: replay keeps this order.
        t_ns: When the bytes were read or written, UTC.
        kind: `rx`, `tx`, `open`, `close`, `stall`, `begin` (a recording joins a run here), `note` (items without
            bytes: imported samples, marks).
        data: The raw bytes; for `close` the reason as UTF-8, for `open` the port as UTF-8.
        items: What they meant, in order.
        books: The ledger after them, a frozen `firmware_bridge.ledger.Books`; None where nothing changed.
    """

    board: str
    seq: int
    t_ns: int
    kind: str
    data: bytes = b""
    items: tuple[Item, ...] = ()
    books: Any = None
