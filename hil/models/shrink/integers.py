"""A model judged in the arithmetic that boards run: its op list over whole windows, by the reference, bit for bit.

Rule of this room: the score of a point in integers is the reference's, never that of a network in torch that imitates
it. Readings of a dataset are no raw readings of any board: they are held in 16 bits, finely enough that the first
operator, which makes 8 bits of them, cannot tell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from firmware_bridge.errors import UsageError
from firmware_bridge.oplist.ops import OpList, pack
from firmware_bridge.oplist.reference import dequantised, run
from firmware_bridge.streams import Stream
from hil.models.contract import Contract
from hil.models.datasets import Series, window_truth
from hil.models.evaluate import Decisions
from hil.models.int8.calibrate import Range
from hil.models.int8.deploy import readings_of
from hil.models.int8.graph import Graph
from hil.models.int8.placed import as_sent_by
from hil.models.int8.quantise import Readings, quantise
from hil.models.post import Decider
from hil.models.score import MISSED
from hil.models.shrink.cut import ends_of

__all__ = ["Integers8", "integers_of", "judge_integers", "stand_in"]

_ROOM = 1.25
"""How far beyond the largest reading of those learnt from the 16 bits reach, as a sensor's range does."""


@dataclass(frozen=True, slots=True, eq=False)
class Integers8:
    """A network as boards run it.

    Attributes:
        oplist: What is run.
        stream: What its readings are held in.
    """

    oplist: OpList
    stream: Stream

    @property
    def flash(self) -> int:
        """Bytes of op list and weights."""
        return len(pack(self.oplist))

    @property
    def ram(self) -> int:
        """Bytes of the tensors."""
        return self.oplist.arena

    @property
    def macs(self) -> int:
        """Multiplications of a decision, whose window a board computes anew."""
        return sum(op.macs for op in self.oplist.ops)


def stand_in(contract: Contract, series: Sequence[Series]) -> Stream:
    """Return a stream of 16 bits that holds readings like those given.

    Raises:
        UsageError: The model reads what no board samples.
    """
    for given, what in ((contract.frame, "frames"), (contract.conditioning, "conditioned readings")):
        if given is not None:
            raise UsageError(f"it reads {what}, and boards run networks of channels as they sample them",
                             f"model {contract.name}", "use it in floating point")  # fmt: skip
    largest = np.max([np.abs(item.values).max(axis=0) for item in series], axis=0).astype(np.float64)
    scale = tuple(float(one) for one in np.maximum(largest, 1e-6) * _ROOM / 32767)
    names, units = (tuple(getattr(item, key) for item in contract.inputs) for key in ("channel", "unit"))
    return Stream(contract.stream or "series", names, units, "<i2", (len(names),), contract.rate_hz, scale=scale)


def integers_of(contract: Contract, graph: Graph, found: Sequence[Range], stream: Stream) -> Integers8:
    """Return the op list of a graph with the ranges of its nodes.

    Raises:
        UsageError: It is larger than an op list can say.
    """
    readings: Readings = readings_of(contract, stream, tuple(range(len(stream.channels))))
    return Integers8(quantise(graph, found, readings, contract.name), stream)


def judge_integers(contract: Contract, made: Integers8, series: Sequence[Series]) -> Decisions:
    """Let an op list decide on series, at the same samples as `hil.models.evaluate.judge` does in floating point."""
    truth, predicted, scores, people, warming = [], [], [], [], 0
    for item in series:
        windowed, due = ends_of(contract, len(item.values)), ends_of(contract, len(item.values), contract.reach)
        warming += len(item.values) // contract.hop - len(due)
        told = _told(contract, made, item, windowed, len(due))
        truth.append(window_truth(item.labels, due, contract.window, len(contract.labels)))
        predicted += [MISSED if one is None else one[0] for one in told]
        scores += [[np.nan] * len(contract.labels) if one is None else one[1] for one in told]
        people += [item.person] * len(due)
    shares = np.array(scores, np.float64).reshape(len(people), len(contract.labels))
    said = np.array(predicted, np.int64)
    sure = np.array([row[at] if at != MISSED else 0.0 for row, at in zip(shares, said.tolist(), strict=True)])
    return Decisions(np.concatenate(truth) if truth else np.zeros(0, np.int64), said, sure, tuple(people), warming,
                     shares)  # fmt: skip


def _told(
    contract: Contract, made: Integers8, item: Series, ends: npt.NDArray[np.int64], due: int
) -> list[tuple[int, list[float]] | None]:
    """What is told at the last `due` of the windows that end at `ends`."""
    if not len(ends):
        return []
    memory = contract.memory_samples
    raw = as_sent_by(made.stream, item.values)
    answers = run(made.oplist, np.stack([raw[end - memory : end] for end in ends.tolist()]))[-1]
    logits = dequantised(made.oplist.ops[-1], answers).reshape(len(ends), -1).astype(np.float64)
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    decider = Decider(contract.post)
    said = [
        decider.take(row, end, reset=at == 0, decide=at >= len(ends) - due)
        for at, (row, end) in enumerate(zip(shares.tolist(), ends.tolist(), strict=True))
    ]
    return said[len(ends) - due :]
