"""Scores that a board said about its own readings against the model on the same readings: a verdict for any board.

Rule of this room: pure but for the model that it asks. What counts as a small difference is measured, not assumed: how
far the model's own 8-bit form is from it on the same windows, times three. Verdicts:

- `identical`: the scores are the model's to their last printed digit.
- `preprocessing`: the model comes to the board's scores once a mistake is made on its readings; the mistake is named.
- `transport`: what can be judged is right, and readings or scores were lost or, unchecked by any sum, altered.
- `quantisation`: the scores differ by no more than 8 bits explain.
- `board`: the scores differ by more than 8 bits explain, and no known mistake of the readings explains them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from firmware_bridge.errors import UsageError
from hil.models.contract import Contract
from hil.models.model import Model
from hil.models.whole import Whole
from hil.parity.explain import Ask, explained, lagging
from hil.parity.figures import Agreement, Labelled, Reliability, agreement, labelled, reliability
from hil.parity.joining import Joined, by_number
from hil.parity.printed import Printed
from hil.parity.readings import Readings
from hil.parity.said import Said
from hil.parity.suspects import Suspect
from hil.parity.yardstick import yardstick

__all__ = ["ScoreDifference", "ScoreParity", "judge_scores"]

Ints = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]

_FEW = 0.25
"""Share of the windows that may be wrong for a loss on the way to explain them."""


@dataclass(frozen=True, slots=True)
class ScoreDifference:
    """The first score that is not the model's.

    Attributes:
        score: Its number among all scores of the recording, from 0.
        sample: Number of the window's last sample.
        t_s: When that was, in seconds since the recording's first sample.
        label: Label whose score differs most; where only labels were told, the board's.
        expected: The model's probability of it; where only labels were told, its own label.
        found: The board's.
    """

    score: int
    sample: int
    t_s: float
    label: str
    expected: float | str
    found: float | str


@dataclass(frozen=True, slots=True)
class ScoreParity:
    """What became of a comparison.

    Attributes:
        verdict: See the top of this file.
        why: One sentence for a person.
        join: Which scores were judged, and on what they were joined.
        form: How the board's scores are meant.
        step: How coarsely they were written.
        agreement: How often board and model chose the same label.
        labelled: How good both are, where there are labels.
        reliability: Whether the board's confidence is worth what it says; None where it told labels only.
        distance: Root mean square of the differences of probabilities; of labels, the share that differs.
        allowed: Distance that 8 bits explain; None where that is unknown.
        unknown: Why `allowed` is unknown; empty where it is known.
        wrong: Windows that differ by more than 8 bits explain.
        first_difference: The first of them, or the first inexact one where none is; None where all are exact.
        remarks: What had to be assumed.
    """

    verdict: str
    why: str
    join: Joined
    form: str
    step: float
    agreement: Agreement
    labelled: Labelled
    reliability: Reliability | None
    distance: float
    allowed: float | None
    unknown: str
    wrong: int
    first_difference: ScoreDifference | None
    remarks: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether the board does what the model does, as far as its bits allow."""
        return self.verdict in ("identical", "quantisation")

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        own = {"join": self.join.as_dict(), "labelled": self.labelled.as_dict()}
        return {"schema": 1, "mode": "scores"} | asdict(self) | own


def judge_scores(model: Model, readings: Readings, printed: Printed) -> ScoreParity:
    """Compare what a board said with the model on what it sampled.

    Args:
        model: The model.
        readings: The board's recorded samples.
        printed: The scores that it said.

    Raises:
        UsageError: No score belongs to a whole window of the readings.
    """
    contract, whole = model.contract, Whole(model)

    def ask(questions: Sequence[tuple[Ints, Suspect | None]]) -> list[Float64]:
        parts = []
        for ends, suspect in questions:
            windows = readings.windows(ends + (suspect.shift if suspect else 0), contract.memory_samples)
            parts.append(suspect.change(windows) if suspect else windows)
        answers = whole.probabilities(np.concatenate(parts))
        return np.split(answers, np.cumsum([len(part) for part in parts])[:-1])

    if printed.key is not None and readings.stream.counted:
        joined = by_number(readings, printed, contract.memory_samples)
    else:
        joined = lagging(contract, readings, printed, ask)
    (expected,) = ask([(joined.ends, None)])
    joined, expected = _known(joined, printed, expected)
    if not len(joined.rows):
        raise UsageError(
            f"none of its {len(printed)} scores belongs to a whole window of {readings.board}/{readings.stream.name} "
            f"({joined.warming} come before one is full, {joined.torn} lie over missing readings, {joined.strange} are "
            "about no sample there is)",
            printed.stream, "record the readings along with the scores, from before the first score on",
        )  # fmt: skip
    said = Said(printed, joined.rows, yardstick(model, readings, joined.ends, expected))
    verdict, why = _verdict(contract, readings, joined, said, expected, ask)
    truth = readings.truth(joined.ends, contract.window, len(contract.labels))
    return ScoreParity(
        verdict, why, joined, printed.form, printed.step, agreement(expected.argmax(axis=1), said.labels),
        labelled(truth, expected.argmax(axis=1), said.labels, len(contract.labels)),
        None if said.only_labels else reliability(truth, expected, said.probabilities(expected)),
        said.distance(expected), said.allowed, said.unknown, int(said.wrong(expected).sum()),
        _first(contract, readings, joined, said, expected), _remarks(printed, joined),
    )  # fmt: skip


