"""Where a board's answers first differ from the reference, and whose fault that is.

Rule of this room: pure. The reference says what every layer must be; the board's answers and taps are arguments,
however they were fetched. A verdict names the first window, layer and element that differ and both values, and blames a
stage only on what was seen: what a board read is `preprocessing`, what it computed from the right input is `board`, an
answer that never came, or came once wrong and once right, is `transport`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from firmware_bridge.oplist.ops import OpList
from firmware_bridge.oplist.table import NAMES
from hil.models.int8.reference import Int8, run

__all__ = ["Difference", "Tap", "Verdict", "blame"]

Tap = Callable[[int, int], "Int8 | None"]
"""Asks the board for a layer of a window: `(window, layer)` to its elements in order, or None where none came."""

_SHIFTS = (1, -1, 2, -2, 3, -3)
"""Samples that a window may begin late or early."""


@dataclass(frozen=True, slots=True)
class Difference:
    """The first element that differs.

    Attributes:
        window: Index of the window.
        layer: Number of the layer.
        operator: What the layer does.
        row: Row of the layer's tensor.
        channel: Channel of it.
        expected: The reference's value.
        found: The board's value.
        elements: Elements of this layer that differ.
    """

    window: int
    layer: int
    operator: str
    row: int
    channel: int
    expected: int
    found: int
    elements: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a comparison.

    Attributes:
        verdict: `identical`, `preprocessing`, `board` or `transport`.
        windows: Windows that were asked.
        identical: Windows whose answer was the reference's.
        missing: Windows whose answer never came.
        first_difference: Where it begins; None where nothing differs or no tap could be had.
        why: One sentence for a person.
    """

    verdict: str
    windows: int
    identical: int
    missing: int
    first_difference: Difference | None
    why: str

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)


def blame(oplist: OpList, raw: npt.NDArray[Any], answers: Sequence[Int8 | None], tap: Tap) -> Verdict:
    """Compare a board's answers with the reference.

    Args:
        oplist: The network that the board was given.
        raw: The windows it was given, `(N, window, columns)`.
        answers: Its answer to each, `(outputs,)`, or None where none came.
        tap: Asks for layers of the first window that differs, in order; nothing is asked where all are the same.
    """
    expected = run(oplist, raw)
    same = [
        answer is not None and np.array_equal(answer, wanted.reshape(-1))
        for answer, wanted in zip(answers, expected[-1], strict=True)
    ]
    missing = sum(answer is None for answer in answers)
    counts = (len(raw), sum(same), missing)
    wrong = [index for index, answer in enumerate(answers) if answer is not None and not same[index]]
    if not wrong:
        if missing:
            first = next(index for index, answer in enumerate(answers) if answer is None)
            why = f"{missing} of {len(raw)} windows were never answered, first window {first}; the others are right"
            return Verdict("transport", *counts, None, why)
        return Verdict("identical", *counts, None, f"all {len(raw)} windows are the same bit for bit")
    window = wrong[0]
    for layer, (op, whole) in enumerate(zip(oplist.ops, expected, strict=True)):
        found = tap(window, layer)
        if found is None:
            return Verdict(
                "transport", *counts, None, f"the board was asked for layer {layer} of window {window} and sent none"
            )
        wanted, got = whole[window], found.reshape(whole[window].shape)
        if not np.array_equal(wanted, got):
            difference = _difference(window, layer, NAMES[op.code], wanted, got)
            if layer:
                why = (
                    f"layer {layer} ({NAMES[op.code]}) of window {window} is the first that differs, in "
                    f"{difference.elements} of {wanted.size} elements, and all that it reads is right"
                )
                return Verdict("board", *counts, difference, why)
            return Verdict("preprocessing", *counts, difference, _misread(oplist, raw[window], wanted, got))
    why = f"window {window} was answered wrongly once and rightly when its layers were asked for"
    return Verdict("transport", *counts, None, why)


def _difference(window: int, layer: int, operator: str, wanted: Int8, got: Int8) -> Difference:
    places = np.argwhere(wanted != got)
    row, channel = (int(value) for value in places[0])
    return Difference(
        window, layer, operator, row, channel, int(wanted[row, channel]), int(got[row, channel]), len(places)
    )


def _misread(oplist: OpList, raw: npt.NDArray[Any], wanted: Int8, got: Int8) -> str:
    """What explains the input that a board saw."""
    for shift in _SHIFTS:
        ours, theirs = (wanted[shift:], got[:-shift]) if shift > 0 else (wanted[:shift], got[-shift:])
        if len(ours) > 1 and np.array_equal(ours, theirs):
            samples = "1 sample" if abs(shift) == 1 else f"{abs(shift)} samples"
            return f"the board's window begins {samples} {'late' if shift > 0 else 'early'}"
    order = _order(oplist, raw, got)
    if order is not None:
        return f"the board reads its columns in the order {', '.join(map(str, order))}"
    moving = [channel for channel in range(wanted.shape[1]) if len(set(wanted[:, channel].tolist())) > 3]
    slopes = {channel: _slope(wanted[:, channel], got[:, channel]) for channel in moving}
    factors = sorted({f"{slope:.3g}" for slope in slopes.values() if slope is not None and abs(slope - 1) > 0.01})
    odd = [channel for channel, slope in slopes.items() if slope is not None and abs(slope - 1) > 0.01]
    if factors and all(slope is not None for slope in slopes.values()):
        return f"the board's input is {' or '.join(factors)} times as large in channel {', '.join(map(str, odd))}"
    count = int((wanted != got).sum())
    return f"the board's input differs in {count} of {wanted.size} elements and no shift, order or scale explains it"


def _order(oplist: OpList, raw: npt.NDArray[Any], got: Int8) -> list[int] | None:
    """The column that each channel was read from, where that explains all of them and is not the right one."""
    first = oplist.ops[0]
    right = first.arrays["column"].tolist()
    read: list[int] = []
    tried = [
        run(_reading(oplist, [column] * len(right)), raw[None])[0][0] for column in range(oplist.columns)
    ]  # fmt: skip
    for channel, usual in enumerate(right):
        fitting = [column for column, seen in enumerate(tried) if np.array_equal(seen[:, channel], got[:, channel])]
        if not fitting:
            return None
        read.append(usual if usual in fitting else fitting[0])
    return read if read != right else None


def _reading(oplist: OpList, columns: Sequence[int]) -> OpList:
    """Only the first op, its channels read from other columns."""
    first = oplist.ops[0]
    arrays = {**first.arrays, "column": np.array(columns, np.uint16)}
    return replace(oplist, ops=(replace(first, arrays=arrays),))


def _slope(wanted: Int8, got: Int8) -> float | None:
    """How many times larger `got` is than `wanted` about their means, where one follows the other closely."""
    inside = (np.abs(got.astype(int)) < 127) & (np.abs(wanted.astype(int)) < 127)
    x, y = wanted[inside].astype(np.float64), got[inside].astype(np.float64)
    if len(x) < 4 or not x.std() or not y.std() or abs(np.corrcoef(x, y)[0, 1]) < 0.98:
        return None
    return float(np.polyfit(x, y, 1)[0])
