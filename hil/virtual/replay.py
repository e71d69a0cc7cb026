"""`virtual://replay?file=FILE`: a recording spoken by a virtual board, as a port like any other.

A board that spoke the native protocol (and an imported one, of which there are only readings) becomes a native board:
samples keep their raw values, their spacing on the board's clock and their gaps; numbers begin at 0 with the first
sample, and go on counting where the recorded board started anew. Labels of the recording are logged at the sample with
which they begin (`label: NAME`, and `label: none` where they end). A board of any other dialect sends its recorded
bytes again at their times: the host needs the same dialect or board file as then.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from firmware_bridge.errors import UsageError
from firmware_bridge.streams import BoardInfo
from firmware_bridge.virtual.board import VirtualBoard
from firmware_bridge.virtual.bytesplay import BytesBoard
from firmware_bridge.virtual.parameters import LINK, Parameter, read_parameters, settings_from
from firmware_bridge.virtual.playback import PlaybackBoard, Series, notes_at
from firmware_bridge.virtual.settings import Identity, Notes
from hil.recording.arrays import StreamArrays
from hil.recording.reader import Recording

__all__ = ["PARAMETERS", "make"]

_LINK = tuple(one for one in LINK if one.name not in ("rate", "jitter_us"))

PARAMETERS = (
    *_LINK,
    Parameter("file", "", "the recording"),
    Parameter("board", "", "role of the board in it; needed where there are several"),
    Parameter("kind", "auto", "what is replayed", choices=("auto", "samples", "bytes")),
    Parameter("speed", 1.0, "how much faster than recorded", 1e-3, 1e6),
    Parameter("from_s", 0.0, "seconds from the recording's start to begin with", 0, 1e9),
    Parameter("to_s", 0.0, "seconds from the recording's start to end with; 0: its end", 0, 1e9),
    Parameter("loop", 0, "1: begin anew after the end", 0, 1),
    Parameter("pause_s", 1.0, "rest before it begins anew", 0, 3600),
)
"""What `virtual://replay` takes."""


def make(given: Mapping[str, str]) -> VirtualBoard:
    """Return the board of `virtual://replay?...`.

    Raises:
        UsageError: No file named, no such board, or nothing of it to replay.
        FileError: The recording cannot be read.
    """
    values = read_parameters("replay", given, PARAMETERS)
    if not values["file"]:
        raise UsageError("no recording is named", "virtual://replay", "write virtual://replay?file=NAME.mcap")
    path = Path(values["file"])
    window = (values["from_s"] or None, values["to_s"] or None)
    pause = values["pause_s"] if values["loop"] else None
    with Recording(path) as recording:
        role = _role(recording, values["board"])
        setup = next((setup for setup in recording.header.boards if setup.role == role), None)
        info = setup.info if setup else None
        raw = setup is not None and setup.dialect is not None
        kind = values["kind"]
        if kind == "auto":
            kind = "bytes" if raw and (info is None or info.dialect != "native") else "samples"
        if kind == "samples":
            arrays = _arrays(recording, role, *window)
            series = _series(arrays)
            notes = _labels(recording, role, arrays[0], series[0], values["loop"])
            who = _identity(info, role, values["serial"])
            return PlaybackBoard(who, series, settings_from(values), notes, values["speed"], pause)
        if not raw:
            raise UsageError(f"{role} has no raw bytes", str(path), "use kind=samples")
        low, high = (None if edge is None else recording.start_ns + round(edge * 1e9) for edge in window)
    return BytesBoard(lambda: _pieces(path, role, low, high), values["speed"], pause)


def _pieces(path: Path, role: str, low: int | None, high: int | None) -> Iterator[tuple[int, bytes]]:
    """Yield what a board sent, with the times of arrival."""
    with Recording(path) as recording:
        for arrival in recording.arrivals(low, high):
            if arrival.kind == "rx" and arrival.board == role:
                yield arrival.t_ns, arrival.data


def _arrays(recording: Recording, role: str, start: float | None, end: float | None) -> list[StreamArrays]:
    names = dict.fromkeys(known.stream.name for known in recording.streams() if known.board == role)
    arrays = [found for name in names if len(found := recording.read(role, name, start, end))]
    if not arrays:
        raise UsageError(f"{role} has no samples there", str(recording.path), "choose other seconds, or kind=bytes")
    return arrays


def _role(recording: Recording, wanted: str) -> str:
    roles = list(dict.fromkeys([*(known.board for known in recording.streams()), *recording.boards,
                                *(setup.role for setup in recording.header.boards)]))  # fmt: skip
    if wanted in roles:
        return wanted
    if not wanted and len(roles) == 1:
        return roles[0]
    if not roles:
        raise UsageError("there is no board in it", str(recording.path), "choose another recording")
    what = f"board={wanted} is not in it" if wanted else "there are several boards in it"
    raise UsageError(what, str(recording.path), f"choose board= one of {', '.join(roles)}")


def _identity(info: BoardInfo | None, role: str, serial: str) -> Identity:
    if info is None:
        return Identity("replay", serial or role, "recorded")
    return Identity(info.model, serial or info.serial, info.firmware, {**info.extra, "replayed": True})


def _series(arrays: Sequence[StreamArrays]) -> list[Series]:
    """Return the streams on one common time, with numbers that never begin anew."""
    begin = min(int(one.t_ns[0]) for one in arrays)
    boots = sorted({int(boot) for one in arrays for boot in np.unique(one.boot)})
    series = []
    anchors = {boot: _anchor(arrays, boot) for boot in boots}
    for one in arrays:
        numbers = one.numbers.copy()
        seconds = np.empty(len(one))
        following = 0
        for boot in boots:
            here = one.boot == boot
            if not here.any():
                continue
            recorded = one.numbers[here]
            numbers[here] = recorded + (following - (int(recorded[0]) if not following else 0))
            following = int(numbers[here][-1]) + 1
            tick, t_ns = anchors[boot]
            hz = one.stream.tick_hz
            elapsed = (one.ticks[here] - tick) / hz if hz else (one.t_ns[here] - t_ns) / 1e9
            seconds[here] = (t_ns - begin) / 1e9 + elapsed
        stream = replace(one.stream, tick_hz=1e6, counted=True, checked=True)
        series.append(Series(stream, one.raw, np.maximum.accumulate(seconds), numbers))
    return series


def _anchor(arrays: Sequence[StreamArrays], boot: int) -> tuple[int, int]:
    """Return (tick, UTC) of the first sample of a boot."""
    firsts = [
        (int(one.t_ns[at]), int(one.ticks[at]))
        for one in arrays
        if (found := np.flatnonzero(one.boot == boot)).size and (at := int(found[0])) >= 0
    ]
    t_ns, tick = min(firsts)
    return tick, t_ns


def _labels(recording: Recording, role: str, arrays: StreamArrays, played: Series, loop: bool) -> Notes | None:
    """Return notes for the labels of the recording, on the numbers of its first stream."""
    assert played.numbers is not None
    said: dict[int, str] = {}
    for label in recording.labels:
        if label.board in ("", role):
            start, stop = (np.searchsorted(arrays.t_ns, when) if when else len(arrays) for when in
                           (label.start_ns, label.stop_ns))  # fmt: skip
            if start < len(arrays) and start < stop:
                said[int(played.numbers[start])] = f"label: {label.text}"
                if stop < len(arrays):
                    said.setdefault(int(played.numbers[stop]), "label: none")
    numbers = sorted(said)
    period = int(played.numbers[-1]) + 1 if loop else 0
    return notes_at(numbers, [said[number] for number in numbers], period) if numbers else None