def _known(joined: Joined, printed: Printed, expected: Float64) -> tuple[Joined, Float64]:
    """Leave out what has a reading or a score that is no number: it is missing."""
    known = np.isfinite(expected).all(axis=1) & np.isfinite(printed.scores[joined.rows]).all(axis=1)
    torn = joined.torn + int((~known).sum())
    return replace(joined, rows=joined.rows[known], ends=joined.ends[known], torn=torn), expected[known]


def _verdict(
    contract: Contract, readings: Readings, joined: Joined, said: Said, expected: Float64, ask: Ask
) -> tuple[str, str]:  # fmt: skip
    inexact, lost = said.inexact(expected), _lost(joined)
    count, unsure = len(inexact), not (readings.stream.counted and readings.stream.checked)
    if not inexact.any():
        if lost:
            return "transport", f"of the scores {lost}; the {count} that can be judged are right"
        what = "labels are the model's" if said.only_labels else "scores are the model's to their last printed digit"
        return "identical", f"all {count} {what}"
    if inexact.sum() <= _FEW * count and unsure:
        return "transport", (
            f"{int(inexact.sum())} of {count} windows differ and all others are exact: a reading or a score was lost "
            "or altered on the way, which nothing on this line could tell"
        )
    cause, tried = explained(contract, readings, joined, said, expected, ask)
    if cause is not None:
        others = f" ({cause.others} other mistakes would explain it as well)" if cause.others else ""
        return "preprocessing", (
            f"{cause.suspect.why}: with that the model agrees in {cause.same} of {cause.windows} windows and differs "
            f"by {cause.distance:.2g} instead of {cause.before:.2g}{others}"
        )
    bits = f"8 bits explain {said.allowed:.2g}" if said.allowed is not None else said.unknown
    how = f"the scores differ from floating point by {said.distance(expected):.2g} ({bits})"
    if not said.fits(expected):
        return "board", (
            f"{how}, and none of {tried} mistakes of order, sign, scale, shift or normalisation of the readings "
            "explains it"
        )
    return ("transport", f"of the scores {lost}; of the others {how}") if lost else ("quantisation", how)


def _lost(joined: Joined) -> str:
    """What is missing, as a clause; nothing where all is there."""
    missing = (
        (joined.lost, "never came"), (joined.torn, "are about readings that never came"),
        (joined.strange, "are about no sample there is"),
    )  # fmt: skip
    return " and ".join(f"{number} {what}" for number, what in missing if number)


def _remarks(printed: Printed, joined: Joined) -> tuple[str, ...]:
    if joined.rule == "sample number":
        return printed.remarks
    uncounted = ("the board numbers its scores and not its readings, so that the numbers are no use",)
    return (
        *printed.remarks,
        *(uncounted if printed.key is not None else ()),
        f"scores are joined by {joined.rule}, {joined.lag} samples ({joined.lag_s:.3f} s) after their windows as "
        "estimated; a window that ends early or late cannot be told from that",
    )


def _first(
    contract: Contract, readings: Readings, joined: Joined, said: Said, expected: Float64
) -> ScoreDifference | None:  # fmt: skip
    wrong = said.wrong(expected)
    wrong = wrong if wrong.any() else said.inexact(expected)
    if not wrong.any():
        return None
    at = int(np.flatnonzero(wrong)[0])
    end = int(joined.ends[at])
    place = (int(joined.rows[at]), int(readings.numbers[end]), (int(readings.t_ns[end]) - readings.start_ns) / 1e9)
    if said.only_labels:
        mine, theirs = contract.labels[int(expected[at].argmax())], contract.labels[int(said.labels[at])]
        return ScoreDifference(*place, theirs, mine, theirs)
    board = said.probabilities(expected)[at]
    label = int(np.abs(board - expected[at]).argmax())
    return ScoreDifference(*place, contract.labels[label], float(expected[at, label]), float(board[label]))
