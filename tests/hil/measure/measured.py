"""Recordings to measure: made of arrays, or of virtual boards that speak real bytes, without waiting."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from firmware_bridge.batch import Batch
from firmware_bridge.events import Arrival, Connected
from firmware_bridge.streams import BoardInfo, Stream
from firmware_bridge.virtual.boards import make_board
from firmware_bridge.wire.dialect import DialectSpec
from firmware_bridge.wire.dialects import make_dialect
from firmware_bridge.wire.protocol import Session
from hil.measure import Measurement, measure
from hil.recording.header import BoardSetup, Header
from hil.recording.writer import RecordingWriter

T0 = 1_700_000_000_000_000_000
NONCE = 4711


def stream(
    name: str, channels: Sequence[str], units: Sequence[str], rate_hz: float, dtype: str = "<f8",
    scale: Sequence[float] = (1.0,), **more: Any,
) -> Stream:  # fmt: skip
    """Return a stream of channels."""
    shape = more.pop("shape", (len(channels),))
    return Stream(name, tuple(channels), tuple(units), dtype, shape, rate_hz, tuple(scale), **more)


def of_arrays(
    path: Path, parts: Mapping[Stream, npt.NDArray[Any]], board: str = "b", drop: Sequence[int] = (),
    ticks: npt.NDArray[np.int64] | None = None, t_ns: npt.NDArray[np.int64] | None = None,
) -> Path:  # fmt: skip
    """Write arrays as a recording.

    Args:
        path: A new file.
        parts: Readings `(N, *shape)` as they are sent, by stream.
        board: Role.
        drop: Numbers of samples that are left out, in every stream.
        ticks: The board's clock; by default the nominal one.
        t_ns: Host times; by default the nominal ones.
    """
    info = BoardInfo("simulated", "1", "", tuple(parts), "native")
    writer = RecordingWriter(path, Header(T0, (BoardSetup(board),), versions={}, environment={}))
    writer.write(Arrival(board, 0, T0, "note", b"", (Connected(board, T0, info, 0),)))
    seq = 1
    for what, raw in parts.items():
        rate = what.rate_hz or 1.0
        numbers = np.arange(len(raw))
        when = T0 + np.rint(numbers * 1e9 / rate).astype(np.int64) if t_ns is None else t_ns
        clock = np.rint(numbers * (what.tick_hz or 1e9) / rate).astype(np.int64) if ticks is None else ticks
        edges = [0, *sorted({edge for one in drop for edge in (one, one + 1)}), len(raw)]
        for start, stop in pairwise(edges):
            if start in drop or start == stop:
                continue
            for low in range(start, stop, 5000):
                piece = slice(low, min(low + 5000, stop))
                own = np.ascontiguousarray(raw[piece])
                own.flags.writeable = False
                batch = Batch(board, what, 0, low, clock[piece], when[piece], own)
                writer.write(Arrival(board, seq, int(when[piece][-1]), "note", b"", (batch,)))
                seq += 1
    writer.close()
    return path


def of_board(path: Path, board: str, seconds: float, step_ns: int = 20_000_000, **params: object) -> Path:
    """Record a virtual board for some seconds of its own time."""
    device = make_board(board, {key: str(value) for key, value in params.items()})
    session = Session(board, make_dialect(DialectSpec("native")), nonce=NONCE)
    setup = BoardSetup(board, f"virtual://{board}", DialectSpec("native"), NONCE)
    writer = RecordingWriter(path, Header(T0, (setup,), versions={}, environment={}))
    now, seq = T0, 0

    def arrive(kind: str, data: bytes) -> None:
        nonlocal seq
        writer.write(session.apply(Arrival(board, seq, now, kind, data)))
        seq += 1

    device.receive(b"", now)
    arrive("open", b"virtual")
    while now < T0 + round(seconds * 1e9):
        data, _ = session.due(now)
        if data:
            arrive("tx", data)
            device.receive(data, now)
        now += step_ns
        data = device.poll(now)
        if data:
            arrive("rx", data)
    arrive("close", b"the end")
    writer.close()
    return path


def known(made: Measurement, name: str) -> tuple[float, float, float]:
    """Return value, low and high of a figure that must be known and have an interval."""
    figure = made[name]
    assert figure.value is not None, figure.condition
    assert figure.low is not None, figure
    assert figure.high is not None, figure
    return figure.value, figure.low, figure.high


def why(made: Measurement, name: str) -> str:
    """Return why a figure is unknown."""
    figure = made[name]
    assert figure.value is None, figure
    assert figure.condition.startswith("unknown: "), figure.condition
    return figure.condition


__all__ = ["T0", "known", "measure", "of_arrays", "of_board", "stream", "why"]
