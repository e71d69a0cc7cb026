"""Showing sessions to drift watches, many at once: what each look of each made of it.

Rule of this room: everything goes through the executor and the watch that live boards use, as if every session were a
board. Boards do not depend on each other, so eight sessions cost the network no more than one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from firmware_bridge.batch import Batch
from firmware_bridge.streams import Stream
from hil.drift.reference import Reference
from hil.drift.verdict import Finding
from hil.drift.watch import Watch, look
from hil.models.drifting import DriftTap, watch_of
from hil.models.evaluate import unconditioned
from hil.models.model import Model
from hil.models.package import Package

__all__ = ["SLOTS", "Seen", "Taught", "shown"]

Array = npt.NDArray[np.float32]
Hop = tuple[int, int, Array]
"""Piece of the session, first sample in it, and readings."""

SLOTS = 8
"""Sessions at once."""


@dataclass(frozen=True, slots=True, eq=False)
class Taught:
    """What is judged: a reference, and the model whose scores are watched, None where only readings are."""

    reference: Reference
    hop: int
    rate_hz: float
    package: Package | None

    @property
    def look_s(self) -> float:
        """Seconds of a look."""
        return self.reference.samples / self.rate_hz

    def watch(self) -> Watch:
        """Return a fresh watch."""
        return Watch(self.reference) if self.package is None else watch_of(self.package)


@dataclass(frozen=True, slots=True)
class Seen:
    """What stood after a look: the verdict, what was found, and in which piece of the session."""

    verdict: str
    finding: Finding | None
    piece: int


def shown(taught: Taught, watches: Sequence[Watch], sessions: Sequence[Sequence[Array]]) -> list[list[Seen]]:
    """Show each session to a watch of its own and return what stood after every look.

    Args:
        taught: What is judged.
        watches: One a session; they go on from where they are.
        sessions: Of each its pieces `(N, C)`, each a segment of its own.
    """
    found: list[list[Seen]] = [[] for _ in sessions]
    for first in range(0, len(sessions), SLOTS):
        some = range(first, min(first + SLOTS, len(sessions)))
        hops = [_hops(sessions[at], taught.hop) for at in some]
        own = [watches[at] for at in some]
        show = _shows(taught, own)
        for turn in range(max(map(len, hops))):
            now = [at for at in range(len(own)) if turn < len(hops[at])]
            before = [own[at].looks for at in now]
            show([(at, hops[at][turn]) for at in now])
            for at, looks in zip(now, before, strict=True):
                if own[at].looks > looks:
                    found[first + at].append(Seen(own[at].verdict, own[at].finding, hops[at][turn][0]))
    return found


def _hops(pieces: Sequence[Array], hop: int) -> list[Hop]:
    return [
        (piece, low, values[low : low + hop])
        for piece, values in enumerate(pieces) for low in range(0, len(values) - hop + 1, hop)
    ]  # fmt: skip


def _shows(taught: Taught, watches: Sequence[Watch]) -> Callable[[Sequence[tuple[int, Hop]]], None]:
    """Return what shows hops to some of the watches: through the executor where scores are watched."""
    package, rate_hz = taught.package, taught.rate_hz
    if package is None:

        def take(hops: Sequence[tuple[int, Hop]]) -> None:
            due = [watches[at] for at, (_, low, part) in hops
                   if watches[at].hold(part, int(low / rate_hz * 1e9), None, reset=low == 0)]  # fmt: skip
            look(due)

        return take
    contract = package.contract
    names, units = tuple(item.channel for item in contract.inputs), tuple(item.unit for item in contract.inputs)
    stream = Stream(contract.stream or "series", names, units, "<f4", (len(names),), rate_hz)
    runner = Model(unconditioned(package)).runner(slots=SLOTS)
    tap = DriftTap(package)
    tap.watches.update({(str(at), stream.name): watch for at, watch in enumerate(watches)})
    runner.tap = tap

    def push(hops: Sequence[tuple[int, Hop]]) -> None:
        batches = []
        for at, (piece, low, part) in hops:
            numbers = np.arange(low, low + len(part), dtype=np.int64)
            times = (numbers / rate_hz * 1e9).astype(np.int64)
            batches.append(Batch(str(at), stream, piece, low, numbers, times, part))
        runner.push(batches)

    return push
