"""What is computed of a stream only while a screen asks for it: begun when asked, fed as readings come, then forgotten.

Rule of this room: nothing about what is computed. Used under the monitor's lock.
"""

from collections.abc import Callable, Sequence
from typing import Generic, Protocol, TypeVar

from firmware_bridge.batch import Batch
from firmware_bridge.streams import Stream

__all__ = ["Fed", "OnDemand"]

PATIENCE_NS = 30_000_000_000
"""What nobody asked for in so long is forgotten."""


class Fed(Protocol):
    """Something that is made of the readings of a stream."""

    stream: Stream

    @property
    def full(self) -> bool:
        """Whether more waits for it than it may hold: nobody looks, and it begins anew when somebody does."""

    def take(self, batches: Sequence[Batch]) -> None:
        """Take readings."""


Made = TypeVar("Made", bound=Fed)


class OnDemand(Generic[Made]):
    """What screens ask for, one of each stream.

    Args:
        make: Makes one of the role of a board and a stream.
        earlier: Returns how much of the readings that are still at hand it begins with; default: all.
    """

    def __init__(
        self, make: Callable[[str, Stream], Made], earlier: Callable[[Batch], Batch] = lambda all_: all_
    ) -> None:
        self._make, self._earlier = make, earlier
        self._kept: dict[tuple[str, str], tuple[Made, int]] = {}

    def take(self, role: str, name: str, batches: Sequence[Batch]) -> None:
        """Hand readings on, if anybody asked for this stream."""
        kept = self._kept.get((role, name))
        if kept is None:
            return
        if kept[0].full or batches[-1].stream.channels != kept[0].stream.channels:
            del self._kept[role, name]
        else:
            kept[0].take(batches)

    def asked(self, role: str, stream: Stream, latest: Callable[[], Batch | None], now_ns: int) -> Made:
        """Return what is made of a stream, begun now if need be.

        Args:
            role: Role of the board.
            stream: What is sampled.
            latest: Gives the readings that are still at hand; asked when it begins.
            now_ns: Bench time.
        """
        for key in [key for key, (_, asked) in self._kept.items() if now_ns - asked > PATIENCE_NS]:
            del self._kept[key]
        kept = self._kept.get((role, stream.name))
        made = self._make(role, stream) if kept is None else kept[0]
        if kept is None and (batch := latest()) is not None:
            made.take([self._earlier(batch)])
        self._kept[role, stream.name] = (made, now_ns)
        return made

    def clear(self) -> None:
        """Forget all (a replay jumped)."""
        self._kept.clear()
