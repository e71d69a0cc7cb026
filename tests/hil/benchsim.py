"""A bench on paper for tests: virtual boards and sessions stepped by hand, no thread, no port, no waiting."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from firmware_bridge.events import Arrival, Mark
from firmware_bridge.virtual.boards import make_board, parse_port
from firmware_bridge.wire.dialect import DialectSpec
from firmware_bridge.wire.dialects import make_dialect
from firmware_bridge.wire.protocol import Session
from hil.recording.header import BoardSetup, Header
from hil.recording.writer import RecordingWriter

START = 1_700_000_000_000_000_000
STEP = 20_000_000


def simulate(boards: Mapping[str, str], seconds: float, drop: Sequence[tuple[float, float]] = ()) -> list[Arrival]:
    """Return what a bridge would have given, in order of time.

    Args:
        boards: Port by role, such as `{"watch": "virtual://watch"}`.
        seconds: How long.
        drop: Stretches (from, to) of seconds in which bytes are lost on the way.
    """
    made: list[Arrival] = []
    for nonce, (role, port) in enumerate(boards.items(), 1):
        board = make_board(*parse_port(port))
        session = Session(role, make_dialect(DialectSpec("native")), nonce=nonce)
        seq = 0

        def arrive(kind: str, data: bytes, now: int, role: str = role, session: Session = session) -> None:
            nonlocal seq
            made.append(session.apply(Arrival(role, seq, now, kind, data)))
            seq += 1

        now = START + nonce * 1000
        arrive("open", port.encode(), now)
        while now < START + seconds * 1e9:
            out, _ = session.due(now)
            if out:
                board.receive(out, now)
                arrive("tx", out, now)
            now += STEP
            data = board.poll(now)
            if data and not any(start <= (now - START) / 1e9 < stop for start, stop in drop):
                arrive("rx", data, now)
    return sorted(made, key=lambda arrival: arrival.t_ns)


def record(path: Path, boards: Mapping[str, str], arrivals: Sequence[Arrival], marks: Sequence[Mark] = ()) -> Path:
    """Write arrivals into a recording and return its path."""
    setups = tuple(
        BoardSetup(role, port, DialectSpec("native"), nonce) for nonce, (role, port) in enumerate(boards.items(), 1)
    )
    writer = RecordingWriter(path, Header(START, setups))
    for arrival in arrivals:
        writer.write(arrival)
    for mark in marks:
        writer.mark(mark)
    writer.close()
    return path
