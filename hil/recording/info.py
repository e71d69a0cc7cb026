"""What is in a recording, in a few facts for people (`lines`) and scripts (`as_dict`)."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hil.recording.checks import check as check_file
from hil.recording.header import SCHEMA
from hil.recording.reader import Recording

__all__ = ["Info", "info"]


@dataclass(frozen=True, slots=True)
class Info:
    """Facts about a recording.

    Attributes:
        path: The file.
        size: Bytes.
        start_ns: UTC of the first sample.
        duration_s: From the first sample to the last.
        origin: `capture`, `import`, `decode` and so on.
        about: What people said: person, label, note ...
        boards: Identity of every board by role.
        streams: One row a stream: board, stream, samples, rate_hz, lost (samples; None: unknown), unit and so on.
        events: How many events of each kind.
        predictions: How many predictions of each model.
        labels: Labelled stretches: text, from_s, to_s, board.
        marks: How many marks, those of the sidecar included.
        lost: What a kill or damage lost, or that it is still being written, one sentence; None where nothing is.
        being_written: Whether somebody who lives still writes it.
        damaged: A sentence for each damaged chunk (only where all were checked).
    """

    path: str
    size: int
    start_ns: int
    duration_s: float
    origin: str
    about: dict[str, str]
    boards: dict[str, dict[str, Any]]
    streams: list[dict[str, Any]]
    events: dict[str, int]
    predictions: dict[str, int]
    labels: list[dict[str, Any]]
    marks: int
    lost: str | None
    being_written: bool
    damaged: list[str]

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {"schema": SCHEMA} | {name: getattr(self, name) for name in self.__dataclass_fields__}

    def lines(self) -> list[str]:
        """Return the facts as lines for people."""
        out = [f"{self.path}: {self.duration_s:.1f} s, {self.size / 1e6:.2f} MB ({self.origin})"]
        out += [f"  {key}: {value}" for key, value in self.about.items()]
        for role, board in self.boards.items():
            name = " ".join(filter(None, (board["model"], board["serial"], board["firmware"])))
            out.append(f"  board {role}: {name} ({board['dialect']})")
        for row in self.streams:
            rate = "rate unknown" if row["rate_hz"] is None else f"{row['rate_hz']:g} Hz"
            rate += " (measured)" if row["rate_inferred"] else ""
            lost = "lost unknown" if row["lost"] is None else f"{row['lost']} lost"
            out.append(f"  {row['board']}/{row['stream']}: {row['samples']} samples, {rate}, {lost}")
        counts = {**self.events, **{f"predictions of {name}": count for name, count in self.predictions.items()}}
        if counts:
            out.append("  " + ", ".join(f"{name}: {count}" for name, count in counts.items()))
        if self.marks:
            out.append(f"  marks: {self.marks}, labels: {len(self.labels)}")
        return out + [f"  {sentence}" for sentence in ([self.lost] if self.lost else []) + self.damaged]


def info(path: str | Path, check: bool = False) -> Info:
    """Return what is in a recording.

    Args:
        path: The file.
        check: Unpack every chunk and compare its checksum.

    Raises:
        FileError: It cannot be read.
    """
    with Recording(path, skip_damaged=True) as recording:
        damaged = check_file(recording.file) if check else []
        start = recording.start_ns
        labels = [
            {
                "text": label.text, "from_s": (label.start_ns - start) / 1e9, "board": label.board,
                "to_s": None if label.stop_ns is None else (label.stop_ns - start) / 1e9,
            }
            for label in recording.labels
        ]  # fmt: skip
        return Info(
            path=str(path),
            size=recording.file.size,
            start_ns=start,
            duration_s=recording.duration_s,
            origin=recording.header.origin,
            about=dict(recording.header.about),
            boards={role: board.as_dict() for role, board in recording.boards.items()},
            streams=[_row(recording, board, name) for board, name in _names(recording)],
            events=dict(Counter(type(event).__name__ for event in recording.events())),
            predictions=dict(Counter(prediction.model for prediction in recording.predictions())),
            labels=labels,
            marks=len(recording.marks),
            lost=recording.lost,
            being_written=recording.being_written,
            damaged=damaged or list(recording.damaged),
        )


def _names(recording: Recording) -> list[tuple[str, str]]:
    return list(dict.fromkeys((known.board, known.stream.name) for known in recording.streams()))


def _row(recording: Recording, board: str, name: str) -> dict[str, Any]:
    stream = recording.stream(board, name).stream
    books = recording.ledger(board)
    lost: int | None = None
    if books:
        rows = [row for row in books[-1][1].get("streams", ()) if row["stream"] == name]
        parts = [row.get(key) for row in rows for key in ("lost", "unattributed", "board_dropped", "host_dropped")]
        lost = None if not parts or None in parts else sum(parts)
    return {
        "board": board, "stream": name, "samples": recording.count(board, name), "lost": lost,
        "rate_hz": stream.rate_hz, "rate_inferred": stream.rate_inferred, "channels": list(stream.channels),
        "units": list(stream.units), "dtype": stream.dtype, "shape": list(stream.shape),
    }  # fmt: skip
