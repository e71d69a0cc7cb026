"""A recording, or a part of it, measured: every stream by its kind, then what streams are to each other.

Rule of this room: it only says who measures what and in which order; figures are made in the rooms of each kind.
Streams are read portion by portion, so memory does not grow with the length. A stream that cannot be measured at all is
told in `facts["remarks"]`, never left out in silence.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from firmware_bridge.errors import UsageError
from firmware_bridge.streams import BoardInfo
from hil.measure.board import BoardWork, measure_board
from hil.measure.datasheet import load_datasheet
from hil.measure.figure import Figure, Measurement, PlotData
from hil.measure.kinds import KINDS
from hil.recording.reader import Recording

__all__ = ["measure"]


@dataclass
class _Result:
    figures: list[Figure] = field(default_factory=list)
    plots: dict[str, PlotData] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    streams: list[dict[str, Any]] = field(default_factory=list)


def measure(
    recording: Recording | str | Path, streams: Iterable[str] | None = None, start_s: float | None = None,
    end_s: float | None = None, progress: Callable[[float], None] | None = None,
    datasheet: str | Path | None = None, reference: str | None = None, kinds: Mapping[str, str] | None = None,
) -> Measurement:  # fmt: skip
    """Return every figure of a recording.

    Args:
        recording: A recording or its path.
        streams: `BOARD/STREAM` (or `STREAM`) to measure; None: all.
        start_s: From this time on, in seconds since the recording's first sample.
        end_s: Before this time.
        progress: Called with the share that is done, 0 to 1.
        datasheet: A TOML file with `[expect]` to lay over the figures (see `datasheet`).
        reference: `BOARD/STREAM` or `BOARD/STREAM/CHANNEL` that every other measured stream is compared with.
        kinds: What streams are, by `BOARD/STREAM`, where names and units do not tell: one of `kinds.KINDS`.

    Returns:
        Figures with units, intervals and conditions, the curves behind them, and facts about the recording.

    Raises:
        UsageError: A stream, kind, time or datasheet that cannot be meant.
        FileError: The recording cannot be read.
    """
    if not isinstance(recording, Recording):
        with Recording(recording) as opened:
            return measure(opened, streams, start_s, end_s, progress, datasheet, reference, kinds)
    sheet = load_datasheet(datasheet) if datasheet is not None else None
    _check_times(start_s, end_s)
    wanted = _wanted(recording, streams)
    named = _named_kinds(recording, kinds or {})
    told = Told(recording, progress, sum(recording.count(*key) for key in wanted))
    result = _Result()
    for board in dict.fromkeys(board for board, _ in wanted):
        names = [name for role, name in wanted if role == board]
        work = BoardWork(recording, board, names, start_s, end_s, named, told.read)
        done = measure_board(work)
        result.figures += done.figures
        result.plots |= done.plots
        result.remarks += done.remarks
        result.streams += done.streams
    if reference is not None:
        from hil.measure.reference import compare_streams

        figures, plots = compare_streams(recording, wanted, reference, start_s, end_s)
        result.figures += figures
        result.plots |= plots
    if progress is not None:
        progress(1.0)
    facts = _facts(recording, start_s, end_s, result.streams, result.remarks)
    made = Measurement(tuple(result.figures), result.plots, facts)
    return made if sheet is None else sheet.over(made)


class Told:
    """Tells how far measuring is, by samples read.

    Args:
        recording: What is measured.
        progress: Called with the share.
        samples: How many there are in all.
    """

    def __init__(self, recording: Recording, progress: Callable[[float], None] | None, samples: int) -> None:
        self._progress = progress
        self._all = max(1, 2 * samples)
        self._read = 0

    def read(self, samples: int) -> None:
        """Some more samples were read (each is read twice where rest is looked for, counted so)."""
        self._read += samples
        if self._progress is not None:
            self._progress(min(0.999, self._read / self._all))


def _check_times(start_s: float | None, end_s: float | None) -> None:
    if start_s is not None and end_s is not None and end_s <= start_s:
        raise UsageError(f"--to {end_s:g} is not after --from {start_s:g}", "measure", "give a later end")


def _wanted(recording: Recording, streams: Iterable[str] | None) -> list[tuple[str, str]]:
    there = list(dict.fromkeys((known.board, known.stream.name) for known in recording.streams()))
    if streams is None:
        if not there:
            raise UsageError("the recording has no samples", str(recording.path), "see `hil info FILE`")
        return there
    found = []
    for name in streams:
        matching = [key for key in there if name in (key[1], f"{key[0]}/{key[1]}")]
        if not matching:
            names = ", ".join(f"{board}/{stream}" for board, stream in there) or "none"
            raise UsageError(f"there is no stream {name}", str(recording.path), f"its streams are {names}")
        found += matching
    return list(dict.fromkeys(found))


def _named_kinds(recording: Recording, kinds: Mapping[str, str]) -> dict[tuple[str, str], str]:
    found = {}
    for name, kind in kinds.items():
        if kind not in KINDS:
            raise UsageError(f"{kind!r} is no kind of stream", f"kind of {name}", f"allowed are {', '.join(KINDS)}")
        for key in _wanted(recording, [name]):
            found[key] = kind
    return found


def _facts(
    recording: Recording, start_s: float | None, end_s: float | None, streams: list[dict[str, Any]], remarks: list[str]
) -> dict[str, Any]:
    boards: Mapping[str, BoardInfo] = recording.boards
    return {
        "path": str(recording.path), "start_ns": recording.start_ns, "duration_s": recording.duration_s,
        "from_s": start_s, "to_s": end_s, "origin": recording.header.origin, "about": dict(recording.header.about),
        "boards": {
            role: {"model": info.model, "serial": info.serial, "firmware": info.firmware}
            for role, info in boards.items()
        },
        "streams": streams, "lost": recording.lost, "remarks": [*recording.damaged, *remarks],
    }  # fmt: skip
