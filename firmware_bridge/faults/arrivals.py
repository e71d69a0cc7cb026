"""Frame, byte and link faults on recorded arrivals: what a host would have received had they happened then.

A recorded board cannot be asked again: after a lost connection it says the HELLO that it had said before, under the
nonce that the host had started it with, as a living board answers the host's IDENTIFY. Sensor and clock faults are not
made here (see `dialect`): they stand behind the decoder.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from firmware_bridge.events import Arrival
from firmware_bridge.faults.schedule import Schedule
from firmware_bridge.faults.uplink import Uplink

__all__ = ["REASON", "damaged"]

REASON = "the connection was lost (fault link.disconnect)"


def damaged(arrivals: Iterable[Arrival], schedule: Schedule) -> Iterator[Arrival]:
    """Yield recorded arrivals as they would have come with these faults, numbered anew.

    Args:
        arrivals: In recorded order; items and books are left out, since they are no longer true.
        schedule: What goes wrong; what concerns other levels is left out.
    """
    boards: dict[str, _Board] = {}
    last_ns = 0
    for arrival in arrivals:
        if arrival.kind == "note" or not arrival.board:
            yield arrival
            continue
        last_ns = arrival.t_ns
        if arrival.board not in boards:
            boards[arrival.board] = _Board(schedule, arrival.board)
        for board in boards.values():
            yield from board.until(last_ns)
        yield from boards[arrival.board].take(arrival)
    for board in boards.values():
        yield from board.end(last_ns)


class _Board:
    def __init__(self, schedule: Schedule, board: str) -> None:
        self._board = board
        self._uplink = Uplink(schedule, board)
        self._seq = 0
        self._port = b""
        self._back_ns: int | None = None

    def take(self, arrival: Arrival) -> Iterator[Arrival]:
        if arrival.kind == "open":
            self._port = arrival.data
        if self._back_ns is not None:
            return  # nobody is there
        if arrival.kind == "rx":
            self._uplink.push(arrival.data, arrival.t_ns)
            yield from self._received(arrival.t_ns)
            yield from self.until(arrival.t_ns)
            return
        if arrival.kind == "tx":
            self._uplink.said(arrival.data)
        elif arrival.kind == "close":
            if rest := self._uplink.end():
                yield self._made("rx", rest, arrival.t_ns)
            self._uplink.lose(arrival.t_ns)
        yield replace(arrival, seq=self._count(), items=(), books=None)

    def until(self, now_ns: int) -> Iterator[Arrival]:
        """Yield what happens by `now_ns`, in order."""
        while True:
            if self._back_ns is not None:
                if self._back_ns > now_ns:
                    return
                back, self._back_ns = self._back_ns, None
                hello = self._uplink.hello()
                yield self._made("open", self._port, back)
                if hello:
                    self._uplink.push(hello, back)
                    yield from self._received(back)
                continue
            due, cut = self._uplink.next_ns(), self._uplink.cut_ns()
            if due is not None and due <= now_ns and (cut is None or due < cut):
                yield from self._received(due)
            elif cut is not None and cut <= now_ns:
                yield from self._received(cut)
                self._back_ns = self._uplink.down_ns(cut) or cut
                self._uplink.lose(cut)
                yield self._made("close", REASON.encode(), cut)
            else:
                return

    def end(self, now_ns: int) -> Iterator[Arrival]:
        """Yield what is still under way when nothing more is recorded."""
        if self._back_ns is None:
            while (due := self._uplink.next_ns()) is not None:
                yield from self._received(due)
            if rest := self._uplink.end():
                yield self._made("rx", rest, now_ns)

    def _received(self, now_ns: int) -> Iterator[Arrival]:
        if data := self._uplink.pull(now_ns):
            yield self._made("rx", data, now_ns)

    def _made(self, kind: str, data: bytes, t_ns: int) -> Arrival:
        return Arrival(self._board, self._count(), t_ns, kind, data)

    def _count(self) -> int:
        self._seq += 1
        return self._seq - 1
