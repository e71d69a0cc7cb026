"""The smallest faults that still make something fail: delta debugging, then bisection of every time and parameter.

Rule of this room: pure. What failing means is a predicate's business, which is asked once for each set of faults and
must always answer the same. A fault keeps its key, so that what is left of it does what it did before.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TypeVar

from firmware_bridge.faults import Fault
from firmware_bridge.faults.kinds import Param

__all__ = ["Search", "ddmin", "shrunk"]

T = TypeVar("T")
Faults = tuple[Fault, ...]

_TIME_DIGITS = 2
"""Times are shrunk to hundredths of a second."""
_FINENESS = 64
"""Parameters are shrunk to this part of what they were, in numbers of two digits."""
_WHOLE = frozenset({"bytes", "samples", "cells", "rows"})
_DOUBLINGS = 20


def ddmin(items: Sequence[T], fails: Callable[[tuple[T, ...]], bool]) -> tuple[T, ...]:
    """Return a part of the items that fails and passes as soon as any one is taken out (Zeller's ddmin).

    Args:
        items: Which fail together; none of them must pass.
        fails: Whether some of them fail.
    """
    left, parts = tuple(items), 2
    while len(left) >= 2:
        edges = [len(left) * at // parts for at in range(parts + 1)]
        chunks = [left[low:high] for low, high in pairwise(edges)]
        rests = [left[:low] + left[high:] for low, high in pairwise(edges)]
        if (smaller := next(filter(fails, chunks), None)) is not None:
            left, parts = smaller, 2
        elif (smaller := next(filter(fails, rests), None)) is not None:
            left, parts = smaller, max(parts - 1, 2)
        elif parts < len(left):
            parts = min(len(left), 2 * parts)
        else:
            break
    return left


def shrunk(fault: Fault, fails: Callable[[Fault], bool], end_s: float) -> Fault:
    """Return a fault that is shorter and weaker and still fails.

    Args:
        fault: It fails as it is.
        fails: Whether it fails in another form.
        end_s: When the readings end; later than it nothing happens.
    """

    def ends(when: float) -> Fault:
        return replace(fault, to_s=when)

    def begins(when: float) -> Fault:
        return replace(fault, from_s=when)

    last = max(round(end_s, _TIME_DIGITS), fault.from_s + 0.01)
    if fault.to_s > last and fails(ends(last)):
        fault = ends(last)
    if fault.to_s <= last:
        fault = ends(_bisected(fault.to_s, fault.from_s, lambda when: fails(ends(when)), _time))
        fault = begins(_bisected(fault.from_s, fault.to_s, lambda when: fails(begins(when)), _time))
    for name, param in fault.about.params.items():
        if name == "every_s" and fault[name] and fails(_with(fault, name, 0.0)):
            fault = _with(fault, name, 0.0)  # one episode instead of many
        fault = _weakened(fault, name, param, fails)
    return fault


@dataclass(eq=False)
class Search:
    """A search for the smallest faults.

    Attributes:
        fails: Whether a set of faults fails; asked once for each.
        told: Called with each smaller set that still fails.
        runs: How often `fails` was asked.
    """

    fails: Callable[[Faults], bool]
    told: Callable[[Faults], None] = lambda smaller: None
    runs: int = 0
    _known: dict[str, bool] = field(default_factory=dict)

    def smallest(self, faults: Sequence[Fault], end_s: float) -> Faults:
        """Return what is left of faults that fail: no one of them can be taken out, each as short and weak as found.

        Args:
            faults: Which fail together, each with a key of its own.
            end_s: When the readings end, in seconds since the first sample.
        """
        left = ddmin(tuple(faults), self._ask)
        while True:
            self.told(left)
            for at in range(len(left)):
                before, behind = left[:at], left[at + 1 :]

                def still(fault: Fault, before: Faults = before, behind: Faults = behind) -> bool:
                    return self._ask((*before, fault, *behind))

                left = (*before, shrunk(left[at], still, end_s), *behind)
                self.told(left)
            fewer = ddmin(left, self._ask)
            if fewer == left:
                return left
            left = fewer

    def _ask(self, faults: Faults) -> bool:
        key = repr([fault.as_dict() for fault in faults])
        if key not in self._known:
            self.runs += 1
            self._known[key] = self.fails(faults)
        return self._known[key]


def _with(fault: Fault, name: str, value: float) -> Fault:
    return replace(fault, params={**fault.params, name: value})


def _weakened(fault: Fault, name: str, param: Param, fails: Callable[[Fault], bool]) -> Fault:
    """Return a fault with one parameter as near to harmless as it still fails."""

    def still(value: float) -> bool:
        return fails(_with(fault, name, value))

    value = fault[name]
    harmless = _passing(value, param, still)
    if harmless is None:
        return fault
    middle = _whole if param.unit in _WHOLE else _Fine(abs(value - harmless) / _FINENESS)
    return _with(fault, name, _bisected(value, harmless, still, middle))


def _bisected(
    failing: float, passing: float, fails: Callable[[float], bool], middle: Callable[[float, float], float]
) -> float:
    """Return a value that fails, next to one that passes (or was taken to)."""
    while (between := middle(failing, passing)) not in (failing, passing):
        if fails(between):
            failing = between
        else:
            passing = between
    return failing


def _passing(value: float, param: Param, fails: Callable[[float], bool]) -> float | None:
    """Return the value of a parameter that is taken to pass; None where none is known."""
    harmless = param.harmless
    if harmless is None or harmless == value:
        return None
    if harmless != float("inf"):
        return harmless
    more = value
    for _ in range(_DOUBLINGS):
        more = min(2 * more, param.high)
        if not fails(more):
            return more
    return None


def _time(failing: float, passing: float) -> float:
    return _unless_beyond(round((failing + passing) / 2, _TIME_DIGITS), failing, passing)


def _whole(failing: float, passing: float) -> float:
    return _unless_beyond(float(round((failing + passing) / 2)), failing, passing)


class _Fine:
    """The middle of two values in a number of two digits, until they are close enough."""

    def __init__(self, step: float) -> None:
        self._step = step

    def __call__(self, failing: float, passing: float) -> float:
        """Return the middle, or `failing` where there is none."""
        if abs(failing - passing) <= self._step:
            return failing
        return _unless_beyond(float(f"{(failing + passing) / 2:.2g}"), failing, passing)


def _unless_beyond(middle: float, failing: float, passing: float) -> float:
    """Return a rounded middle, or `failing` where rounding has left the two values."""
    return middle if min(failing, passing) < middle < max(failing, passing) else failing
