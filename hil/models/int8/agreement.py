"""A model in floating point against the same model in integers, over the windows of recordings.

Rule of this room: floating point means the decisions that the model makes in its streaming form, as live boards get
them; both are asked about the same windows. Windows of one person resemble each other, so that the interval of the
share is one for windows as if independent, and says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from firmware_bridge.oplist.ops import OpList
from firmware_bridge.oplist.reference import run
from hil.measure.intervals import share_interval
from hil.models.datasets import NONE
from hil.models.model import Model
from hil.models.score import MISSED, macro_f1
from hil.models.windows import Windows, joined, windows_of
from hil.recording.reader import Recording

__all__ = ["Agreement", "compare", "decided"]


@dataclass(frozen=True, slots=True)
class Agreement:
    """How near integers come to floating point.

    Attributes:
        windows: Windows that both decided on.
        same: Those with the same label.
        share: `same / windows`.
        low: Lower end of its 95 % interval (Clopper-Pearson, as if windows were independent).
        high: Upper end.
        labelled: Windows with a truth.
        macro_f1_float: Macro-F1 of the model in floating point; None where nothing is labelled.
        macro_f1_int8: Macro-F1 of the op list.
    """

    windows: int
    same: int
    share: float
    low: float
    high: float
    labelled: int
    macro_f1_float: float | None
    macro_f1_int8: float | None

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)


def decided(oplist: OpList, windows: Windows) -> npt.NDArray[np.int64]:
    """Return the label that the op list gives each window, `(N,)`; of equal outputs the first."""
    answers = run(oplist, windows.raw)[-1].reshape(len(windows), -1)
    found: npt.NDArray[np.int64] = answers.argmax(axis=1)
    return found


def compare(model: Model, oplist: OpList, paths: Sequence[str], board: str | None = None) -> Agreement:
    """Let a model and its op list decide on recordings.

    Args:
        model: The model.
        oplist: The same in integers.
        paths: Recordings.
        board: Role of the board to read; None: the first that fits.

    Raises:
        UsageError: No stream fits, or the recordings are of several kinds of board.
        FileError: A recording cannot be read.
    """
    place = {label: index for index, label in enumerate(model.contract.labels)}
    parts, floats = [], []
    for path in paths:
        with Recording(path) as recording:
            found = windows_of(recording, model.contract, board)
            made = {
                (item.boot, item.sample): place[item.label]
                for item in model.stream(recording, board=board)
                if item.stream == found.stream.name
            }
        parts.append(found)
        floats += [made.get(key, MISSED) for key in zip(found.boot.tolist(), found.ends.tolist(), strict=True)]
    windows = joined(parts, str(paths[-1]))
    said = np.array(floats, np.int64)
    both = said != MISSED
    answer = decided(oplist, windows)
    same, count = int((said == answer)[both].sum()), int(both.sum())
    low, high = share_interval(same, count)
    known = both & (windows.truth != NONE)
    classes = len(place)
    return Agreement(
        count, same, same / count if count else 0.0, (low or 0.0) / 100, (high if high is not None else 100.0) / 100,
        int(known.sum()),
        macro_f1(windows.truth[known], said[known], classes) if known.any() else None,
        macro_f1(windows.truth[known], answer[known], classes) if known.any() else None,
    )  # fmt: skip
