"""Recordings for tests as live capture makes them: virtual boards that speak real bytes, no port, no waiting."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from recording_samples import T0

from firmware_bridge.events import Arrival
from firmware_bridge.streams import BoardInfo
from firmware_bridge.virtual.boards import make_board
from firmware_bridge.wire.dialect import DialectSpec
from firmware_bridge.wire.dialects import make_dialect
from firmware_bridge.wire.protocol import Session
from hil.recording.files import Split
from hil.recording.header import BoardSetup, Header
from hil.recording.writer import RecordingWriter

NONCE = 4711


def live(
    board: str, seconds: float, params: Mapping[str, str] | None = None, role: str = "watch", dialect: str = "native",
    damage: Sequence[int] = (), step_ns: int = 5_000_000, judge: Callable[[BoardInfo], str | None] | None = None,
) -> list[Arrival]:  # fmt: skip
    """Return what a link would hand over; `damage` names rx arrivals that get a flipped byte on the wire."""
    device = make_board(board, dict(params or {}))
    session = Session(role, make_dialect(DialectSpec(dialect)), nonce=NONCE, expect=judge)
    out: list[Arrival] = []
    now, end = T0, T0 + round(seconds * 1e9)
    device.receive(b"", now)

    def arrive(kind: str, data: bytes) -> None:
        out.append(session.apply(Arrival(role, len(out), now, kind, data)))

    arrive("open", f"virtual://{board}".encode())
    read = 0
    while now < end:
        data, _ = session.due(now)
        if data:
            arrive("tx", data)
            device.receive(data, now)
        now += step_ns
        data = device.poll(now)
        if data:
            read += 1
            if read in damage:
                data = data[: len(data) // 2] + bytes([data[len(data) // 2] ^ 0x5A]) + data[len(data) // 2 + 1 :]
            arrive("rx", data)
    arrive("close", b"the test is over")
    return out


def header(roles: Sequence[str] = ("watch",), dialect: str = "native", **extra: Any) -> Header:
    """Return the header of a live recording."""
    boards = tuple(BoardSetup(role, f"virtual://{role}", DialectSpec(dialect), NONCE) for role in roles)
    return Header(T0, boards, **extra)


def record(path: Path, arrivals: Iterable[Arrival], head: Header | None = None, split: Split | None = None) -> Path:
    """Write arrivals into a recording."""
    writer = RecordingWriter(path, head or header(), split)
    for arrival in arrivals:
        writer.write(arrival)
    writer.close()
    return path
