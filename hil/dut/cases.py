"""What a device under test is asked: windows as bytes, with the truth about each where it is known.

Rule of this room: readings in, bytes out, nothing is normalised. Windows of a recording are the raw readings that the
model would decide on, little-endian, in the stream's order. A table is the truth file of the benchmark's data sets, one
line a file: `file, classes, class`, and where a file is cut into segments `bytes, stride` of them.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from firmware_bridge.errors import FileError, UsageError
from firmware_bridge.missing import unread
from firmware_bridge.oplist.ops import OpList
from firmware_bridge.oplist.table import RAW_DTYPES
from hil.models.model import Model
from hil.models.windows import joined, windows_of
from hil.recording.reader import Recording

__all__ = ["Cases", "as_windows", "of_recordings", "of_table"]


@dataclass(frozen=True, slots=True, eq=False)
class Cases:
    """Windows to be judged.

    Attributes:
        data: Bytes of each, `N` of them.
        truth: int64 `(N,)`, index of the right output, or `NONE`.
        item: int64 `(N,)`, which thing each is a part of; the answers to parts of one thing are averaged.
        labels: Names of the outputs; empty: not known.
    """

    data: tuple[bytes, ...]
    truth: npt.NDArray[np.int64]
    item: npt.NDArray[np.int64]
    labels: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.data)

    def thinned(self, most: int) -> "Cases":
        """Return at most so many of the things, spread evenly over all."""
        things = np.unique(self.item)
        kept = things[np.unique(np.linspace(0, len(things) - 1, min(len(things), most)).astype(np.int64))]
        places = np.flatnonzero(np.isin(self.item, kept))
        data = tuple(self.data[at] for at in places)
        return replace(self, data=data, truth=self.truth[places], item=self.item[places])


def of_recordings(paths: Sequence[Path], model: Model, board: str | None = None) -> Cases:
    """Return the windows that a model decides on in recordings.

    Raises:
        UsageError: No stream fits, or the recordings are of several kinds of board.
        FileError: A recording cannot be read.
    """
    parts = []
    for path in paths:
        with Recording(path) as recording:
            parts.append(windows_of(recording, model.contract, board))
    windows = joined(parts, str(paths[-1]))
    little = windows.raw.astype(windows.raw.dtype.newbyteorder("<"), copy=False)
    data = tuple(window.tobytes() for window in little)
    return Cases(data, windows.truth, np.arange(len(data), dtype=np.int64), tuple(model.contract.labels))


def of_table(path: Path) -> Cases:
    """Return what a truth file lists; the files lie beside it.

    Raises:
        FileError: It, or a file it names, cannot be read.
        UsageError: A line of it cannot be meant.
    """
    data: list[bytes] = []
    truth: list[int] = []
    item: list[int] = []
    try:
        rows = [row for row in csv.reader(path.read_text("utf-8").splitlines()) if row]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise unread(error, path, "give a truth file: file, classes, class") from None
    for number, row in enumerate(rows):
        segments, right = _segments(path, row, number)
        data += segments
        truth += [right] * len(segments)
        item += [number] * len(segments)
    if not data:
        raise UsageError("it lists nothing", str(path), "give a truth file: file, classes, class")
    return Cases(tuple(data), np.array(truth, np.int64), np.array(item, np.int64))


def _segments(path: Path, row: list[str], number: int) -> tuple[list[bytes], int]:
    name, *numbers = (cell.strip() for cell in row)
    try:
        classes, right, *cut = map(int, filter(None, numbers))
        size, stride = cut or (0, 1)
        good = 0 <= right < max(classes, 2) and stride > 0
    except ValueError:
        good, right, size, stride = False, 0, 0, 1
    if not good:
        raise UsageError(f"line {number + 1} is not `file, classes, class[, bytes, stride]`", str(path), "mend it")
    file = path.parent / name
    try:
        content = file.read_bytes()
    except OSError as error:
        raise FileError(f"it cannot be read ({error.strerror})", str(file), f"line {number + 1} of {path} names it"
                        ) from None  # fmt: skip
    if not content or size > len(content):
        raise FileError(f"it has {len(content)} bytes and a segment {size}", str(file), "look at the truth file")
    if not size:
        return [content], right
    return [content[at : at + size] for at in range(0, len(content) - size + 1, stride)], right


def as_windows(cases: Cases, oplist: OpList, where: str) -> npt.NDArray[np.generic]:
    """Return the bytes as an op list reads them: `(N, window, columns)`.

    Raises:
        UsageError: They are of another size.
    """
    dtype = np.dtype(RAW_DTYPES[oplist.raw])
    size = oplist.window * oplist.columns * dtype.itemsize
    if other := next((len(one) for one in cases.data if len(one) != size), None):
        raise UsageError(f"the op list reads windows of {size} bytes and there is one of {other}", where,
                         "give the op list that was made of this model")  # fmt: skip
    return np.frombuffer(b"".join(cases.data), dtype).reshape(len(cases), oplist.window, oplist.columns)
