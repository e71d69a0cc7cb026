"""The currency of the bench: streams, boards, batches of samples, and events.

Everything that leaves the bridge is one of these frozen values; live capture, replay and simulation differ only in who
makes them. Samples are keyed by (board, stream, boot, sample number): `Batch.first` is the 64-bit unwrapped number of
its first sample and a batch is contiguous, so that any gap ends it. `t_ns` is for people and for joins between boards;
no model reads it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = [
    "Arrival",
    "Batch",
    "BoardInfo",
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
    "Stream",
]

Int64 = npt.NDArray[np.int64]
Float32 = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Stream:
    """One named series of a board.

    Attributes:
        name: Name, unique on its board, such as `imu`.
        channels: One name a channel; for an image one name for all of it.
        units: One unit a channel, SI where it can be (`g`, `rad/s`, `degC`); `?` where nobody said.
        dtype: NumPy dtype on the wire, little-endian, such as `<i2`.
        shape: `(C,)` for C channels or `(H, W)` for an image; C equals `len(channels)`.
        rate_hz: Nominal samples a second; None where nobody said.
        scale: Factors to the unit: one for all, or one a channel.
        offset: Added after scaling: one for all, or one a channel.
        rate_inferred: Whether `rate_hz` was measured rather than told.
        counted: Whether the board numbers its samples. Without it losses are unknown, never 0.
        checked: Whether a checksum protects the samples. Without it integrity is unknown.
        tick_hz: Ticks a second of the board's clock; None where the board sends no time (ticks are then arrival in ns).
    """

    name: str
    channels: tuple[str, ...]
    units: tuple[str, ...]
    dtype: str
    shape: tuple[int, ...]
    rate_hz: float | None
    scale: tuple[float, ...] = (1.0,)
    offset: tuple[float, ...] = (0.0,)
    rate_inferred: bool = False
    counted: bool = True
    checked: bool = True
    tick_hz: float | None = 1e6

    @property
    def is_image(self) -> bool:
        """Whether a sample is a frame `(H, W)` rather than `(C,)`."""
        return len(self.shape) == 2

    def values(self, raw: npt.NDArray[Any]) -> Float32:
        """Return readings in the stream's units.

        Args:
            raw: `(N, *shape)` in the wire's dtype.

        Returns:
            float32 `(N, *shape)`: `float32(float64(raw) * scale + offset)`.
        """
        scaled = raw.astype(np.float64) * np.asarray(self.scale) + np.asarray(self.offset)
        with np.errstate(over="ignore"):  # beyond float32 a reading is infinite, as IEEE 754 says
            readings: Float32 = scaled.astype(np.float32)
        return readings

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "name": self.name, "channels": list(self.channels), "units": list(self.units), "dtype": self.dtype,
            "shape": list(self.shape), "rate_hz": self.rate_hz, "scale": list(self.scale), "offset": list(self.offset),
            "rate_inferred": self.rate_inferred, "counted": self.counted, "checked": self.checked,
            "tick_hz": self.tick_hz,
        }  # fmt: skip

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> "Stream":
        """Build a stream from what `as_dict` gave; unknown keys are ignored, missing ones keep their defaults."""
        known: dict[str, Any] = {}
        for key in cls.__dataclass_fields__:
            if key in plain:
                known[key] = tuple(plain[key]) if isinstance(plain[key], list) else plain[key]
        return cls(**known)


@dataclass(frozen=True, slots=True)
class BoardInfo:
    """Who a board is and what it sends.

    Attributes:
        model: Kind of board, such as `hil-watch`; `unknown` where it does not say.
        serial: Serial number; empty where it does not say.
        firmware: Firmware identity; empty where it does not say.
        streams: What it sends.
        dialect: How it talks (`native`, `lines`, `fields`, or a plug-in's name).
        confidence: Certainty of a detected dialect, 0 to 1; 1 when chosen by hand or told by the board.
        extra: Anything else the board told, plain JSON values (limits, labels, capabilities).
    """

    model: str
    serial: str
    firmware: str
    streams: tuple[Stream, ...]
    dialect: str
    confidence: float = 1.0
    extra: Mapping[str, Any] = field(default_factory=dict)

    def stream(self, name: str) -> Stream:
        """Return the stream called `name`.

        Raises:
            KeyError: The board has none of that name.
        """
        for stream in self.streams:
            if stream.name == name:
                return stream
        raise KeyError(name)

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "model": self.model, "serial": self.serial, "firmware": self.firmware,
            "streams": [stream.as_dict() for stream in self.streams], "dialect": self.dialect,
            "confidence": self.confidence, "extra": dict(self.extra),
        }  # fmt: skip

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> "BoardInfo":
        """Build the identity from what `as_dict` gave."""
        known = {key: plain[key] for key in cls.__dataclass_fields__ if key in plain}
        known["streams"] = tuple(Stream.from_dict(stream) for stream in plain.get("streams", ()))
        return cls(**known)


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Consecutive samples of one stream: no gap, no reboot and no rate change inside.

    Attributes:
        board: Role of the board.
        stream: What was sampled.
        boot: How often the board has started since the session began, from 0.
        first: Unwrapped number of the first sample.
        ticks: int64 `(N,)`, the board's clock, unwrapped (arrival in ns where the board sends no time).
        t_ns: int64 `(N,)`, UTC by the causal clock fit at decode time; never decreases within a stream.
        raw: `(N, *shape)` read-only, in the wire's dtype.
    """

    board: str
    stream: Stream
    boot: int
    first: int
    ticks: Int64
    t_ns: Int64
    raw: npt.NDArray[Any]

    def __len__(self) -> int:
        return len(self.raw)

    @property
    def values(self) -> Float32:
        """Readings in the stream's units, float32 `(N, *shape)`."""
        return self.stream.values(self.raw)

    @property
    def end(self) -> int:
        """Number of the sample that would follow."""
        return self.first + len(self.raw)

    def part(self, start: int, stop: int) -> "Batch":
        """Return samples `start` to `stop` (indices into this batch) as a batch that shares memory."""
        return replace(
            self, first=self.first + start, ticks=self.ticks[start:stop], t_ns=self.t_ns[start:stop],
            raw=self.raw[start:stop],
        )  # fmt: skip


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
