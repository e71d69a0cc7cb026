"""Reads and writes of one board that follow each other, without an object for each: recordings hold millions.

Rule of this room: it is what its arrivals are, in their order; nothing is looked at.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from firmware_bridge.events import Arrival

__all__ = ["Traffic"]

Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Traffic:
    """Reads and writes of one board.

    Attributes:
        board: Role of the board.
        seq: int64 `(N,)`, numbers of the arrivals.
        t_ns: int64 `(N,)`, UTC of each.
        read: bool `(N,)`, whether it is a read (else a write).
        data: The bytes of each.
    """

    board: str
    seq: Int64
    t_ns: Int64
    read: npt.NDArray[np.bool_]
    data: Sequence[bytes]

    @classmethod
    def of(cls, arrivals: Sequence[Arrival]) -> "Traffic":
        """Return `rx` and `tx` arrivals of one board, at least one."""
        return cls(
            arrivals[0].board, np.array([one.seq for one in arrivals]), np.array([one.t_ns for one in arrivals]),
            np.array([one.kind == "rx" for one in arrivals]), [one.data for one in arrivals],
        )  # fmt: skip

    @classmethod
    def joined(cls, parts: Sequence["Traffic"]) -> "Traffic":
        """Return parts that follow each other as one, at least one."""
        if len(parts) == 1:
            return parts[0]
        return cls(
            parts[0].board, np.concatenate([one.seq for one in parts]), np.concatenate([one.t_ns for one in parts]),
            np.concatenate([one.read for one in parts]), [data for one in parts for data in one.data],
        )  # fmt: skip

    def __len__(self) -> int:
        return len(self.data)

    def part(self, start: int, stop: int) -> "Traffic":
        """Return arrivals `start` to `stop`."""
        cut = slice(start, stop)
        return Traffic(self.board, self.seq[cut], self.t_ns[cut], self.read[cut], self.data[cut])

    def arrivals(self) -> Iterator[Arrival]:
        """Yield them one by one, without items."""
        every = zip(self.seq.tolist(), self.t_ns.tolist(), self.read.tolist(), self.data, strict=True)
        for seq, t_ns, read, data in every:
            yield Arrival(self.board, seq, t_ns, "rx" if read else "tx", data)
