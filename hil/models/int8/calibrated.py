"""A model into an op list in a process of its own: its ranges come from recordings, and torch is loaded only here.

`python -m hil.models.int8.calibrated` reads one request from stdin (JSON: `model`, `data`, `stream`, `percentile`,
`output`), writes the op list into a new file and answers on stdout (JSON: `windows`, `percentile`, `hop`, `brought`, or
`error`), so that a bench that captures meanwhile shares neither interpreter nor memory with it.

Rule of this room: what `hil model deploy` calls is called; too few windows are refused, for ranges of a few windows
saturate on the next ones.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from firmware_bridge.errors import BridgeError, FileError, UsageError
from firmware_bridge.streams import Stream

if TYPE_CHECKING:
    from hil.models.contract import Contract
    from hil.models.windows import Windows

__all__ = ["LEAST", "calibrated", "too_few"]

LEAST = 20
"""Windows that ranges are taken from, at least."""


def too_few(count: int, where: str, next_step: str) -> UsageError:
    """Return the refusal of so few windows."""
    plural = "" if count == 1 else "s"
    what = f"{count} whole window{plural} to calibrate on, and {LEAST} are needed"
    return UsageError(what, where, next_step)


def calibrated(request: Mapping[str, Any]) -> dict[str, Any]:
    """Make an op list for a stream of a board.

    Args:
        request: `model`: file; `data`: recordings, may be none where the model brings its ranges along; `stream`: what
            the board sends, as `Stream.as_dict`; `percentile`: None for the usual one; `output`: file to write.

    Returns:
        `windows` that it was calibrated on, `percentile` of their values inside, `hop` of the model, and whether it
        `brought` its ranges along.

    Raises:
        FileError: A file cannot be read or written.
        UsageError: Too few windows, or the model does not run on boards.
    """
    from hil.models.int8.deploy import PERCENTILE, columns_of, deploy
    from hil.models.model import load_model

    opened = load_model(Path(request["model"]))
    contract, onto = opened.contract, Stream.from_dict(request["stream"])
    brought, asked = contract.int8 is not None, request.get("percentile")
    if brought and asked is not None:
        raise UsageError("the model was judged with ranges of its own and brings them along", contract.name,
                         "leave the percentile out")  # fmt: skip
    files = [str(file) for file in request["data"]]
    windows = _none(contract, onto, columns_of(contract, onto)) if brought else _windows(files, contract)
    made = deploy(opened, windows, asked or PERCENTILE, onto)
    try:
        with Path(request["output"]).open("xb") as file:
            file.write(made.blob)
    except OSError as error:
        raise FileError(f"it cannot be written ({error.strerror})", str(request["output"]), "check the disk") from None
    return {"windows": made.calibrated_on, "percentile": made.percentile, "hop": contract.hop, "brought": brought}


def _windows(files: list[str], contract: Contract) -> Windows:
    from hil.models.windows import joined, windows_of
    from hil.recording.reader import Recording

    parts = []
    for file in files:
        with Recording(file, skip_damaged=True) as recording:
            parts.append(windows_of(recording, contract))
    if (count := sum(map(len, parts))) < LEAST:
        raise too_few(count, ", ".join(files) or contract.name, "give a longer recording")
    return joined(parts, files[-1])


def _none(contract: Contract, stream: Stream, picked: tuple[int, ...]) -> Windows:
    """No windows of a stream: enough for a model that brings its ranges along."""
    import numpy as np

    from hil.models.windows import Windows

    raw, numbers = np.empty((0, contract.memory_samples, len(stream.channels)), stream.dtype), np.zeros(0, np.int64)
    return Windows(stream, picked, raw, numbers, numbers, numbers, ())


def main() -> int:
    """Answer one request; return the exit status."""
    if hasattr(os, "nice"):
        os.nice(5)  # whoever captures on this machine comes first
    try:
        answer, status = calibrated(json.load(sys.stdin)), 0
    except BridgeError as error:
        answer, status = {"error": error.as_dict()}, error.exit_code
    json.dump(answer, sys.stdout)
    return status


if __name__ == "__main__":
    raise SystemExit(main())
