"""Scores that a board said itself, as a recording holds them: a stream of it, or its RESULT messages.

Rule of this room: nothing is guessed that can be read. Which label a number belongs to is told by the channel's name,
or by the order where the names are others, which is then a remark. How the numbers are meant (probabilities, percent,
8-bit steps, logits, a label's index) follows from their range and their sums, and is told with the result.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from firmware_bridge.errors import UsageError
from firmware_bridge.events import Reply
from hil.models.contract import Contract
from hil.recording.reader import Recording

__all__ = ["KEY", "RESULTS", "Printed", "as_probabilities", "form_of", "printed_in", "step_of"]

Ints = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]

RESULTS = "RESULT"
"""Name that stands for a board's RESULT messages in place of a stream."""

KEY = "sample"
"""Name of the channel that holds the number of a window's last sample."""

_BY_SAMPLE = 1
_LAST_LAYER = 255
_DTYPES = {0: "<i1", 1: "<i2", 2: "<i4", 3: "<f4"}


@dataclass(frozen=True, slots=True, eq=False)
class Printed:
    """Scores of one board, in the order in which they came.

    Attributes:
        stream: Name of the stream, or `RESULT`.
        scores: `(N, labels)` in the contract's order; `(N, 1)` where only the index of the label was told.
        form: `probabilities`, `integers`, `logits` or `label`; what came as percent or in 256ths became probabilities.
        step: How coarsely they were written; 0: not rounded.
        key: `(N,)`, number of each window's last sample; None where nobody said.
        boot: `(N,)`.
        t_ns: `(N,)`, UTC.
        ticks: `(N,)`, the board's clock; None where it sends none with its scores.
        tick_hz: Ticks a second.
        remarks: What had to be assumed, a sentence each.
    """

    stream: str
    scores: Float64
    form: str
    step: float
    key: Ints | None
    boot: Ints
    t_ns: Ints
    ticks: Ints | None = None
    tick_hz: float | None = None
    remarks: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.scores)


def printed_in(
    recording: Recording, contract: Contract, board: str, stream: str, key: str | None = None
) -> Printed:  # fmt: skip
    """Return the scores that a board said.

    Args:
        recording: The recording.
        contract: The model's contract.
        board: Role of the board.
        stream: Name of the stream of scores, or `RESULT`.
        key: Channel that holds the number of the window's last sample; None: `sample`, if there is one.

    Raises:
        UsageError: There is no such stream, or its channels are no scores of this model's labels.
    """
    if stream == RESULTS:
        return _results(recording, contract, board)
    name = stream.partition("/")[2] or stream
    arrays = recording.read(board, name)
    where = f"{board}/{name}"
    channels = arrays.stream.channels
    if key is not None and key not in channels:
        raise UsageError(f"it has no channel {key} (it has {', '.join(channels)})", where, "name another with --key")
    place = channels.index(key or KEY) if (key or KEY) in channels else None
    columns, remarks = _columns(channels, place, contract, where)
    # What was written, not float32 of it: how coarse it is shows in the last digits.
    written = arrays.raw.astype(np.float64) * np.asarray(arrays.stream.scale) + np.asarray(arrays.stream.offset)
    scores, form, step = form_of(written[:, columns], contract, where)
    keys = None if place is None else np.rint(written[:, place]).astype(np.int64)
    hz = arrays.stream.tick_hz
    return Printed(
        name, scores, form, step, keys, arrays.boot.astype(np.int64), arrays.t_ns,
        None if hz is None else arrays.ticks, hz, remarks,
    )  # fmt: skip


def _columns(
    channels: Sequence[str], key: int | None, contract: Contract, where: str
) -> tuple[list[int], tuple[str, ...]]:  # fmt: skip
    """Column of every label's score, and what had to be assumed."""
    there = {channel.lower(): index for index, channel in enumerate(channels)}
    named = [there[label.lower()] for label in contract.labels if label.lower() in there]
    if len(named) == len(contract.labels):
        return named, ()
    rest = [index for index in range(len(channels)) if index != key]
    if len(rest) == len(contract.labels):
        labels = ", ".join(contract.labels)
        return rest, (f"no channel is named like a label, so that they are taken in their order: {labels}",)
    if len(rest) == 1:
        return rest, ()
    raise UsageError(
        f"its channels ({', '.join(channels)}) are no scores of the {len(contract.labels)} labels "
        f"{', '.join(contract.labels)}",
        where, "name channels like labels in a board file, and the number of the last sample `sample`",
    )  # fmt: skip


