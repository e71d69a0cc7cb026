"""What a run leaves behind: the recording of what went wrong, in a folder of its own.

Rule of this room: a passing run leaves nothing. What a virtual board said, what faults made of a recording, what came
from a live board is written; a recording that was only read is pointed at and never copied. Files are made anew, none
is overwritten. Runs that are not live are repeated to be written: they are the same to the last bit.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

from firmware_bridge.batch import Batch
from firmware_bridge.errors import FileError
from firmware_bridge.faults import Schedule
from hil.recording.reader import Recording
from hil.scenario.afterwards.scope import Scope
from hil.scenario.execution.execute import execute
from hil.scenario.execution.targets import Place
from hil.scenario.grammar.load import Loaded

__all__ = ["file_for", "look_into", "run_folder", "seen_again", "source_of"]


def run_folder(root: str | Path, now_ns: int) -> Path:
    """Return the folder of a run, by its time; it is made when something is kept."""
    return Path(root) / datetime.fromtimestamp(now_ns // 10**9, UTC).strftime("%Y%m%dT%H%M%SZ")


def file_for(folder: str | Path, loaded: Loaded, seed: int) -> Path:
    """Return a name for a recording that is not taken yet; its folder is made.

    Raises:
        FileError: The folder cannot be made.
    """
    parts = loaded.path.with_suffix("").parts[-2:]
    stem = re.sub(r"[^\w.-]+", "-", "-".join(part for part in parts if part.strip("./"))).strip("-") or "scenario"
    stem += f"-seed{seed}" if seed else ""
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(f"what failed cannot be kept ({error.strerror})", str(folder), "give --keep DIR") from None
    names = (f"{stem}{f'-{at}' if at > 1 else ''}.mcap" for at in range(1, 10_000))
    return next(path for name in names if not (path := Path(folder) / name).exists())


def source_of(loaded: Loaded, places: Sequence[Place], schedule: Schedule) -> Path | None:
    """Return the recording that was judged as it is; None where what was judged is in no file."""
    only = places[0]
    if len(places) != 1 or only.kind != "recording" or schedule:
        return None
    return loaded.find(only.table.recording or "")


def seen_again(
    loaded: Loaded, places: Sequence[Place], seed: int, schedule: Schedule, scope: Scope, keep: Path | None
) -> None:
    """Let the readings of a run that is not live pass once more, before a scope and into a file.

    Args:
        loaded: The scenario.
        places: Where its boards are.
        seed: As of the run.
        schedule: Its faults.
        scope: What looks.
        keep: File to write; None: none.

    Raises:
        FileError: It cannot be written.
    """
    bare = replace(loaded, scenario=loaded.scenario.model_copy(update={"model": {}, "event": []}))
    execute(bare, places, seed, schedule, keep=keep, whole=True, watch=[scope.take])


def look_into(path: Path, scope: Scope) -> None:
    """Let a scope see the samples of a recording of a live run, as they were judged, stream by stream."""
    with Recording(path) as recording:
        for board, name in dict.fromkeys((one.board, one.stream.name) for one in recording.streams()):
            for part in recording.chunks(board, name):
                breaks = (part.numbers[1:] != part.numbers[:-1] + 1) | (part.boot[1:] != part.boot[:-1])
                edges = [0, *(int(at) + 1 for at in breaks.nonzero()[0]), len(part)]
                for low, high in pairwise(edges):
                    if low < high:
                        scope.look([Batch(board, part.stream, int(part.boot[low]), int(part.numbers[low]),
                                          part.ticks[low:high], part.t_ns[low:high], part.raw[low:high])])  # fmt: skip
