"""Recordings cut into stretches that one label each could be given to: what is said of each, and its numbers.

Rule of this room: one recording is in memory at a time, and of each stretch only numbers are kept. No stretch reaches
over a gap, none that is free touches a label, and whatever is left out is counted.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from firmware_bridge.errors import BridgeError, UsageError
from hil.models.contract import Contract
from hil.models.data_config import DataConfig, RecordingEntry
from hil.models.labelled import Part, read_part
from hil.models.windows import stream_read
from hil.picking.statistics import statistics

if TYPE_CHECKING:
    from hil.recording.reader import Recording

__all__ = ["Cut", "Piece", "cut", "fitting"]

Float = npt.NDArray[np.float64]
Ask = Callable[[npt.NDArray[np.float32]], Float]


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch: the recording, the board's role, UTC of its ends, the same in seconds of the recording, and its label.

    `label` is None where nobody said anything about any of its readings.
    """

    file: str
    board: str
    start_ns: int
    stop_ns: int
    from_s: float
    to_s: float
    label: str | None


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """All stretches of some recordings.

    Attributes:
        pieces: In order of recordings and time.
        values: Their statistics, `(N, F)`.
        members: Probabilities `(M, N, classes)`, the mean over the windows in each; None where no model was asked.
        left_out: Seconds that are in no stretch, by cause.
        seconds: Length of each.
    """

    pieces: tuple[Piece, ...]
    values: Float
    members: Float | None
    left_out: dict[str, float]
    seconds: float


def cut(
    files: Sequence[Path], seconds: float, contract: Contract | None = None, ask: Ask | None = None, stream: str = "",
    progress: Callable[[float], None] | None = None,
) -> Cut:  # fmt: skip
    """Cut recordings into stretches.

    Args:
        files: Recordings.
        seconds: Length of a stretch; a model's is made a whole number of what it sees at once.
        contract: Of a model, which says what is read.
        ask: Told windows `(N, memory_samples, width)`, returns probabilities `(M, N, classes)`.
        stream: Stream to read where there is no model and several are in a recording.
        progress: Told the share that is done.

    Raises:
        FileError: A recording cannot be read.
        UsageError: Recordings do not fit the model or each other, or no stretch is so long.
    """
    pieces: list[Piece] = []
    values: list[Float] = []
    members: list[Float] = []
    left_out: dict[str, float] = defaultdict(float)
    first: Part | None = None
    for done, file in enumerate(files, 1):
        part, role, start_ns = _read(file, contract, stream)
        first = first or part
        if (part.channels, part.units, part.rate_hz) != (first.channels, first.units, first.rate_hz):
            raise UsageError(
                f"it has {', '.join(part.channels[:8])} at {part.rate_hz:g} Hz, unlike {first.path}", str(file),
                "pick from recordings of one kind of board",
            )  # fmt: skip
        size, window = _size(seconds, part.rate_hz, contract)
        mine = _pieces(part, str(file), role, start_ns, size, left_out)
        if mine:
            pieces += [piece for _, piece in mine]
            readings = np.stack([one for one, _ in mine])
            values.append(statistics(readings))
            if ask is not None:
                told = ask(readings.reshape(-1, window, readings.shape[2]))
                members.append(told.reshape(len(told), len(mine), -1, told.shape[2]).mean(axis=2))
        if progress is not None:
            progress(done / len(files))
    if not pieces:
        lost = ", ".join(f"{cause} {most:.1f} s" for cause, most in left_out.items()) or "no readings"
        what = f"no {seconds:g} s lie together without a gap ({lost})"
        raise UsageError(what, str(files[0]), "give a shorter --stretch")
    assert first is not None
    asked = np.concatenate(members, axis=1) if members else None
    length = _size(seconds, first.rate_hz, contract)[0] / first.rate_hz
    return Cut(tuple(pieces), np.concatenate(values), asked, dict(left_out), length)