def form_of(written: Float64, contract: Contract, where: str) -> tuple[Float64, str, float]:
    """Return scores in their plainest form, which form that is, and how coarsely they were written.

    Args:
        written: `(N, labels)`, or `(N, 1)` for a label's index.
        contract: The model's contract.
        where: Board and stream, for the message.

    Raises:
        UsageError: A label's index is none.
    """
    every, written = written, written[np.isfinite(written).all(axis=1)]
    if not len(written):
        raise UsageError("it has no scores", where, "record for longer")
    if written.shape[1] == 1:
        if not np.isin(written, np.arange(len(contract.labels))).all():
            raise UsageError(
                f"one number a window is the index of a label, 0 to {len(contract.labels) - 1}, and it has others",
                where, "give one channel a label",
            )  # fmt: skip
        return every, "label", 0.0
    step, count = step_of(written), written.shape[1]
    sums, loose = written.sum(axis=1), count * step / 2 + 1e-3
    whole = step >= 1.0
    if written.min() >= -1e-6 and written.max() <= 1 + 1e-6 and np.abs(sums - 1).max() <= min(loose, 0.1):
        return every, "probabilities", 0.0 if whole else step  # nothing but 0 and 1: who knows how coarse
    if written.min() >= 0 and np.abs(sums - 100).max() <= 100 * 1e-3 + count * step / 2:
        return every / 100, "probabilities", step / 100
    if whole:
        for zero in (0.0, -128.0):  # a softmax in 8 bits: 256ths from 0, or from -128
            if written.min() >= zero and np.abs((written - zero).sum(axis=1) - 256).max() <= count:
                return (every - zero) / 256, "probabilities", 1 / 256
        return every, "integers", 1.0
    return every, "logits", step


def step_of(written: Float64) -> float:
    """Return the step in which numbers were written: a power of ten, or 0 where they were not rounded."""
    finite = written[np.isfinite(written)]
    for digits in range(7):
        scaled = finite * 10.0**digits
        if np.abs(scaled - np.rint(scaled)).max(initial=0.0) < 1e-6 * max(1.0, np.abs(scaled).max(initial=0.0)):
            return float(10.0**-digits)
    return 0.0


def as_probabilities(scores: Float64, form: str, scale: float = 1.0) -> Float64:
    """Return scores `(N, labels)` as probabilities.

    Args:
        scores: As they were said.
        form: Of `Printed`.
        scale: What one step of an integer is worth.
    """
    if form == "probabilities":
        return scores
    logits = scores * (scale if form == "integers" else 1.0)
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    found: Float64 = raised / raised.sum(axis=1, keepdims=True)
    return found


def _results(recording: Recording, contract: Contract, board: str) -> Printed:
    rows = [
        (event, np.frombuffer(event.data, _DTYPES[event.fields["dtype"]]))
        for event in recording.events(board)
        if isinstance(event, Reply) and event.kind == RESULTS and event.fields["layer"] == _LAST_LAYER
    ]
    rows = [(event, outputs) for event, outputs in rows if event.fields["keyed_by"] == _BY_SAMPLE]
    where = f"{board}/{RESULTS}"
    if not rows:
        raise UsageError(
            "the board said no RESULT about its own samples", where, "let the board infer on its stream, and record it"
        )
    if {len(outputs) for _, outputs in rows} != {len(contract.labels)}:
        raise UsageError(f"its results have not one output a label ({len(contract.labels)})", where, "deploy the model")
    written = np.stack([outputs.astype(np.float64) for _, outputs in rows])
    events = [event for event, _ in rows]
    integer = rows[0][1].dtype.kind == "i"
    form, step = ("integers", 1.0) if integer else ("logits", 0.0)
    return Printed(
        RESULTS, written, form, step, np.array([event.fields["key"] for event in events], np.int64),
        _boots(recording, board, events), np.array([event.t_ns for event in events], np.int64),
    )  # fmt: skip


def _boots(recording: Recording, board: str, events: Sequence[Reply]) -> Ints:
    """Boot in which each result was said."""
    from firmware_bridge.events import Rebooted

    starts = [(event.t_ns, event.boot) for event in recording.events(board) if isinstance(event, Rebooted)]
    times = [t_ns for t_ns, _ in starts]
    before = np.searchsorted(np.array(times, np.int64), [event.t_ns for event in events], side="right") - 1
    return np.array([starts[index][1] if index >= 0 else 0 for index in before.tolist()], np.int64)
