"""What the pipeline draws from: live boards, a replay or a list, all alike.

A source is asked, never pushes: the pipeline's one thread takes all arrivals there are, in their order. Live boards are
a `Bridge` behind `Live`; a recording is a `hil.replay.replay.Replay`; `Given` serves tests and offline work.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Protocol

from firmware_bridge.bridge import Bridge
from firmware_bridge.events import Arrival
from firmware_bridge.roles import BoardState
from firmware_bridge.timebase import ClockFit
from hil.views.snapshot import BoardView

__all__ = ["Given", "Live", "Source", "board_view", "with_clock"]


class Source(Protocol):
    """What the pipeline needs of a source."""

    jumps: int
    """How often the source went to another place, as of the last `take`; what that returned lies after the jump."""

    def take(self, max_wait_s: float) -> list[Arrival]:
        """Return all arrivals there are; wait up to `max_wait_s` for the first; empty when none came."""

    @property
    def ended(self) -> bool:
        """Whether nothing will come any more, once what was taken is all there was."""

    def boards(self) -> Sequence[BoardView]:
        """Return the state of every board, in a fixed order."""

    def close(self) -> None:
        """Give back ports and files; never hangs."""


class Live:
    """Live boards.

    Args:
        bridge: A bridge that is open already; closed by `close`.
    """

    def __init__(self, bridge: Bridge) -> None:
        self.bridge = bridge
        self.jumps = 0
        self._closed = False

    @property
    def ended(self) -> bool:
        """Whether every board has come to its end (a process that finished, a port given up)."""
        return self._closed or all(state.state == "closed" for state in self.bridge.boards())

    def take(self, max_wait_s: float) -> list[Arrival]:
        """Return everything that came since the last time."""
        return self.bridge.take(max_wait_s)

    def boards(self) -> Sequence[BoardView]:
        """Return how every board stands."""
        fill = self.bridge.intake.fill_bytes / self.bridge.intake.limit_bytes
        return tuple(board_view(state, fill) for state in self.bridge.boards())

    def close(self) -> None:
        """Close all ports; what the links still had can be taken afterwards."""
        self.bridge.close()
        self._closed = True


class Given:
    """Lists of arrivals as a source.

    Args:
        lists: What each `take` returns, one after another.
    """

    def __init__(self, lists: Iterable[list[Arrival]]) -> None:
        self.jumps = 0
        self.ended = False
        self._lists = iter(lists)

    def take(self, max_wait_s: float) -> list[Arrival]:
        """Return the next list."""
        try:
            return next(self._lists)
        except StopIteration:
            self.ended = True
            return []

    def boards(self) -> Sequence[BoardView]:
        """Return nothing: nobody is attached."""
        return ()

    def close(self) -> None:
        """Drop what was not taken."""
        self._lists = iter(())


def board_view(state: BoardState, queue_fill: float | None) -> BoardView:
    """Return a board's state as a line of the table; what arrivals tell is filled in by the monitor.

    Args:
        state: How the link stands.
        queue_fill: Fill of the queue between the links and the pipeline, 0 to 1.
    """
    role = state.role or state.port
    view = BoardView(
        role, state.state, state.reason, state.port, boot=state.boot, queue_fill=queue_fill, since_ns=state.since_ns
    )
    return with_clock(view, state.clock)


def with_clock(view: BoardView, fit: ClockFit | None) -> BoardView:
    """Return the view with what is known of the board's clock."""
    if fit is None:
        return view
    return replace(
        view, drift_ppm=fit.drift_ppm, drift_low=fit.drift_low, drift_high=fit.drift_high,
        uncertainty_us=fit.uncertainty_ns / 1e3,
    )  # fmt: skip
