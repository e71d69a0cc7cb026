"""Examples of a new class: `FILE@12.0-14.5`, read from a recording as the model will read it.

Rule of this room: an example is what was received, conditioned as a live board is; one with a gap in it is refused. A
gesture shorter than the window is taken with what surrounds it, as it will be when it is recognised.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from firmware_bridge.errors import UsageError
from firmware_bridge.missing import unread
from hil.models.conditioning import source_of
from hil.models.contract import Contract
from hil.models.data_config import DataConfig, RecordingEntry
from hil.models.matching import match
from hil.models.place import place_in
from hil.models.recorded import unbroken
from hil.models.windows import stream_read

if TYPE_CHECKING:
    from hil.recording.reader import Recording

__all__ = ["Example", "Spot", "distinct", "parse_spot", "read_example"]

_SPOT = re.compile(r"(?P<file>.+?)(@(?P<start>\d+(\.\d*)?)-(?P<stop>\d+(\.\d*)?))?")
_MARGIN_S = 1.0
"""What is read before and after, so that a filter has settled."""


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """Readings of one example.

    Attributes:
        values: float32 `(N, C)`, in the model's channels and units; at least one window.
        rate_hz: Their rate.
        facts: Where they come from, for the lineage: plain JSON values.
    """

    values: npt.NDArray[np.float32]
    rate_hz: float
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Spot:
    """A stretch of a recording, in seconds since its first sample; None: from its beginning, to its end."""

    file: str
    start_s: float | None = None
    stop_s: float | None = None

    def __str__(self) -> str:
        return self.file if self.start_s is None else f"{self.file}@{self.start_s:g}-{self.stop_s:g}"


def parse_spot(text: str) -> Spot:
    """Read `FILE@A-B`, or `FILE` for all of it.

    Raises:
        UsageError: It ends before it begins.
    """
    found = _SPOT.fullmatch(text)
    if found is None:
        raise UsageError("an example names no file", "--example", "give FILE@12.0-14.5, seconds since its first sample")
    if found["start"] is None:
        return Spot(text)
    start, stop = float(found["start"]), float(found["stop"])
    if stop <= start:
        raise UsageError(f"an example from {start:g} s to {stop:g} s has no length", text, "give FILE@FROM-TO")
    return Spot(found["file"], start, stop)


def distinct(examples: Sequence[Example]) -> None:
    """Refuse examples that share readings: what one says of the other would be what it says of itself.

    Raises:
        UsageError: Two overlap.
    """
    for at, one in enumerate(examples):
        for other in examples[:at]:
            a, b = one.facts, other.facts
            if a["sha256"] == b["sha256"] and a["from_s"] < b["to_s"] and b["from_s"] < a["to_s"]:
                raise UsageError(
                    f"it shares readings with the example from {b['from_s']:g} s to {b['to_s']:g} s",
                    f"{a['file']}@{a['from_s']:g}-{a['to_s']:g}", "give stretches that do not overlap",
                )  # fmt: skip


def read_example(contract: Contract, spot: Spot, board: str | None = None) -> Example:
    """Read one example from a recording.

    Args:
        contract: Of the model that will learn it.
        spot: Where.
        board: Role of the board; None: the first with a stream that fits.

    Raises:
        FileError: The recording cannot be read.
        UsageError: No stream fits, a gap lies in the stretch, or it is shorter than half a window.
    """
    from hil.recording.reader import Recording

    window, rate = contract.window, contract.rate_hz
    with Recording(spot.file) as recording:
        person = recording.header.about.get("person")
        stop = recording.duration_s if spot.stop_s is None else spot.stop_s
        start, where = spot.start_s or 0.0, str(spot)
        pieces = list(_pieces(recording, contract, board, start - window / rate, stop + window / rate))
    best: tuple[int, int, int] | None = None
    for at, (times, _) in enumerate(pieces):
        low, high = (int(np.searchsorted(times, edge)) for edge in (start, stop))
        if best is None or high - low > best[2] - best[1]:
            best = (at, low, high)
    due = round((stop - start) * rate)
    if best is None or (spot.start_s is not None and best[2] - best[1] < due - 2):
        held = 0 if best is None else best[2] - best[1]
        raise UsageError(
            f"{held} of the {due} samples due in this stretch are there without a gap", where, "choose another stretch"
        )
    at, low, high = best
    values = pieces[at][1]
    if high - low < window:
        if 2 * (high - low) < window or len(values) < window:
            raise UsageError(
                f"the stretch has {high - low} samples and a decision looks at {window} ({window / rate:g} s)", where,
                f"give at least {window / rate / 2:g} s, with readings around them",
            )  # fmt: skip
        low = min(max((low + high - window) // 2, 0), len(values) - window)
        high = low + window
    facts = {
        "file": Path(spot.file).name, "sha256": _digest(spot.file), "from_s": start, "to_s": stop,
        **({"person": person} if person else {}),
    }  # fmt: skip
    return Example(np.ascontiguousarray(values[low:high]), rate, facts)


def _pieces(
    recording: Recording, contract: Contract, board: str | None, start_s: float, stop_s: float
) -> Iterator[tuple[npt.NDArray[np.float64], npt.NDArray[np.float32]]]:
    """Yield times and readings of every stretch without a gap, as the model reads them."""
    role, stream = stream_read(recording, contract, board)
    arrays = recording.read(role, stream.name, max(start_s - _MARGIN_S, 0.0), stop_s + _MARGIN_S)
    if contract.conditioning is None:
        picked = list(match(contract, stream, f"{role}/{stream.name}"))
        for piece in unbroken(recording, arrays, role, stream.name):
            yield arrays.t_s[piece], arrays.values[piece].reshape(-1, len(stream.channels))[:, picked]
        return
    names = tuple(item.channel for item in contract.inputs)
    config = DataConfig(
        recordings=(RecordingEntry(file=str(recording.path)),), channels=names,
        units=tuple(item.unit for item in contract.inputs), rate_hz=contract.rate_hz,
        conditioning=contract.conditioning,
    )  # fmt: skip
    intake = place_in(recording, role, stream, config).intake()
    assert intake is not None
    for piece in unbroken(recording, arrays, role, stream.name):
        part = arrays.part(piece)
        intake.cut()
        times, values = [], []
        for batch in part.batches():
            made = intake.batch(batch)
            if made is None:
                continue
            ratio = intake.ratio or Fraction(1)
            at = np.array([source_of(number, ratio) for number in range(made.first, made.end)]) - part.first
            times.append(part.t_s[at])
            values.append(made.stream.values(made.raw))
        if times:
            yield np.concatenate(times), np.concatenate(values)


def _digest(path: str | os.PathLike[str]) -> str:
    try:
        with open(path, "rb") as handle:
            return hashlib.file_digest(handle, "sha256").hexdigest()
    except OSError as error:
        raise unread(error, path, "check the path") from None
