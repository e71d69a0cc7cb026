"""What a person showed a running model: its last minutes, hop by hop, and the stretches between two key presses.

Rule of this room: it keeps readings as the model read them, conditioned and in its units, so that an example from a
live board and one from a recording are the same. Memory is bounded; a stretch that is gone or broken is refused.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from firmware_bridge.errors import UsageError
from hil.models.contract import Contract
from hil.models.kshot.examples import Example
from hil.models.segments import Block

__all__ = ["Shown"]

KEPT_S = 300.0
"""How much is kept of each stream."""


@dataclass(frozen=True, slots=True, eq=False)
class _Hop:
    t_ns: int
    reset: bool
    end: int
    values: npt.NDArray[np.float32]


class Shown:
    """Keeps what a model read; a tap of a runner.

    Args:
        contract: Of the model.
    """

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._mean = np.array([item.mean for item in contract.inputs], np.float32)
        self._std = np.array([item.std for item in contract.inputs], np.float32)
        self._hop_ns = round(contract.hop / contract.rate_hz * 1e9)
        self._hops: dict[tuple[str, str], deque[_Hop]] = {}
        self._lock = threading.Lock()

    def __call__(
        self, shown: Sequence[tuple[str, str, Block, int]], readings: npt.NDArray[np.float32],
        outputs: npt.NDArray[np.float32],
    ) -> None:  # fmt: skip
        """Take hops; see `hil.models.streaming.Tap`."""
        most = max(1, round(KEPT_S * 1e9 / self._hop_ns))
        with self._lock:
            for board, stream, block, row in shown:
                hop = _Hop(
                    block.t_ns, block.reset, block.end, readings[row].astype(np.float32) * self._std + self._mean
                )
                self._hops.setdefault((board, stream), deque(maxlen=most)).append(hop)

    def cut(self, board: str, start_ns: int, stop_ns: int) -> Example:
        """Return a stretch as an example; a short one is filled up with what lies before it.

        Args:
            board: Role; empty: the first board that was read.
            start_ns: UTC of its beginning.
            stop_ns: UTC of its end.

        Raises:
            UsageError: There is no such board, too little of it is there, or a gap lies in it.
        """
        with self._lock:
            key = next((one for one in self._hops if board in ("", one[0])), None)
            hops = () if key is None else tuple(self._hops[key])
        where, window, hop = f"model {self._contract.name}", self._contract.window, self._contract.hop
        if key is None:
            raise UsageError(f"it has read nothing of {board or 'any board'} yet", where, "wait for its first decision")
        inside = [at for at, one in enumerate(hops) if start_ns < one.t_ns and one.t_ns - self._hop_ns < stop_ns]
        least = -(-window // hop)
        if not inside:
            raise UsageError("nothing of this stretch is kept", where, f"show it again; {KEPT_S:g} s are kept")
        first, last = min(inside[0], max(0, inside[-1] + 1 - least)), inside[-1] + 1
        if any(one.reset for one in hops[first + 1 : last]):
            raise UsageError("a gap lies in this stretch", where, "show it again")
        if last - first < least:
            short = f"{(last - first) * hop} samples are there and a decision looks at {window}"
            raise UsageError(short, where, f"show it again, for {window / self._contract.rate_hz:g} s or more")
        values = np.ascontiguousarray(np.concatenate([one.values for one in hops[first:last]]))
        facts = {"board": key[0], "stream": key[1], "from_ns": start_ns, "to_ns": stop_ns}
        return Example(values, self._contract.rate_hz, facts)
