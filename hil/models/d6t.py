"""Thermal postures as one NPZ file: `python -m hil.models.d6t FOLDER -o FILE.npz [--room Bedroom] [--group day]`.

Rule of this room: what was sent is kept as it was sent (tenths of a degree, int16), and what is left out is counted. A
frame whose checksum failed is excluded and ends its series, as any missing sample does. A series belongs to a day (or a
person), by which people split; a random split would put neighbouring frames on both sides.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from firmware_bridge.errors import FileError

__all__ = ["Postures", "main", "read_postures"]

_NAME = re.compile(r"(?P<room>[A-Za-z]+)-Day(?P<day>\d+)-(?P<person>[A-Za-z]+)-(?P<posture>\d+)\.csv$")
_FIELDS, _PIXELS, _CHECK = 20, slice(1, 17), 17
_NOBODY = (8, 16)


@dataclass(slots=True, eq=False)
class Postures:
    """Frames end to end, and what became of every line.

    Attributes:
        frames: int16 `(4, 4)` each, in tenths of a degree.
        lengths: Frames of each series.
        postures: The posture of each series, as the study numbers them.
        days: Its day.
        people: Its volunteer.
        counts: Lines by what became of them: `frames`, `failed_crc`, `no_frame`; `files` and `other_files`.
    """

    frames: list[npt.NDArray[np.int16]] = field(default_factory=list)
    lengths: list[int] = field(default_factory=list)
    postures: list[int] = field(default_factory=list)
    days: list[str] = field(default_factory=list)
    people: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def arrays(self, group: str = "day") -> dict[str, npt.NDArray[Any]]:
        """Return the arrays of `NpzLayout`, grouped by `day` or `person`."""
        known = sorted(set(self.postures))
        names = ["nobody" if one in _NOBODY else f"posture-{one}" for one in known]
        return {
            "X": np.array(self.frames, np.int16).reshape(-1, 4, 4), "scale": np.array([0.1]),
            "length": np.array(self.lengths), "y": np.array([known.index(one) for one in self.postures]),
            "subject": np.array(self.days if group == "day" else self.people), "y_labels": np.array(names),
            "X_labels": np.array(["temperature"]), "failed_crc": np.array(self.counts["failed_crc"]),
        }  # fmt: skip


def read_postures(folder: Path, room: str = "Bedroom", shortest: int = 2) -> Postures:
    """Read the recordings of one room.

    Args:
        folder: Holds a folder of CSV files for each day.
        room: `Bedroom` or `Bathroom`.
        shortest: Frames of a series, at least; what a failed frame leaves shorter is left out and counted as `alone`.

    Raises:
        FileError: There is no such recording.
    """
    found = Postures()
    for path in sorted(folder.rglob("*.csv")):
        told = _NAME.search(path.name)
        if told is None or told["room"] != room:
            found.counts["other_files"] += 1
            continue
        found.counts["files"] += 1
        for piece in _pieces(path, found.counts):
            if len(piece) < shortest:
                found.counts["alone"] += len(piece)
                continue
            found.frames += piece
            found.lengths.append(len(piece))
            found.postures.append(int(told["posture"]))
            found.days.append(told["day"])
            found.people.append(told["person"])
    if not found.frames:
        raise FileError(f"it holds no recording of a {room}", str(folder), "name the folder with the days in it")
    found.counts["frames"] = len(found.frames)
    return found


def _pieces(path: Path, counts: Counter[str]) -> Iterator[list[npt.NDArray[np.int16]]]:
    """Unbroken stretches of frames; a line that is no frame (a header) breaks nothing."""
    piece: list[npt.NDArray[np.int16]] = []
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        cells = [cell.strip() for cell in line.split(",")]
        if len(cells) != _FIELDS or not cells[0].lstrip("-").isdigit():
            counts["no_frame"] += 1
        elif cells[_CHECK] != "1":
            counts["failed_crc"] += 1
            yield piece
            piece = []
        else:
            piece.append(np.array(cells[_PIXELS], np.int16).reshape(4, 4))
    yield piece


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m hil.models.d6t", description="Thermal postures as one NPZ file.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--room", default="Bedroom", choices=("Bedroom", "Bathroom"))
    parser.add_argument("--group", default="day", choices=("day", "person"))
    given = parser.parse_args(arguments)
    found = read_postures(given.folder, given.room)
    with given.output.open("xb") as file:
        np.savez_compressed(file, allow_pickle=False, **found.arrays(given.group))
    told = ", ".join(f"{count} {name}" for name, count in sorted(found.counts.items()))
    print(f"{given.output}: {len(found.lengths)} series; {told}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
