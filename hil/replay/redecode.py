"""A recording as decoded arrivals, from any place in it: raw bytes through fresh sessions, in recorded order.

State follows the bytes, so what was sent and what came are fed to a session just as they were fed live, and the items
come out identical. To begin in the middle the bytes before are decoded in silence, from the last checkpoint (a copy of
all sessions) before the place; checkpoints are made while decoding, every `CHECKPOINT_S` of recorded time. Boards whose
readings were imported have no bytes: their recorded samples are handed on as they are.
"""

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from firmware_bridge.events import Arrival
from firmware_bridge.ledger import Books
from firmware_bridge.streams import BoardInfo
from firmware_bridge.timebase import ClockFit
from firmware_bridge.wire.protocol import Session
from hil.recording.reader import Recording
from hil.replay.sessions import session_of

__all__ = ["Redecoder"]

CHECKPOINT_S = 20.0
MOST_CHECKPOINTS = 64
_NEVER = 1 << 62


@dataclass(frozen=True, slots=True)
class _Checkpoint:
    t_ns: int
    sessions: Mapping[str, Session]
    done: Mapping[str, int]
    """Number of the last arrival of each board that the sessions have seen."""


class Redecoder:
    """Decodes a recording again.

    Args:
        recording: An open recording.
    """

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self._checkpoints: list[_Checkpoint] = []
        self._spacing_ns = int(CHECKPOINT_S * 1e9)
        self.sessions: dict[str, Session] = {}
        self._done: dict[str, int] = {}
        self._arrivals: Iterator[Arrival] = iter(())
        self._marked_ns = 0
        self.rewind()

    def rewind(self, to_ns: int | None = None) -> None:
        """Go to a place from which every arrival at or after `to_ns` is still to come; None: the beginning."""
        usable = [point for point in self._checkpoints if to_ns is not None and point.t_ns < to_ns]
        if usable:
            point = usable[-1]
            self.sessions, self._done = _copied(point.sessions), dict(point.done)
            self._arrivals = self.recording.arrivals(from_ns=point.t_ns)
            self._marked_ns = point.t_ns
            return
        self.sessions = {
            board.role: session for board in self.recording.header.boards if (session := session_of(board)) is not None
        }
        self._done = {}
        self._arrivals = self.recording.arrivals()
        self._marked_ns = self.recording.start_ns

    def next(self) -> Arrival | None:
        """Return the next arrival with its items, None at the end."""
        for arrival in self._arrivals:
            if arrival.kind == "note":
                return arrival
            if arrival.seq <= self._done.get(arrival.board, -1):
                continue
            if arrival.t_ns - self._marked_ns >= self._spacing_ns:
                self._mark(arrival.t_ns)
            self._done[arrival.board] = arrival.seq
            session = self.sessions.get(arrival.board)
            return arrival if session is None else session.apply(arrival)
        return None

    def info(self, board: str) -> BoardInfo | None:
        """Return who a board is at this place."""
        session = self.sessions.get(board)
        return self.recording.boards.get(board) if session is None else session.info

    def boot(self, board: str) -> int:
        """Return how often a board had started by this place."""
        session = self.sessions.get(board)
        return 0 if session is None else session.boot

    def books(self, board: str) -> Books | None:
        """Return the books of a board at this place."""
        session = self.sessions.get(board)
        return None if session is None else session.books()

    def clock(self, board: str) -> ClockFit | None:
        """Return the clock fit of a board at this place."""
        session = self.sessions.get(board)
        return None if session is None else session.clock()

    def _mark(self, t_ns: int) -> None:
        self._marked_ns = t_ns
        if self._checkpoints and t_ns <= self._checkpoints[-1].t_ns:
            return
        try:
            sessions = _copied(self.sessions)
        except TypeError:  # a plug-in's dialect that cannot be copied: seeks decode from the beginning
            self._spacing_ns = _NEVER
            return
        self._checkpoints.append(_Checkpoint(t_ns, sessions, dict(self._done)))
        if len(self._checkpoints) > MOST_CHECKPOINTS:
            self._checkpoints = self._checkpoints[1::2]
            self._spacing_ns *= 2


def _copied(sessions: Mapping[str, Session]) -> dict[str, Session]:
    """Return sessions that go on from here without touching the given ones; what is frozen is shared."""
    shared: list[object] = []
    for session in sessions.values():
        books, info = session.books(), session.info
        shared += [books, books.streams, books.buckets]
        if info is not None:
            shared += [info, info.extra, *info.streams]
    return copy.deepcopy(dict(sessions), {id(part): part for part in shared})
