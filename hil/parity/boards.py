"""Three answers to the same windows: floating point (a), the int8 reference (b) and a board (c). One verdict.

Rule of this room: pure; what the board said is an argument, and so is the way to ask it for layers. Verdicts:

- `identical`: b = c bit for bit on every output, and 8 bits cost no more than `LOSS_POINTS` or `LEAST_AGREEMENT`.
- `quantisation`: b = c, and 8 bits cost more: the board does what it was given, and that is another network than (a).
- `preprocessing`, `board`, `transport`: b and c differ; see `hil.models.int8.blame`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import numpy as np

from firmware_bridge.oplist.ops import OpList
from hil.models.int8.blame import Difference, Tap, blame
from hil.models.int8.reference import Int8, run
from hil.models.model import Model
from hil.models.whole import probabilities
from hil.models.windows import Windows
from hil.parity.figures import Agreement, Labelled, agreement, labelled

__all__ = ["LEAST_AGREEMENT", "LOSS_POINTS", "Answer", "BoardParity", "judge_board", "some_of"]

LOSS_POINTS = 1.0
"""Hundredths of macro-F1 that 8 bits may cost where windows are labelled; more must also be more than chance."""
LEAST_AGREEMENT = 0.95
"""Share of the windows that must keep their label where none are labelled; by the upper end of its interval."""


class Answer(Protocol):
    """What a board said about one window."""

    @property
    def outputs(self) -> Int8:
        """`(labels,)`."""

    @property
    def again(self) -> int:
        """How often it had to be asked again."""


@dataclass(frozen=True, slots=True)
class BoardParity:
    """What became of a comparison.

    Attributes:
        verdict: See the top of this file.
        why: One sentence for a person.
        windows: Windows that were asked.
        identical: Windows whose answer was the reference's bit for bit.
        missing: Windows whose answer never came.
        again: Windows that had to be asked more than once.
        first_difference: Where it begins; None where nothing differs or no layer could be had.
        agreement: Labels of floating point and of the int8 reference.
        labelled: How good both are, where there are labels.
    """

    verdict: str
    why: str
    windows: int
    identical: int
    missing: int
    again: int
    first_difference: Difference | None
    agreement: Agreement
    labelled: Labelled

    @property
    def ok(self) -> bool:
        """Whether the board does what it was given: b = c."""
        return self.identical == self.windows

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {"schema": 1, "mode": "board"} | asdict(self) | {"labelled": self.labelled.as_dict()}


def judge_board(
    model: Model, oplist: OpList, windows: Windows, answers: Sequence[Answer | None], tap: Tap
) -> BoardParity:
    """Compare a board's answers with the reference's and the model's.

    Args:
        model: The model.
        oplist: The same in integers, as the board holds it.
        windows: What was asked.
        answers: The board's answer to each, or None where none came.
        tap: Asks the board for a layer of a window: `(window, layer)`.

    Raises:
        UsageError: The windows are not what the op list reads.
    """
    found = blame(oplist, windows.raw, [None if one is None else one.outputs for one in answers], tap)
    values = windows.stream.values(windows.raw)[..., list(windows.picked)]
    said = probabilities(model, values).argmax(axis=1)
    ours = run(oplist, windows.raw)[-1].reshape(len(windows), -1).argmax(axis=1)
    kept = agreement(said, ours)
    good = labelled(windows.truth, said, ours, len(model.contract.labels))
    again = sum(one is not None and one.again > 0 for one in answers)
    verdict, why = found.verdict, found.why
    if verdict == "identical" and (cost := _cost(kept, good)):
        verdict, why = "quantisation", f"{why}, and they are not the model's any more: {cost}"
    elif verdict == "identical" and again:
        why = f"{why}; {again} had to be asked again"
    return BoardParity(
        verdict, why, found.windows, found.identical, found.missing, again, found.first_difference, kept, good
    )


def some_of(windows: Windows, count: int | None) -> Windows:
    """Return so many windows, spread evenly; None: all."""
    if count is None or count >= len(windows):
        return windows
    chosen = np.unique(np.linspace(0, len(windows) - 1, count).astype(np.int64))
    return Windows(
        windows.stream, windows.picked, windows.raw[chosen], windows.ends[chosen], windows.boot[chosen],
        windows.truth[chosen], tuple(windows.people[index] for index in chosen.tolist()),
    )  # fmt: skip


def _cost(kept: Agreement, good: Labelled) -> str:
    """Why 8 bits cost too much, or nothing."""
    if good.loss is not None:
        one, two = good.macro_f1_model, good.macro_f1_other
        return (
            f"macro-F1 falls from {one:.4f} to {two:.4f} in 8 bits"
            if good.loss > LOSS_POINTS and good.surely_worse
            else ""
        )
    if kept.high is not None and kept.high < LEAST_AGREEMENT:
        return f"only {kept.same} of {kept.windows} windows keep their label in 8 bits"
    return ""
