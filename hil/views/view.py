"""What a screen asks the engine for: how much of which streams, over which time, live or frozen."""

import typing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hil.views.figure import Ask
from hil.views.message import from_plain, to_plain

__all__ = ["View"]


@dataclass(frozen=True, slots=True)
class View:
    """What a screen wants to see.

    Attributes:
        columns: Columns of every envelope (two a character on a braille canvas).
        seconds: Time base: what the columns cover together.
        end_ns: Right edge, UTC; None follows the bench live. A frozen screen repeats the `end_ns` of a stream view.
        boards: Roles whose streams are wanted; None: all. Board lines always come for all.
        streams: Names of streams wanted on those boards; None: all.
        envelopes: Whether envelopes are wanted at all (plain lines need none).
        images: Whether the frames of image streams are wanted.
        history: How many earlier decisions of each model are wanted.
        log_lines: How many of the newest log lines are wanted.
        allan: Role and stream whose Allan deviation is wanted; None: no one's.
        figures: What is to be computed of the readings in the view.
        cursor_s: Seconds before the right edge at which the nearest sample of each stream is wanted; None: of none.
        trigger: What to watch for, as in `hil capture --threshold`; see `hil.monitor.triggers.watching`; empty:
            nothing.
    """

    columns: int = 120
    seconds: float = 10.0
    end_ns: int | None = None
    boards: tuple[str, ...] | None = None
    streams: tuple[str, ...] | None = None
    envelopes: bool = True
    images: bool = True
    history: int = 32
    log_lines: int = 200
    allan: tuple[str, str] | None = None
    figures: tuple[Ask, ...] = ()
    cursor_s: float | None = None
    trigger: str = ""

    @property
    def column_ns(self) -> int:
        """Width of a column. Columns lie on a fixed grid: column k begins at k times this, since 1970."""
        return max(1, round(self.seconds * 1e9 / max(1, self.columns)))

    def edge_ns(self, now_ns: int) -> int:
        """Return the right edge of the newest column at bench time `now_ns`, UTC."""
        end, width = now_ns if self.end_ns is None else self.end_ns, self.column_ns
        return -(-end // width) * width

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return typing.cast("dict[str, Any]", to_plain(self))

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> "View":
        """Build a view from what `to_dict` gave; missing keys keep their defaults."""
        return typing.cast("View", from_plain(cls, plain))
