"""Windows that a board's own model judged, from its RESULTs and what its STATUS counts of them.

A window that came due was judged and heard here, or skipped by the board (the next was due already), or judged and not
sent (no room), or it was lost on the way: every RESULT of a window leaves ahead of the STATUS that counts it, so that
whatever is missing then is lost. A board that counts nothing has no books of windows: unknown, and never 0.

Rule of this room: pure; it follows the boots that `follow` tells and writes into the ledger's books of windows.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from firmware_bridge.ledger import Ledger, WindowBooks
from firmware_bridge.wire.follow import Follower
from firmware_bridge.wire.messages import Message

__all__ = ["LAST_LAYER", "WindowCounter"]

LAST_LAYER = 255
_BY_SAMPLE = 1
_COUNTS = ("due", "skipped", "unsent")
_MASK = 0xFFFFFFFF


class WindowCounter:
    """Counts the windows of one board.

    Args:
        ledger: Takes the books.
        follow: Knows the boot, and whether it was counted from 0.
    """

    def __init__(self, ledger: Ledger, follow: Follower) -> None:
        self._ledger, self._follow = ledger, follow
        self._boot = -1
        self._begin()

    def _begin(self) -> None:
        self._boot = self._follow.boot
        self._told: Mapping[str, Any] | None = None
        self._last: int | None = None
        self._heard: Counter[str] = Counter()

    def join(self) -> None:
        """What the board counted so far was not to be heard here."""
        self._begin()

    def heard(self, result: Message, stream: str) -> None:
        """A RESULT came; `stream` is the name of what it judged."""
        if self._boot != self._follow.boot:
            self._begin()
        if result.keyed_by != _BY_SAMPLE or result.layer != LAST_LAYER:
            return  # a window of the host, or a layer on the way
        if self._last is not None and not 0 < (result.key - self._last) & _MASK < 2**31:
            return  # it came twice, or late
        self._last = result.key
        self._heard[stream] += 1
        if self._told is not None:
            self._add(stream, judged=1)

    def status(self, counts: Mapping[str, Any], stream: str) -> None:
        """STATUS came with these counts of a model that judges `stream`."""
        if self._boot != self._follow.boot:
            self._begin()
        if self._told is None:  # from now on they are known
            for name, judged in self._heard.items():
                self._add(name, judged=judged)
            if not self._follow.from_zero:  # it ran before anybody listened
                self._add(stream)
                self._told = counts
                self._heard.clear()
                return
        before = self._told or dict.fromkeys(_COUNTS, 0)
        due, skipped, unsent = ((counts[key] - before[key]) & _MASK for key in _COUNTS)
        self._add(stream, skipped=skipped, unsent=unsent, lost=max(0, due - skipped - unsent - self._heard.total()))
        self._told = counts
        self._heard.clear()

    def _add(self, stream: str, judged: int = 0, skipped: int = 0, unsent: int = 0, lost: int = 0) -> None:
        key = stream, self._boot
        books = self._ledger.windows.get(key, WindowBooks())
        self._ledger.windows[key] = WindowBooks(
            books.due + judged + skipped + unsent + lost, books.judged + judged, books.skipped + skipped,
            books.unsent + unsent, books.lost + lost,
        )  # fmt: skip
