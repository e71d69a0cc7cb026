"""What a decision saw: the normalised window of the network, and what the network made of it.

Rule of this room: the executor that live boards use shows it (`Runner.tap`), after conditioning and normalisation, so
that a window is what was decided on and not a second way to cut one. Only as much is read as a decision looks back.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from firmware_bridge.errors import UsageError
from firmware_bridge.events import Arrival, Item, Prediction
from hil.models.contract import Contract
from hil.models.model import Model
from hil.models.recorded import items_of
from hil.models.segments import Block

if TYPE_CHECKING:
    from hil.recording.reader import Recording

__all__ = ["Seen", "Tape", "look_back_s", "seen_at", "seen_in"]

Float32 = npt.NDArray[np.float32]

_MARGIN_S = 1.0
"""What is read before a decision's memory, so that a filter has settled."""


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """One decision and what the network was shown for it.

    Attributes:
        decision: As it was told.
        t_ns: int64 `(N,)`, UTC of each sample.
        window: float32 `(N, width)`, normalised: zeros are the training mean.
        outputs: float32 `(labels,)`, as the network gave them, before post-processing.
    """

    decision: Prediction
    t_ns: npt.NDArray[np.int64]
    window: Float32
    outputs: Float32


def look_back_s(contract: Contract) -> float:
    """Return how many seconds before a decision must be read to make it again."""
    return (contract.reach + 2 * contract.hop) / contract.rate_hz + _MARGIN_S


def seen_at(model: Model, recording: Recording, at_s: float, board: str | None = None) -> Seen:
    """Return the decision that stood at a moment of a recording, and what it saw.

    Args:
        model: The model.
        recording: The recording.
        at_s: Seconds since its first sample; the last decision until then is meant.
        board: Role of the board; None: the one that there is a decision of.

    Raises:
        UsageError: No stream fits, none or several boards were decided on there, or the recording ends before.
    """
    contract, where = model.contract, str(recording.path)
    if not 0 <= at_s <= recording.duration_s + 0.5 / contract.rate_hz:
        raise UsageError(
            f"{at_s:g} s is not in the recording, which lasts {recording.duration_s:.3f} s", where,
            "give seconds since its first sample",
        )  # fmt: skip
    # Times are printed in milliseconds: one that was rounded down is still meant.
    until = at_s + 0.5 / contract.rate_hz
    # What is held depends on all that was told before.
    start = None if contract.post.holds else max(at_s - look_back_s(contract), 0.0)
    items = items_of(recording, contract, board, start, until)
    found = seen_in(model, items, recording.start_ns + round(until * 1e9), board)
    if not found:
        raise UsageError(
            f"model {contract.name} decided nothing in the {look_back_s(contract):.1f} s until {at_s:g} s: readings "
            f"are missing, or fewer came than the {contract.reach} that it looks back", where,
            "choose a time that `hil predict` lists",
        )  # fmt: skip
    if len({one.decision.board for one in found}) > 1:
        names = ", ".join(sorted({one.decision.board for one in found}))
        raise UsageError(f"decisions of several boards stand there ({names})", where, "name one with --board")
    return max(found, key=lambda one: one.decision.t_ns)


def seen_in(model: Model, items: Iterable[Item | Arrival], until_ns: int, board: str | None = None) -> list[Seen]:
    """Return the last decision on each stream until a moment, and what it saw.

    Args:
        model: The model.
        items: Batches and events, from `look_back_s` before the moment on.
        until_ns: The moment, UTC.
        board: Role of the one board to read; None: every stream that fits.
    """
    runner = model.runner(boards=None if board is None else [board])
    tape = runner.tap = Tape(model.contract, until_ns)
    last: dict[tuple[str, str], Prediction] = {}
    for item in items:
        for one in runner.push([item]):
            if one.t_ns <= until_ns:
                last[one.board, one.stream] = one
    return [seen for one in last.values() if (seen := tape.seen(one)) is not None]


class Tape:
    """Keeps the last hops of every stream that a runner reads; any thread may ask it.

    Args:
        contract: Of the model.
        until_ns: UTC after which nothing is kept; None: what comes is kept until it is old.
        spare_s: Seconds of decisions that can be asked for, before the newest.
    """

    def __init__(self, contract: Contract, until_ns: int | None = None, spare_s: float = 0.0) -> None:
        self._contract, self._until_ns = contract, until_ns
        # Twice: behind the last decision there may be hops on which none could be made.
        self._most = 2 * (-(-contract.memory_samples // contract.hop) + 2)
        self._most += round(spare_s * contract.rate_hz / contract.hop)
        self._hops: dict[tuple[str, str], deque[tuple[Block, Float32, Float32]]] = {}
        self._lock = threading.Lock()

    def __call__(self, shown: Sequence[tuple[str, str, Block, int]], readings: Float32, outputs: Float32) -> None:
        """See `hil.models.streaming.Tap`."""
        with self._lock:
            for board, stream, block, row in shown:
                if self._until_ns is None or block.t_ns <= self._until_ns:
                    hop = (block, readings[row].copy(), outputs[row].copy())
                    self._hops.setdefault((board, stream), deque(maxlen=self._most)).append(hop)

    def seen(self, decision: Prediction) -> Seen | None:
        """Return what a decision saw; None where too much came since."""
        contract = self._contract
        with self._lock:
            kept = tuple(self._hops.get((decision.board, decision.stream), ()))
        # By time: behind a resampling a decision bears the number of the board's own sample.
        back = [hop for hop in reversed(kept) if hop[0].t_ns <= decision.t_ns and hop[0].boot == decision.boot]
        if not back or back[0][0].t_ns != decision.t_ns:
            return None
        end = back[0][0].end
        span = contract.memory_samples if contract.architecture is None else contract.architecture.config.span(end)
        read = list(takewhile(lambda hop: hop[0].end > end - span, back))[::-1]
        if sum(len(window) for _, window, _ in read) < span:
            return None
        steps = np.round(np.arange(1 - contract.hop, 1) * 1e9 / contract.rate_hz).astype(np.int64)
        t_ns = np.concatenate([block.t_ns + steps for block, _, _ in read])[-span:]
        return Seen(decision, t_ns, np.concatenate([window for _, window, _ in read])[-span:], back[0][2])
