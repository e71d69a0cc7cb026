"""An op list made for the stream of a board that is there, sent to it, and checked on it with one window.

Rule of this room: what is said of the board afterwards is what the board said. One window that comes out bit for bit
shows that the network arrived and that this board computes as the reference does; how good it is is not asked here.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from firmware_bridge.errors import UsageError
from firmware_bridge.oplist.ops import OpList
from firmware_bridge.oplist.table import RAW_DTYPES
from firmware_bridge.streams import BoardInfo, Stream
from hil.models.contract import Contract
from hil.models.int8.blame import Verdict, blame
from hil.models.matching import has_channels

if TYPE_CHECKING:
    from hil.dialogue.onboard import Deployed, OnBoard

__all__ = ["Placed", "as_sent_by", "fitting", "meant", "place"]


@dataclass(frozen=True, slots=True)
class Placed:
    """A network on a board.

    Attributes:
        stream: Stream that it reads there.
        deployed: What the board says it holds.
        verdict: What the check window showed.
        elapsed_ms: How long the window took by the board's own clock; None where it was not answered.
        instructions: How many were executed for it; None where the board cannot count them.
        again: How often it had to be asked again.
    """

    stream: str
    deployed: Deployed
    verdict: Verdict
    elapsed_ms: float | None
    instructions: int | None
    again: int

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)


def meant(contract: Contract, info: BoardInfo) -> Stream:
    """Return the stream of a board that a model reads.

    Raises:
        UsageError: It has none with these channels.
    """
    found = next((stream for stream in info.streams if has_channels(contract, stream)), None)
    if found is None:
        wanted = ", ".join(item.channel for item in contract.inputs)
        there = "; ".join(f"{stream.name}: {', '.join(stream.channels)}" for stream in info.streams)
        raise UsageError(f"no stream has the channels {wanted} that model {contract.name} reads ({there})",
                         f"board {info.model} {info.serial}".strip(), "name another board")  # fmt: skip
    return found


def fitting(oplist: OpList, info: BoardInfo) -> Stream:
    """Return the first stream of a board whose samples an op list of unknown origin can read.

    Raises:
        UsageError: It has none of that type and size.
    """
    dtype = np.dtype(RAW_DTYPES[oplist.raw])
    for stream in info.streams:
        if np.dtype(stream.dtype) == dtype and int(np.prod(stream.shape)) == oplist.columns:
            return stream
    raise UsageError(f"no stream sends {oplist.columns} readings of type {dtype} a sample",
                     f"board {info.model} {info.serial}".strip(), "name another board")  # fmt: skip


def as_sent_by(stream: Stream, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return readings as the integers nearest to them that a stream sends; beyond its range they saturate."""
    dtype = np.dtype(stream.dtype)
    steps = np.rint((values.astype(np.float64) - np.asarray(stream.offset)) / np.asarray(stream.scale))
    info = np.iinfo(dtype)
    sent: npt.NDArray[Any] = np.clip(steps, info.min, info.max).astype(dtype)
    return sent


def place(board: OnBoard, blob: bytes, oplist: OpList, stream: Stream, window: npt.NDArray[Any]) -> Placed:
    """Send an op list to a board and check it with one window.

    Args:
        board: The board.
        blob: What is sent.
        oplist: The same, to compare with.
        stream: Stream of the board that it reads.
        window: `(rows, *shape)` raw readings of that stream.

    Raises:
        UsageError: The board refuses the op list or the window.
        NoAnswer: It does not answer.
    """
    deployed = board.deploy(blob)
    (answer,) = board.infer(window[None], stream.name)
    flat = window.reshape(1, oplist.window, oplist.columns).astype(RAW_DTYPES[oplist.raw], copy=False)
    outputs = None if answer is None else answer.outputs
    verdict = blame(oplist, flat, [outputs], lambda _, layer: board.tap(window, layer, stream.name))
    if verdict.verdict == "identical":
        verdict = replace(verdict, why="the window came out as the reference says, bit for bit")
    ms = None if answer is None or not stream.tick_hz else 1000 * answer.elapsed_ticks / stream.tick_hz
    counted, again = (None, 3) if answer is None else (answer.instructions, answer.again)
    return Placed(stream.name, deployed, verdict, ms, counted, again)
