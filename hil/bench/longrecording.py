"""Long recordings for benchmarks, made in simulated time: the virtual watch and its host, written as a capture is.

Rule of this room: what is in the file is what a capture would hold: reads of a host that looks every 20 ms, both ways,
clock exchanges, the board's STATUS, its labels, samples and ledger. A minute takes about a second to make.
"""

from pathlib import Path

from firmware_bridge.virtual.boards import make_board
from firmware_bridge.wire.dialect import DialectSpec
from firmware_bridge.wire.dialects import make_dialect
from firmware_bridge.wire.protocol import Session
from hil.monitor.told import BoardLabels
from hil.recording.header import BoardSetup, Header
from hil.recording.writer import RecordingWriter
from hil.scenario.execution.simulate import START_NS, conversation

__all__ = ["record_watch"]

_NONCE = 0x5EED


def record_watch(
    path: Path, seconds: float, rate_hz: float = 50.0, role: str = "watch", seed: int = 1, group: int = 1,
) -> Path:  # fmt: skip
    """Write a recording of the virtual watch and return its path.

    Args:
        path: A file that does not exist.
        seconds: Length of the readings.
        rate_hz: Samples a second.
        role: Name of the board.
        seed: Of the board.
        group: Samples a frame; the host looks every 20 ms, or once a frame where that is longer.
    """
    spec = DialectSpec("auto", {})
    board = make_board("watch", {"pause_s": "0", "rate": f"{rate_hz:g}", "seed": str(seed), "ppm": "12",
                                 "delay_us": "300", "group": str(group)})  # fmt: skip
    step_ns = max(20_000_000, round(group / rate_hz * 1e9))
    session = Session(role, make_dialect(spec), nonce=_NONCE)
    labels = BoardLabels()
    header = Header(START_NS, (BoardSetup(role, "virtual://watch", spec, _NONCE),), "capture", seeds={"board": seed})
    writer = RecordingWriter(path, header)
    try:
        for arrival in conversation(board, session, "virtual://watch", seconds, step_ns=step_ns):
            for each in labels.process([arrival]):
                writer.write(each)
    finally:
        writer.close()
    return path