def fitting(
    files: Sequence[Path], contracts: Sequence[Contract], stream: str = ""
) -> tuple[list[Path], dict[Path, BridgeError]]:
    """Return the recordings of a folder that can be picked from, and why each of the others cannot.

    A folder holds what a bench recorded: of other boards too, and what was torn. Samples are not looked at.

    Args:
        files: Recordings.
        contracts: Of the models that are to read them.
        stream: Stream to read where there is no model.
    """
    from hil.recording.reader import Recording

    others: dict[Path, BridgeError] = {}
    for file in files:
        try:
            with Recording(file) as recording:
                for contract in contracts or (None,):
                    _meant(recording, contract, stream)
        except BridgeError as error:
            others[file] = error
    return [file for file in files if file not in others], others


def _size(seconds: float, rate_hz: float, contract: Contract | None) -> tuple[int, int]:
    """Return the samples of a stretch, and of a window in it."""
    window = contract.memory_samples if contract is not None else max(4, round(seconds * rate_hz))
    return window * max(1, round(seconds * rate_hz / window)), window


def _read(file: Path, contract: Contract | None, stream: str) -> tuple[Part, str, int]:
    """Return a recording's readings, the role of the board, and UTC of its first sample."""
    from hil.recording.reader import Recording

    with Recording(file) as recording:
        role, config = _meant(recording, contract, stream)
        start_ns = recording.start_ns
    part = read_part(config, RecordingEntry(file=str(file), board=role))
    if contract is not None and contract.conditioning is None:
        units = tuple(item.unit for item in contract.inputs) if contract.frame is None else part.units[:1]
        if part.units[: len(units)] != units or abs(part.rate_hz / contract.rate_hz - 1) > 0.01:
            raise UsageError(
                f"it has {', '.join(part.units[:8])} at {part.rate_hz:g} Hz, and model {contract.name} reads "
                f"{', '.join(units)} at {contract.rate_hz:g} Hz", str(file), "give recordings that it can read",
            )  # fmt: skip
    return part, role, start_ns


def _meant(recording: Recording, contract: Contract | None, stream: str) -> tuple[str, DataConfig]:
    """Return the board and what is read of it."""
    entry = RecordingEntry(file=str(recording.path))
    if contract is not None:
        role, known = stream_read(recording, contract)
        names = () if contract.frame is not None else tuple(item.channel for item in contract.inputs)
        how = contract.conditioning
        units = tuple(item.unit for item in contract.inputs) if how is not None else ()
        return role, DataConfig(
            recordings=(entry,), streams=(known.name,), channels=names, units=units, conditioning=how,
            rate_hz=contract.rate_hz if how is not None else None,
        )  # fmt: skip
    offered = [one for one in recording.streams() if stream in ("", one.stream.name)]
    if len(offered) != 1:
        there = ", ".join(f"{one.board}/{one.stream.name}" for one in recording.streams()) or "none"
        what = f"it has no stream {stream}" if not offered else "it has several streams"
        raise UsageError(f"{what} ({there})", str(recording.path), "name one with --stream, or give a model")
    return offered[0].board, DataConfig(recordings=(entry,), streams=(offered[0].stream.name,))


def _pieces(
    part: Part, file: str, role: str, start_ns: int, size: int, left_out: dict[str, float]
) -> list[tuple[npt.NDArray[np.float32], Piece]]:
    """Return the stretches of a recording with their readings."""
    found = []
    period = 1.0 / part.rate_hz
    for whole in part.stretches:
        assert whole.t_s is not None
        texts = list(whole.texts)
        count = len(whole.values) // size
        left_out["shorter than a stretch"] += (len(whole.values) - count * size) * period
        for at in range(count):
            low, high = at * size, (at + 1) * size
            said = set(texts[low:high])
            readings = whole.values[low:high]
            if not np.isfinite(readings).all():
                left_out["readings that are no numbers"] += size * period
            elif len(said) > 1:
                left_out["labelled in part"] += size * period
            else:
                begin = float(whole.t_s[low])
                end = float(whole.t_s[high]) if high < len(whole.t_s) else float(whole.t_s[high - 1]) + period
                start, stop = (start_ns + round(one * 1e9) for one in (begin, end))
                found.append((readings, Piece(file, role, start, stop, begin, end, said.pop())))
    return found
