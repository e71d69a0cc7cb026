"""Readings from elsewhere become a recording: CSV by a board file or by their own header, NPZ arrays.

Rule of this room: an imported recording is one like any other, without raw bytes: nothing is known of a link, `verify`
says `not_verifiable`. Numbers, ticks and gaps are those of the file where it has them; rows it calls bad are left out
and stand as gaps. Labels become marks, and every group begins a new boot, so that no window straddles two.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from firmware_bridge.batch import Batch
from firmware_bridge.errors import UsageError
from firmware_bridge.events import Arrival, Connected, Event, Gap, Item, Mark, Rebooted
from firmware_bridge.streams import BoardInfo
from firmware_bridge.wire.boardfile import BoardFile, load_board_file
from firmware_bridge.wire.explain import Explanation, Table
from hil.recording.files import explain as explained
from hil.recording.header import BoardSetup, Header
from hil.recording.sheets import Sheet, read_csv, read_npz
from hil.recording.writer import RecordingWriter

__all__ = ["Imported", "import_file"]

PIECE = 4096
"""Samples handed to the writer at once."""

_DATES = 10**17
"""Nanoseconds above which ticks are dates, not times since a start."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a file.

    Attributes:
        path: The recording.
        samples: Samples by stream.
        labels: How many labelled stretches.
        groups: Name of the group of every boot.
        explanation: Which share of the bytes was explained; None for arrays.
    """

    path: str
    samples: dict[str, int]
    labels: int
    groups: tuple[str, ...]
    explanation: Explanation | None

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "path": self.path, "samples": self.samples, "labels": self.labels, "groups": list(self.groups),
            "explanation": None if self.explanation is None else self.explanation.as_dict(),
        }  # fmt: skip


def import_file(
    path: str | Path, output: str | Path, *, board_file: str | Path | None = None, stream: str | None = None,
    rate_hz: float | None = None, unit: str | None = None, label: str | None = None, group: str | None = None,
    role: str = "import", about: dict[str, str] | None = None, start_ns: int | None = None,
    progress: Callable[[float], None] | None = None,
) -> Imported:  # fmt: skip
    """Make a recording of a CSV or NPZ file.

    Args:
        path: The file.
        output: A recording that does not exist.
        board_file: What its columns mean (CSV).
        stream: Without a board file: name of the stream; for NPZ also of its array.
        rate_hz: Samples a second, where the file has no times.
        unit: Unit of all channels, where the header names none.
        label: Column (NPZ: array) with the label of every row.
        group: Column (NPZ: array) with the group of every row, such as a person.
        role: What to call the board.
        about: Person, note and so on, for the header.
        start_ns: UTC of the first sample; by default the date of the file, or its own dates.
        progress: Called with the share that is done, 0 to 1.

    Raises:
        UsageError: What is asked for cannot be meant.
        FileError: A file cannot be read or written.
    """
    path = Path(path)
    try:
        data = path.read_bytes()
        start = path.stat().st_mtime_ns if start_ns is None else start_ns
    except OSError as error:
        raise explained(error, path) from error
    board = None if board_file is None else load_board_file(board_file)
    if (board is None) == (stream is None):
        raise UsageError(
            "give either a board file or the name of a stream", "import", "--board-file F or --stream NAME"
        )
    sheet = _sheet(path, data, board, stream, rate_hz, unit, label, group)
    info = BoardInfo("import", "", "", tuple(table.stream for table in sheet.tables.values()), "import")
    if board is not None:
        info = replace(board.info, streams=info.streams)
    extra: dict[str, Any] = {"source": path.name, "board_file": board.text if board else ""}
    series = [_Series(role, table, sheet, start) for table in sheet.tables.values() if len(table.raw)]
    groups = max((tuple(one.group) for one in series), key=lambda names: len(names), default=())
    header = Header(start, (BoardSetup(role),), "import", about or {}, extra=extra | {"groups": list(groups)})
    writer = RecordingWriter(output, header)
    try:
        if board is not None:
            writer.attach("board.toml", "application/toml", board.text.encode())
        first = min((int(one.t_ns[0]) for one in series), default=start)
        writer.write(Arrival(role, 0, first, "note", b"", (Connected(role, first, info, 0),)))
        _write(writer, role, series, progress)
        for mark in _labels(role, series):
            writer.mark(mark)
    finally:
        writer.close()
    labels = sum(mark.kind == "start" for mark in _labels(role, series))
    samples = {one.table.stream.name: int(one.good.sum()) for one in series}
    return Imported(str(output), samples, labels, groups, sheet.explanation)


def _sheet(
    path: Path, data: bytes, board: BoardFile | None, stream: str | None, rate_hz: float | None, unit: str | None,
    label: str | None, group: str | None,
) -> Sheet:  # fmt: skip
    if data[:4] == b"PK\x03\x04":
        if board is not None or stream is None or not rate_hz:
            raise UsageError("arrays need a stream and a rate", str(path), "give --stream NAME --rate HZ --unit U")
        return read_npz(path, stream, unit or "?", rate_hz, label, group)
    sheet = read_csv(path, data, board, label, group)
    if board is not None or stream is None:
        return sheet
    if len(sheet.tables) != 1:
        names = ", ".join(sheet.tables)
        raise UsageError(f"it holds several streams ({names})", str(path), "describe them with `--board-file F`")
    (old,) = sheet.tables.values()
    units = tuple(unit if unit and known == "?" else known for known in old.stream.units)
    made = replace(old.stream, name=stream, units=units)
    if rate_hz:
        made = replace(made, rate_hz=rate_hz, rate_inferred=False)
    if made.rate_hz is None and old.ticks is None:
        raise UsageError("nothing in it tells the rate", str(path), "give --rate HZ")
    labels, groups = ({stream: one[old.stream.name]} if one else {} for one in (sheet.labels, sheet.groups))
    return Sheet({stream: replace(old, stream=made)}, labels, groups, sheet.explanation)


class _Series:
    """One stream of a file with the keys that a recording needs: numbers, boots, ticks and times."""

    def __init__(self, role: str, table: Table, sheet: Sheet, start_ns: int) -> None:
        self.role, self.table, self.good = role, table, table.valid
        name, count = table.stream.name, len(table.raw)
        self.labels = sheet.labels.get(name)
        names = sheet.groups.get(name)
        breaks = np.zeros(count, np.bool_)
        if names is not None:
            breaks[1:] |= names[1:] != names[:-1]
        if table.number is not None:
            breaks[1:] |= _steps(table.number, table.number_bits) < 0
        starts = np.flatnonzero(breaks)
        self.boot = np.cumsum(breaks).astype(np.int32)
        self.group = [] if names is None else [str(names[0]), *(str(names[start]) for start in starts)]
        self.numbers, self.ticks, self.t_ns = (
            np.empty(count, np.int64),
            np.empty(count, np.int64),
            np.empty(count, np.int64),
        )
        now = start_ns
        for begin, stop in pairwise([0, *starts.tolist(), count]):
            now = self._key(slice(begin, stop), now)

    def _key(self, part: slice, now: int) -> int:
        """Number and date the samples of one boot, the first at `now`; return when the next boot begins."""
        table, count = self.table, part.stop - part.start
        hz, rate = table.stream.tick_hz, table.stream.rate_hz
        counter = table.number
        self.numbers[part] = np.arange(count) if counter is None else _unwrapped(counter[part], table.number_bits)
        if table.ticks is not None and hz:
            ticks = _unwrapped(table.ticks[part], table.tick_bits)
            dated = hz == 1e9 and int(ticks[0]) > _DATES
            since = (ticks - ticks[0]).astype(np.float64) * (1e9 / hz) if hz != 1e9 else ticks - ticks[0]
            t_ns = (int(ticks[0]) if dated else now) + np.rint(since).astype(np.int64)
            self.ticks[part], self.t_ns[part] = ticks, np.maximum.accumulate(t_ns)
        else:
            self.t_ns[part] = now + np.rint(np.arange(count) * (1e9 / (rate or 1.0))).astype(np.int64)
            self.ticks[part] = self.t_ns[part]
        period = round(1e9 / rate) if rate else (int(np.median(np.diff(self.t_ns[part]))) if count > 1 else 0)
        return int(self.t_ns[part.stop - 1]) + period

    def items(self) -> Iterator[Item]:
        """Yield batches, and gaps where numbers jump or rows are bad."""
        count = len(self.numbers)
        follows = (np.diff(self.numbers) == 1) & (np.diff(self.boot) == 0) & (np.diff(self.good.astype(np.int8)) == 0)
        edges = [0, *(np.flatnonzero(~follows) + 1).tolist(), count]
        name, last = self.table.stream.name, None
        for begin, stop in pairwise(edges):
            boot, first, t_ns = int(self.boot[begin]), int(self.numbers[begin]), int(self.t_ns[begin])
            if last is not None and boot != last[0]:
                yield Rebooted(self.role, t_ns, boot, True)
            elif last is not None and first > last[1]:
                yield Gap(self.role, t_ns, name, boot, last[1], first - last[1], "lost")
            last = (boot, first + stop - begin)
            if not self.good[begin]:
                yield Gap(self.role, t_ns, name, boot, first, stop - begin, "invalid")
                continue
            for start in range(begin, stop, PIECE):
                part = slice(start, min(start + PIECE, stop))
                raw = self.table.raw[part]
                yield Batch(self.role, self.table.stream, boot, int(self.numbers[start]), self.ticks[part],
                            self.t_ns[part], raw)  # fmt: skip


def _write(writer: RecordingWriter, role: str, series: list[_Series], progress: Callable[[float], None] | None) -> None:
    items = [item for one in series for item in one.items()]
    items.sort(key=lambda item: int(item.t_ns[0]) if isinstance(item, Batch) else item.t_ns)
    for done, item in enumerate(items, 1):
        now = item.t_ns if isinstance(item, Event) else int(item.t_ns[-1])
        writer.write(Arrival(role, done, now, "note", b"", (item,)))
        if progress is not None:
            progress(done / len(items))


def _labels(role: str, series: list[_Series]) -> list[Mark]:
    """Return start and stop marks of every stretch with one label, of the stream that has labels."""
    labelled = next((one for one in series if one.labels is not None), None)
    if labelled is None or labelled.labels is None:
        return []
    texts, t_ns, boot = labelled.labels, labelled.t_ns, labelled.boot
    edges = [0, *(np.flatnonzero((texts[1:] != texts[:-1]) | (boot[1:] != boot[:-1])) + 1).tolist(), len(texts)]
    step = int(np.median(np.diff(t_ns))) if len(t_ns) > 1 else 1
    marks = []
    for begin, stop in pairwise(edges):
        if texts[begin]:
            end = int(t_ns[stop]) if stop < len(t_ns) else int(t_ns[-1]) + step
            marks.append(Mark(role, int(t_ns[begin]), str(texts[begin]), "start", "import"))
            marks.append(Mark(role, end, str(texts[begin]), "stop", "import"))
    return marks


def _steps(counter: npt.NDArray[np.uint64], bits: int) -> npt.NDArray[np.int64]:
    """Return the steps of a counter, the shorter way round where it wraps."""
    steps: npt.NDArray[np.int64] = counter[1:].astype(np.int64) - counter[:-1].astype(np.int64)
    if bits < 64:
        half = 1 << (bits - 1)
        steps = (steps + half) & ((1 << bits) - 1)
        steps -= half
    return steps


def _unwrapped(counter: npt.NDArray[np.uint64], bits: int) -> npt.NDArray[np.int64]:
    """Return a counter without its wraps, from its first value on."""
    whole = np.empty(len(counter), np.int64)
    whole[0] = counter[0]
    np.cumsum(_steps(counter, bits), out=whole[1:])
    whole[1:] += whole[0]
    return whole
