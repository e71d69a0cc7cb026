"""How a board talks, as a pure codec: the one protocol that every dialect follows, built in or plugged in.

A dialect turns bytes into what was heard, and commands into bytes. It keeps no time, opens nothing, never raises on
what a board sends, and puts every received byte into exactly one bucket of `books`. What a conversation means (sample
numbers unwrapped, gaps, reboots, clocks) is the session's work in `protocol`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from firmware_bridge.streams import BoardInfo, Stream
from firmware_bridge.wire.messages import Message

__all__ = [
    "API_VERSION",
    "CHECKSUM",
    "Answer",
    "Damaged",
    "Described",
    "Dialect",
    "DialectSpec",
    "Explaining",
    "Heard",
    "Line",
    "Samples",
    "Text",
    "add_damage",
]

API_VERSION = 1


@dataclass(frozen=True, slots=True)
class Described:
    """The board said, or its bytes showed, who it is. `nonce` is the session it says it is in (None: it cannot say)."""

    info: BoardInfo
    nonce: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """Samples of one stream as sent, in order of arrival.

    Attributes:
        stream: What was sampled.
        number: uint64 `(N,)`, sample numbers as sent, or None where the board sends none.
        number_bits: Width at which `number` wraps.
        ticks: uint64 `(N,)`, the board's clock as sent, or None where it sends none.
        tick_bits: Width at which `ticks` wraps.
        raw: `(N, *stream.shape)` in the wire's dtype.
        valid: bool `(N,)`, False where the board itself says a sample is bad (its own checksum column); None: all good.
        arrived: int64 `(N,)`, UTC ns when each sample came where a dialect held it back until it knew what it was;
            None: with the bytes just fed.
    """

    stream: Stream
    raw: npt.NDArray[Any]
    number: npt.NDArray[np.uint64] | None = None
    number_bits: int = 32
    ticks: npt.NDArray[np.uint64] | None = None
    tick_bits: int = 32
    valid: npt.NDArray[np.bool_] | None = None
    arrived: npt.NDArray[np.int64] | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """Any other native message (PONG, ACK, NAK, STATUS, CREDIT, RESULT ...)."""

    message: Message


@dataclass(frozen=True, slots=True)
class Text:
    """A line for people among the data (boot noise, a log line)."""

    text: str
    level: str = "info"


@dataclass(frozen=True, slots=True)
class Damaged:
    """`count` bytes went into bucket `kind` because they are no valid frame or line."""

    kind: str
    count: int


CHECKSUM = ("crc", "bad_checksum")
"""Buckets of frames whose checksum was wrong."""


def add_damage(damage: list[Damaged], kind: str, count: int) -> None:
    """Add damage to what is told of one read.

    A frame with a wrong checksum is told by itself, so that such frames can be counted however reads were cut; other
    bytes of a kind are told together, so that noise is no flood.

    Args:
        damage: Grows.
        kind: The bucket.
        count: Bytes.
    """
    at = next((at for at, one in enumerate(damage) if one.kind == kind and kind not in CHECKSUM), None)
    if at is None:
        damage.append(Damaged(kind, count))
    else:
        damage[at] = Damaged(kind, damage[at].count + count)


Heard = Described | Samples | Answer | Text | Damaged
Line = str
"""A command as text, for dialects that take lines."""


@runtime_checkable
class Dialect(Protocol):
    """What the bench needs of a dialect. Plug-ins register a factory under the entry point `firmware_bridge.dialects`.

    Attributes:
        api_version: `API_VERSION` it was written for.
        name: Short name.
        books: Bytes by bucket, counted since it was made; the values plus `pending` equal all bytes fed.
        pending: Bytes held back because their frame or line is not complete.
        talks: Whether the board answers native commands (IDENTIFY, PING, START ...); else the session keeps silent.
    """

    api_version: int
    name: str
    talks: bool

    @property
    def books(self) -> Mapping[str, int]:
        """Bytes by bucket so far."""

    @property
    def pending(self) -> int:
        """Bytes held back so far."""

    def feed(self, data: bytes, now: int) -> Iterable[Heard]:
        """Take bytes that arrived at `now` (UTC ns); return what they complete."""

    def end(self, now: int) -> Iterable[Heard]:
        """The connection is gone: return what can be said of the pending bytes and forget them (they get a bucket)."""

    def send(self, command: Message | Line) -> bytes:
        """Return the bytes of a command.

        Raises:
            UsageError: This dialect has no such command.
        """


@runtime_checkable
class Explaining(Protocol):
    """A dialect that can say which of its buckets the description accounts for, and where it first does not.

    Attributes:
        explained: Names of those buckets.
        first_unexplained: Offset of the first byte fed that is in another bucket; None where there is none.
    """

    explained: frozenset[str]
    first_unexplained: int | None


@dataclass(frozen=True, slots=True)
class DialectSpec:
    """How to make a dialect again: its name and plain JSON arguments; stored in every recording for `verify`."""

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
