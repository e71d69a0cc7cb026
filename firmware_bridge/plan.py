"""How one link is to work, and how it stands: the values that `turn`, `link` and `bridge` share.

Pure: back-off is arithmetic on the state, and what a step needs of a conversation and of a port is written down as
protocols, so that tests hand in their own.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol

from firmware_bridge.events import Arrival, Event, Item
from firmware_bridge.streams import BoardInfo
from firmware_bridge.wire.messages import Message

__all__ = ["MS", "Command", "Judge", "LinkState", "Plan", "Port", "Session", "never", "renamed"]

MS = 1_000_000
FIRST_RETRY_NS = 100 * MS
LAST_RETRY_NS = 5_000 * MS

Command = Message | str | bytes
"""What can be sent: a native message, a line of text, or raw bytes."""

Judge = Callable[[BoardInfo], str | None]
"""Looks at an identity: a sentence where it is the wrong board, else None."""


class Session(Protocol):
    """What a step needs of the conversation (`wire.protocol.Session`)."""

    info: BoardInfo | None
    refused: str
    dialect: Any

    @property
    def boot(self) -> int:
        """How often the board has started anew."""

    def apply(self, arrival: Arrival) -> Arrival:
        """Return the arrival with what it meant."""

    def due(self, now: int) -> tuple[bytes, int | None]:
        """Return what to write now, and when to ask again."""

    def books(self) -> Any:
        """Return the frozen ledger."""

    def clock(self) -> Any:
        """Return the clock fit, or None."""


class Port(Protocol):
    """What a step needs of the way to the board (`way.Way`)."""

    port: str
    settings: Any

    @property
    def is_serial(self) -> bool:
        """Whether it is a serial line."""

    def open(self, wait_s: float, given_up: Callable[[], bool]) -> Any:
        """Return an open transport; wait so long for another user of the port, unless given up."""

    def close(self) -> None:
        """Close it."""

    def is_gone(self, error: Exception) -> bool:
        """Whether the device is unplugged."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How a link is to work.

    Attributes:
        role: Name of the board; None: named by `name` once it said who it is.
        make_session: Makes a conversation from a role and a judge of identities.
        name: Gives a role from an identity, or from None for a board that does not say.
        expect: Judges an identity against what the user asked for.
        reconnect: Whether a lost port is opened again.
        gather_ns: Least time between two decodings of a board that sends much.
    """

    role: str | None
    make_session: Callable[[str, Judge], Session]
    name: Callable[[BoardInfo | None], str]
    expect: Judge = lambda _: None
    reconnect: bool = True
    gather_ns: int = 10 * MS


@dataclass(frozen=True, slots=True)
class LinkState:
    """How a link stands.

    Attributes:
        state: `opening`, `waiting` (never there yet), `identifying`, `live`, `lost`, `wrong` or `closed`.
        reason: One sentence where something is to be said.
        since_ns: Since when it is in this state.
        retry_ns: When the next opening is due; None where none is.
        tries: Openings since bytes last came.
    """

    state: str
    reason: str
    since_ns: int
    retry_ns: int | None = None
    tries: int = 0

    def to(self, state: str, reason: str, now: int) -> "LinkState":
        """Return the next state, without another opening."""
        return LinkState(state, reason, now, None, self.tries if state == "identifying" else 0)

    def again(self, state: str, reason: str, now: int, *, fresh: bool) -> "LinkState":
        """Return a state after which the port is opened again, later each time: 0.1 s doubling to 5 s.

        Args:
            state: `waiting`, `lost` or `wrong`; a wrong board is looked for at the slowest pace.
            reason: Why.
            now: UTC ns.
            fresh: Whether bytes came since the last opening, which begins the back-off anew.
        """
        tries = 1 if fresh else self.tries + 1
        wait = LAST_RETRY_NS if state == "wrong" else min(LAST_RETRY_NS, FIRST_RETRY_NS << min(tries - 1, 10))
        return LinkState(state, reason, self.since_ns if self.state == state else now, now + wait, tries)


def never() -> bool:
    """Nobody asked to stop."""
    return False


def renamed(items: tuple[Item, ...], role: str) -> tuple[Item, ...]:
    """Return events under another role."""
    return tuple(replace(item, board=role) if isinstance(item, Event) else item for item in items)
