"""What a faulty sensor and a faulty clock make of the samples of a virtual board, before they are encoded."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise

import numpy as np

from firmware_bridge.errors import UsageError
from firmware_bridge.faults.samples import SampleFaults
from firmware_bridge.faults.schedule import Schedule, read_schedule
from firmware_bridge.faults.uplink import Uplink
from firmware_bridge.streams import Stream
from firmware_bridge.virtual.board import VirtualBoard
from firmware_bridge.virtual.parameters import Parameter, read_parameters
from firmware_bridge.virtual.sampling import Chunk

__all__ = ["PARAMETERS", "FaultyBoard", "damaged", "take_faults", "with_faults"]

PARAMETERS = (
    Parameter("faults", "", "TOML file of sensor, clock and frame faults of the board itself"),
    Parameter("fault_seed", -1, "seed of the faults; -1: as the file says", -1, 2**63 - 1),
)
"""What every virtual board takes."""

_WIDEST = 0xFFFF
"""Ticks between two samples of a frame that can be told."""


def damaged(faults: SampleFaults, stream: Stream, chunk: Chunk, at_ns: int) -> tuple[list[Chunk], bool]:
    """Return what is sent in place of a frame, and whether the board starts anew behind it.

    Args:
        faults: Of the board.
        stream: With the rate that holds now.
        chunk: Samples of one frame.
        at_ns: When they are sent.
    """
    n = len(chunk.raw)
    number = np.arange(chunk.number, chunk.number + n, dtype=np.uint64)
    keys, seconds = faults.place(stream, number, 32, n, at_ns)
    cut = faults.reboot(seconds)
    kept = slice(0, n if cut is None else cut)
    if kept.stop == 0:
        return [], True
    ticks, raw = faults.damage(stream, keys[kept], seconds[kept], chunk.ticks[kept].view(np.uint64), chunk.raw[kept])
    assert ticks is not None
    stamps = ticks.view(np.int64)
    steps = np.diff(stamps)
    edges = [0, *(np.flatnonzero((steps < 0) | (steps > _WIDEST)) + 1).tolist(), kept.stop]
    pieces = [
        replace(chunk, index=chunk.index + start, number=chunk.number + start, ticks=stamps[start:stop],
                raw=raw[start:stop])
        for start, stop in pairwise(edges)
    ]  # fmt: skip
    return pieces, cut is not None


class FaultyBoard:
    """A board whose frames go wrong on their way out.

    Args:
        board: The board.
        schedule: Its frame faults.
        role: Its name at the bench.
    """

    def __init__(self, board: VirtualBoard, schedule: Schedule, role: str) -> None:
        self.board = board
        self._uplink = Uplink(schedule, role)

    def receive(self, data: bytes, now_ns: int) -> None:
        """Take bytes of the host."""
        self.board.receive(data, now_ns)

    def poll(self, now_ns: int) -> bytes:
        """Return the bytes that have left the board up to `now_ns`."""
        if data := self.board.poll(now_ns):
            self._uplink.push(data, now_ns)
        return self._uplink.pull(now_ns)

    def next_due_ns(self) -> int:
        """Return when something will be due."""
        return self.board.next_due_ns()


def take_faults(params: Mapping[str, str], board: str) -> tuple[dict[str, str], Schedule]:
    """Return the parameters without those of faults, and the schedule that they name (empty where they name none).

    Raises:
        FileError: The file cannot be read.
        UsageError: It cannot be meant.
    """
    rest = dict(params)
    own = {one.name: rest.pop(one.name) for one in PARAMETERS if one.name in rest}
    values = read_parameters(board, own, PARAMETERS)
    if not values["faults"]:
        return rest, Schedule()
    seed = values["fault_seed"]
    return rest, read_schedule(values["faults"], None if seed < 0 else seed)


def with_faults(board: VirtualBoard, schedule: Schedule, role: str) -> VirtualBoard:
    """Return a board with faults of its own: at its sensors and its clock before encoding, at its frames behind it.

    Raises:
        UsageError: The schedule has byte or link faults, which lie between port and recorder, or the board is of a kind
            that has no samples to damage.
    """
    mine = schedule.of(role, ("frame", "sensor", "clock"))
    if other := [one for one in schedule.faults if one.level in ("byte", "link")]:
        raise UsageError(f"{other[0].kind} is no fault of a board but of the way to it", "faults=",
                         "give it to whoever opens the port (`--faults`)")  # fmt: skip
    if not mine:
        return board
    if not hasattr(board, "faults"):
        raise UsageError("this virtual board takes no faults", "faults=", "use a native one, such as virtual://imu")
    if samples := SampleFaults(mine, role):
        board.faults = samples
    frames = mine.of(role, ("frame",))
    return FaultyBoard(board, frames, role) if frames else board
