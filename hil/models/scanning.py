"""Whether many hops of one board may be taken in one call: only where that gives the bits of one call a hop.

Rule of this room: it is tried, not assumed. On a processor whose products round a row by its place, there is no scan.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

__all__ = ["Scanning", "Step", "most_hops"]

_SEED = 20


class Step(Protocol):
    """One hop of a network for a fixed number of boards."""

    backend: str
    version: str
    input: npt.NDArray[np.float32]
    """`(slots, hop, inputs)`, normalised: filled before `run`."""

    def run(self, active: Sequence[int], reset: Sequence[int], starts: Sequence[int] = ()) -> npt.NDArray[np.float32]:
        """Clear the `reset` slots, advance the `active` ones, and return `(slots, classes)`.

        `starts` are the numbers of the first samples of the active hops, for networks that follow them.
        """
        ...


@runtime_checkable
class Scanning(Step, Protocol):
    """A step that also takes several hops of one board in one call, with the bits of one call a hop."""

    longest: int
    """Most hops of a call, at most the number of slots."""

    def scan(self, slot: int, hops: int, reset: bool) -> npt.NDArray[np.float32]:
        """Advance a slot by the first `hops` rows of `input`; return `(slots, classes)`, row k of hop k."""
        ...


def most_hops(step: Step) -> int:
    """Return how many hops of one slot one call may take; 1 where `scan` is missing or gives other bits than `run`.

    Args:
        step: A fresh network; boards that come later begin with a cleared state.
    """
    if not isinstance(step, Scanning) or step.longest < 2:
        return 1
    hops, slots = step.longest, step.input.shape[0]
    readings = np.random.default_rng(_SEED).standard_normal((2 * hops, *step.input.shape[1:])).astype(np.float32)
    for slot in {0, slots - 1}:
        alone = []
        for at, hop in enumerate(readings):
            step.input[...] = 0.0
            step.input[slot] = hop
            alone.append(step.run([slot], [slot] if at == 0 else [])[slot].tobytes())
        scanned = []
        for start in (0, hops):
            step.input[:hops] = readings[start : start + hops]
            scanned += [row.tobytes() for row in step.scan(slot, hops, start == 0)[:hops]]
        if alone != scanned:
            return 1
    return hops
