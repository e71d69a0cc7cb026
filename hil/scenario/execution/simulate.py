"""A virtual board and the host's conversation with it, without ports, threads or waiting: time is a number.

Rule of this room: everything follows from the board and the start of time, so that a run gives the same bytes, times
and items on every machine. The host looks every 20 ms unless told otherwise, and after it wrote something as soon as
the board answers.
"""

from collections.abc import Callable, Iterator

from firmware_bridge.batch import Batch
from firmware_bridge.errors import PortEnded
from firmware_bridge.events import Arrival
from firmware_bridge.virtual.board import NEVER, VirtualBoard
from firmware_bridge.wire.protocol import Session

__all__ = ["START_NS", "conversation"]

START_NS = 1_700_000_000_000_000_000
STEP_NS = 20_000_000
ANSWER_NS = 20_000_000
PATIENCE_NS = 10_000_000_000
"""How long a board may take to send its first sample."""


def conversation(
    board: VirtualBoard,
    session: Session,
    port: str,
    seconds: float,
    *,
    apply: Callable[[Session, Arrival], Arrival] = Session.apply,
    whole: bool = False,
    step_ns: int = STEP_NS,
) -> Iterator[Arrival]:
    """Yield the arrivals of a conversation until `seconds` after the first sample.

    The session is fed here: it must know what came to say what is due.

    Args:
        board: A fresh board.
        session: A fresh session.
        port: What to call the port.
        seconds: Length of the readings.
        apply: Gives an arrival its items.
        whole: Go on to the end of a board that plays something and comes to its end.
        step_ns: How often the host looks.
    """
    now, seq = START_NS, 0
    until: int | None = None
    board.receive(b"", now)

    def made(kind: str, data: bytes) -> Arrival:
        nonlocal seq
        seq += 1
        return apply(session, Arrival(session.board, seq - 1, now, kind, data))

    yield made("open", port.encode())
    while until is None or now <= until:
        if until is None and now - START_NS > PATIENCE_NS:
            return
        asked, later = session.due(now)
        if asked:
            board.receive(asked, now)
            yield made("tx", asked)
        answer = board.next_due_ns()
        step = now + step_ns if later is None else min(now + step_ns, max(later, now + 1))
        if asked and answer < now + ANSWER_NS:
            step = min(step, max(answer, now + 1))
        elif whole and until is not None and answer >= NEVER and not asked:
            until = min(until, now + step_ns)
        now = step
        try:
            data = board.poll(now)
        except PortEnded as ended:
            yield made("close", str(ended).encode())
            return
        if not data:
            continue
        arrival = made("rx", data)
        if until is None:
            first = next((item for item in arrival.items if isinstance(item, Batch) and len(item)), None)
            if first is not None:
                until = int(first.t_ns[0]) + round(seconds * 1e9) + 4 * step_ns
        yield arrival
