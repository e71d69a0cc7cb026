"""Opens what `hil parity` compares: models, recordings and boards.

Rule of this room: files and ports are opened here and nowhere else in these rooms; what is in them is judged elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from firmware_bridge.errors import FileError
from firmware_bridge.oplist.ops import OpList, pack, unpack
from hil.models.int8.deploy import deploy
from hil.models.model import Model
from hil.models.windows import Windows, joined, windows_of
from hil.parity.printed import printed_in
from hil.parity.readings import readings_in
from hil.parity.scores import ScoreParity, judge_scores
from hil.recording.reader import Recording

__all__ = ["oplist_for", "parity_of_scores", "windows_in"]


def parity_of_scores(
    model: Model, path: str | Path, stream: str, board: str | None = None, key: str | None = None
) -> ScoreParity:
    """Compare the scores that a board said itself with a model on its recorded readings.

    Args:
        model: The model.
        path: A recording of both.
        stream: Stream of scores, or `RESULT` for the board's own messages.
        board: Role of the board; None: the first with the readings that the model reads.
        key: Channel of the scores that holds the number of the window's last sample; None: `sample`, if there is one.

    Raises:
        UsageError: No stream fits, or no score belongs to a whole window.
        FileError: The recording cannot be read.
    """
    role = board if board is not None or "/" not in stream else stream.partition("/")[0]
    with Recording(path) as recording:
        readings = readings_in(recording, model.contract, role)
        printed = printed_in(recording, model.contract, readings.board, stream, key)
    return judge_scores(model, readings, printed)


def windows_in(model: Model, paths: Sequence[str | Path], board: str | None = None) -> Windows:
    """Return the windows that a model decides on in recordings of one kind of board.

    Raises:
        UsageError: No stream fits, or the recordings are of several kinds of board.
        FileError: A recording cannot be read.
    """
    parts = []
    for path in paths:
        with Recording(path) as recording:
            parts.append(windows_of(recording, model.contract, board))
    return joined(parts, str(paths[-1]))


def oplist_for(model: Model, calibration: Windows, blob: str | Path | None = None) -> tuple[OpList, bytes]:
    """Return a model in integers and its bytes: from a file, or quantised with ranges from windows.

    Raises:
        UsageError: An operator does not run on boards.
        FileError: The file cannot be read or is no op list.
    """
    if blob is not None:
        try:
            content = Path(blob).read_bytes()
        except OSError as error:
            raise FileError(
                f"it cannot be read ({error.strerror})", str(blob), "write one with `hil model deploy -o`"
            ) from None
        return unpack(content, str(blob)), content
    oplist = deploy(model, calibration).oplist
    return oplist, pack(oplist)
